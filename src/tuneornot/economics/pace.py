"""How fast arms answer: quantiles of the latency, and answers a second under a load."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.stats import quantile_test

from tuneornot.records import Estimate, Pace, Run

QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
LEVEL = 0.95


def of(arm: str, runs: Sequence[Run]) -> Pace | None:
    """The pace of an arm on eval; ``None`` where nothing of it was timed.

    Latency's quantiles are of the answers that were asked one at a time; their intervals are
    distribution-free, from order statistics (``scipy.stats.quantile_test``): few answers cannot
    bound a high quantile from above. Answers a second follow from those that were asked together,
    by Little's law: mean number in flight / mean latency (Little, 1961, Operations Research 9,
    383-387).
    """
    own = [run for run in runs if run.arm.name == arm and run.dataset.name == "eval"]
    alone = [r.latency_s for run in own for r in run.timings if r.latency_s and r.error is None]
    together = [
        (r.load, r.latency_s)
        for run in own
        for r in run.responses
        if r.latency_s and r.error is None
    ]
    if not alone and not together:
        return None
    load = float(np.mean([n for n, _ in together])) if together else None
    waited = float(np.mean([seconds for _, seconds in together])) if together else math.nan
    return Pace(
        arm=arm,
        n=len(alone),
        quantiles={name: _quantile(alone, q) for name, q in QUANTILES.items()} if alone else {},
        per_second=None if load is None else load / waited,
        load=load,
    )


def _quantile(values: Sequence[float], q: float) -> Estimate:
    def ends(side: Literal["two-sided", "greater", "less"]) -> tuple[float, float]:
        tested = quantile_test(values, q=middle, p=q, alternative=side)
        found = tested.confidence_interval(LEVEL)
        return float(found.low), float(found.high)

    middle = float(np.quantile(values, q))
    low, high = ends("two-sided")
    return Estimate(
        value=middle,
        low=low,
        high=high,
        lower=ends("greater")[0],
        upper=ends("less")[1],
        level=LEVEL,
        method="order statistics",
    )
