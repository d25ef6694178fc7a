"""How many cases: closed forms, inverses, and simulation of what was promised."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from benchmarks.verdicts import arms
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tuneornot.records import Estimate
from tuneornot.stats import paired, planning


def estimate(value: float, error: float) -> Estimate:
    half, side = (error * float(stats.norm.isf(rate)) for rate in (0.025, 0.05))
    return Estimate(
        value=value, low=value - half, high=value + half, lower=value - side, upper=value + side
    )


class TestDetectable:
    def test_with_a_standard_deviation_it_is_the_textbook_formula(self) -> None:
        z = stats.norm.isf(0.05) + stats.norm.isf(0.2)
        assert planning.detectable(64, sd=0.4) == pytest.approx(z * 0.4 / 8)

    def test_for_binary_scores_the_power_is_what_was_asked(self) -> None:
        d = planning.detectable(400, disagreement=0.2)
        win, loss = (0.2 + d) / 2, (0.2 - d) / 2
        counts = np.random.default_rng(1).multinomial(400, [win, loss, 0.8], size=20_000)
        z = (counts[:, 0] - counts[:, 1]) / np.sqrt(counts[:, 0] + counts[:, 1])
        assert np.mean(z > stats.norm.isf(0.05)) == pytest.approx(0.8, abs=0.02)

    def test_it_cannot_exceed_the_disagreement(self) -> None:
        assert planning.detectable(5, disagreement=0.1) == 0.1

    def test_one_of_both_must_be_said(self) -> None:
        with pytest.raises(ValueError, match="one of sd and disagreement"):
            planning.detectable(50)
        with pytest.raises(ValueError, match="one of sd and disagreement"):
            planning.cases_needed(0.1, sd=1.0, disagreement=0.2)
        with pytest.raises(ValueError, match="at least 1"):
            planning.detectable(0, sd=1.0)


class TestCasesNeeded:
    @given(st.integers(20, 5000), st.floats(0.05, 0.9))
    def test_it_inverts_detectable(self, n: int, disagreement: float) -> None:
        d = planning.detectable(n, disagreement=disagreement)
        if d < disagreement:
            assert planning.cases_needed(d, disagreement=disagreement) == pytest.approx(n, abs=1)
        assert planning.cases_needed(planning.detectable(n, sd=0.3), sd=0.3) == pytest.approx(
            n, abs=1
        )

    def test_half_the_difference_takes_four_times_the_cases(self) -> None:
        small, large = (planning.cases_needed(d, sd=1.0) for d in (0.05, 0.1))
        assert small == pytest.approx(4 * large, rel=0.01)

    def test_a_difference_above_the_disagreement_is_planned_for(self) -> None:
        assert planning.cases_needed(0.5, disagreement=0.2) >= 2

    def test_no_difference_is_refused(self) -> None:
        with pytest.raises(ValueError, match="above 0"):
            planning.cases_needed(0.0, sd=1.0)


class TestMore:
    @pytest.mark.parametrize("side", ["above", "either"])
    def test_the_promised_chance_comes_true(self, side: str) -> None:
        """Truths drawn around what was seen, further cases drawn, the bound looked at again."""
        n, seen, sd = 100, 0.13, 1.0
        more = planning.n_more(estimate(seen, sd / 10), n, threshold=0.0, side=side)  # type: ignore[arg-type]
        assert more is not None
        rng = np.random.default_rng(2)
        truth = rng.normal(seen, sd / 10, 100_000)
        later = rng.normal(truth, sd / math.sqrt(more))
        whole = (n * seen + more * later) / (n + more)
        reach = stats.norm.isf(0.05) * sd / math.sqrt(n + more)
        cleared = whole > reach
        if side == "either":
            cleared |= whole < -reach
        assert np.mean(cleared) == pytest.approx(0.8, abs=0.01)

    def test_where_nothing_ever_differed_it_is_the_exact_number(self) -> None:
        """0 of 100 leave 2.95% open; 149 cases in all exclude 2% (1 - 0.05^(1/149) = 1.99%)."""
        same = np.zeros(100)
        made = paired.difference(same, same, binary=True)
        more = planning.n_more(made, 100, threshold=-0.02, side="above")
        # What is open falls with 1/n here, in truth a little faster.
        assert more == pytest.approx(49, abs=2)

    def test_what_nobody_saw_falls_with_the_cases_and_not_with_their_root(self) -> None:
        """Noise of 0.005 and 0.03 open at 100 cases: 160 more leave 0.012 of that 0.03."""
        hidden = msgspec.structs.replace(estimate(0.0, 0.005), lower=-0.0311, noise=0.005)
        taken = msgspec.structs.replace(estimate(0.0, 0.0311 / 1.645), lower=-0.0311)
        more, before = (
            planning.n_more(one, 100, threshold=-0.02, side="above") for one in (hidden, taken)
        )
        assert more is not None
        assert more < 200
        assert before is None or before > 4 * more

    @pytest.mark.slow
    def test_grades_that_hardly_differ_are_settled_by_what_it_says(self) -> None:
        """Gains of 0.1 with a standard deviation of 0.1, of which 50 cases do not show 0.05."""
        draw = arms.betas(arms.Beta(0.6, 0.15), arms.Beta(0.68, 0.12))
        rng = np.random.default_rng(6)
        settled: list[bool] = []
        while len(settled) < 200:
            b, c = draw(rng, 50)
            made = paired.difference(b, c, scale=(0.0, 1.0), binary=False)
            more = planning.n_more(made, 50, threshold=0.05)
            if made.lower <= 0.05 <= made.upper and more is not None:
                further = draw(rng, more)
                b, c = np.r_[b, further[0]], np.r_[c, further[1]]
                later = paired.difference(b, c, scale=(0.0, 1.0), binary=False)
                settled.append(later.lower > 0.05 or later.upper < 0.05)
        # The promise is 80% over all truths; the error of 200 draws is 2.8 points.
        assert 0.7 <= np.mean(settled) <= 0.95

    def test_at_the_threshold_no_realistic_number_does(self) -> None:
        assert planning.n_more(estimate(0.05, 0.03), 100, threshold=0.05) is None

    def test_the_unlikely_side_is_not_promised(self) -> None:
        assert planning.n_more(estimate(-0.05, 0.03), 100, threshold=0.0, side="above") is None
        assert planning.n_more(estimate(-0.05, 0.03), 100, threshold=0.0, side="below") is not None

    def test_the_nearer_the_threshold_the_more_it_takes(self) -> None:
        found = [planning.n_more(estimate(v, 0.03), 100, threshold=0.0) for v in (0.05, 0.04, 0.03)]
        assert all(x is not None for x in found)
        assert found == sorted(found, key=lambda x: x or 0)

    def test_what_is_clear_already_takes_next_to_nothing(self) -> None:
        assert planning.n_more(estimate(0.5, 0.03), 100, threshold=0.0) == 1

    def test_without_an_error_nothing_is_said(self) -> None:
        nothing = estimate(math.nan, math.nan)
        assert planning.n_more(nothing, 50, threshold=0.0) is None
        assert planning.n_more(estimate(0.1, 0.0), 50, threshold=0.0) is None


@pytest.mark.parametrize(("loss", "alpha"), [(0.02, 0.05), (0.05, 0.05), (0.05, 0.025)])
def test_cases_that_can_exclude_a_loss_are_those_of_the_exact_bound(
    loss: float, alpha: float
) -> None:
    # Nothing seen among n excludes a rate of 1 - alpha^(1/n) and more (Clopper and Pearson 1934).
    wanted = math.floor(math.log(alpha) / math.log(1 - loss)) + 1
    assert planning.cases_to_exclude(loss, alpha=alpha) == wanted
    assert planning.excluded(wanted, alpha=alpha) < loss
    assert planning.excluded(wanted - 1, alpha=alpha) >= loss


def test_no_number_of_cases_excludes_a_loss_of_nothing_and_an_open_scale_excludes_all() -> None:
    assert planning.cases_to_exclude(0.0) is None
    assert planning.excluded(50, scale=(None, None), binary=False) == 0
