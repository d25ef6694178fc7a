from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from tuneornot.stats import selection

EXPECTED_MAXIMUM = {2: 0.56419, 5: 1.16296, 10: 1.53875}
"""Of k independent standard normals: Teichroew, D. (1956), Tables of expected values of order
statistics, Annals of Mathematical Statistics 27, 410-426."""


def test_binary_differences_give_the_exact_sign_test() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        found = rng.integers(-1, 2, size=30).astype(float)
        moved = int((found != 0).sum())
        exact = stats.binomtest(int((found > 0).sum()), moved, alternative="greater").pvalue
        assert selection.sign_flip(found, rng) == pytest.approx(exact, rel=1e-12)


def test_graded_differences_agree_with_full_enumeration() -> None:
    rng = np.random.default_rng(1)
    for _ in range(5):
        left, right = rng.normal(0.3, 1, 10), rng.normal(0, 1, 10)
        full = stats.permutation_test(
            (left, right),
            lambda a, b, axis: np.mean(a - b, axis=axis),
            permutation_type="samples",
            alternative="greater",
            vectorized=True,
        ).pvalue
        ours = selection.sign_flip(left - right, rng, n_flips=40_000)
        assert ours == pytest.approx(full, abs=4 * np.sqrt(full * (1 - full) / 40_000) + 1e-4)


def test_no_difference_is_no_evidence() -> None:
    assert selection.sign_flip(np.zeros(12), np.random.default_rng(0)) == 1.0


def test_the_random_p_value_holds_its_level() -> None:
    rng = np.random.default_rng(2)
    p_values = [selection.sign_flip(rng.normal(size=15), rng, 199) for _ in range(2000)]
    assert np.mean(np.array(p_values) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)


@pytest.mark.parametrize("k", [2, 5, 10])
def test_luck_of_equals_is_the_expected_maximum(k: int) -> None:
    n, runs = 60, 200
    rng = np.random.default_rng(k)
    found = []
    for _ in range(runs):
        difficulty = 3 * rng.normal(size=n)  # common to all: no part of the luck
        found.append(selection.luck(difficulty + rng.normal(size=(k, n)), rng))
    expected = EXPECTED_MAXIMUM[k] / np.sqrt(n)
    # For two the spread of their means is known from one difference only: a seventh is missed.
    assert 0.82 * expected < np.mean(found) < 1.05 * expected


@pytest.mark.parametrize(
    "qualities",
    [np.full(12, 0.4), np.linspace(0.2, 0.6, 12), np.r_[np.full(11, 0.2), 0.7]],
    ids=["equal", "spread", "one clearly best"],
)
def test_luck_matches_the_bias_of_the_winner_on_average(qualities: np.ndarray) -> None:
    n, runs = 60, 400
    rng = np.random.default_rng(7)
    bias, found = [], []
    for _ in range(runs):
        drawn = np.sqrt(0.5) * rng.normal(size=n) + np.sqrt(0.5) * rng.normal(size=(12, n))
        scores = (drawn < stats.norm.ppf(qualities)[:, None]).astype(float)
        winner = int(scores.mean(axis=1).argmax())
        bias.append(scores[winner].mean() - qualities[winner])
        found.append(selection.luck(scores, rng))
    error = np.std(bias) / np.sqrt(runs)
    assert np.mean(found) == pytest.approx(np.mean(bias), abs=0.008 + 2 * error)


def test_no_choice_no_luck() -> None:
    rng = np.random.default_rng(0)
    assert selection.luck(rng.normal(size=(1, 40)), rng) == 0.0
    assert selection.luck(rng.normal(size=(4, 1)), rng) == 0.0
    assert selection.luck(np.ones((3, 40)), rng) == 0.0


@pytest.mark.parametrize("k", [1, 2, 5, 10])
def test_the_greatest_of_normals_is_that_of_the_tables(k: int) -> None:
    assert selection._greatest(k) == pytest.approx(EXPECTED_MAXIMUM.get(k, 0.0), abs=1e-4)


@pytest.mark.parametrize("spread", [0.5, 1.0])
def test_twice_as_many_add_what_the_further_figure_says(spread: float) -> None:
    k, n, runs = 20, 60, 300
    rng = np.random.default_rng(3)
    told, gained = [], []
    for _ in range(runs):
        truth = rng.normal(0, spread, 2 * k)
        seen = 2 * rng.normal(size=n) + truth[:, None] + 3 * rng.normal(size=(2 * k, n))
        means = seen.mean(axis=1)
        gained.append(truth[np.argmax(means)] - truth[np.argmax(means[:k])])
        told.append(selection.further(seen[:k, :20], n))
    error = np.std(gained) / np.sqrt(runs)
    assert np.mean(told) == pytest.approx(np.mean(gained), abs=0.1 * spread + 2 * error)
    assert 0.15 * spread < np.mean(gained)


def test_contestants_without_a_spread_promise_little() -> None:
    rng = np.random.default_rng(4)
    told = [selection.further(rng.normal(size=(20, 20)), 60) for _ in range(200)]
    # One mean on 20 cases has the standard error 0.22.
    assert np.mean(told) < 0.04
    assert selection.further(np.ones((5, 20)), 60) == 0.0
    assert selection.further(np.ones((1, 20)), 60) == 0.0
