from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tuneornot.errors import ModelError, ServerError
from tuneornot.models.embedding import Embedding


async def at_once(_: float) -> None:
    """No waiting between two tries."""


class Asked:
    """What a server was asked, and how it answers in turn: a status, or a body."""

    def __init__(self, *answers: int | bytes) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.answers = list(answers)


@contextmanager
def server(asked: Asked) -> Iterator[str]:
    """A real server on loopback whose vectors are the lengths and the numbers of words."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.bodies.append({"path": self.path, **body})
            asked.keys.append(self.headers.get("Authorization"))
            answer = asked.answers.pop(0) if asked.answers else 200
            rows = [
                {"index": i, "embedding": [len(text), len(text.split())]}
                for i, text in enumerate(body["input"])
            ]
            told = json.dumps({"data": rows[::-1]}).encode()
            said = answer if isinstance(answer, bytes) else told
            self.send_response(answer if isinstance(answer, int) else 200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}/v1#small"
        finally:
            running.shutdown()
            thread.join()


def test_a_server_is_asked_in_batches_and_its_order_put_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEORNOT_API_KEY", "secret-word")
    asked = Asked(429, 503)
    texts = [f"{'x' * (i % 7)} y" for i in range(230)]
    with server(asked) as name:
        found = Embedding(name, tmp_path, wait=at_once)(texts)
    assert found.tolist() == [[len(text), len(text.split())] for text in texts]
    assert [len(body["input"]) for body in asked.bodies] == [100, 100, 100, 100, 30]
    assert {(body["path"], body["model"]) for body in asked.bodies} == {("/v1/embeddings", "small")}
    assert set(asked.keys) == {"Bearer secret-word"}


def test_what_a_server_refuses_ends_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNEORNOT_API_KEY", "secret-word")
    asked = Asked(404, b'{"error": "for secret-word"}', b'{"data": [{"embedding": ["a"]}]}')
    with server(asked) as name:
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
