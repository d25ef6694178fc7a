"""The distribution of one arm's scores, cut into bins, and what resampling makes of it.

Tails, quantiles and distances between distributions are functions of two distribution functions.
Counting the cases of each unit in each bin once makes every resample of them one matrix product.
Bins hold one value each while values or units are few; else they hold equal shares, and figures
are interpolated inside a bin (scores are kept exactly in the sums, so means lose little).

It knows one arm at a time; that resamples of two arms belong together is up to the weights.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import numpy as np

from tuneornot.stats.cases import Codes, Floats
from tuneornot.stats.units import Units

POINTS = 400
"""Most bins. A boundary inside a bin errs by less than 1/400 in the level before interpolation,
which is below a standard error of the level, sqrt(p (1 - p)/n), up to tens of thousands of
cases."""

ROUNDING = 1e-9
"""Levels closer than this are equal: cumulated shares carry rounding."""


@dataclass(frozen=True, eq=False)
class Marginal:
    """One arm's scores by unit and bin."""

    edges: Floats
    """(K,) greatest value of each bin, ascending."""
    exact: bool
    """Whether each bin holds one value."""
    matrices: tuple[Floats, Floats] | None
    """(units, K) each: cases of a unit in a bin, and their scores added up. ``None`` where each
    case is its own unit: they would be all but empty, and sorting the weights does the same."""
    order: Codes
    """(n,) cases sorted by bin."""
    ends: Codes
    """(K,) how many cases are in a bin or below."""
    values: Floats
    """(n,) scores in that order."""

    def lowest(self, share: float) -> Marginal:
        """Only the bins that the lowest ``share`` of nearly any resample can reach.

        Cases that are their own units fall below a level by a binomial number; this goes 8 of its
        standard deviations beyond. Groups may do anything and keep all bins.
        """
        if self.matrices is not None:
            return self
        n = len(self.order)
        kept = min(n, math.ceil(n * share + 8 * math.sqrt(n * share)) + 1)
        bins = int(np.searchsorted(self.ends, kept)) + 1
        ends = self.ends[:bins]
        n = int(ends[-1])
        return dataclasses.replace(
            self, edges=self.edges[:bins], order=self.order[:n], ends=ends, values=self.values[:n]
        )

    def mass(self, weights: Floats) -> Floats:
        """Cases up to each edge in every resample: (resamples, units) to (resamples, K)."""
        if self.matrices is not None:
            return np.cumsum(weights @ self.matrices[0], axis=1)
        return self._ends(weights[:, self.order])

    def totals(self, weights: Floats) -> Floats:
        """Scores up to each edge added up, in every resample: (resamples, K)."""
        if self.matrices is not None:
            return np.cumsum(weights @ self.matrices[1], axis=1)
        return self._ends(weights[:, self.order] * self.values)

    def _ends(self, sorted_by_bin: Floats) -> Floats:
        padded = np.zeros((len(sorted_by_bin), len(self.order) + 1))
        np.cumsum(sorted_by_bin, axis=1, out=padded[:, 1:])
        ends: Floats = padded[:, self.ends]
        return ends


def edges(values: Floats, points: int = POINTS) -> tuple[Floats, bool]:
    """Bin edges (K,) for some values (n,), and whether each bin holds one value."""
    unique = np.unique(values)
    if len(unique) <= points:
        return unique, True
    levels = np.arange(1, points + 1) / points
    return np.unique(np.quantile(values, levels, method="inverted_cdf")), False


def of(values: Floats, own: Units, cuts: tuple[Floats, bool] | None = None) -> Marginal:
    """Bin the scores (n,) of one arm; ``cuts`` are edges made for more than this arm."""
    if cuts is None:
        cuts = (np.unique(values), True) if own.alone else edges(values)
    upper, exact = cuts
    bins = np.searchsorted(upper, values, side="left")
    order = np.argsort(bins, kind="stable")
    matrices = None
    if not own.alone:
        flat, shape = own.codes * len(upper) + bins, (own.count, len(upper))
        size = own.count * len(upper)
        matrices = (
            np.bincount(flat, minlength=size).reshape(shape).astype(np.float64),
            np.bincount(flat, weights=values, minlength=size).reshape(shape).astype(np.float64),
        )
    return Marginal(
        edges=upper,
        exact=exact,
        matrices=matrices,
        order=order,
        ends=np.cumsum(np.bincount(bins, minlength=len(upper))),
        values=values[order],
    )


def cumulative(arm: Marginal, weights: Floats) -> Floats:
    """Distribution function at the edges: weights (resamples, units) to shares (resamples, K)."""
    mass = arm.mass(weights)
    shares: Floats = mass / mass[:, -1:]
    return shares


def lower_mean(arm: Marginal, weights: Floats, share: float) -> Floats:
    """Mean of the lowest ``share`` of the scores in every resample: (resamples,)."""
    reached = arm.lowest(share)
    mass = reached.mass(weights)
    wanted = share * (mass[:, -1] if arm.matrices is not None else weights.sum(axis=1))
    if np.any(mass[:, -1] < wanted):
        reached, mass = arm, arm.mass(weights)
    totals = reached.totals(weights)
    rows, width = np.arange(len(mass)), mass.shape[1]
    # Whole bins below the last one that is needed, and of that one the part that is missing.
    last = np.minimum(np.sum(mass < wanted[:, np.newaxis] * (1 - ROUNDING), axis=1), width - 1)
    before = np.maximum(last - 1, 0)
    below = np.where(last > 0, mass[rows, before], 0.0)
    total = np.where(last > 0, totals[rows, before], 0.0)
    inside = np.maximum(mass[rows, last] - below, ROUNDING)
    part = (wanted - below) / inside
    mean: Floats = (total + part * (totals[rows, last] - total)) / wanted
    return mean


def quantiles(arm: Marginal, shares: Floats, levels: Floats) -> Floats:
    """Inverse of distribution functions: (resamples, K) and (L,) to (resamples, L)."""
    rows, width = shares.shape
    # One search for all rows: a row's shares end at 1, so shifting by 2 keeps the whole ascending.
    shift = 2.0 * np.arange(rows)[:, np.newaxis]
    sought = (levels[np.newaxis, :] + shift - ROUNDING).ravel()
    place = np.searchsorted((shares + shift).ravel(), sought).reshape(rows, -1)
    place = np.minimum(place - width * np.arange(rows)[:, np.newaxis], width - 1)
    if arm.exact:
        exact: Floats = arm.edges[place]
        return exact
    before = np.maximum(place - 1, 0)
    upper = np.take_along_axis(shares, place, axis=1)
    lower = np.where(place > 0, np.take_along_axis(shares, before, axis=1), 0.0)
    part = np.clip((levels - lower) / np.maximum(upper - lower, ROUNDING), 0.0, 1.0)
    found: Floats = arm.edges[before] + part * (arm.edges[place] - arm.edges[before])
    return found
