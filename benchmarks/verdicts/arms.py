"""Two arms whose true quality is known: draws of paired scores and, beside each, its closed forms.

Every draw takes a generator and a number of cases and gives (baseline, candidate), higher better
unless said otherwise. A truth is never estimated: it is a formula of the same parameters. Which
rule is applied, and what verdict an arm deserves, stand in ``scenarios``.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Floats = NDArray[np.float64]
Pair = tuple[Floats, Floats]
Draw = Callable[[np.random.Generator, int], Pair]
GRADES = 4
"""Grades are 0, 1/4, .., 1."""


def binary(rate: float, gain: float, disagreement: float) -> Draw:
    """0/1 scores: the baseline right at ``rate``, the arms differing on ``disagreement``."""
    wins, losses = (disagreement + gain) / 2, (disagreement - gain) / 2
    both = rate - losses
    edges = np.cumsum([wins, losses, both])
    if min(wins, losses, both) < -1e-12 or edges[-1] > 1 + 1e-12:
        raise ValueError(f"no two arms have {rate!r}, {gain!r} and {disagreement!r}; change one")

    def draw(rng: np.random.Generator, n: int) -> Pair:
        kind = np.searchsorted(edges, rng.random(n), side="right")
        return ((kind == 1) | (kind == 2)) * 1.0, ((kind == 0) | (kind == 2)) * 1.0

    return draw


def graded(middle: float, gain: float, *, sd: float = 0.4, shared: float = 0.7) -> Draw:
    """Grades of latent normal qualities that share part of their variance; ``gain`` is exact."""
    means = middle, _middle_for(graded_mean(middle, sd) + gain, sd)

    def draw(rng: np.random.Generator, n: int) -> Pair:
        common = rng.standard_normal(n)
        own = rng.standard_normal((2, n))
        latent = np.sqrt(shared) * common + np.sqrt(1 - shared) * own
        quality = np.array(means)[:, np.newaxis] + sd * latent
        scores = np.clip(np.round(GRADES * quality), 0, GRADES) / GRADES
        return scores[0], scores[1]

    return draw


def graded_mean(middle: float, sd: float) -> float:
    """Mean grade: each of the four steps is taken with its normal probability."""
    steps = (np.arange(1, GRADES + 1) - 0.5) / GRADES
    return float(special.ndtr((middle - steps) / sd).mean())


def _middle_for(mean: float, sd: float) -> float:
    return float(optimize.brentq(lambda middle: graded_mean(middle, sd) - mean, -3, 5, xtol=1e-14))


def penalties(gain: float, *, sigma: float = 1.0, shared: float = 0.7) -> Draw:
    """Minus lognormal penalties of mean 1 for the baseline and 1 - gain for the candidate."""
    levels = -(sigma**2) / 2, math.log(1 - gain) - sigma**2 / 2

    def draw(rng: np.random.Generator, n: int) -> Pair:
        common = rng.standard_normal(n)
        own = rng.standard_normal((2, n))
        logs = sigma * (np.sqrt(shared) * common + np.sqrt(1 - shared) * own)
        return -np.exp(levels[0] + logs[0]), -np.exp(levels[1] + logs[1])

    return draw


def long_tailed(gain: float, *, sd: float = 0.3) -> Draw:
    """Differences of Student's t with 3 degrees of freedom and the given standard deviation."""

    def draw(rng: np.random.Generator, n: int) -> Pair:
        baseline = rng.standard_normal(n)
        return baseline, baseline + gain + sd / math.sqrt(3) * rng.standard_t(3, n)

    return draw


def one_sided(gain: float) -> Draw:
    """Differences that are lognormal (sd of the log 1) but for a shift: one tail, without end."""

    def draw(rng: np.random.Generator, n: int) -> Pair:
        baseline = rng.standard_normal(n)
        return baseline, baseline + gain + np.exp(rng.standard_normal(n)) - math.exp(0.5)

    return draw


def times(ratio: float) -> Draw:
    """Lognormal latencies in seconds (lower is better); the ratio of the means is exact."""

    def draw(rng: np.random.Generator, n: int) -> Pair:
        common = 0.5 * rng.standard_normal(n)
        own = 0.4 * rng.standard_normal((2, n))
        return np.exp(common + own[0]), ratio * np.exp(common + own[1])

    return draw


class Beta:
    """Scores between 0 and 1, and the closed forms of what is asked of them."""

    def __init__(self, mean: float, sd: float, failing: float = 0.0) -> None:
        """``failing`` of the cases score 0; the others have this mean and standard deviation."""
        strength = mean * (1 - mean) / sd**2 - 1
        self.a, self.b, self.failing = mean * strength, (1 - mean) * strength, failing

    @property
    def mean(self) -> float:
        return (1 - self.failing) * self.a / (self.a + self.b)

    @property
    def sd(self) -> float:
        a, b = self.a, self.b
        square = (1 - self.failing) * a * (a + 1) / ((a + b) * (a + b + 1))
        return math.sqrt(square - self.mean**2)

    @property
    def worst_tenth(self) -> float:
        """Mean of the lowest tenth; fewer than a tenth may be failing."""
        reached = (0.1 - self.failing) / (1 - self.failing)
        end = special.betaincinv(self.a, self.b, reached)
        # E[X; X < end] of a Beta(a, b) is its mean times the distribution of Beta(a + 1, b).
        return self.mean * float(special.betainc(self.a + 1, self.b, end)) / 0.1

    @property
    def within(self) -> float:
        """Pooled standard deviation of repeats that are right with a probability drawn here."""
        a, b = self.a, self.b
        return math.sqrt(a * b / ((a + b) * (a + b + 1)))

    def at(self, levels: Floats, failing: Floats | None = None) -> Floats:
        """Scores at uniform ``levels``; ``failing`` are uniform too."""
        scores: Floats = special.betaincinv(self.a, self.b, levels)
        return scores if failing is None else np.where(failing < self.failing, 0.0, scores)


def betas(baseline: Beta, candidate: Beta, *, shared: float = 0.7) -> Draw:
    """Paired scores through a normal copula; failing cases are each arm's own."""

    def draw(rng: np.random.Generator, n: int) -> Pair:
        common = rng.standard_normal(n)
        own = rng.standard_normal((2, n))
        levels = special.ndtr(np.sqrt(shared) * common + np.sqrt(1 - shared) * own)
        failing = rng.random((2, n))
        return baseline.at(levels[0], failing[0]), candidate.at(levels[1], failing[1])

    return draw


def repeated(baseline: Beta, candidate: Beta, n_repeats: int) -> Draw:
    """0/1 answers (n, repeats) to cases that either arm gets right with its own probability."""

    def draw(rng: np.random.Generator, n: int) -> Pair:
        level = rng.random(n)
        chances = np.stack([baseline.at(level), candidate.at(level)])[:, :, np.newaxis]
        right = (rng.random((2, n, n_repeats)) < chances) * 1.0
        return right[0], right[1]

    return draw


def group_labels(rng: np.random.Generator, n: int, least: int, most: int) -> NDArray[np.intp]:
    """(n,) labels of groups whose sizes are drawn evenly; the last one holds what is left."""
    sizes = rng.integers(least, most + 1, size=n // least + 1)
    return np.repeat(np.arange(len(sizes)), sizes)[:n]


def grouped(rate: float, gain: float, correlation: float, groups: NDArray[np.intp]) -> Draw:
    """0/1 scores of latent qualities with a correlation within groups; half of all is shared."""
    cuts = special.ndtri([rate, rate + gain])

    def draw(rng: np.random.Generator, n: int) -> Pair:
        of_groups = rng.standard_normal((3, int(groups.max()) + 1))[:, groups]
        of_cases = rng.standard_normal((3, n))
        mixed = np.sqrt(correlation) * of_groups + np.sqrt(1 - correlation) * of_cases
        quality = (mixed[:1] + mixed[1:]) / math.sqrt(2)
        return (quality[0] < cuts[0]) * 1.0, (quality[1] < cuts[1]) * 1.0

    return draw


def gaps(draw: Draw, share: float) -> Draw:
    """The same with a share of either arm's scores missing at random."""

    def drawn(rng: np.random.Generator, n: int) -> Pair:
        baseline, candidate = draw(rng, n)
        missing = rng.random((2, n)) < share
        return np.where(missing[0], np.nan, baseline), np.where(missing[1], np.nan, candidate)

    return drawn
