"""Coverage of the intervals of spread and tails on simulated pairs whose truth is known.

    python benchmarks/distributions/coverage.py              # 500 data sets each, about 10 minutes
    python benchmarks/distributions/coverage.py --sets 100   # a quick look

Prints a Markdown table: for each figure, scenario and number of cases the share of two-sided 95%
intervals that hold the truth, and the share of data sets in which the one-sided lower and upper
bound are wrong (nominal 5% each). The truth is the figure of a million cases.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tuneornot.records import Estimate
from tuneornot.stats import distributions, spread, tails

Array = NDArray[np.float64]
Pair = tuple[Array, Array]
TRUTH_FROM = 1_000_000


def _latent(rng: np.random.Generator, n: int) -> Pair:
    """Standard normal abilities of two arms on the same cases, correlated by 0.5."""
    shared = rng.standard_normal(n)
    first, second = math.sqrt(0.5) * (shared + rng.standard_normal((2, n)))
    return first, second


def _normal(x: Array, y: Array) -> Pair:
    return x, 1.2 * y


def _skewed(x: Array, y: Array) -> Pair:
    return -np.exp(0.7 * x), -np.exp(0.7 * y)


def _ceiling(x: Array, y: Array) -> Pair:
    return np.clip(0.75 + 0.3 * x, 0, 1), np.clip(0.85 + 0.35 * y, 0, 1)


def _graded(x: Array, y: Array) -> Pair:
    return np.round(4 * special.ndtr(x + 0.5)) / 4, np.round(4 * special.ndtr(1.3 * y + 0.9)) / 4


def _zero_heavy(x: Array, y: Array) -> Pair:
    return np.where(x > -0.2, 0, 5 * (x + 0.2)), np.where(y > 0, 0, 6 * y)


def _binary(x: Array, y: Array) -> Pair:
    return (x < special.ndtri(0.88)).astype(float), (y < special.ndtri(0.93)).astype(float)


SCENARIOS: Mapping[str, Callable[[Array, Array], Pair]] = {
    "normal": _normal,
    "skewed": _skewed,
    "ceiling": _ceiling,
    "graded in quarters": _graded,
    "mostly zero": _zero_heavy,
    "0/1, rates 0.88 and 0.93": _binary,
}


def grouped(rng: np.random.Generator, n: int) -> tuple[Array, Array, Array]:
    """Latent abilities in groups of five cases that share a third of their variance."""
    labels = np.arange(n) // 5
    common = rng.standard_normal((2, n // 5 + 1))[:, labels]
    own = np.stack(_latent(rng, n))
    first, second = math.sqrt(1 / 3) * common + math.sqrt(2 / 3) * own
    return first, second, labels.astype(float)


def _mean_of(pair: Pair) -> float:
    return float(np.mean(np.sign(pair[1] - pair[0])) + 1) / 2


FIGURES: Mapping[str, tuple[Callable[..., Estimate], Callable[[Pair], float]]] = {
    "spread": (spread.between_cases, lambda pair: float(pair[1].std() / pair[0].std())),
    "worst tenth": (
        tails.worst_tenth,
        lambda pair: tails.lower_mean(pair[1]) - tails.lower_mean(pair[0]),
    ),
    "distance": (
        distributions.wasserstein,
        lambda pair: float(np.mean(np.abs(np.sort(pair[1]) - np.sort(pair[0])))),
    ),
    "superiority": (distributions.superiority, _mean_of),
}


def errors(figure: str, scenario: str, n: int, sets: int, by_group: bool) -> tuple[float, ...]:
    """Coverage, and the rates at which the lower and the upper bound are wrong."""
    estimate, truth_of = FIGURES[figure]
    shape = SCENARIOS[scenario]
    big = np.random.default_rng(1)
    latent = grouped(big, TRUTH_FROM)[:2] if by_group else _latent(big, TRUTH_FROM)
    truth = truth_of(shape(*latent))
    rng = np.random.default_rng(n)
    made = []
    for _ in range(sets):
        if by_group:
            first, second, labels = grouped(rng, n)
            made.append(estimate(*shape(first, second), groups=labels, rng=rng))
        else:
            made.append(estimate(*shape(*_latent(rng, n)), rng=rng))
    known = [one for one in made if not math.isnan(one.low)]
    # A truth that is reached but for rounding is not missed.
    slack = 1e-3 * abs(truth) if scenario.startswith("0/1") else 1e-9
    return (
        float(np.mean([one.low - slack <= truth <= one.high + slack for one in known])),
        float(np.mean([one.lower > truth + slack for one in known])),
        float(np.mean([one.upper < truth - slack for one in known])),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sets", type=int, default=500, help="data sets for each cell")
    parser.add_argument("--cases", type=int, nargs="+", default=[30, 50, 100, 300])
    parser.add_argument("--figures", nargs="+", default=list(FIGURES))
    given = parser.parse_args()
    error = math.sqrt(0.05 * 0.95 / given.sets)
    print(
        f"Each cell: coverage (lower wrong, upper wrong) in percent, Monte Carlo error {error:.1%}"
    )
    print("| figure | scenario | " + " | ".join(f"n = {n}" for n in given.cases) + " |")
    print("|---|---|" + "---|" * len(given.cases))
    for figure in given.figures:
        for scenario in SCENARIOS:
            for by_group in (False, True):
                if by_group and scenario not in ("ceiling", "graded in quarters"):
                    continue
                cells = []
                for n in given.cases:
                    held, low, high = errors(figure, scenario, n, given.sets, by_group)
                    cells.append(f"{100 * held:.1f} ({100 * low:.1f}, {100 * high:.1f})")
                name = f"{scenario}, groups of 5" if by_group else scenario
                print(f"| {figure} | {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
