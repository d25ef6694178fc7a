"""Scores as arrays, made ready for inference: one figure for each case, and who belongs together.

Repeats are averaged within a case, so that the case stays the unit. A case without any score (NaN
in every repeat) is left out and counted, never taken for 0. Nothing here knows what the scores
mean, which direction is better, or why a score is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Scale = tuple[float | None, float | None]
"""Least and greatest possible score, ``None`` where there is none."""


@dataclass(frozen=True, eq=False)
class Cases:
    """The cases that have a score."""

    values: Floats
    """(n,) or (n, k): for each case its mean over repeats, in each of k columns."""
    codes: Codes | None
    """(n,) number of each case's group; ``None`` where every case is independent."""
    n_unscored: int
    """Cases left out."""
    n_repeats: int

    @property
    def n(self) -> int:
        """Cases with a score."""
        return len(self.values)

    @property
    def n_groups(self) -> int:
        """Independent units: groups, or cases where there are none."""
        return self.n if self.codes is None else int(self.codes.max(initial=-1)) + 1


def one(scores: ArrayLike, groups: ArrayLike | None = None) -> Cases:
    """The cases of one arm; ``values`` has shape (n,).

    Args:
        scores: (n,) or (n, repeats); NaN for unscored.
        groups: (n,) labels of any one type; cases of one group are not independent.

    Raises:
        ValueError: shapes do not fit, or a score is infinite.
    """
    table = _table(scores, "scores")
    kept = ~np.all(np.isnan(table), axis=1)
    return Cases(
        values=_mean(table[kept]),
        codes=_codes(groups, kept),
        n_unscored=int(np.sum(~kept)),
        n_repeats=table.shape[1],
    )


def two(baseline: ArrayLike, candidate: ArrayLike, groups: ArrayLike | None = None) -> Cases:
    """The cases that both arms have a score for; ``values`` has shape (n, 2).

    Args:
        baseline: (n,) or (n, repeats); NaN for unscored.
        candidate: the same for the same cases in the same order; repeats may differ in number.
        groups: (n,) labels of any one type; cases of one group are not independent.

    Raises:
        ValueError: shapes do not fit, or a score is infinite.
    """
    first, second = _table(baseline, "baseline"), _table(candidate, "candidate")
    if len(first) != len(second):
        raise ValueError(
            "Both arms must be scored on the same cases in the same order, "
            f"but there are {len(first)!r} and {len(second)!r} rows; use NaN for unscored cases."
        )
    kept = scored(first, second)
    return Cases(
        values=np.column_stack([_mean(first[kept]), _mean(second[kept])]),
        codes=_codes(groups, kept),
        n_unscored=int(np.sum(~kept)),
        n_repeats=max(first.shape[1], second.shape[1]),
    )


def scored(baseline: ArrayLike, candidate: ArrayLike) -> NDArray[np.bool_]:
    """(n,) whether each row has a score from both arms; arguments as in ``two``."""
    first, second = _table(baseline, "baseline"), _table(candidate, "candidate")
    n_scores = [np.sum(~np.isnan(arm), axis=1) for arm in (first, second)]
    kept: NDArray[np.bool_] = np.min(n_scores, axis=0) > 0
    return kept


def _table(scores: ArrayLike, name: str) -> Floats:
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim == 1:
        table = table[:, np.newaxis]
    if table.ndim != 2 or table.shape[1] == 0:
        raise ValueError(
            f"{name} must have shape (n,) or (n, repeats), not {np.shape(scores)!r}; "
            "give one row for each case."
        )
    if np.any(np.isinf(table)):
        raise ValueError(f"{name} holds an infinite score; use NaN for what could not be scored.")
    return table


def _mean(table: Floats) -> Floats:
    """Mean of each row over what is not NaN; every row has at least one number."""
    if table.shape[1] == 1:
        return table[:, 0]
    there = ~np.isnan(table)
    mean: Floats = np.where(there, table, 0.0).sum(axis=1) / there.sum(axis=1)
    return mean


def _codes(groups: ArrayLike | None, kept: NDArray[np.bool_]) -> Codes | None:
    if groups is None:
        return None
    labels: NDArray[Any] = np.asarray(groups)
    if labels.shape != kept.shape:
        raise ValueError(
            f"groups must have one label for each of the {len(kept)} cases, "
            f"but has shape {labels.shape!r}."
        )
    codes: Codes = np.unique(labels[kept], return_inverse=True)[1]
    # Groups of one case each are no groups: the same answer as without them.
    return None if len(codes) == int(codes.max(initial=-1)) + 1 else codes
