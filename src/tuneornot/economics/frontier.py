"""Which arm leaves which behind: quality, cost and latency at once.

An arm is left behind by another that is at least as good in every dimension and better in one
(Pareto dominance). The means are uncertain, so the share of draws is told in which no arm leaves it
behind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tuneornot.economics.measured import Floats


def efficient(goods: Sequence[Mapping[str, Floats]]) -> dict[str, float]:
    """Share of draws in which no other arm leaves an arm behind.

    Args:
        goods: by dimension, by arm (draws,) values of which more is better.
    """
    arms = list(goods[0])
    found = {}
    for arm in arms:
        behind = np.zeros(goods[0][arm].shape, dtype=bool)
        for other in arms:
            if other != arm:
                no_worse = np.all([good[other] >= good[arm] for good in goods], axis=0)
                better = np.any([good[other] > good[arm] for good in goods], axis=0)
                behind |= no_worse & better
        found[arm] = float(1.0 - behind.mean())
    return found
