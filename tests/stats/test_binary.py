"""Paired 0/1 scores and single rates against enumeration, published values and scipy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from tuneornot.stats.binary import PairedScore, Rate

counts = st.tuples(*[st.integers(0, 25)] * 3).filter(lambda cells: sum(cells) >= 2)


def made(cells: tuple[int, ...]) -> PairedScore:
    wins, losses, ties = cells
    return PairedScore(wins=wins, losses=losses, n=wins + losses + ties)


@pytest.mark.parametrize(
    ("wins", "losses", "n", "low", "high"),
    [
        # Airway hyper-responsiveness of 21 children, Fagerland, Lydersen & Laake (2014), table 2.
        (1, 7, 21, -0.517, -0.026),
        # Contact lenses, 44 pairs of which one is discordant: Tango (1998), section 5.
        (0, 1, 44, -0.118, 0.059),
    ],
)
def test_the_statistic_gives_the_published_score_intervals(
    wins: int, losses: int, n: int, low: float, high: float
) -> None:
    score = PairedScore(wins=wins, losses=losses, n=n)
    z = float(stats.norm.isf(0.025))
    assert optimize.brentq(lambda t: score.statistic(t) - z, -0.999, score.value) == pytest.approx(
        low, abs=1e-3
    )
    assert optimize.brentq(lambda t: score.statistic(t) + z, score.value, 0.999) == pytest.approx(
        high, abs=1e-3
    )


def test_without_a_difference_the_statistic_is_mcnemars() -> None:
    score = PairedScore(wins=13, losses=4, n=60)
    assert score.statistic(0.0) == pytest.approx((13 - 4) / np.sqrt(13 + 4))


@pytest.mark.parametrize(("wins", "losses", "n"), [(5, 1, 12), (0, 0, 9), (2, 6, 15), (7, 0, 10)])
@pytest.mark.parametrize("difference", [-0.4, -0.05, 0.0, 0.1, 0.45])
def test_p_value_is_the_trinomial_tail_of_the_statistic(
    wins: int, losses: int, n: int, difference: float
) -> None:
    """Every outcome listed, the rate of losses by numerical maximum likelihood."""
    score = PairedScore(wins=wins, losses=losses, n=n)

    def minus_log(q: float) -> float:
        return -float(
            stats.multinomial.logpmf(
                [wins, losses, n - wins - losses], n, [q + difference, q, 1 - 2 * q - difference]
            )
        )

    edges = max(0.0, -difference) + 1e-10, (1 - difference) / 2 - 1e-10
    losing = float(optimize.minimize_scalar(minus_log, bounds=edges, method="bounded").x)
    for edge in edges:  # the maximum may lie at an end, where the search only comes near
        if minus_log(edge) < minus_log(losing):
            losing = edge
    rates = [losing + difference, losing, 1 - 2 * losing - difference]
    seen = score.statistic(difference)
    total = 0.0
    for b, c in itertools.product(range(n + 1), repeat=2):
        if b + c <= n:
            other = PairedScore(wins=b, losses=c, n=n)
            if other.statistic(difference) >= seen - 1e-7:
                total += float(stats.multinomial.pmf([b, c, n - b - c], n, rates))
    assert score.p_above(difference) == pytest.approx(total, abs=2e-4)


def test_wins_alone_behave_like_one_binomial_count() -> None:
    """No discordant pair at all: the upper bound is that of 0 events among n."""
    score = PairedScore(wins=0, losses=0, n=40)
    assert score.upper(0.05) == pytest.approx(1 - 0.05 ** (1 / 40), abs=1e-6)
    assert score.lower(0.05) == pytest.approx(-score.upper(0.05), abs=1e-9)


@given(counts, st.sampled_from([0.01, 0.05, 0.2]))
@settings(max_examples=40, deadline=None)
def test_swapping_the_arms_flips_every_sign(cells: tuple[int, ...], alpha: float) -> None:
    score, swapped = made(cells), made((cells[1], cells[0], cells[2]))
    assert score.lower(alpha) == -swapped.upper(alpha)
    assert score.p_above(0.1) == swapped.p_below(-0.1)


@given(counts)
@settings(max_examples=40, deadline=None)
def test_bounds_are_ordered_and_within_the_range(cells: tuple[int, ...]) -> None:
    score = made(cells)
    found = [score.lower(0.025), score.lower(0.05), score.value, score.upper(0.05)]
    found.append(score.upper(0.025))
    assert found == sorted(found)
    assert found[0] >= -1
    assert found[-1] <= 1


@given(counts, st.floats(-0.5, 0.5))
@settings(max_examples=60, deadline=None)
def test_bound_and_test_agree(cells: tuple[int, ...], threshold: float) -> None:
    score = made(cells)
    bound = score.lower(0.05)
    if abs(bound - threshold) > 1e-6:
        assert (score.p_above(threshold) < 0.05) == (bound > threshold)


@pytest.mark.parametrize("n", [20, 30])
def test_one_sided_errors_stay_nominal_by_enumeration(n: int) -> None:
    """Over all outcomes, at every rate of a grid, the 95% lower bound errs by 5.5% at most."""
    cells = [(b, c) for b in range(n + 1) for c in range(n + 1 - b)]
    lower = np.array([PairedScore(wins=b, losses=c, n=n).lower(0.05) for b, c in cells])
    table = np.array([(b, c, n - b - c) for b, c in cells])
    worst = 0.0
    for win, loss in itertools.product([0.01, 0.05, 0.1, 0.2, 0.35, 0.6], [0.01, 0.05, 0.2, 0.35]):
        if win + loss < 1:
            weight = stats.multinomial.pmf(table, n, [win, loss, 1 - win - loss])
            worst = max(worst, float(weight @ (lower > win - loss + 1e-9)))
    assert 0.03 < worst < 0.055


def test_large_counts_meet_the_normal_approximation() -> None:
    score = PairedScore(wins=6000, losses=5800, n=100_000)
    error = np.sqrt(0.118 - 0.002**2) / np.sqrt(100_000)
    assert score.lower(0.025) == pytest.approx(0.002 - 1.96 * error, abs=2e-5)
    assert score.p_above(0.0) == pytest.approx(stats.norm.sf(200 / np.sqrt(11_800)), abs=1e-3)


class TestRate:
    def test_bounds_are_beta_quantiles(self) -> None:
        rate = Rate(successes=7, n=20)
        assert rate.lower(0.05) == pytest.approx(stats.beta.ppf(0.05, 7.5, 13.5))
        assert rate.upper(0.05) == pytest.approx(stats.beta.ppf(0.95, 7.5, 13.5))

    def test_the_ends_are_closed(self) -> None:
        assert Rate(successes=0, n=20).lower(0.05) == 0.0
        assert Rate(successes=20, n=20).upper(0.05) == 1.0

    def test_p_values_invert_the_bounds(self) -> None:
        rate = Rate(successes=7, n=20)
        assert rate.p_above(rate.lower(0.03)) == pytest.approx(0.03)
        assert rate.p_below(rate.upper(0.03)) == pytest.approx(0.03)
        assert rate.p_above(1.2) == rate.p_below(-0.2) == 1.0
