"""How long a full comparison takes, and how many times as long scipy's BCa bootstrap does.

    python benchmarks/comparison_speed.py                   # 100 and 1,000 cases, 10 metrics
    python benchmarks/comparison_speed.py --cases 100000 --reference-metrics 0

Both sides run in this process, one after the other, on the same scores, in processor seconds (set
OMP_NUM_THREADS=1 for those of one core). "whole" is every figure of a contrast: interval, bounds
and test of the mean, spread, tails, quantile band, distances, superiority, posterior. "four" are
those of mean difference, ratio of standard deviations, difference of the worst tenths and
superiority; of the same four the reference makes the two-sided BCa intervals. The multiple is of
the four over the reference. The reference is timed on ``--reference-metrics`` metrics and
multiplied; its jackknife takes time that grows with the square of the number of cases. Where a
score is 0 or 1, ours computes exactly what scipy resamples.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tuneornot import compare
from tuneornot.records import Estimate
from tuneornot.stats import distributions, paired, spread, tails

Array = NDArray[np.float64]
N_RESAMPLES = 2000
BATCH_FLOATS = 4_000_000


def simulated(n: int, n_metrics: int) -> list[tuple[Array, Array]]:
    """Scores of two arms that share the difficulty of a case: 0/1, graded and heavy-tailed."""
    rng = np.random.default_rng(7)
    metrics = []
    for position in range(n_metrics):
        shared = rng.standard_normal(n)
        first, second = 0.7 * shared + 0.7 * rng.standard_normal((2, n))
        if position % 3 == 0:
            metrics.append(((first > 0.3).astype(float), (second > 0.1).astype(float)))
        elif position % 3 == 1:
            metrics.append((np.clip(0.5 + first / 3, 0, 1), np.clip(0.6 + second / 3, 0, 1)))
        else:
            metrics.append((np.exp(first), np.exp(second - 0.1)))
    return metrics


def worst_tenth(scores: Array) -> Array:
    """Mean of the lowest tenth along the last axis."""
    kept = max(1, scores.shape[-1] // 10)
    lowest: Array = np.partition(scores, kept - 1, axis=-1)[..., :kept].mean(axis=-1)
    return lowest


def _difference(b: Array, c: Array, axis: int) -> Array:
    return np.asarray(np.mean(c - b, axis=axis))


def _ratio(b: Array, c: Array, axis: int) -> Array:
    return np.asarray(np.std(c, axis=axis) / np.std(b, axis=axis))


def _tails(b: Array, c: Array, axis: int) -> Array:
    return worst_tenth(np.moveaxis(c, axis, -1)) - worst_tenth(np.moveaxis(b, axis, -1))


def _superiority(b: Array, c: Array, axis: int) -> Array:
    return np.asarray(np.mean(0.5 * (1 + np.sign(c - b)), axis=axis))


FIGURES: Sequence[Callable[[Array, Array, int], Array]] = (
    _difference,
    _ratio,
    _tails,
    _superiority,
)


def reference(b: Array, c: Array) -> list[object]:
    """BCa intervals of four figures, with scipy's own vectorisation and bounded memory."""
    found: list[object] = []
    for figure in FIGURES:
        with np.errstate(all="ignore"):
            made = stats.bootstrap(
                (b, c),
                figure,
                paired=True,
                vectorized=True,
                method="BCa",
                n_resamples=N_RESAMPLES,
                batch=max(1, BATCH_FLOATS // len(b)),
                rng=np.random.default_rng(1),
            )
        found.append(made)
    return found


def four(b: Array, c: Array) -> list[Estimate]:
    """The same figures by this package, each with interval, bounds and test."""
    return [
        paired.difference(b, c),
        spread.between_cases(b, c),
        tails.worst_tenth(b, c),
        distributions.superiority(b, c),
    ]


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Least processor time of several tries."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--metrics", type=int, default=10)
    parser.add_argument("--reference-metrics", type=int, default=3, help="0: no reference")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    heads = ("cases", "metrics", "whole s", "four s", "scipy s", "multiple", "peak MB")
    print(" ".join(f"{head:>9}" for head in heads))
    for n in given.cases:
        metrics = simulated(n, given.metrics)
        whole = seconds(lambda: [compare.scores(b, c) for b, c in metrics], given.repeats)  # noqa: B023
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        ours = seconds(lambda: [four(b, c) for b, c in metrics], given.repeats)  # noqa: B023
        theirs = float("nan")
        if given.reference_metrics:
            chosen = metrics[: given.reference_metrics]
            theirs = seconds(lambda: [reference(b, c) for b, c in chosen], 1)  # noqa: B023
            theirs *= given.metrics / len(chosen)
        print(
            f"{n:9d} {given.metrics:9d} {whole:9.2f} {ours:9.2f} {theirs:9.2f} "
            f"{theirs / ours:9.1f} {peak:9.0f}"
        )


if __name__ == "__main__":
    main()
