from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneornot import examples, study
from tuneornot.examples import icd10
from tuneornot.metrics import registry
from tuneornot.metrics.base import Metric
from tuneornot.records import Case, Response


def test_phrases_mean_one_thing_and_say_it_in_other_words() -> None:
    found = icd10.terms()
    assert len(found) > 10_000
    assert len({one.phrase.casefold() for one in found}) == len(found)
    assert not any(one.phrase.casefold() == one.title.casefold() for one in found)
    assert icd10.Term("Asthma NOS", "Unspecified asthma, uncomplicated", "J45.909") in found


def test_no_two_cases_share_a_category_and_the_seed_decides() -> None:
    made = icd10.code_cases()
    assert len({str(case.expected)[:3] for case in made}) == len(made) > 1000
    assert icd10.code_cases() == made
    assert icd10.code_cases(seed=8) != made
    assert [case.input for case in icd10.term_cases()] == [case.input for case in made]


def test_slices_tell_what_has_to_change() -> None:
    by_slice: dict[str | None, Case] = {case.slice: case for case in icd10.term_cases()}
    assert set(by_slice) == {"unspecified", "near", "far"}
    assert str(by_slice["unspecified"].input).endswith(" NOS")


def test_the_table_of_codes_does_not_hold_the_phrases_but_the_titles() -> None:
    texts = {str(row["id"]): str(row["text"]) for row in icd10.knowledge()}
    case = next(one for one in icd10.code_cases() if one.slice == "4 characters")
    assert case.expected in texts
    assert str(case.input) not in texts[str(case.expected)]
    assert texts["E11.9"] == "E11.9: Type 2 diabetes mellitus without complications"


@pytest.fixture(scope="module")
def metrics(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Metric]:
    """The metrics of icd10-codes that judge an answer, by the name that the study gives them."""
    folder = tmp_path_factory.mktemp("codes")
    icd10.write_codes(folder)
    listed = study.read(folder / "study.yaml").metrics
    judging = [one for one in listed if one != "latency"]
    return {one.name: one for one in (registry.build(one, folder=folder) for one in judging)}


@pytest.mark.parametrize(
    ("answer", "category", "chapter", "real"),
    [
        ("E11.9", 1, 1, 1),
        (" E11.65\n", 1, 1, 1),
        ("e11.9", 1, 1, 1),
        ("E10.9", 0, 1, 1),
        ("S72.001A", 0, 0, 1),
        ("E11.99", 1, 0, 0),
        ("A00-A09", 0, 0, 0),
        ("1", 0, 0, 0),
        ("", 0, 0, 0),
        ("diabetes", 0, 0, 0),
    ],
)
def test_what_an_answer_is_worth(
    answer: str, category: float, chapter: float, real: float, metrics: dict[str, Metric]
) -> None:
    case = Case(id="1", input="Diabetes", expected="E11.9")
    response = Response(arm="a", question="q", text=answer)
    values = {name: metric.score(case, response).value for name, metric in metrics.items()}
    assert values == {
        "exact_match": float(answer == "E11.9"),
        "category": category,
        "right_chapter": chapter,
        "real_code": real,
    }


def test_every_expected_code_stands_in_the_code_system(metrics: dict[str, Metric]) -> None:
    for case in icd10.code_cases():
        response = Response(arm="a", question="q", text=str(case.expected))
        assert metrics["right_chapter"].score(case, response).value == 1


@pytest.mark.parametrize("name", ["icd10-terms", "icd10-codes"])
def test_the_study_is_whole(name: str, tmp_path: Path) -> None:
    written = examples.EXAMPLES[name][1](tmp_path)
    assert study.read(tmp_path / "study.yaml").study == name
    lines = (tmp_path / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) > 1000
    assert all(path.exists() for path in written)
