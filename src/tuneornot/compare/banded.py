"""Both arms on the cases of each band of rarity: where on the long tail they differ."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np

from tuneornot.compare.contrasts import statistic
from tuneornot.compare.drops import Pair
from tuneornot.compare.sides import Sides, sides, turned
from tuneornot.compare.tables import Table, tables
from tuneornot.records import Band, BandName, Scale
from tuneornot.stats import cases, multiplicity


def bands(
    pair: Pair,
    metrics: Sequence[str],
    members: Mapping[BandName, Sequence[str]],
    rarity: Mapping[str, float],
    *,
    alpha: float,
) -> tuple[Band, ...]:
    """Each metric in each band, p values of the differences adjusted by Holm within a metric.

    Args:
        pair: both arms' runs on one set.
        metrics: those to be told; figures of a whole run are left out.
        members: by band the ids of its cases.
        rarity: by case id the count or number that the bands were made by.
        alpha: error rate of each interval.
    """
    found = {table.metric: table for table in tables(*pair) if not table.scale.whole}
    told: list[Band] = []
    for metric in metrics:
        if metric not in found:
            continue
        made = [
            _band(name, found[metric], set(ids), [rarity[case_id] for case_id in ids], alpha)
            for name, ids in members.items()
        ]
        p_values = [one.difference.p_value for one in made]
        adjusted = multiplicity.holm([np.nan if p is None else p for p in p_values]).tolist()
        told += [
            msgspec.structs.replace(one, p_holm=None if p != p else p)
            for one, p in zip(made, adjusted, strict=True)
        ]
    return tuple(told)


def _band(
    name: BandName, table: Table, ids: set[str], counts: Sequence[float], alpha: float
) -> Band:
    rows = [row for row, case_id in enumerate(table.case_ids) if case_id in ids]
    part = Table(
        metric=table.metric,
        scale=table.scale,
        case_ids=tuple(table.case_ids[row] for row in rows),
        baseline=table.baseline[rows],
        candidate=table.candidate[:, rows],
        groups=None if table.groups is None else tuple(table.groups[row] for row in rows),
    )
    own = sides(part)
    difference = statistic(own, table.scale, "mean", alpha=alpha)
    assert difference is not None, "a mean exists for all scores"
    return Band(
        metric=table.metric,
        name=name,
        least=min(counts),
        most=max(counts),
        n=own.n,
        scale=table.scale,
        means=_means(own, table.scale),
        difference=difference,
    )


def _means(own: Sides, scale: Scale) -> tuple[float, float]:
    """Both arms' means over the cases that both have a score for, in units of the metric."""
    if not own.n:
        return (math.nan, math.nan)
    values = turned(cases.two(own.baseline, own.answers).values, scale)
    first, second = values.mean(axis=0).tolist()
    return (first, second)
