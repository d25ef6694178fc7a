"""The chart that a verdict is read from: estimates with intervals, one row each, and their margins.

The label of a row stands above its interval, not beside it, so that long names stay whole on a
phone. Values arrive ready to plot (points, percent, factors, units); nothing is computed here.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import NamedTuple

from tuneornot.report import drawing
from tuneornot.report.drawing import Figure, Row, Spec

NARROW_TITLE = 44
"""Characters of a title that a phone shows on one line."""


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

    def build(width: int) -> Spec:
        x = _axis(axis, domain, width, ratio=ratio)
        return _layers(shown, width, x, reference, domain)

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


def _axis(title: str, domain: tuple[float, float], width: int, *, ratio: bool) -> Spec:
    roomy = width > 500
    lines = [title] if roomy else textwrap.wrap(title, NARROW_TITLE)
    axis: Spec = {"title": lines, "tickCount": 8 if roomy else 5}
    if ratio:
        ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10]
        axis |= {"values": [tick for tick in ticks if domain[0] <= tick <= domain[1]]}
        axis |= {"format": "~g"}
    scale = {"type": "log" if ratio else "linear", "domain": list(domain), "nice": False}
    return {"field": "low", "type": "quantitative", "scale": scale, "axis": axis}


def _layers(
    lines: Sequence[Line],
    width: int,
    x: Spec,
    reference: float | None,
    domain: tuple[float, float],
) -> Spec:
    deepest = max(len(line.bars) for line in lines)
    step = (40 if width > 500 else 56) + 10 * deepest
    # Offsets are from the middle of a row: text in its upper part, intervals below.
    first = step / 2 - 14 - 11 * (deepest - 1)
    layers = []
    if reference is not None:
        layers.append(_reference(reference, len(lines), x, (first - 10, step / 2)))
    layers += _bars(lines, x, domain, first)
    layers += _texts(lines, width, step)
    return {"layer": layers, "height": {"step": step}}


def _reference(value: float, n_rows: int, x: Spec, reach: tuple[float, float]) -> Spec:
    """The line of no difference, in each row beside its intervals only: it crosses no text."""
    top, bottom = reach
    mark = {
        "type": "tick",
        "orient": "vertical",
        "thickness": 1,
        "height": bottom - top,
        "yOffset": (top + bottom) / 2,
        "color": drawing.MUTED,
    }
    rows: list[Row] = [{"row": i, "low": value} for i in range(n_rows)]
    return drawing.layer(rows, mark, {"x": x, "y": _ROW})


_ROW: Spec = {"field": "row", "type": "ordinal", "axis": None, "sort": None}


def _texts(lines: Sequence[Line], width: int, step: int) -> list[Spec]:
    rows: list[Row] = [
        {"row": i, "label": line.label, "note": line.note} for i, line in enumerate(lines)
    ]
    roomy = width > 500
    top = -step / 2 + 12
    label = {
        "type": "text",
        "align": "left",
        "yOffset": top,
        "limit": width - (260 if roomy else 20),
    }
    note = {"type": "text", "color": drawing.MUTED, "align": "right", "yOffset": top}
    if not roomy:
        note |= {"align": "left", "yOffset": top + 16}
    return [
        drawing.layer(rows, label, {"x": {"value": 0}, "y": _ROW, "text": {"field": "label"}}),
        drawing.layer(
            rows,
            note,
            {"x": {"value": "width" if roomy else 0}, "y": _ROW, "text": {"field": "note"}},
        ),
    ]


def _bars(lines: Sequence[Line], x: Spec, domain: tuple[float, float], first: float) -> list[Spec]:
    """For each position within a row: the interval, its estimate; then the margins."""
    layers = []
    colour = {"field": "colour", "type": "nominal", "scale": None, "legend": None}
    value = {"field": "value", "type": "quantitative"}
    for position in range(max(len(line.bars) for line in lines)):
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
        rule = {"type": "rule", "strokeWidth": 3, "yOffset": offset}
        dot = {"type": "point", "filled": True, "size": 90, "opacity": 1, "yOffset": offset}
        reach = {"x": x, "x2": {"field": "high"}, "y": _ROW, "color": colour}
        layers.append(drawing.layer(rows, rule, reach))
        layers.append(drawing.layer(rows, dot, {"x": value, "y": _ROW, "color": colour}))
    limits: list[Row] = [
        {"row": i, "value": line.limit} for i, line in enumerate(lines) if line.limit is not None
    ]
    tick = {"type": "tick", "thickness": 2, "height": 18, "color": drawing.INK, "yOffset": first}
    if limits:
        layers.append(drawing.layer(limits, tick, {"x": value, "y": _ROW}))
    return layers
