"""Where the truth is known: paired differences of scores as real metrics make them.

Each scenario draws many data sets at once, shape (sets, n), of candidate minus baseline per case.
The true mean is that of ten million draws unless a closed form is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

Floats = NDArray[np.float64]
Shape = tuple[int, int]
Draw = Callable[[np.random.Generator, Shape], Floats]


@dataclass(frozen=True)
class Scenario:
    name: str
    draw: Draw
    span: float | None
    """Range of the scores; ``None``: unbounded."""

    def truth(self) -> float:
        rng = np.random.default_rng(20)
        return float(np.mean([self.draw(rng, (2000, 1000)).mean() for _ in range(5)]))


def _normal(rng: np.random.Generator, shape: Shape) -> Floats:
    return 0.2 + rng.standard_normal(shape)


def _graded(middle: float, gain: float, sd: float) -> Draw:
    """Grades 0, 1/4, .. 1 from two correlated latent scores; a middle above 1 is a ceiling."""

    def draw(rng: np.random.Generator, shape: Shape) -> Floats:
        common = rng.standard_normal(shape)

        def arm(mean: float) -> Floats:
            own = rng.standard_normal(shape)
            latent = mean + sd * (np.sqrt(0.6) * common + np.sqrt(0.4) * own)
            return np.clip(np.round(4 * latent) / 4, 0, 1)

        return arm(middle + gain) - arm(middle)

    return draw


def _beta(rng: np.random.Generator, shape: Shape) -> Floats:
    common, own = rng.standard_normal(shape), rng.standard_normal(shape)
    low, high = special.ndtr(common), special.ndtr(0.6 * common + 0.8 * own)
    return np.asarray(stats.beta.ppf(high, 8, 2) - stats.beta.ppf(low, 6, 2))


def _zero_heavy(rng: np.random.Generator, shape: Shape) -> Floats:
    """Most cases score 0 in both arms (a wrong format earns nothing), the others a share."""
    first = rng.random(shape)
    second = np.where(rng.random(shape) < 0.7, first, rng.random(shape))
    baseline = np.where(first < 0.6, 0.0, rng.beta(4, 2, shape))
    return np.where(second < 0.5, 0.0, rng.beta(4, 2, shape)) - baseline


def _ties(share: float) -> Draw:
    def draw(rng: np.random.Generator, shape: Shape) -> Floats:
        return np.where(rng.random(shape) < share, 0.0, rng.uniform(-0.6, 1, shape))

    return draw


def _wins_only(share: float) -> Draw:
    def draw(rng: np.random.Generator, shape: Shape) -> Floats:
        return np.where(rng.random(shape) < share, rng.integers(1, 5, shape) / 4, 0.0)

    return draw


def _repeats(n_repeats: int, missing: float) -> Draw:
    """0/1 answers to cases of very unequal difficulty, averaged over the repeats that exist."""

    def draw(rng: np.random.Generator, shape: Shape) -> Floats:
        ease = special.logit(np.clip(rng.beta(0.5, 0.5, shape), 1e-6, 1 - 1e-6))
        there = 1 + rng.binomial(n_repeats - 1, 1 - missing, (2, *shape))
        right = rng.binomial(there, special.expit(np.stack([ease, ease + 0.4])))
        shares = right / there
        return np.asarray(shares[1] - shares[0])

    return draw


def _tail_harm(rng: np.random.Generator, shape: Shape) -> Floats:
    """A small gain nearly everywhere, and total loss on one case in twenty."""
    return np.where(rng.random(shape) < 0.05, -1.0, 0.08 + 0.05 * rng.standard_normal(shape))


def _lognormal_pair(rng: np.random.Generator, shape: Shape) -> Floats:
    common = 0.7 * rng.standard_normal(shape)
    own = 0.5 * rng.standard_normal((2, *shape))
    return np.asarray(np.exp(common + own[1] + 0.1) - np.exp(common + own[0]))


def _penalties(rng: np.random.Generator, shape: Shape) -> Floats:
    """Error weights without a bound, zero on four cases in ten."""

    def arm(mean: float) -> Floats:
        return rng.gamma(0.5, mean, shape) * (rng.random(shape) < 0.6)

    return arm(2.4) - arm(2.0)


SCENARIOS = (
    Scenario("normal", _normal, None),
    Scenario("graded, middling", _graded(0.5, 0.05, 0.8), 1.0),
    Scenario("graded, near ceiling", _graded(1.3, 0.2, 0.7), 1.0),
    Scenario("graded, at ceiling", _graded(1.6, 0.4, 0.7), 1.0),
    Scenario("beta", _beta, 1.0),
    Scenario("zero-heavy", _zero_heavy, 1.0),
    Scenario("80% ties", _ties(0.8), 1.0),
    Scenario("90% ties", _ties(0.9), 1.0),
    Scenario("10% wins, no losses", _wins_only(0.1), 1.0),
    Scenario("3 repeats", _repeats(3, 0.0), 1.0),
    Scenario("5 repeats, a fifth missing", _repeats(5, 0.2), 1.0),
    Scenario("5% total losses", _tail_harm, 1.0),
    Scenario("penalties, zero-heavy", _penalties, None),
    Scenario("Student t, 3 df", lambda rng, shape: rng.standard_t(3, shape), None),
    Scenario("exponential", lambda rng, shape: rng.standard_exponential(shape), None),
    Scenario("lognormal pair", _lognormal_pair, None),
    Scenario("lognormal", lambda rng, shape: np.exp(rng.standard_normal(shape)), None),
)
