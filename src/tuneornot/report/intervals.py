"""The chart that a verdict is read from: estimates with intervals, one row each, and their margins.

The label of a row stands above its interval, not beside it, so that long names stay whole on a
phone. Values arrive ready to plot (points, percent, factors, units); nothing is computed here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import altair as alt

from tuneornot.report import drawing
from tuneornot.report.drawing import Chart, Figure, Row


class Bar(NamedTuple):
    """One estimate with its interval."""

    value: float
    low: float
    high: float
    colour: str


class Line(NamedTuple):
    """One row of the chart."""

    label: str
    note: str
    """The figures in words, at the right end."""
    bars: tuple[Bar, ...]
    limit: float | None = None
    """The margin that the row is held against."""


def chart(
    lines: Sequence[Line],
    *,
    axis: str,
    reference: float | None,
    alt_text: str,
    caption: str,
    ratio: bool = False,
) -> Figure | None:
    """Rows of intervals.

    Args:
        lines: the rows, top to bottom; bars without finite values are left out.
        axis: title of the horizontal axis, with its unit.
        reference: value of "no difference", drawn as a line.
        alt_text: for those who do not see it.
        caption: below the picture.
        ratio: whether values are factors, drawn on a logarithmic axis.

    Returns:
        The figure, or ``None`` if no row has a finite value.
    """
    shown = [line for line in lines if any(_finite(bar) for bar in line.bars)]
    if not shown:
        return None
    domain = _domain(shown, reference, ratio=ratio)

    def build(width: int) -> Chart:
        return _layers(shown, width, _axis(axis, domain, width, ratio=ratio), reference, domain)

    return drawing.draw(build, alt_text=alt_text, caption=caption)


def _finite(bar: Bar) -> bool:
    return all(math.isfinite(each) for each in (bar.value, bar.low, bar.high))


def _domain(lines: Sequence[Line], reference: float | None, *, ratio: bool) -> tuple[float, float]:
    """The range to show: all estimates, margins and the reference; wild interval ends are cut."""
    bars = [bar for line in lines for bar in line.bars if _finite(bar)]
    marks = [bar.value for bar in bars] + [line.limit for line in lines if line.limit is not None]
    marks += [] if reference is None else [reference]
    ends = [end for bar in bars for end in (bar.low, bar.high)]
    if ratio:
        low, high = max(min(ends + marks), min(marks) / 4), min(max(ends + marks), max(marks) * 4)
        return max(low, 1e-3) / 1.1, high * 1.1
    low, high = min(ends + marks), max(ends + marks)
    room = 0.04 * (high - low or 1.0)
    return low - room, high + room


def _axis(title: str, domain: tuple[float, float], width: int, *, ratio: bool) -> alt.X:
    scale = alt.Scale(type="log" if ratio else "linear", domain=list(domain), nice=False)
    ticks = 8 if width > 500 else 5
    shown = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10) if domain[0] <= tick <= domain[1]]
    axis = alt.Axis(title=title, tickCount=ticks)
    if ratio:
        axis = alt.Axis(title=title, values=shown, format="~g")
    return alt.X("low:Q", scale=scale, axis=axis)


def _layers(
    lines: Sequence[Line],
    width: int,
    x: alt.X,
    reference: float | None,
    domain: tuple[float, float],
) -> Chart:
    y = alt.Y("row:O", axis=None, sort=None)
    roomy = width > 500
    deepest = max(len(line.bars) for line in lines)
    step = (40 if roomy else 56) + 10 * deepest
    layers: list[alt.Chart] = []
    if reference is not None:
        zero = alt.Chart(drawing.data([{"low": reference}]))
        layers.append(zero.mark_rule(color=drawing.MUTED, strokeWidth=1).encode(x=x))
    # Offsets are from the middle of a row: text in its upper part, intervals below.
    first = step / 2 - 8 - 11 * (deepest - 1) - 6
    layers += _bars(lines, x, y, domain, first)
    return alt.LayerChart(layer=[*layers, *_texts(lines, y, width, step)]).properties(
        height=alt.Step(step)
    )


def _texts(lines: Sequence[Line], y: alt.Y, width: int, step: int) -> list[alt.Chart]:
    texts: list[Row] = [
        {"row": i, "label": line.label, "note": line.note} for i, line in enumerate(lines)
    ]
    top = -step / 2 + 12
    rows = alt.Chart(drawing.data(texts)).encode(y=y)
    if width > 500:
        note = rows.mark_text(align="right", yOffset=top, color=drawing.MUTED).encode(
            x=alt.value("width"), text="note:N"
        )
    else:
        note = rows.mark_text(align="left", yOffset=top + 16, color=drawing.MUTED).encode(
            x=alt.value(0), text="note:N"
        )
    label = rows.mark_text(align="left", yOffset=top, limit=width - (260 if width > 500 else 20))
    return [label.encode(x=alt.value(0), text="label:N"), note]


def _bars(
    lines: Sequence[Line], x: alt.X, y: alt.Y, domain: tuple[float, float], first: float
) -> list[alt.Chart]:
    """For each position within a row: the interval, its estimate; then the margins."""
    layers = []
    deepest = max(len(line.bars) for line in lines)
    for position in range(deepest):
        rows: list[Row] = [
            {
                "row": i,
                "value": bar.value,
                "low": max(bar.low, domain[0]),
                "high": min(bar.high, domain[1]),
                "colour": bar.colour,
            }
            for i, line in enumerate(lines)
            for bar in line.bars[position : position + 1]
            if _finite(bar)
        ]
        offset = first + 11 * position
        base = alt.Chart(drawing.data(rows)).encode(
            y=y, color=alt.Color("colour:N", scale=None, legend=None)
        )
        layers.append(base.mark_rule(strokeWidth=3, yOffset=offset).encode(x=x, x2="high:Q"))
        layers.append(
            base.mark_point(filled=True, size=90, opacity=1, yOffset=offset).encode(
                x=alt.X("value:Q")
            )
        )
    limits: list[Row] = [
        {"row": i, "limit": line.limit} for i, line in enumerate(lines) if line.limit is not None
    ]
    if limits:
        layers.append(
            alt.Chart(drawing.data(limits))
            .mark_tick(thickness=2, height=18, color=drawing.INK, yOffset=first)
            .encode(x=alt.X("limit:Q"), y=y)
        )
    return layers
