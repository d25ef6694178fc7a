"""Charts to inline SVG, offline: each drawn twice, for a wide page and for a phone.

A picture scaled down to a phone has text that nobody can read; so each chart is laid out at both
widths and the style sheet shows the one that fits. Colours are CSS variables of the page, so that
one drawing serves light, dark and print. It knows nothing of studies; ``figures`` does.

Charts are written as Vega-Lite specifications, not through altair's classes: for a page of 50
drawings the classes' copying and checking took longer than the drawing itself (the tests check the
specifications against altair's schema instead).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import vl_convert
from markupsafe import Markup

Spec = dict[str, Any]
"""A Vega-Lite specification or a part of one."""
Row = dict[str, str | float | int | bool | None]

WIDE, NARROW = 720, 340
"""Widths in CSS pixels: of the text column on a desktop, and of a phone without its margins."""

INK, MUTED, LINE = "var(--ink)", "var(--muted)", "var(--line)"
BASELINE, CANDIDATE = "var(--baseline)", "var(--candidate)"
GOOD, BAD, OPEN = "var(--good)", "var(--bad)", "var(--open)"

_NOISE = re.compile(
    r' (?:aria-[a-z]+|role|pointer-events|class|opacity="1"|xmlns(?::xlink)?)(?:="[^"]*")?(?=[ />])'
)
_EMPTY = re.compile(r"<path d=\"(?:M0,0h0v0h0Z)?\"[^>]*/>|<path[^>]* display=\"none\"/>")
_FONT = {"labelFontSize": 12, "titleFontSize": 12, "labelColor": MUTED, "titleColor": MUTED}
_CONFIG: Spec = {
    "view": {"stroke": None},
    "axis": {
        **_FONT,
        "titleFontWeight": "normal",
        "gridColor": LINE,
        "domainColor": MUTED,
        "tickColor": MUTED,
        "titlePadding": 8,
        "labelOverlap": True,
    },
    "legend": {
        **_FONT,
        "symbolSize": 120,
        "labelLimit": 220,
        # Browsers may write with wider letters than those that were reckoned with.
        "columnPadding": 34,
        "symbolOpacity": 1,
    },
    "text": {"fontSize": 12.5, "color": INK},
}


class Figure(NamedTuple):
    """A chart as the page shows it."""

    wide: Markup
    narrow: Markup
    alt: str
    """What the picture shows, for those who do not see it."""
    caption: str


def draw(build: Callable[[int], Spec], *, alt_text: str, caption: str) -> Figure:
    """Lay a chart out at both widths.

    Args:
        build: makes the chart for a width in pixels, so that it may leave out what does not fit.
        alt_text: one or two sentences with the figures that matter.
        caption: what is shown and how to read it.
    """
    return Figure(
        wide=_svg(framed(build(WIDE), WIDE)),
        narrow=_svg(framed(build(NARROW), NARROW)),
        alt=alt_text,
        caption=caption,
    )


def layer(rows: Sequence[Row], mark: Spec, encoding: Spec) -> Spec:
    """One kind of mark for each row."""
    return {"data": {"values": list(rows)}, "mark": mark, "encoding": encoding}


def quantity(
    field: str, title: str | None = None, *, ticks: int = 6, step: float = 0, **scale: object
) -> Spec:
    """An axis of numbers; ``step`` is the least distance of two ticks."""
    given: Spec = {"field": field, "type": "quantitative", "title": title}
    given["axis"] = {"tickCount": ticks, "title": title, "tickMinStep": step}
    return {**given, "scale": scale} if scale else given


def colours(names: Sequence[str], shades: Sequence[str], field: str, *, columns: int = 0) -> Spec:
    """A colour for each name, with its legend above the chart (``columns`` 0: on one line)."""
    return {
        "field": field,
        "type": "nominal",
        "scale": {"domain": list(names), "range": list(shades)},
        "legend": {"orient": "top", "title": None, "columns": columns},
    }


def framed(spec: Spec, width: int) -> Spec:
    """The whole specification: a chart of this width in the page's style."""
    return {
        **spec,
        "width": width,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "background": "transparent",
        "padding": {"left": 2, "right": 10, "top": 4, "bottom": 4},
        "config": _CONFIG,
    }


def _svg(spec: Spec) -> Markup:
    lean = _EMPTY.sub("", _NOISE.sub("", vl_convert.vegalite_to_svg(spec)))
    # The meaning stands in the frame's label; hundreds of marks are no reading matter.
    return Markup(lean.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))
