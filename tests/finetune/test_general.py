from __future__ import annotations

import pytest
from scipy import stats

from tuneornot.finetune import general
from tuneornot.finetune.general import PROBE
from tuneornot.models.base import Reply


def replies(n_right: int, *, first: int = 0) -> list[Reply]:
    """So many right answers from some place on, and nonsense elsewhere."""
    return [
        Reply(text=f"It is {one.accepted[-1]}, I think." if first <= n < first + n_right else "Hm?")
        for n, one in enumerate(PROBE)
    ]


def test_the_questions_differ_and_none_holds_its_answer() -> None:
    assert len({one.text for one in PROBE}) == len(PROBE) == 30
    for one in PROBE:
        assert not general.knows(one, Reply(text=one.text)), one.text


@pytest.mark.parametrize(
    ("text", "right"),
    [("PARIS.", True), ("It is Paris", True), ("Parisian", False), ("", False), ("Rome", False)],
)
def test_an_answer_is_right_if_the_word_stands_in_it(text: str, right: bool) -> None:
    assert general.knows(PROBE[0], Reply(text=text)) is right
    assert not general.knows(PROBE[0], Reply(error="Paris is down"))


def test_a_shown_loss_is_a_caveat_with_its_figures() -> None:
    found = general.general_ability(replies(20), replies(12))
    assert (found.passed, found.blocking) == (False, False)
    assert "answers 20, the tuned one 12 (lost 8, won 0; p = 0.0039" in found.detail


def test_losing_as_many_as_are_won_is_no_loss() -> None:
    assert general.general_ability(replies(10), replies(10, first=10)).passed
    assert general.general_ability(replies(10), replies(25)).passed


def test_a_model_that_knows_nothing_is_said_to_show_nothing() -> None:
    found = general.general_ability(replies(3), replies(0))
    assert found.passed
    assert "knows too few of them to show a loss" in found.detail
    assert "too few" not in general.general_ability(replies(5), replies(5)).detail


@pytest.mark.parametrize(("lost", "won"), [(8, 0), (5, 3), (0, 4), (12, 5)])
def test_the_p_value_is_that_of_the_sign_test(lost: int, won: int) -> None:
    expected = stats.binomtest(lost, lost + won, alternative="greater").pvalue
    assert general.p_lost(lost, won) == pytest.approx(expected)
    assert general.p_lost(0, 0) == 1
