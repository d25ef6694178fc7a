from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneornot import examples, study
from tuneornot.examples import icd10
from tuneornot.records import Case


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


@pytest.mark.parametrize(
    ("answer", "right", "real"),
    [
        ("E11.9", True, True),
        (" E11.65\n", True, True),
        ("e11.9", True, False),
        ("E10.9", False, True),
        ("E11.99", True, False),
        ("A00-A09", False, False),
        ("1", False, False),
        ("", False, False),
        ("diabetes", False, False),
    ],
)
def test_what_an_answer_is_worth(answer: str, right: bool, real: bool) -> None:
    case = Case(id="1", input="Diabetes", expected="E11.9")
    assert icd10.right_category(case, answer) is right
    assert icd10.real_code(case, answer) is real


@pytest.mark.parametrize("name", ["icd10-terms", "icd10-codes"])
def test_the_study_is_whole(name: str, tmp_path: Path) -> None:
    written = examples.EXAMPLES[name][1](tmp_path)
    assert study.read(tmp_path / "study.yaml").study == name
    lines = (tmp_path / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) > 1000
    assert all(path.exists() for path in written)
