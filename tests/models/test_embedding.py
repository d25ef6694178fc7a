from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.models.embedders import Asked, embedder
from tuneornot.errors import ModelError, ServerError
from tuneornot.models.embedding import Embedding


async def at_once(_: float) -> None:
    """No waiting between two tries."""


def test_a_server_is_asked_in_batches_and_its_order_put_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEORNOT_API_KEY", "secret-word")
    asked = Asked(429, 503)
    texts = [f"{'x' * (i % 7)} y" for i in range(230)]
    with embedder(asked) as name:
        found = Embedding(name, tmp_path, wait=at_once)(texts)
    assert found.tolist() == [[len(text), len(text.split())] for text in texts]
    assert [len(body["input"]) for body in asked.bodies] == [100, 100, 100, 100, 30]
    assert {(body["path"], body["model"]) for body in asked.bodies} == {("/v1/embeddings", "small")}
    assert set(asked.keys) == {"Bearer secret-word"}


@pytest.mark.parametrize(
    ("headers", "waits"),
    [({}, [1, 2, 4]), ({"Retry-After": "20"}, [20] * 3), ({"Retry-After": "9999"}, [300] * 3)],
)
def test_a_server_says_how_long_to_wait(
    tmp_path: Path, headers: dict[str, str], waits: list[float]
) -> None:
    waited: list[float] = []

    async def noted(seconds: float) -> None:
        waited.append(seconds)

    asked = Asked(429, 503, 429)
    asked.headers = headers
    with embedder(asked) as name:
        assert Embedding(name, tmp_path, wait=noted)(["a b"]).tolist() == [[3, 2]]
    assert waited == waits


def test_what_a_server_refuses_ends_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEORNOT_API_KEY", "secret-word")
    asked = Asked(404, b'{"error": "for secret-word"}', b'{"data": [{"embedding": ["a"]}]}')
    with embedder(asked) as name:
        embedding = Embedding(name, tmp_path, wait=at_once)
        with pytest.raises(ServerError, match="status 404"):
            embedding(["a"])
        with pytest.raises(ServerError, match="must answer with `data`"):
            embedding(["a"])
        with pytest.raises(ModelError, match="return a vector for each text"):
            embedding(["a"])
    assert len(asked.bodies) == 3
    with pytest.raises(ServerError, match="no answer"):
        embedding(["a"])


def test_a_function_beside_the_study(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "import numpy as np\n"
        "def right(texts): return np.array([[len(t), 1] for t in texts])\n"
        "def few(texts): return [[1.0]]\n"
        "def ragged(texts): return [[1.0] * (i + 1) for i, _ in enumerate(texts)]\n"
        "def infinite(texts): return [[float('nan')] for _ in texts]\n"
        "def broken(texts): return 1 / 0\n"
    )
    own = Embedding("own:right", tmp_path)
    assert np.array_equal(own(["ab", "c"]), [[2, 1], [1, 1]])
    for name in ("few", "ragged", "infinite", "broken"):
        with pytest.raises(ModelError, match=f"own:{name}"):
            Embedding(f"own:{name}", tmp_path)(["a", "b"])
    with pytest.raises(ModelError, match="must be found"):
        Embedding("own:nothing", tmp_path)
    before = own.identity
    (tmp_path / "own.py").write_text("def right(texts): return [[1.0] for _ in texts]\n")
    assert Embedding("own:right", tmp_path).identity != before


def test_texts_that_fail_are_found_among_those_that_do_not(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "n = []\n"
        "def picky(texts):\n"
        "    n.append(len(texts))\n"
        "    return [[float(len(t))] if t != 'bad' else 1 / 0 for t in texts]\n"
    )
    texts = ["a", "bad", "ccc", "dd", "bad", "e" * 9, "f"]
    found = Embedding("own:picky", tmp_path).each(texts)
    assert [len(one) for one in found if not isinstance(one, str)] == [1] * 5
    assert [isinstance(one, str) for one in found] == [text == "bad" for text in texts]
    assert found[5] == [9.0]
    assert isinstance(found[1], str)
    assert "ZeroDivisionError" in found[1]
    assert Embedding("own:picky", tmp_path).each([]) == []


def test_an_embedding_that_fails_whatever_the_text_is_no_fault_of_a_text(tmp_path: Path) -> None:
    asked = Asked(404, 404)
    with embedder(asked) as name, pytest.raises(ServerError, match="status 404"):
        Embedding(name, tmp_path, wait=at_once).each(["a"] * 50)
    assert [len(body["input"]) for body in asked.bodies] == [50, 1]


def test_vectors_of_another_length_are_no_longer_those_of_the_same_embedding(
    tmp_path: Path,
) -> None:
    (tmp_path / "own.py").write_text(
        "def wide(texts): return [[1.0] * len(texts[0])] * len(texts)\n"
    )
    own = Embedding("own:wide", tmp_path)
    assert own(["ab", "c"]).shape == (2, 2)
    with pytest.raises(ModelError, match=r"always of one length.*\(1, 3\)"):
        own(["abc"])
