"""Both arms' scores turned so that higher is better: what every statistic of a contrast takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tuneornot.compare.tables import Floats, Table
from tuneornot.records import Scale
from tuneornot.stats import cases

Rng = int | np.random.Generator


@dataclass(frozen=True, eq=False)
class Sides:
    """Oriented scores of the cases that both arms have a score for."""

    baseline: Floats
    """(n, repeats), NaN for unscored repeats."""
    candidate: Floats
    """(n, seeds, repeats)"""
    groups: tuple[str, ...] | None
    slices: tuple[str, ...] | None
    case_ids: tuple[str, ...]
    scale: tuple[float | None, float | None]
    """Least and greatest possible score after turning."""
    binary: bool
    """Whether each case has one score of 0 or 1 from each arm."""
    n_unscored: tuple[int, int]
    """Cases left out for want of any score, (baseline, candidate)."""

    @property
    def answers(self) -> Floats:
        """(n, seeds * repeats) the candidate's scores; a case's mean is over all of them."""
        n, n_seeds, n_repeats = self.candidate.shape
        return self.candidate.reshape(n, n_seeds * n_repeats)

    @property
    def gains(self) -> Floats:
        """(n,) difference of each case's means."""
        values = cases.two(self.baseline, self.answers).values
        gains: Floats = values[:, 1] - values[:, 0]
        return gains

    @property
    def n(self) -> int:
        """Cases with a score from both arms."""
        return len(self.baseline)

    @property
    def n_units(self) -> int:
        """Independent units among them."""
        return self.n if self.groups is None else len(set(self.groups))


def sides(table: Table) -> Sides:
    """Turn the scores of a table and keep the cases that both arms have a score for."""
    baseline, candidate = table.baseline, np.moveaxis(table.candidate, 0, 1)
    missing = [
        np.all(np.isnan(arm), axis=tuple(range(1, arm.ndim))) for arm in (baseline, candidate)
    ]
    kept = ~(missing[0] | missing[1])
    rows = np.flatnonzero(kept).tolist()
    single = baseline.shape[1] == 1 and candidate.shape[1:] == (1, 1)
    return Sides(
        baseline=turned(baseline[kept], table.scale),
        candidate=turned(candidate[kept], table.scale),
        groups=None if table.groups is None else tuple(table.groups[row] for row in rows),
        slices=None if table.slices is None else tuple(table.slices[row] for row in rows),
        case_ids=tuple(table.case_ids[row] for row in rows),
        scale=_range(table.scale),
        binary=table.scale.binary and single,
        n_unscored=(int(missing[0].sum()), int(missing[1].sum())),
    )


def turned(scores: Floats, scale: Scale) -> Floats:
    """Scores so that higher is better; turned scores are turned back."""
    if scale.better == "higher":
        return scores
    # Within a closed range the mirror image keeps the range, so that 0/1 scores stay 0/1.
    if scale.low is not None and scale.high is not None:
        return scale.low + scale.high - scores
    return -scores


def _range(scale: Scale) -> tuple[float | None, float | None]:
    if scale.better == "higher" or (scale.low is not None and scale.high is not None):
        return scale.low, scale.high
    return (
        None if scale.high is None else -scale.high,
        None if scale.low is None else -scale.low,
    )
