"""The front of the statistics of means: what callers rely on, whatever the method."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tuneornot.records import Estimate
from tuneornot.stats import paired

UNIT = (0.0, 1.0)
grade = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, math.nan])
bit = st.sampled_from([0.0, 1.0])


def scores(seed: int, n: int = 60, repeats: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    shape = (n,) if repeats is None else (n, repeats)
    return rng.beta(4, 2, shape), rng.beta(5, 2, shape)


def figures(found: Estimate) -> list[float]:
    return [found.value, found.low, found.high, found.lower, found.upper]


class TestDifference:
    def test_graded_scores_are_close_to_the_paired_t_test(self) -> None:
        b, c = scores(1, n=400)
        found = paired.difference(b, c, scale=UNIT)
        known = stats.ttest_rel(c, b)
        interval = known.confidence_interval(0.95)
        assert found.value == pytest.approx((c - b).mean())
        assert found.low == pytest.approx(interval.low, rel=0.05)
        assert found.high == pytest.approx(interval.high, rel=0.05)
        assert found.p_value == pytest.approx(known.pvalue, rel=0.25)
        assert found.method == "paired t, skewness-adjusted, with unseen scores"

    def test_binary_scores_use_counts_of_discordant_pairs(self) -> None:
        b = np.repeat([1.0, 0.0, 0.0, 1.0], [20, 14, 20, 6])
        c = np.repeat([1.0, 1.0, 0.0, 0.0], [20, 14, 20, 6])
        found = paired.difference(b, c, scale=UNIT, binary=True)
        mid_p = 2 * float(stats.binom.cdf(6, 20, 0.5)) - float(stats.binom.pmf(6, 20, 0.5))
        assert found.method == "paired score, exact distribution"
        assert found.value == pytest.approx(8 / 60)
        assert found.p_value == pytest.approx(mid_p, rel=0.1)

    def test_repeats_are_averaged_within_their_case(self) -> None:
        b, c = scores(2, repeats=4)
        b[3, :2] = np.nan
        found = paired.difference(b, c, scale=UNIT)
        single = paired.difference(np.nanmean(b, axis=1), c.mean(axis=1), scale=UNIT)
        assert figures(found) == pytest.approx(figures(single))

    def test_repeated_binary_scores_do_not_count_as_more_cases(self) -> None:
        rng = np.random.default_rng(3)
        b, c = (rng.random((2, 40)) < [[0.5], [0.7]]).astype(float)
        once = paired.difference(b, c, scale=UNIT, binary=True)
        thrice = paired.difference(
            np.tile(b, (3, 1)).T, np.tile(c, (3, 1)).T, scale=UNIT, binary=True
        )
        assert thrice.value == pytest.approx(once.value)
        assert thrice.high - thrice.low > 0.9 * (once.high - once.low)

    def test_groups_of_alike_cases_widen_the_interval(self) -> None:
        b, c = scores(4, n=20)
        groups = np.repeat([f"g{k}" for k in range(20)], 5)
        b5, c5 = np.repeat(b, 5), np.repeat(c, 5)
        apart = paired.difference(b5, c5, scale=UNIT)
        together = paired.difference(b5, c5, scale=UNIT, groups=groups)
        alone = paired.difference(b, c, scale=UNIT)
        assert together.value == pytest.approx(apart.value)
        assert together.high - together.low > 1.8 * (apart.high - apart.low)
        assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.1)
        assert together.method == "cluster paired t (CR2), adjusted, with unseen scores"

    def test_groups_of_one_case_are_no_groups(self) -> None:
        b, c = scores(5)
        alone = paired.difference(b, c, scale=UNIT, groups=np.arange(60))
        assert alone == paired.difference(b, c, scale=UNIT)

    def test_unscored_cases_are_left_out_not_zero(self) -> None:
        b, c = scores(6)
        b[[2, 7]], c[[7, 9]] = np.nan, np.nan
        kept = ~(np.isnan(b) | np.isnan(c))
        assert figures(paired.difference(b, c)) == figures(paired.difference(b[kept], c[kept]))

    def test_too_few_cases_determine_nothing(self) -> None:
        for n in (0, 1):
            found = paired.difference(np.zeros(n), np.ones(n))
            assert all(math.isnan(x) for x in figures(found))
        one_group = paired.difference(np.zeros(9), np.ones(9), groups=["a"] * 9)
        assert math.isnan(one_group.low)

    def test_identical_arms_are_not_certain_to_be_equal(self) -> None:
        same = np.linspace(0, 1, 50)
        found = paired.difference(same, same, scale=UNIT)
        assert found.low < 0 < found.high
        assert found.p_value == pytest.approx(1.0)

    @pytest.mark.parametrize(
        ("b", "c", "groups", "rule"),
        [
            (np.zeros(3), np.zeros(4), None, "same cases"),
            (np.zeros(3), np.array([0, 1, np.inf]), None, "infinite"),
            (np.zeros((2, 2, 2)), np.zeros((2, 2, 2)), None, "shape"),
            (np.zeros(3), np.zeros(3), ["a", "b"], "one label for each"),
        ],
    )
    def test_what_cannot_be_paired_is_refused(
        self, b: np.ndarray, c: np.ndarray, groups: list[str] | None, rule: str
    ) -> None:
        with pytest.raises(ValueError, match=rule):
            paired.difference(b, c, groups=groups)

    def test_grades_said_to_be_binary_are_refused(self) -> None:
        with pytest.raises(ValueError, match="binary"):
            paired.difference([0.0, 0.5, 1.0], [1.0, 1.0, 0.0], binary=True)

    def test_alpha_must_be_an_error_rate(self) -> None:
        with pytest.raises(ValueError, match="alpha"):
            paired.difference([0.0, 1.0, 1.0], [1.0, 1.0, 0.0], alpha=0.95)

    @given(st.lists(st.tuples(grade, grade), min_size=2, max_size=30), st.randoms())
    @settings(max_examples=50, deadline=None)
    def test_order_of_cases_and_of_arms(
        self, rows: list[tuple[float, float]], random: object
    ) -> None:
        b, c = np.array(rows).T
        order = np.random.default_rng(len(rows)).permutation(len(rows))
        found = figures(paired.difference(b, c, scale=UNIT, binary=False))
        shuffled = figures(paired.difference(b[order], c[order], scale=UNIT, binary=False))
        swapped = figures(paired.difference(c, b, scale=UNIT, binary=False))
        value, low, high, lower, upper = swapped
        assert shuffled == pytest.approx(found, abs=1e-9, nan_ok=True)
        assert [-value, -high, -low, -upper, -lower] == pytest.approx(found, abs=1e-9, nan_ok=True)

    @given(st.lists(st.tuples(bit, bit), min_size=2, max_size=30), st.floats(-0.5, 0.5))
    @settings(max_examples=50, deadline=None)
    def test_one_verdict_from_bounds_and_tests(
        self, rows: list[tuple[float, float]], margin: float
    ) -> None:
        b, c = np.array(rows).T
        found = paired.difference(b, c, scale=UNIT)
        p = paired.p_value_against(b, c, margin=margin, scale=UNIT)
        if abs(found.lower - margin) > 1e-5:
            assert (p < 0.05) == (found.lower > margin)


class TestUnseenScores:
    def test_equal_grades_at_the_ceiling_have_the_bound_of_none_in_n(self) -> None:
        """40 cases without a loss: shares of up to 1 - 0.05^(1/40) may be lost all the same."""
        found = paired.difference(np.ones(40), np.ones(40), scale=UNIT, binary=False)
        assert found.lower == pytest.approx(-(1 - 0.05 ** (1 / 40)))
        assert found.upper == -found.lower

    def test_scores_that_differ_by_much_need_no_allowance(self) -> None:
        rng = np.random.default_rng(11)
        b, c = rng.uniform(size=(2, 50))
        seen = stats.ttest_rel(c, b).confidence_interval(0.9)
        found = paired.difference(b, c, scale=UNIT)
        assert found.upper - found.lower == pytest.approx(seen.high - seen.low, rel=0.15)

    @given(st.integers(0, 10_000))
    @settings(max_examples=30, deadline=None)
    def test_a_scale_turned_round_mirrors_the_interval(self, seed: int) -> None:
        b, c = np.random.default_rng(seed).beta([[8.0], [9.0]], 2.0, (2, 30))
        found = figures(paired.difference(b, c, scale=UNIT))
        turned = figures(paired.difference(1 - c, 1 - b, scale=UNIT))
        assert turned == pytest.approx(found, abs=1e-9)

    def test_an_open_scale_allows_for_values_further_out_than_any_seen(self) -> None:
        """One value at 3 among 30 at 0: an unseen one lies 2 times as far from the mean."""
        d = np.r_[np.zeros(29), 3.0]
        share, mean = 1 - 0.05 ** (1 / 30), 3 / 30
        found = paired.difference(np.zeros(30), d)
        assert found.upper == pytest.approx(mean + share * 2 * (3 - mean))


class TestEquivalence:
    def test_it_holds_just_when_both_bounds_lie_within_the_margin(self) -> None:
        b, c = scores(8, n=80)
        found = paired.difference(b, c, scale=UNIT)
        edge = max(abs(found.lower), abs(found.upper))
        assert paired.equivalence(b, c, margin=edge * 1.001, scale=UNIT) < 0.05
        assert paired.equivalence(b, c, margin=edge * 0.999, scale=UNIT) > 0.05

    def test_its_p_value_is_the_greater_one_sided_one(self) -> None:
        b, c = scores(9)
        sides = (
            paired.p_value_against(b, c, margin=-0.2, scale=UNIT),
            paired.p_value_against(b, c, margin=0.2, alternative="less", scale=UNIT),
        )
        assert paired.equivalence(b, c, margin=0.2, scale=UNIT) == max(sides)

    def test_a_margin_of_zero_is_refused(self) -> None:
        with pytest.raises(ValueError, match="margin"):
            paired.equivalence([0, 1], [1, 1], margin=0.0)


class TestLevel:
    def test_rates_are_jeffreys(self) -> None:
        found = paired.level(np.repeat([0.0, 1.0], [30, 10]), scale=UNIT)
        assert found.method == "Jeffreys"
        assert found.low == pytest.approx(stats.beta.ppf(0.025, 10.5, 30.5))

    def test_bounds_stay_on_the_scale(self) -> None:
        found = paired.level(np.repeat([1.0, 0.75], [28, 2]), scale=UNIT)
        assert found.high == found.upper == 1.0
        assert found.low < found.value

    def test_it_has_no_test(self) -> None:
        assert paired.level(np.linspace(0, 1, 20), scale=UNIT).p_value is None


class TestRatio:
    def test_a_constant_factor_is_certain(self) -> None:
        b = np.random.default_rng(1).lognormal(size=50)
        found = paired.ratio(b, 3 * b)
        assert figures(found) == pytest.approx([3.0] * 5)

    def test_swapping_inverts(self) -> None:
        rng = np.random.default_rng(2)
        b, c = rng.lognormal(0, 0.6, 80), rng.lognormal(0.3, 0.6, 80)
        found, swapped = paired.ratio(b, c), paired.ratio(c, b)
        assert swapped.low == pytest.approx(1 / found.high)
        assert swapped.lower == pytest.approx(1 / found.upper)
        assert swapped.p_value == pytest.approx(found.p_value)

    def test_units_do_not_matter(self) -> None:
        rng = np.random.default_rng(3)
        b, c = rng.gamma(3, size=40), rng.gamma(4, size=40)
        assert figures(paired.ratio(1000 * b, 1000 * c)) == pytest.approx(
            figures(paired.ratio(b, c))
        )

    def test_means_must_be_positive(self) -> None:
        assert math.isnan(paired.ratio(np.zeros(20), np.ones(20)).value)


class TestCaveats:
    def test_a_sound_comparison_has_none(self) -> None:
        b, c = scores(1, n=80)
        assert paired.caveats(b, c, scale=UNIT) == ()

    def test_few_cases_few_differences_and_missing_scores_are_told(self) -> None:
        b = np.zeros(40)
        c = np.where(np.arange(40) < 3, 1.0, 0.0)
        b[39] = np.nan
        said = " / ".join(paired.caveats(b, c, scale=UNIT))
        assert "n < 50" in said
        assert "differ on 3 of 39" in said
        assert "1 cases without a score" in said

    def test_few_or_very_unequal_groups_are_told(self) -> None:
        b, c = scores(2, n=100)
        assert "5 groups" in " ".join(paired.caveats(b, c, groups=np.arange(100) % 5))
        lopsided = np.r_[np.zeros(81, dtype=int), np.arange(1, 20)]
        assert "20 groups worth" in " ".join(paired.caveats(b, c, groups=lopsided))
        assert paired.caveats(b, c, groups=np.arange(100) // 4) == ()

    def test_one_case_that_carries_the_mean_is_told(self) -> None:
        b = np.random.default_rng(5).standard_normal(100)
        c = b + 0.1 * np.random.default_rng(6).standard_normal(100)
        c[0] += 5
        assert "hinge on rare large values" in " ".join(paired.caveats(b, c))

    def test_skewness_without_a_bound_is_told(self) -> None:
        rng = np.random.default_rng(7)
        b, skewed, even = np.zeros(60), np.exp(rng.standard_normal(60)), rng.standard_normal(60)
        assert "have no bound and are skewed" in " ".join(paired.caveats(b, skewed))
        assert "skewed" not in " ".join(paired.caveats(b, even))
        assert "skewed" not in " ".join(paired.caveats(b, skewed / 20, scale=UNIT))
        tail = np.repeat(np.exp(rng.standard_normal(20)), 3)
        alone, grouped = tail - tail.mean(), np.arange(60) // 3
        assert "are skewed" in " ".join(paired.caveats(b, alone, groups=grouped))

    def test_losses_that_may_have_stayed_unseen_are_told_where_bounds_are_narrow(self) -> None:
        """60 cases leave 4.9% of total losses open: more than bounds of 0.02, less than of 0.1."""
        rng = np.random.default_rng(8)
        b = np.full(60, 0.5)
        narrow, wide = (b + sd * rng.uniform(-1, 1, 60) for sd in (0.1, 0.5))
        assert "up to 4.9% of cases" in " ".join(paired.caveats(b, narrow, scale=UNIT))
        assert paired.caveats(b, wide, scale=UNIT) == ()
        bits = (rng.random((2, 60)) < 0.5).astype(float)
        assert paired.caveats(bits[0], bits[1], scale=UNIT) == ()

    def test_groups_that_may_be_lost_as_a_whole_are_told(self) -> None:
        """20 groups leave 13.9% open: more than the bounds of cases that hardly differ allow."""
        rng = np.random.default_rng(9)
        b, groups = np.full(80, 0.5), np.arange(80) // 4
        narrow = b + rng.uniform(-0.1, 0.1, 80)
        assert "up to 13.9% of groups" in " ".join(
            paired.caveats(b, narrow, scale=UNIT, groups=groups)
        )
        whole = np.repeat(rng.uniform(-0.5, 0.5, 20), 4)
        assert paired.caveats(b, b + whole, scale=UNIT, groups=groups) == ()

    def test_nothing_to_compare_is_told(self) -> None:
        assert "fewer than two" in paired.caveats([np.nan, 1.0], [1.0, 1.0])[0]


def test_the_example_of_the_documentation_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).parents[2] / "docs" / "concepts" / "statistics.md"
    code = page.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    exec(compile(code, str(page), "exec"), {})
    said = capsys.readouterr().out
    assert "paired score, exact distribution" in said
