"""The distribution of one arm's scores, cut into bins, and what resampling makes of it.

Tails, quantiles and distances between distributions are functions of two distribution functions.
Counting the cases of each unit in each bin once makes every resample of them one matrix product.
Bins hold one value each while there are few values; else they hold equal shares, and figures are
interpolated inside a bin (values are kept exactly in the sums, so means lose nothing).

It knows one arm at a time; that resamples of two arms belong together is up to the weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuneornot.stats.cases import Floats
from tuneornot.stats.units import Units

POINTS = 400
"""Most bins. A boundary inside a bin errs by less than 1/400 in the level before interpolation,
which is below a standard error of the level, sqrt(p (1 - p)/n), up to tens of thousands of
cases."""

ROUNDING = 1e-9
"""Levels closer than this are equal: cumulated shares carry rounding."""


@dataclass(frozen=True, eq=False)
class Marginal:
    """Counts and sums of one arm's scores by unit and bin."""

    edges: Floats
    """(K,) greatest value of each bin, ascending."""
    counts: Floats
    """(units, K) cases of a unit in a bin."""
    sums: Floats
    """(units, K) their scores added up."""
    exact: bool
    """Whether each bin holds one value."""


def edges(values: Floats, points: int = POINTS) -> tuple[Floats, bool]:
    """Bin edges (K,) for some values (n,), and whether each bin holds one value."""
    unique = np.unique(values)
    if len(unique) <= points:
        return unique, True
    levels = np.arange(1, points + 1) / points
    return np.unique(np.quantile(values, levels, method="inverted_cdf")), False


def of(values: Floats, own: Units, cuts: tuple[Floats, bool] | None = None) -> Marginal:
    """Bin the scores (n,) of one arm; ``cuts`` are edges made for more than this arm."""
    upper, exact = edges(values) if cuts is None else cuts
    bins = np.searchsorted(upper, values, side="left")
    flat = own.codes * len(upper) + bins
    size = own.count * len(upper)
    shape = (own.count, len(upper))
    return Marginal(
        edges=upper,
        counts=np.bincount(flat, minlength=size).reshape(shape).astype(np.float64),
        sums=np.asarray(np.bincount(flat, weights=values, minlength=size), np.float64).reshape(
            shape
        ),
        exact=exact,
    )


def cumulative(arm: Marginal, weights: Floats) -> Floats:
    """Distribution function at the edges: weights (resamples, units) to shares (resamples, K)."""
    mass = np.cumsum(weights @ arm.counts, axis=1)
    shares: Floats = mass / mass[:, -1:]
    return shares


def lower_mean(arm: Marginal, weights: Floats, share: float) -> Floats:
    """Mean of the lowest ``share`` of the scores in every resample: (resamples,)."""
    mass, total = weights @ arm.counts, weights @ arm.sums
    wanted = share * mass.sum(axis=1, keepdims=True)
    taken = np.clip(wanted - (np.cumsum(mass, axis=1) - mass), 0.0, mass)
    part = np.divide(taken, mass, out=np.zeros_like(mass), where=mass > 0)
    mean: Floats = np.sum(part * total, axis=1) / wanted[:, 0]
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
