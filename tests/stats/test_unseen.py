"""Failures that nobody saw, against the exact limits of 0/1 scores and a known truth."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.verdicts import arms
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tuneornot.stats import paired, tails, unseen, zero_one
from tuneornot.stats.studentised import SkewT, skew_t


@given(st.integers(1, 2000), st.floats(1e-4, 0.4))
def test_the_share_is_the_exact_limit_of_none_in_n(n: int, alpha: float) -> None:
    share = unseen.share(n, alpha)
    assert stats.binom.pmf(0, n, share) == pytest.approx(alpha)
    assert 1 - zero_one.rate(n, n, alpha).low == pytest.approx(share)


def test_where_nothing_failed_it_is_the_exact_limit_of_the_zero_one_tail() -> None:
    for n in (30, 59, 100, 300):
        found = unseen.UnseenTail(np.ones(n), np.ones(n), 0.0, n, 0.1)
        exact = zero_one.TailDifference(n, n, n, 0.1)
        for alpha in (0.01, 0.05):
            assert found.lower(alpha) == pytest.approx(exact.lower(alpha))
            assert found.upper(alpha) == pytest.approx(exact.upper(alpha))


def noisy(error: float, *, further_down: float) -> unseen.NoisyMean:
    """100 cases, a mean of 0.1 with a normal error, unseen scores reaching so much further."""
    seen = SkewT(value=0.1, error=error, df=1e9, lean=0.0, name="t")
    hidden = unseen.UnseenMean(0.1, 100, fall=0.6, rise=0.5, further_down=further_down)
    return unseen.NoisyMean(seen, hidden)


def test_noise_and_unseen_scores_add_in_squares() -> None:
    """By hand: 1.645 errors of 0.02 are 0.0329, 2.95% of 0.6 are 0.0177, both at once 0.0374."""
    found = noisy(0.02, further_down=0.6)
    assert found.lower(0.05) == pytest.approx(0.1 - 0.0374, abs=5e-5)
    assert found.upper(0.05) == pytest.approx(0.1 + 0.0329, abs=5e-5)


def test_without_noise_only_what_nobody_saw_is_left_and_the_other_way_round() -> None:
    assert noisy(0.0, further_down=0.6).lower(0.05) == pytest.approx(0.1 - 0.6 * (1 - 0.05**0.01))
    seen = noisy(0.02, further_down=0.0)
    assert seen.lower(0.01) == pytest.approx(seen.seen.lower(0.01))


@pytest.mark.parametrize("further", [0.0, 0.3, 0.6])
def test_tests_of_both_at_once_invert_the_bounds(further: float) -> None:
    found = noisy(0.02, further_down=further)
    for alpha in (0.01, 0.05, 0.3):
        assert found.p_above(found.lower(alpha)) == pytest.approx(alpha, rel=1e-4)
        assert found.p_below(found.upper(alpha)) == pytest.approx(alpha, rel=1e-4)


def test_one_case_at_the_end_shows_half_of_what_two_show() -> None:
    """Among 40 values around 0 the lowest two are -0.5 and -0.1, then -0.5 twice."""
    usual = np.linspace(-0.1, 0.1, 39)
    for further, values in (
        (0.6 - 0.3, np.r_[usual, -0.5]),
        (0.6 - 0.5, np.r_[usual[1:], -0.5, -0.5]),
    ):
        centred = values - values.mean()
        found = unseen.reaching(centred, 0.0, fall=0.6, rise=0.6)
        assert found.further_down == pytest.approx(further - values.mean(), abs=1e-9)
    assert unseen.reaching(centred, 0.0, fall=0.4, rise=0.4).further_down == 0.0


def test_arms_that_never_differ_say_what_the_exact_limit_says_and_no_more() -> None:
    """The pseudo-cases stand for unseen scores themselves: they must not count twice."""
    same = np.full(100, 0.5)
    found = paired.difference(same, same, scale=(0.0, 1.0), binary=False)
    assert found.noise == 0.0
    assert found.lower == pytest.approx(-0.5 * (1 - 0.05**0.01), abs=0.01)


@pytest.mark.slow
def test_a_loss_that_was_seen_once_or_not_at_all_does_not_escape() -> None:
    """2% lost among 100 cases: either bound alone errs by 5.5%, with both at once by 4.1%."""
    draw = arms.betas(arms.Beta(0.6, 0.15), arms.Beta(0.65 / 0.98, 0.12, 0.02))
    rng = np.random.default_rng(100)
    n_sets, together, alone = 3000, 0, 0
    for _ in range(n_sets):
        b, c = draw(rng, 100)
        together += paired.difference(b, c, scale=(0.0, 1.0), binary=False).lower > 0.05
        seen = skew_t(c - b, None, span=1.0, name="t")
        hidden = unseen.mean(np.column_stack([b, c]), c - b, seen.value, (0.0, 1.0))
        alone += min(hidden.lower(0.05), seen.lower(0.05)) > 0.05
    # Monte Carlo error of a rate of 5%: 0.4 points.
    assert together / n_sets <= 0.05 + 2 * 0.004
    assert together < alone


def test_unseen_failures_take_their_share_of_the_tail() -> None:
    """100 cases: 2.95% at the floor, and of what was seen the lowest (10 - 2.95)/(100 - 2.95)."""
    scores = np.linspace(0.2, 1.0, 100)
    u = 1 - 0.05**0.01
    lowest = tails.lower_mean(scores, (0.1 - u) / (1 - u))
    found = unseen.UnseenTail(np.full(100, 0.5), scores, -1.0, 100, 0.1)
    assert found.value == pytest.approx(scores[:10].mean() - 0.5)
    assert found.lower(0.05) == pytest.approx((u * -1.0 + (0.1 - u) * lowest) / 0.1 - 0.5)


def test_few_units_leave_the_whole_tail_open_whatever_was_seen() -> None:
    found = unseen.UnseenTail(np.full(60, 0.9), np.full(60, 0.9), 0.0, 12, 0.1)
    assert found.lower(0.05) == pytest.approx(-0.9)
    assert found.upper(0.05) == pytest.approx(0.9)


@pytest.mark.parametrize("n", [40, 120])
def test_tests_invert_the_bounds(n: int) -> None:
    rng = np.random.default_rng(n)
    b, c = np.sort(rng.beta(4, 2, (2, n)))
    found = unseen.UnseenTail(b, c, 0.0, n, 0.1)
    for alpha in (0.02, 0.2):
        assert found.p_above(found.lower(alpha)) == pytest.approx(alpha, rel=1e-4)
        assert found.p_below(found.upper(alpha)) == pytest.approx(alpha, rel=1e-4)


def test_groups_count_and_not_cases() -> None:
    """Six cases of a group fail together: 20 groups say what 20 cases say, not what 120 say."""
    rng = np.random.default_rng(4)
    b, c = rng.beta(8, 2, (2, 120))
    codes = np.repeat(np.arange(20), 6)
    alone = tails.worst_tenth(b, c, scale=(0.0, 1.0))
    grouped = tails.worst_tenth(b, c, groups=codes, scale=(0.0, 1.0))
    assert grouped.lower < alone.lower - 0.1


def test_without_a_worst_score_nothing_is_added() -> None:
    rng = np.random.default_rng(5)
    b, c = rng.beta(8, 2, (2, 100))
    assert "unseen" not in tails.worst_tenth(b, c).method
    assert "unseen" in tails.worst_tenth(b, c, scale=(0.0, 1.0)).method


@pytest.mark.slow
@pytest.mark.parametrize(("n", "failing"), [(50, 0.02), (50, 0.045), (100, 0.01)])
def test_rare_failures_do_not_escape_the_lower_bound(n: int, failing: float) -> None:
    """Truth in closed form. Without unseen failures these bounds err in 10 to 20% of draws."""
    before, after = arms.Beta(0.6, 0.15), arms.Beta(0.78, 0.12, failing)
    draw = arms.betas(before, after)
    truth = after.worst_tenth - before.worst_tenth
    rng = np.random.default_rng(n)
    found = [tails.worst_tenth(*draw(rng, n), scale=(0.0, 1.0)) for _ in range(300)]
    # Monte Carlo error of a rate of 5%: 1.3 points.
    assert np.mean([one.lower > truth for one in found]) <= 0.05 + 2.5 * 0.013
    assert np.mean([one.upper < truth for one in found]) <= 0.05 + 2.5 * 0.013


@pytest.mark.slow
def test_what_was_seen_alone_lets_them_escape() -> None:
    """The instrument itself: no scale, so nothing is allowed for, and 2% of failures go unseen."""
    before, after = arms.Beta(0.6, 0.15), arms.Beta(0.78, 0.12, 0.02)
    draw = arms.betas(before, after)
    truth = after.worst_tenth - before.worst_tenth
    rng = np.random.default_rng(50)
    found = [tails.worst_tenth(*draw(rng, 50)) for _ in range(200)]
    assert np.mean([one.lower > truth for one in found]) > 0.1
