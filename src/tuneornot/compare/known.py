"""What was known of the cases before anybody answered, as columns to adjust a difference by.

The eval cases are a draw from a pool (all cases that were split); where the draw is longer, or
richer in one slice, than the pool, ``stats.adjusted`` takes that out of the difference. The choice
of columns looks at the cases alone, never at an answer or a score.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import msgspec
import numpy as np

from tuneornot.compare.sides import sides
from tuneornot.compare.tables import Floats, tables
from tuneornot.records import Case, Contrast, Covariate, Run
from tuneornot.stats import adjusted
from tuneornot.stats.bounds import within

FEWEST = 10
"""Eval cases that a slice needs for a column of its own; smaller ones share one."""


def adjust(
    contrast: Contrast,
    baseline: Run,
    candidates: Sequence[Run],
    *,
    by: Sequence[Covariate],
    pool: Sequence[Case],
    alpha: float,
) -> Contrast:
    """The contrast with its mean difference adjusted to the pool; both means stay as measured.

    It is left as it is, with a caveat that says so, where there are fewer scored cases than
    ``stats.adjusted`` needs for so many columns, or where labels have corrected it already.

    Args:
        contrast: of one metric, on the runs' dataset.
        baseline: the run that it was made from.
        candidates: the candidate's runs, one for each training seed.
        by: what is adjusted for.
        pool: the cases that the eval cases were drawn from, themselves included.
        alpha: error rate of the interval and of each bound.
    """
    if contrast.scale.whole:
        return _with(contrast, "is not adjusted, because it is no mean over cases")
    if contrast.correction is not None and contrast.correction.used:
        return _with(contrast, "is not adjusted, because labels have corrected it")
    [table] = [one for one in tables(baseline, candidates) if one.metric == contrast.metric]
    own = sides(table)
    scored = set(own.case_ids)
    cases = [case for case in baseline.dataset.cases if case.id in scored]
    columns, wide = (_columns(each, by, like=cases) for each in (cases, pool))
    words = " and ".join(by)
    try:
        made = adjusted.difference(
            own.baseline,
            own.answers,
            columns,
            wide,
            groups=own.groups,
            scale=own.scale,
            alpha=alpha,
        )
    except ValueError as fault:
        return _with(contrast, f"is not adjusted for {words}: {fault}")
    low, high = own.scale
    if low is not None and high is not None:
        made = within(made, low - high, high - low)
    plain = contrast.mean
    told = (
        f"the difference is adjusted for {words}; as it was measured it is {plain.value:+.3g} "
        f"({plain.low:+.3g} to {plain.high:+.3g})"
    )
    return _with(msgspec.structs.replace(contrast, mean=made), told)


def _columns(cases: Sequence[Case], by: Sequence[Covariate], *, like: Sequence[Case]) -> Floats:
    """(n, k) for cases of any set, with the columns that the cases ``like`` lay down."""
    columns: list[list[float]] = []
    if "length" in by:
        columns.append([math.log1p(len(case.text) + len(case.context or "")) for case in cases])
    if "slice" in by:
        counted = Counter(case.slice or "" for case in like)
        large = sorted(name for name, n in counted.items() if n >= FEWEST)
        # The rest, or the last one where there is no rest, is what the others are held against.
        named = large if sum(counted[name] for name in large) < len(like) else large[:-1]
        columns += [[float((case.slice or "") == name) for case in cases] for name in named]
    return np.array(columns, dtype=np.float64).reshape(len(columns), len(cases)).T


def _with(contrast: Contrast, caveat: str) -> Contrast:
    return msgspec.structs.replace(contrast, caveats=(*contrast.caveats, caveat))
