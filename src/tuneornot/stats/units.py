"""Independent units of paired cases, and how often each is drawn in a bootstrap resample.

A unit is what is independent: a group of cases, or a case where there are no groups. A resample is
a weight for each unit, so that a statistic made of weighted sums costs one matrix product for a
whole block of resamples, and the two arms of a case always stay together.

This module knows no statistic. It does not cover weights that are not counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tuneornot.stats.cases import Cases, Codes, Floats

Rng = int | np.random.Generator

MOST = 1000
"""More units than this are merged at random into so many before resampling.

Sums over random batches of independent units are independent again, and 1,000 of them determine a
standard error to 2.2% (1/sqrt(2 * 1000)); the work then no longer grows with the cases."""

BLOCK = 200_000
"""Floats in one block of weights: 1.6 MB, so that a block stays in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Units:
    """Which unit each case belongs to."""

    codes: Codes
    """(n,) from 0 to ``count - 1``."""
    count: int
    alone: bool
    """Whether every case is its own unit, in order."""

    def sums(self, values: Floats) -> Floats:
        """Sums over the cases of each unit: (n, k) in, (count, k) out."""
        if self.alone:
            return values
        columns = [np.bincount(self.codes, column, self.count) for column in values.T]
        return np.stack(columns, axis=1)

    def sizes(self) -> Floats:
        """(count,) cases in each unit."""
        return np.bincount(self.codes, minlength=self.count).astype(np.float64)


def of(found: Cases, rng: np.random.Generator) -> Units:
    """The units of some cases; merged at random and evenly where there are more than ``MOST``."""
    codes = np.arange(found.n) if found.codes is None else found.codes
    count = found.n_groups
    if count <= MOST:
        return Units(codes=codes, count=count, alone=found.codes is None)
    batch = rng.permutation(count) % MOST
    return Units(codes=batch[codes], count=MOST, alone=False)


def n_resamples(alpha: float, least: int = 2000) -> int:
    """How many resamples leave at least 50 beyond a one-sided bound at error rate ``alpha``."""
    return max(least, math.ceil(50 / alpha))


def weights(count: int, n: int, rng: np.random.Generator) -> Iterator[Floats]:
    """How often each unit is drawn, in blocks of shape (at most BLOCK / count, count).

    Args:
        count: units to draw from, and draws in each resample.
        n: resamples in all.
        rng: where the draws come from.
    """
    rows = max(1, BLOCK // count)
    for start in range(0, n, rows):
        size = min(rows, n - start)
        drawn = rng.integers(count, size=(size, count))
        drawn += np.arange(size)[:, np.newaxis] * count
        counts = np.bincount(drawn.ravel(), minlength=size * count)
        yield counts.reshape(size, count).astype(np.float64)
