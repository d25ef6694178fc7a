from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneornot.errors import StudyError
from tuneornot.metrics import registry
from tuneornot.metrics.base import Mark
from tuneornot.records import Case, Json, Response

# The file that docs/reference/metrics.md shows.
CSV = """term,variants,forbidden,source
customer,purchaser|buyer,client,Kunde
heart attack,myocardial infarction,,Herzinfarkt
notice of termination,,firing letter,
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "terms.csv").write_text(CSV, encoding="utf-8")
    return tmp_path


def mark(
    folder: Path, answer: str, expected: Json = None, *, asked: str = "q", **settings: Json
) -> Mark:
    kind = "forbidden_terms" if settings.pop("forbidden", False) else "glossary"
    metric = registry.build({kind: {"file": "terms.csv", **settings}}, folder=folder)
    case = Case(id="c", input=asked, expected=expected)
    return metric.score(case, Response(arm="a", question="q", text=answer))


@pytest.mark.parametrize(
    ("figure", "value"), [("recall", 1 / 2), ("precision", 1 / 2), ("f1", 1 / 2)]
)
def test_a_forbidden_form_lowers_precision_and_recall(
    folder: Path, figure: str, value: float
) -> None:
    # Called for: customer, heart attack. The answer has heart attack and a forbidden customer.
    expected = "The customer had a heart attack."
    made = mark(folder, "The client had a HEART ATTACK!", expected, figure=figure)
    assert made.value == pytest.approx(value)
    assert made.reason == "missing: customer; forbidden: customer"


def test_variants_are_as_right_and_each_term_counts_once(folder: Path) -> None:
    expected = "The customer had a heart attack; the customer died."
    made = mark(folder, "The buyer, a purchaser, had a myocardial infarction.", expected)
    assert made == Mark(1.0)


def test_a_term_that_is_not_called_for_lowers_precision_alone(folder: Path) -> None:
    said = "The customer got a notice of termination."
    assert mark(folder, said, "The customer left.", figure="recall").value == 1
    made = mark(folder, said, "The customer left.", figure="precision")
    assert made == Mark(0.5, "not called for: notice of termination")


def test_a_question_calls_for_terms_without_an_expected_answer(folder: Path) -> None:
    asked = "Translate: Der Kunde hatte einen Herzinfarkt."
    assert mark(folder, "The customer had a stroke.", asked=asked, figure="recall").value == 0.5
    nothing = mark(folder, "The customer left.", "He left.")
    assert nothing == Mark(None, "the case calls for no term of the glossary")


def test_words_are_whole_and_a_longer_form_hides_those_in_it(tmp_path: Path) -> None:
    rows = [{"term": "attack"}, {"term": "heart attack", "variants": ["cardiac arrest"]}]
    (tmp_path / "terms.csv").unlink(missing_ok=True)
    (tmp_path / "terms.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    metric = registry.build(
        {"glossary": {"file": "terms.jsonl", "figure": "recall"}}, folder=tmp_path
    )
    case = Case(id="c", input="q", expected="An attack.")
    texts = ("A heart attack.", "A heart attack, an attack.", "attacks")
    answers = [Response(arm="a", question="q", text=text) for text in texts]
    assert [metric.score(case, one).value for one in answers] == [0, 1, 0]


def test_forbidden_forms_alone(folder: Path) -> None:
    assert mark(folder, "The client left.", forbidden=True) == Mark(0.0, "forbidden: customer")
    assert mark(folder, "The customer left.", forbidden=True) == Mark(1.0)
    assert mark(folder, "Clientele.", forbidden=True) == Mark(1.0)


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        ("word\nx\n", "glossary", "line 2 has no 'term'"),
        ("term\n", "glossary", "holds no rows"),
        ("term,variants\na,b\nb,\n", "glossary", "'b' as an allowed form of 'a' and as an allowed"),
        ("term,forbidden\na,a\n", "glossary", "got 'a' as an allowed form of 'a' and as a forbid"),
        ("term,variants\na,?!\n", "glossary", "must hold a letter or digit, got '\\?!'"),
        ("term\na\n", "forbidden_terms", "file must forbid something, got 'terms.csv'"),
    ],
)
def test_what_is_wrong_with_a_glossary_is_one_sentence(
    tmp_path: Path, text: str, kind: str, sentence: str
) -> None:
    (tmp_path / "terms.csv").write_text(text, encoding="utf-8")
    with pytest.raises(StudyError, match=sentence) as error:
        registry.build({kind: {"file": "terms.csv"}}, folder=tmp_path)
    assert len(error.value.faults) == 1


def test_a_file_that_is_not_there_is_told_and_an_edited_one_is_another_metric(folder: Path) -> None:
    with pytest.raises(StudyError, match=r"there is no such file.*from the study's folder"):
        registry.build({"glossary": {"file": "none.csv"}}, folder=folder)
    before = registry.build({"glossary": {"file": "terms.csv"}}, folder=folder)
    (folder / "terms.csv").write_text(CSV.replace("client", "punter"), encoding="utf-8")
    after = registry.build({"glossary": {"file": "terms.csv"}}, folder=folder)
    assert before.settings() != after.settings()
    assert "folder" not in before.settings()
