"""Scores alone, from anywhere: two arrays to one contrast, without runs, arms or cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from tuneornot.compare.contrasts import Names, contrast
from tuneornot.compare.sides import Rng
from tuneornot.compare.tables import Floats, Table
from tuneornot.errors import DataError
from tuneornot.records import Contrast, Scale

Kind = Literal["auto", "binary", "bounded", "unbounded"]
SCALES: dict[str, Scale] = {
    "binary": Scale(low=0.0, high=1.0, binary=True),
    "bounded": Scale(low=0.0, high=1.0),
    "unbounded": Scale(low=None, high=None),
}


def scores(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    kind: Kind = "auto",
    margin: float = 0.0,
    alpha: float = 0.05,
    rng: Rng = 0,
    metric: str = "score",
    case_ids: Sequence[str] | None = None,
) -> Contrast:
    """Compare two arms by their scores on the same cases; higher is better.

    Args:
        baseline: (n,) or (n, repeats), NaN for unscored.
        candidate: the same cases in the same order; repeats may differ in number.
        groups: (n,) labels; cases of one group are not independent of each other.
        kind: what scores can be: ``binary`` 0 or 1, ``bounded`` from 0 to 1, ``unbounded`` any
            number. ``auto`` goes by all scores of both arms: binary if each is 0 or 1, else bounded
            if each lies within 0 and 1, else unbounded. Say it where you know it, for then no
            single score can change the method; what was found is told in ``mean.method``.
        margin: the gain whose posterior probability is told.
        alpha: error rate of every interval and of every one-sided bound.
        rng: seed or generator of all resampling.
        metric: what the contrast calls the scores.
        case_ids: (n,) names of the cases; ``None``: the number of their row, from 0.

    Returns:
        The contrast, of the arms ``baseline`` and ``candidate`` on the dataset ``scores``.

    Raises:
        DataError: shapes do not fit, a score is infinite or outside its kind, or fewer than two
            cases have a score from both arms.
    """
    faults: list[str] = []
    first = _table(baseline, "baseline", faults)
    second = _table(candidate, "candidate", faults)
    labels = _labels(groups, len(first), faults)
    names = tuple(map(str, range(len(first)) if case_ids is None else case_ids))
    if not faults and len(names) != len(first):
        faults.append(f"case_ids: found {len(names)!r}, expected one a case: {len(first)!r}")
    if not faults:
        _check(first, second, kind, faults)
    if faults:
        raise DataError(
            "scores",
            faults,
            "Give one row for each case, the same cases for both arms, with NaN for unscored.",
        )
    known = _kind(first, second) if kind == "auto" else kind
    table = Table(
        metric=metric,
        scale=SCALES[known],
        case_ids=names,
        baseline=first,
        candidate=second[np.newaxis],
        groups=labels,
    )
    made = contrast(
        table, Names("scores", "baseline", "candidate"), alpha=alpha, margin=margin, rng=rng
    )
    if kind != "auto":
        return made
    told = f"{made.mean.method} ({known}, as found from the scores)"
    return msgspec.structs.replace(made, mean=msgspec.structs.replace(made.mean, method=told))


def _table(scores: ArrayLike, name: str, faults: list[str]) -> Floats:
    """(n, repeats), or an empty table where it is none."""
    try:
        table = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        faults.append(f"{name}: expected numbers, one row for each case: {error}")
        return np.empty((0, 1))
    if table.ndim not in (1, 2) or 0 in table.shape[1:]:
        faults.append(f"{name}: found the shape {table.shape!r}, expected (n,) or (n, repeats)")
        return np.empty((0, 1))
    if np.any(np.isinf(table)):
        row = int(np.argwhere(np.isinf(table))[0][0])
        faults.append(f"{name}: row {row} holds an infinite score, expected a number or NaN")
    return table[:, np.newaxis] if table.ndim == 1 else table


def _labels(groups: ArrayLike | None, n: int, faults: list[str]) -> tuple[str, ...] | None:
    if groups is None:
        return None
    labels = np.asarray(groups)
    if n and labels.shape != (n,):
        faults.append(f"groups: found the shape {labels.shape!r}, expected one label a case: {n}")
    return tuple(str(label) for label in labels.ravel().tolist())


def _check(first: Floats, second: Floats, kind: str, faults: list[str]) -> None:
    if kind != "auto" and kind not in SCALES:
        faults.append(f"kind: found {kind!r}, expected 'auto' or one of {list(SCALES)}")
    if len(first) != len(second):
        faults.append(f"baseline has {len(first)} rows and candidate {len(second)}")
        return
    both = ~(np.all(np.isnan(first), axis=1) | np.all(np.isnan(second), axis=1))
    if np.count_nonzero(both) < 2:
        faults.append(
            f"{np.count_nonzero(both)} cases have a score from both arms, expected at least 2"
        )
    for name, table in (("baseline", first), ("candidate", second)):
        outside = _outside(table, kind)
        if np.any(outside):
            value = float(table[outside][0])
            faults.append(f"{name}: found the score {value!r}, which is not {kind}")


def _outside(table: Floats, kind: str) -> NDArray[np.bool_]:
    outside = np.zeros(table.shape, dtype=bool)
    if kind == "binary":
        outside |= (table != 0) & (table != 1)
    elif kind == "bounded":
        outside |= (table < 0) | (table > 1)
    return outside & ~np.isnan(table)


def _kind(first: Floats, second: Floats) -> str:
    for kind in ("binary", "bounded"):
        if not (np.any(_outside(first, kind)) or np.any(_outside(second, kind))):
            return kind
    return "unbounded"
