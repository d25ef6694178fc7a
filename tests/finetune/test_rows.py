from __future__ import annotations

from tests.training import tiny
from tuneornot.finetune import rows
from tuneornot.records import Case, Check
from tuneornot.training import examples


def teach(*pairs: tuple[str, str | None], longest: int = 200) -> Check:
    cases = [Case(id=f"c{n}", input=asked, expected=said) for n, (asked, said) in enumerate(pairs)]
    built = examples.build(cases, tiny.PROMPT, tiny.tokenizer(), longest=longest)
    return rows.rows_teach(cases, built)


def test_cases_of_their_own_pass_and_repeated_ones_are_told() -> None:
    assert teach(("a", "x"), ("b", "x")).passed
    found = teach(("a", "x"), ("a", "x"), ("b", "y"))
    assert found.passed
    assert "1 repeat another word for word" in found.detail


def test_contradictions_are_a_caveat() -> None:
    found = teach(("a", "x"), ("a", "y"), ("a", "y"), ("b", "x"))
    assert (found.passed, found.blocking) == (False, False)
    assert "3 ask the same as another and answer otherwise" in found.detail


def test_blank_and_left_out_cases_block_beyond_half() -> None:
    some = teach(("a", " "), ("b", "x"), ("c", None), ("d", "x"))
    assert (some.passed, some.blocking) == (False, False)
    assert "1 were left out; 1 have a blank answer" in some.detail
    most = teach(("a", " "), ("b", "x"), ("c", None), ("d" * 300, "x"))
    assert (most.passed, most.blocking) == (False, True)
