"""Charts to inline SVG, offline: each drawn twice, for a wide page and for a phone.

A picture scaled down to a phone has text that nobody can read; so each chart is laid out at both
widths and the style sheet shows the one that fits. Colours are CSS variables of the page, so that
one drawing serves light, dark and print. It knows nothing of studies; ``figures`` does.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple, cast

import altair as alt
import vl_convert
from markupsafe import Markup

Chart = alt.Chart | alt.LayerChart
Row = dict[str, str | float | int | bool | None]

WIDE, NARROW = 720, 340
"""Widths in CSS pixels: of the text column on a desktop, and of a phone without its margins."""

INK, MUTED, LINE = "var(--ink)", "var(--muted)", "var(--line)"
BASELINE, CANDIDATE = "var(--baseline)", "var(--candidate)"
GOOD, BAD, OPEN = "var(--good)", "var(--bad)", "var(--open)"

_NOISE = re.compile(
    r' (?:aria-[a-z]+|role|aria-roledescription|pointer-events|class|xmlns(?::xlink)?)="[^"]*"'
)
_EMPTY = re.compile(r"<path d=\"(?:M0,0h0v0h0Z)?\"[^>]*/>|<path[^>]* display=\"none\"/>")


class Figure(NamedTuple):
    """A chart as the page shows it."""

    wide: Markup
    narrow: Markup
    alt: str
    """What the picture shows, for those who do not see it."""
    caption: str


def draw(build: Callable[[int], Chart], *, alt_text: str, caption: str) -> Figure:
    """Lay a chart out at both widths.

    Args:
        build: makes the chart for a width in pixels, so that it may leave out what does not fit.
        alt_text: one or two sentences with the figures that matter.
        caption: what is shown and how to read it.
    """
    return Figure(
        wide=_svg(build(WIDE), WIDE),
        narrow=_svg(build(NARROW), NARROW),
        alt=alt_text,
        caption=caption,
    )


def data(rows: list[Row]) -> alt.InlineData:
    """Rows as a chart takes them, without a data frame."""
    return alt.InlineData(values=cast(list[dict[str, Any]], rows))


def colours(
    names: tuple[str, ...], shades: tuple[str, ...], field: str, *, columns: int = 0
) -> alt.Color:
    """A colour for each name, with its legend above the chart (``columns`` 0: on one line)."""
    return alt.Color(
        f"{field}:N",
        scale=alt.Scale(domain=list(names), range=list(shades)),
        legend=alt.Legend(orient="top", title=None, columns=columns),
    )


def _svg(chart: Chart, width: int) -> Markup:
    framed = chart.properties(
        width=width,
        autosize=alt.AutoSizeParams(type="fit-x", contains="padding"),
        background="transparent",
        padding={"left": 2, "right": 10, "top": 4, "bottom": 4},
    )
    spec = _styled(framed).to_dict()
    text = vl_convert.vegalite_to_svg(spec)
    lean = _EMPTY.sub("", _NOISE.sub("", text))
    # The meaning stands in the frame's label; hundreds of marks are no reading matter.
    return Markup(lean.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))


def _styled(chart: Chart) -> Chart:
    font = {"labelFontSize": 12, "titleFontSize": 12, "labelColor": MUTED, "titleColor": MUTED}
    return cast(
        Chart,
        chart.configure_view(stroke=None)
        .configure_axis(
            **font,
            titleFontWeight="normal",
            gridColor=LINE,
            domainColor=MUTED,
            tickColor=MUTED,
            titlePadding=8,
        )
        .configure_legend(**font, symbolSize=120, labelLimit=220)
        .configure_text(fontSize=12.5, color=INK),
    )
