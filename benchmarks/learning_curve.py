"""How often the forecast of a learning curve covers what twice the data brings.

    python benchmarks/learning_curve.py [--studies 200]

Each study has dev cases that are hard or easy for every training alike (correlation 0.9), a
baseline that is right in a fifth of them, and trainings whose true quality follows a known curve.
Given are the share of 95% intervals that cover the true gain at twice the largest size, and their
mean width.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
from scipy.stats import norm

from tuneornot.records import Estimate
from tuneornot.stats import power_law

LARGEST, BASELINE, ALIKE = 400.0, 0.2, 0.9
Curve = Callable[[float], float]


def flat(rng: np.random.Generator) -> Curve:
    """More data brings nothing."""
    level = rng.uniform(0.2, 0.9)
    return lambda n: level


def saturating(rng: np.random.Generator) -> Curve:
    """A power law towards a limit, never below what it needs for the smallest size."""
    power, limit = rng.uniform(0.1, 0.8), rng.uniform(0.5, 1)
    rise = rng.uniform(0, limit / (50 / LARGEST) ** -power)
    return lambda n: limit - rise * (n / LARGEST) ** -power


def steep(rng: np.random.Generator) -> Curve:
    """Each doubling brings more than the one before."""
    level = rng.uniform(0.3, 0.6)
    return lambda n: min(1.0, level * (n / LARGEST) ** 0.5)


def s_shaped(rng: np.random.Generator) -> Curve:
    """A foot, a rise and a plateau, wherever they fall."""
    middle = rng.uniform(100, 1500)
    return lambda n: 0.2 + 0.7 / (1 + (middle / n) ** 2)


def study(curve: Curve, sizes: list[float], n_dev: int, rng: np.random.Generator) -> Estimate:
    """What one study would forecast."""
    shared, own = rng.normal(size=n_dev), rng.normal(size=(len(sizes), n_dev))
    ease = norm.cdf(ALIKE**0.5 * shared + (1 - ALIKE) ** 0.5 * own)
    right = ease < np.array([curve(n) for n in sizes])[:, None]
    before = rng.random(n_dev) < BASELINE
    gains = right - before.astype(float)
    return power_law.forecast(
        sizes,
        gains.mean(axis=1),
        np.cov(gains) / n_dev + np.eye(len(sizes)) / (4 * n_dev**2),
        at=2 * LARGEST,
        most=1 - float(before.mean()),
    )


def main() -> None:
    """Print a line for each kind of curve and each design."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=200)
    n_studies = parser.parse_args().studies
    rng = np.random.default_rng(1)
    for draw in (flat, saturating, steep, s_shaped):
        for sizes, n_dev in (([100.0, 200.0, 400.0], 60), ([100.0, 200.0, 400.0], 200)):
            found = []
            for _ in range(n_studies):
                curve = draw(rng)
                told, truth = study(curve, sizes, n_dev, rng), curve(2 * LARGEST) - BASELINE
                found.append((told.low <= truth <= told.high, told.high - told.low))
            covered, width = np.array(found, dtype=float).mean(axis=0)
            print(
                f"{draw.__name__:12} {n_dev:4} dev cases  covers {covered:.1%}  width {width:.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
