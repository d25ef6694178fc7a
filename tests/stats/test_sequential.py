from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tuneornot.stats import sequential


@pytest.mark.parametrize(
    "bounds",
    [
        # Published boundaries of this spending function, 0.025 one-sided, equally spaced looks.
        (2.279, 2.295, 2.296),
        (2.438, 2.427, 2.410, 2.397, 2.386),
    ],
)
def test_the_levels_are_those_of_published_boundaries(bounds: tuple[float, ...]) -> None:
    last = len(bounds)
    for look, bound in enumerate(bounds, start=1):
        level = sequential.level(range(1, look + 1), last, 0.025)
        assert stats.norm.isf(level) == pytest.approx(bound, abs=6e-4)


@pytest.mark.parametrize(
    ("sizes", "planned"), [((100, 200, 400), 400), ((50, 60, 300), 500), ((100, 390), 300)]
)
def test_all_looks_together_err_as_often_as_is_spent(sizes: tuple[int, ...], planned: int) -> None:
    levels = [sequential.level(sizes[: k + 1], planned, 0.05) for k in range(len(sizes))]
    rng = np.random.default_rng(3)
    n_sets = 200_000
    steps = np.sqrt(np.diff([0, *sizes])) * rng.standard_normal((n_sets, len(sizes)))
    statistics = steps.cumsum(axis=1) / np.sqrt(sizes)
    erred = (statistics > stats.norm.isf(levels)).any(axis=1).mean()
    spent = sequential.spent(sizes[-1] / planned, 0.05)
    assert erred == pytest.approx(spent, abs=4 * math.sqrt(0.05 * 0.95 / n_sets))


def test_the_whole_is_spent_at_the_planned_number_of_cases_and_nothing_after() -> None:
    assert sequential.spent(1.0, 0.05) == pytest.approx(0.05)
    assert sequential.spent(1.5, 0.05) == pytest.approx(0.05)
    assert sequential.level([400], 400, 0.05) == pytest.approx(0.05)
    with pytest.raises(ValueError, match="has used up the error rate"):
        sequential.level([400, 500], 400, 0.05)


def test_shared_looks_are_stricter_than_one_and_laxer_than_an_equal_share() -> None:
    levels = [sequential.level([100, 200, 300][: k + 1], 300, 0.05) for k in range(3)]
    assert all(0.05 / 3 < level < 0.05 for level in levels)


@pytest.mark.parametrize("sizes", [[], [200, 100], [100, 100], [0, 10]])
def test_sizes_that_do_not_increase_are_refused(sizes: list[int]) -> None:
    with pytest.raises(ValueError, match="numbers of cases that increase"):
        sequential.level(sizes, 300, 0.05)


def test_what_planned_looks_cost_and_save() -> None:
    """Where one look at 400 cases has 80% power; docs/concepts/verdict.md gives these figures."""
    sizes = np.array([100, 200, 400])
    levels = [sequential.level(sizes[: k + 1].tolist(), 400, 0.05) for k in range(3)]
    drift = (stats.norm.isf(0.05) + stats.norm.isf(0.2)) / np.sqrt(400)
    steps = np.diff([0, *sizes])
    rng = np.random.default_rng(0)
    sums = (drift * steps + np.sqrt(steps) * rng.standard_normal((200_000, 3))).cumsum(axis=1)
    shown = np.maximum.accumulate(sums / np.sqrt(sizes) > stats.norm.isf(levels), axis=1)
    assert shown.mean(axis=0) == pytest.approx([0.197, 0.413, 0.746], abs=0.005)
    cases = np.where(shown[:, 0], 100, np.where(shown[:, 1], 200, 400)).mean()
    assert cases == pytest.approx(298, abs=1.5)
