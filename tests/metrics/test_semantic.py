from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.models.embedders import Asked, embedder
from tuneornot import measure, scoring
from tuneornot.errors import MissingExtra, ModelError, StudyError
from tuneornot.metrics import registry, semantic
from tuneornot.metrics.base import Mark, Metric
from tuneornot.models import files
from tuneornot.models.scripted import ScriptedModel
from tuneornot.records import Arm, Case, Dataset, Json, Response

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
# A vector is the number of a's and of b's; what must not be embedded is refused.
OWN = """
calls = []

def counts(texts):
    calls.append(list(texts))
    if any("refused" in text for text in texts):
        raise ValueError("not this one")
    return [[text.count("a"), text.count("b")] for text in texts]

def broken(texts):
    raise RuntimeError("gone")
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "own.py").write_text(OWN, encoding="utf-8")
    return tmp_path


def built(folder: Path = Path(), **settings: Json) -> Metric:
    return registry.build({"semantic_similarity": settings}, folder=folder)


def mark(metric: Metric, answer: str, expected: Json = None) -> Mark:
    case = Case(id="c", input="q", expected=expected)
    return metric.score(case, Response(arm="a", question="q", text=answer))


@pytest.mark.parametrize(
    ("answer", "expected", "value"),
    [
        ("aab", "aab", 1),
        ("aaa", "a", 1),
        ("a", "b", 0),
        ("ab", "a", 0.5**0.5),
        ("aab", "abb", 0.8),
        ("aab", ["b", "abb", ""], 0.8),
    ],
)
def test_the_cosine_of_two_vectors(study: Path, answer: str, expected: Json, value: float) -> None:
    found = mark(built(study, embed="own:counts"), answer, expected)
    assert found.value == pytest.approx(value, abs=1e-6)


def test_vectors_that_point_away_count_as_nothing_alike(study: Path) -> None:
    (study / "away.py").write_text(
        "def sign(texts): return [[1.0 if t == 'a' else -1.0] for t in texts]\n"
    )
    assert mark(built(study, embed="away:sign"), "a", "b") == Mark(0.0)


def test_what_has_no_value(study: Path) -> None:
    metric = built(study, embed="own:counts")
    assert mark(metric, "a") == Mark(None, "the case has no expected text")
    assert mark(metric, "a", " ") == Mark(None, "the case has no expected text")
    assert mark(metric, " \n", "a") == Mark(0.0, "the answer is empty")
    assert "which has no direction" in str(mark(metric, "c", "a").reason)
    refused = mark(metric, "refused", "a")
    assert refused.value is None
    assert "the answer has no embedding" in str(refused.reason)
    assert "not this one" in str(refused.reason)
    assert "the expected text has no embedding" in str(mark(metric, "a", "refused").reason)
    assert mark(metric, "a", ["refused", "b"]) == Mark(0.0)


def test_a_run_is_embedded_in_blocks_and_no_text_twice(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(semantic, "BLOCK", 4)
    monkeypatch.setattr(semantic, "KEPT", 3)
    metric = built(study, embed="own:counts")
    cases = tuple(Case(id=str(i), input=f"q{i}", expected="a" * i) for i in range(1, 7))
    answers = [
        (case, Response(arm="a", question=case.question, text="b" * i + "refused" * (i == 3)))
        for i, case in enumerate(cases, start=1)
    ]
    scoring.prepare([metric], [*answers, (cases[0], Response(arm="a", question="q", error="no"))])
    before = calls(metric)
    values = [metric.score(case, response).value for case, response in answers]
    assert values == [0, 0, None, 0, 0, 0]
    assert calls(metric) == before, "the values are known"
    whole = [texts for texts in before if len(texts) > 1]
    assert whole[0] == ["b", "a", "bb", "aa", "bbbrefused", "aaa", "bbbb", "aaaa"]
    assert max(map(len, before)) == 8
    assert ["bbbbb", "aaaaa", "bbbbbb", "aaaaaa"] in before
    mark(metric, "ab", "aaaaaa")
    assert calls(metric)[-1] == ["ab"], "the last vectors are remembered"
    mark(metric, "ab", "a")
    assert calls(metric)[-1] == ["a"], "the first are not"


def calls(metric: Metric) -> list[list[str]]:
    """What the function was asked so far."""
    assert isinstance(metric, semantic.SemanticSimilarity)
    return list(metric._embedding._call.__globals__["calls"])


def test_an_embedding_that_is_down_ends_the_measurement_and_keeps_the_answers(study: Path) -> None:
    arm = Arm(name="a", kind="prompted", model="scripted")
    dataset = Dataset(name="eval", cases=(Case(id="1", input="q", expected="a"),))
    kept: list[Response] = []
    with pytest.raises(ModelError, match="gone"):
        measure.run(
            ScriptedModel("scripted", lambda request: "a"),
            arm,
            dataset,
            [built(study, embed="own:broken")],
            known={},
            keep=kept.append,
        )
    assert [response.text for response in kept] == ["a"]


def test_a_server_on_loopback(study: Path) -> None:
    asked = Asked()
    with embedder(asked) as name:
        metric = built(study, embed=name)
        assert mark(metric, "one two", "six ten").value == pytest.approx(1)
        found = mark(metric, "one", "a b c").value
        vectors = np.array([[3, 1], [5, 3]])
        cosine = vectors[0] @ vectors[1] / np.prod(np.linalg.norm(vectors, axis=1))
        assert found == pytest.approx(cosine, abs=1e-6)
        asked.answers = [413]
        refused = mark(metric, "too long", "one")
        assert refused.value is None
        assert "status 413" in str(refused.reason)
    assert [body["input"] for body in asked.bodies][:2] == [
        ["one two", "six ten"],
        ["one", "a b c"],
    ]


def test_the_settings_change_with_the_source_of_the_embedding(study: Path) -> None:
    before = built(study, embed="own:counts").settings()
    (study / "own.py").write_text(OWN + "\n# edited\n", encoding="utf-8")
    assert built(study, embed="own:counts").settings() != before


@pytest.mark.parametrize(
    ("embed", "sentence"),
    [
        ("local:bert", r"embed: .*found 'local:bert', expected `local:all-minilm-l6-v2`"),
        ("minilm", r"found 'minilm', expected"),
        ("own:nothing", r"embed: .*own has no function 'nothing'"),
        ("http://127.0.0.1/v1", r"embed: .*a # and the name under which the server offers it"),
    ],
)
def test_a_wrong_embedding_is_a_fault_of_the_study(study: Path, embed: str, sentence: str) -> None:
    with pytest.raises(StudyError, match=sentence):
        built(study, embed=embed)


def test_without_its_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "carried", lambda module, pattern: None)
    with pytest.raises(MissingExtra, match=r"pip install 'tuneornot\[embedding\]'"):
        built()


# The embedded encoder itself.


def test_the_published_cosines_of_the_embedded_encoder() -> None:
    # The model's own documentation gives 0.6660, 0.1046 and 0.1411 for these three.
    weather, sunny, stadium = (
        "The weather is lovely today.",
        "It's so sunny outside!",
        "He drove to the stadium.",
    )
    metric = built()
    assert mark(metric, sunny, weather).value == pytest.approx(0.6660, abs=1e-3)
    assert mark(metric, stadium, weather).value == pytest.approx(0.1046, abs=1e-3)
    assert mark(metric, stadium, sunny).value == pytest.approx(0.1411, abs=1e-3)


def test_the_table_of_the_reference() -> None:
    section = REFERENCE.read_text(encoding="utf-8").split("## `semantic_similarity`")[1]
    [expected] = re.findall(r'against "(.+?)":', section)
    rows = re.findall(r"^\| ([^|`]+) \| (\d\.\d\d) \|$", section.split("\n## ")[0], re.M)
    assert len(rows) == 5
    metric = built()
    for answer, said in rows:
        assert mark(metric, answer, expected).value == pytest.approx(float(said), abs=0.006), answer


def test_a_text_is_the_same_alone_and_among_others() -> None:
    texts = ["a short one", "rather a longer text " * 60, "", "\x00", "ein Satz", "a\ud800b"]
    alone, together = built(), built()
    pairs = [
        (
            Case(id=str(i), input="q", expected="a short text"),
            Response(arm="a", question="q", text=t),
        )
        for i, t in enumerate(texts)
    ]
    scoring.prepare([together], pairs)
    for case, response in pairs:
        one, two = alone.score(case, response), together.score(case, response)
        assert (one.value is None) == (two.value is None)
        assert one.value is None or one.value == pytest.approx(two.value, abs=1e-5)
    assert together.score(*pairs[-1]).value is None, "half a surrogate pair is no text"
