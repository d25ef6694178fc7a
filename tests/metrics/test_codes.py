from __future__ import annotations

from pathlib import Path

import pytest

from tuneornot.errors import StudyError
from tuneornot.examples import icd10
from tuneornot.metrics import registry
from tuneornot.metrics.base import Mark
from tuneornot.records import Case, Json, Response

# The file that docs/reference/metrics.md shows.
CSV = """code,category,chapter
E11.9,E11,Endocrine
E11.65,E11,Endocrine
E10.9,E10,Endocrine
I21.9,I21,Circulatory
"""
PATTERN = r"[A-Z]\d[0-9A-Z]\.?[0-9A-Z]*"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "codes.csv").write_text(CSV, encoding="utf-8")
    return tmp_path


def mark(folder: Path, answer: str, expected: Json = None, **settings: Json) -> Mark:
    metric = registry.build({"codes": {"file": "codes.csv", **settings}}, folder=folder)
    case = Case(id="c", input="q", expected=expected)
    return metric.score(case, Response(arm="a", question="q", text=answer))


@pytest.mark.parametrize(
    ("answer", "level", "value"),
    [
        ("E11.9", "code", 1),
        ("e11.9.", "code", 1),
        ("E11.65", "code", 0),
        ("E11.65", "category", 1),
        ("E10.9", "category", 0),
        ("E10.9", "chapter", 1),
        ("I21.9", "chapter", 0),
        ("E11.99", "chapter", 0),
    ],
)
def test_a_code_is_right_at_a_level(folder: Path, answer: str, level: str, value: float) -> None:
    assert mark(folder, answer, "E11.9", level=level).value == value


def test_several_codes_are_compared_as_sets(folder: Path) -> None:
    expected: Json = ["E11.9", "I21.9"]
    assert mark(folder, "E11.9, E10.9, E11.9", expected).value == pytest.approx(0.5)
    made = mark(folder, "E11.9, I21.9; X99", expected, figure="precision")
    assert made.value == pytest.approx(2 / 3)
    assert made.reason == "not in the code system: X99"
    assert mark(folder, "E11.9, I21.9; X99", expected, figure="recall").value == 1
    assert mark(folder, "none", expected, figure="recall").value == 0


def test_real_codes_need_no_expected_answer(folder: Path) -> None:
    assert mark(folder, "E11.9 E11.99", figure="real") == Mark(
        0.5, "not in the code system: E11.99"
    )
    assert mark(folder, "...", figure="real") == Mark(0.0, "the answer has no code")


def test_codes_within_prose_and_without_their_dot(folder: Path) -> None:
    said = "The patient has E119 (type 2), not I219."
    assert mark(folder, said, "E11.9", figure="recall", pattern=PATTERN, ignore=".").value == 1
    assert mark(folder, said, figure="real", pattern=PATTERN, ignore=".").value == 1
    assert mark(folder, said, figure="real", pattern=PATTERN).value == 0


def test_cases_that_cannot_be_judged(folder: Path) -> None:
    assert mark(folder, "E11.9") == Mark(None, "the case expects no code")
    made = mark(folder, "E11.9", "Z99.9")
    assert made == Mark(None, "the case expects the codes ['Z99.9'], which the file does not have")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"level": "block"}, "got 'block', which is empty on line 2; the columns are"),
        ({"pattern": "("}, r"regular expression, got '\('"),
        ({"file": "none.csv"}, "there is no such file"),
    ],
)
def test_wrong_settings_are_told(folder: Path, settings: dict[str, Json], sentence: str) -> None:
    with pytest.raises(StudyError, match=sentence):
        registry.build({"codes": {"file": "codes.csv", **settings}}, folder=folder)


def test_one_code_in_two_chapters_is_a_fault(folder: Path) -> None:
    (folder / "codes.csv").write_text(CSV + "E11.9,E11,Other\n", encoding="utf-8")
    with pytest.raises(StudyError, match=r"must belong to one chapter, got 'E11\.9'"):
        registry.build({"codes": {"file": "codes.csv", "level": "chapter"}}, folder=folder)


def test_a_whole_classification(tmp_path: Path) -> None:
    codes = [code for code in icd10.titles() if len(code) > 3][:6000]
    rows = [f"{code},{code[:3]}" for code in codes]
    (tmp_path / "codes.csv").write_text("\n".join(["code,category", *rows]), encoding="utf-8")
    assert len(codes) > 5000
    assert mark(tmp_path, codes[17], codes[18], level="category", ignore=".").value == float(
        codes[17][:3] == codes[18][:3]
    )
    assert mark(tmp_path, " ".join(codes[:50]), figure="real").value == 1
