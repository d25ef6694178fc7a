"""Both arms by rarity, in rows of a table and a sentence: the long tail of what is asked."""

from __future__ import annotations

import math
from typing import NamedTuple

from tuneornot.records import Band, Comparison
from tuneornot.report import amounts


class Line(NamedTuple):
    """One row of the table, in words."""

    metric: str
    band: str
    baseline: str
    candidate: str
    difference: str
    p_value: str


def lines(comparison: Comparison) -> tuple[Line, ...]:
    """Every metric in every band, the rarest first."""
    return tuple(
        Line(
            metric=amounts.title(band.metric),
            band=f"{band.name}: {_range(band)} ({amounts.count(band.n, 'case')})",
            baseline=amounts.level(band.means[0], band.scale),
            candidate=amounts.level(band.means[1], band.scale),
            difference=(
                f"{amounts.difference(band.difference.value, band.scale)}"
                f" ({amounts.span(band.difference, band.scale)})"
            ),
            p_value=amounts.bare_p(band.p_holm),
        )
        for band in comparison.bands
    )


def told(comparison: Comparison) -> str:
    """What the bands are, and where there is but one."""
    names = {band.name for band in comparison.bands}
    if len(names) == 1:
        return "All cases are equally rare, so that nothing can be said of the long tail."
    level = amounts.confidence(comparison.bands[0].difference)
    return (
        f"Differences have {level} intervals, positive is better. p: adjusted by Holm over the"
        " bands."
    )


def _range(band: Band) -> str:
    least, most = (f"{end:g}" for end in (band.least, band.most))
    if not math.isfinite(band.least) or least == most:
        return least
    return f"{least} to {most}"
