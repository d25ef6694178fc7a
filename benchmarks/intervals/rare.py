"""Values that nobody saw: how often the bounds of a mean miss them, with and without allowing.

Two worlds. In one a share of the candidate's answers is lost altogether while grades hardly differ
otherwise, which is where a mean misleads most; in the other scores have no bound. Every set is
judged by the skewness-adjusted t alone and by each way of allowing for what was not drawn that was
tried. ``check`` holds the chosen one to what the package ships.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import candidates
import numpy as np
from candidates import RATES, Bounds, Floats
from scenarios import SCENARIOS, Scenario
from scipy import special, stats

from tuneornot.stats import paired, studentised, unseen
from tuneornot.stats.cases import Scale

SHARES = (0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12)
"""Of answers that are lost."""
OPEN = ("normal", "Student t, 3 df", "exponential", "lognormal pair", "lognormal")
GAIN = 0.05


@dataclass(frozen=True)
class Lost:
    """Grades around 0.6; the candidate gains ``GAIN`` in all, its lost answers counted."""

    share: float

    def draw(self, rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Floats, Floats]:
        common = rng.standard_normal(shape)
        own = rng.standard_normal((2, *shape))
        level = special.ndtr(np.sqrt(0.7) * common + np.sqrt(0.3) * own)
        baseline = _beta(level[0], 0.6, 0.15)
        usual = _beta(level[1], (0.6 + GAIN) / (1 - self.share), 0.12)
        return baseline, np.where(rng.random(shape) < self.share, 0.0, usual)


def _beta(level: Floats, mean: float, sd: float) -> Floats:
    strength = mean * (1 - mean) / sd**2 - 1
    # Read off a fine grid: the quantile function itself would take most of the time.
    grid = np.linspace(0, 1, 4001)
    ends = stats.beta.ppf(grid, mean * strength, (1 - mean) * strength)
    found: Floats = np.interp(level, grid, ends)
    return found


def outer(seen: Bounds, value: Floats, n: int, fall: Floats, rise: Floats) -> Bounds:
    """The wider of what was seen and of a share of cases unseen."""
    shares = {rate: unseen.share(n, rate) for rate in RATES}
    return {
        rate: (
            np.minimum(low, value - shares[rate] * fall),
            np.maximum(high, value + shares[rate] * rise),
        )
        for rate, (low, high) in seen.items()
    }


def at_once(d: Floats, either: Bounds, fall: Floats, rise: Floats, weight: float) -> Bounds:
    """The noise of what was seen and a share unseen at once, in squares, beside either alone.

    ``weight`` is that of the furthest difference in how far the cases seen reach themselves, the
    second furthest has the rest.
    """
    n, value, ordered = d.shape[1], d.mean(axis=1), np.sort(d, axis=1)
    noise = candidates.skewed(d, 1.0, studentised.SKEW_FACTOR, 0.0, ranged=False)
    down = value - weight * ordered[:, 0] - (1 - weight) * ordered[:, 1]
    up = weight * ordered[:, -1] + (1 - weight) * ordered[:, -2] - value
    found = {}
    for rate, (low, high) in either.items():
        share = unseen.share(n, rate)
        below = np.hypot(value - noise[rate][0], share * np.maximum(fall - down, 0.0))
        above = np.hypot(noise[rate][1] - value, share * np.maximum(rise - up, 0.0))
        found[rate] = (np.minimum(low, value - below), np.maximum(high, value + above))
    return found


def lost(b: Floats, c: Floats) -> dict[str, Bounds]:
    """Bounds (sets,) of grades on the scale 0 to 1 from both arms, each (sets, n)."""
    d, n = c - b, b.shape[1]
    seen, value = candidates.shipped(d, 1.0), d.mean(axis=1)
    first, second = b.mean(axis=1), c.mean(axis=1)
    fall, rise = np.maximum(second, 1 - first), np.maximum(first, 1 - second)
    either = outer(seen, value, n, fall, rise)
    return {
        "seen alone": seen,
        "one arm unseen": either,
        "at once, past the furthest": at_once(d, either, fall, rise, 1.0),
        "past two (shipped)": at_once(d, either, fall, rise, 0.5),
        "past the second": at_once(d, either, fall, rise, 0.0),
        "both arms unseen": outer(seen, value, n, 1 + value, 1 - value),
    }


def unbounded(d: Floats) -> dict[str, Bounds]:
    """Bounds (sets,) of differences without a bound, (sets, n)."""
    n = d.shape[1]
    seen, value = candidates.shipped(d, None), d.mean(axis=1)
    fall, rise = value - d.min(axis=1), d.max(axis=1) - value
    chosen = unseen.FURTHER + unseen.FURTHER_OF_FEW / n
    ways: dict[str, Callable[[], Bounds]] = {
        "seen alone": lambda: seen,
        "1.6 times as far": lambda: outer(seen, value, n, 1.6 * fall, 1.6 * rise),
        "2 times": lambda: outer(seen, value, n, 2 * fall, 2 * rise),
        "1.6 + 12/n times (shipped)": lambda: outer(seen, value, n, chosen * fall, chosen * rise),
        "skewness x 1.5 (1 + 6 k)": lambda: candidates.skewed(d, None, 1.5, 6.0),
    }
    return {name: way() for name, way in ways.items()}


def scenarios() -> list[Scenario]:
    """Of scores without a bound."""
    return [each for each in SCENARIOS if each.name in OPEN]


def check(b: Floats, c: Floats, ours: Bounds, scale: Scale) -> None:
    """Refuse to go on if a method above is not the one that the package ships."""
    for row in range(len(b)):
        single = paired.difference(b[row], c[row], scale=scale, binary=False)
        low, high = ours[0.05]
        np.testing.assert_allclose(low[row], single.lower, rtol=1e-9)
        np.testing.assert_allclose(high[row], single.upper, rtol=1e-9)
