from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from tuneornot.records import Estimate
from tuneornot.stats import power_law

SIZES = np.array([100.0, 200.0, 400.0])


def exact(power: float, slope: float = 0.1) -> Callable[[float], float]:
    return lambda n: 0.4 + slope * ((n / 400) ** power - 1) / power


@pytest.mark.parametrize("power", [-1.0, -0.4, 0.5])
def test_exact_points_give_the_law_back(power: float) -> None:
    law, sizes = exact(power, slope=0.05), [25, 50, 100, 200, 400]
    found = power_law.forecast(
        sizes, [law(n) for n in sizes], np.eye(5) * 0.002**2, at=800, most=1, alpha=0.05
    )
    assert found.value == pytest.approx(law(800), abs=0.003)
    assert found.low < law(800) < found.high
    assert found.high - found.low < 0.03


def test_at_a_measured_size_it_is_about_what_was_measured() -> None:
    gains, errors = [0.1, 0.2, 0.25], np.diag([0.02, 0.02, 0.02]) ** 2
    found = power_law.forecast(SIZES, gains, errors, at=400, most=1)
    assert found.value == pytest.approx(0.25, abs=0.01)
    assert found.low < 0.25 < found.high
    assert found.low < found.lower < found.value < found.upper < found.high


def test_farther_is_wider_and_noise_is_wider() -> None:
    gains, errors = [0.1, 0.2, 0.25], np.eye(3) * 0.02**2

    def width(at: float, factor: float = 1) -> float:
        found = power_law.forecast(SIZES, gains, factor * errors, at=at, most=5)
        return found.high - found.low

    assert width(400) < width(800) < width(1600)
    assert width(800) < width(800, 4)


def test_no_forecast_lies_above_what_scores_allow() -> None:
    found = power_law.forecast(SIZES, [0.1, 0.3, 0.5], np.eye(3) * 0.01**2, at=1600, most=0.55)
    assert found.high == 0.55
    assert found.value <= 0.55


def test_equal_gains_are_as_likely_to_fall_as_to_rise() -> None:
    found = power_law.forecast(SIZES, [0.3, 0.3, 0.3], np.eye(3) * 0.02**2, at=800, most=9)
    assert found.value == pytest.approx(0.3, abs=0.01)
    assert found.high - 0.3 == pytest.approx(0.3 - found.low, rel=0.25)


@pytest.mark.parametrize(
    ("sizes", "gains", "said"),
    [
        ([100, 200], [0, 0], "at least 3 sizes above 0 that increase"),
        ([100, 200, 200], [0, 0, 0], "that increase"),
        ([0, 100, 200], [0, 0, 0], "above 0"),
        ([1, 2, 3], [0, 0], "a gain and a row"),
    ],
)
def test_what_cannot_be_drawn_through_is_refused(
    sizes: list[float], gains: list[float], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        power_law.forecast(sizes, gains, np.eye(len(gains)), at=400, most=1)


def simulated(level: Callable[[float], float], n_dev: int, rng: np.random.Generator) -> Estimate:
    """One study: right or wrong on dev cases that are hard or easy for every training alike."""
    shared, own = rng.normal(size=n_dev), rng.normal(size=(len(SIZES), n_dev))
    ease: NDArray[np.float64] = norm.cdf(0.9**0.5 * shared + 0.1**0.5 * own)
    right = ease < np.array([level(n) for n in SIZES])[:, None]
    gains = right - (rng.random(n_dev) < 0.2).astype(float)
    covariance = np.cov(gains) / n_dev
    return power_law.forecast(SIZES, gains.mean(axis=1), covariance, at=800, most=0.8)


@pytest.mark.parametrize(
    ("level", "least"),
    [
        (lambda n: 0.5, 0.93),
        (lambda n: 0.8 - 0.3 * (n / 400) ** -0.5, 0.9),
        (lambda n: 0.45 * (n / 400) ** 0.5, 0.93),
        (lambda n: 0.3 + 0.08 * np.log2(n / 100), 0.93),
    ],
    ids=["flat", "saturating", "still steep", "so much for every doubling"],
)
def test_the_interval_covers_what_twice_the_data_brings(
    level: Callable[[float], float], least: float
) -> None:
    rng = np.random.default_rng(7)
    truth = level(800) - 0.2
    found = [simulated(level, 100, rng) for _ in range(120)]
    covered = np.mean([one.low <= truth <= one.high for one in found])
    # Two standard errors of 120 trials, below the 95% that is promised.
    assert covered >= least - 0.04
