"""What the arms cost over the months: sentences, rows of tables and pictures."""

from __future__ import annotations

import math
from typing import NamedTuple

from tuneornot.records import ArmTotal, Balance, Economics, Estimate, Pace, Swing
from tuneornot.report import amounts, drawing
from tuneornot.report.drawing import Figure, Row, Spec

N_SWINGS = 8
"""Inputs drawn in a tornado; what matters less than the eighth decides nothing."""


class Weighed(NamedTuple):
    """One candidate's money against the baseline's, as the page shows it."""

    balance: Balance
    told: tuple[str, ...]
    tornado: Figure | None


class Shown(NamedTuple):
    """The section of the page."""

    head: tuple[str, ...]
    """Titles of the columns of ``rows``."""
    rows: tuple[tuple[str, ...], ...]
    weighed: tuple[Weighed, ...]
    frontier: tuple[str, ...]
    picture: Figure | None
    pace_rows: tuple[tuple[str, ...], ...]
    basis: tuple[str, ...]


def shown(found: Economics) -> Shown:
    """Everything of the section."""
    return Shown(
        head=head(found),
        rows=tuple(row(each, found) for each in found.totals),
        weighed=tuple(
            Weighed(each, balance(each, found), tornado(each, found.currency))
            for each in found.balances
        ),
        frontier=frontier(found),
        picture=scatter(found),
        pace_rows=tuple(pace(each) for each in found.paces),
        basis=basis(found),
    )


def head(found: Economics) -> tuple[str, ...]:
    """Titles of the columns of the arms' totals."""
    success = ("an answer that succeeds",) if any(t.per_success for t in found.totals) else ()
    return ("arm", "an answer", *success, "until it stands", "a month", f"{found.months} months")


def row(each: ArmTotal, found: Economics) -> tuple[str, ...]:
    """One arm's money; each figure with its 95% range where it has one."""
    success = (spread(each.per_success),) if each.per_success else ()
    if not success and any(t.per_success for t in found.totals):
        success = (amounts.UNKNOWN,)
    parts = (each.once, each.per_month, each.total)
    return (each.arm, spread(each.per_call), *success, *map(spread, parts))


def spread(value: Estimate) -> str:
    """A simulated figure: its median, and the ends of its range where there are two."""
    middle, low, high = amounts.number(value.value), _end(value.low), _end(value.high)
    return middle if low == middle == high else f"{middle} ({low} to {high})"


def balance(each: Balance, found: Economics) -> tuple[str, ...]:
    """The saving, and the volume from which on the candidate costs less."""
    name, other, unit = each.candidate, each.baseline, found.currency
    size = each.saving
    verb = "saves" if size.value >= 0 else "costs"
    more = "" if size.value >= 0 else " more"
    volume = " to ".join(f"{end:,.0f}" for end in dict.fromkeys(found.calls_per_month))
    told = [
        f"Over {found.months} months at {volume} calls a month {name} {verb} "
        f"{amounts.number(abs(size.value))} {unit}{more} against {other} (95% range of the saving "
        f"{amounts.signed(size.low)} to {amounts.signed(size.high)}); it costs less in "
        f"{each.chance:.0%} of the simulated futures."
    ]
    if each.chance_never >= 1 and size.value > 0:
        told.append("More calls do not make it save more: its answers do not cost less.")
    elif each.chance_never >= 1:
        told.append(f"No volume makes {name} the cheaper one: its answers do not cost less.")
    elif each.break_even.high == 0:
        told.append(f"{name} costs less at every volume.")
    else:
        never = (
            f"; in {each.chance_never:.0%} of the futures no volume is enough"
            if each.chance_never
            else ""
        )
        told.append(
            f"From {_volume(each.break_even.value)} calls a month on {name} costs less "
            f"(95% range {_volume(each.break_even.low)} to {_volume(each.break_even.high)}{never})."
        )
    return tuple(told)


def frontier(found: Economics) -> tuple[str, ...]:
    """Each arm's place in quality, cost and latency."""
    dimensions = "quality, cost and latency"
    if any(each.latency_s is None for each in found.standings):
        dimensions = "quality and cost"
    told = [
        f"{each.arm} is on the frontier of {dimensions} in {each.efficient:.0%} of the draws."
        for each in found.standings
    ]
    if told:
        told.append(
            "On the frontier is an arm that no other equals in all of these and beats in one."
        )
    return tuple(told)


def pace(each: Pace) -> tuple[str, ...]:
    """One arm's latency and throughput, as cells of a row."""
    cells = [each.arm, str(each.n)]
    for name in ("p50", "p95", "p99"):
        at = each.quantiles.get(name)
        cells.append("" if at is None else f"{amounts.number(at.value)} s ({_ends(at)})")
    if each.per_second is None or each.load is None:
        return (*cells, "")
    return (*cells, f"{amounts.number(each.per_second)} ({amounts.number(each.load)} in flight)")


def basis(found: Economics) -> tuple[str, ...]:
    """What the figures rest on."""
    return (
        "Ranges that the study states are its own, and any value between their ends is held to be "
        "as likely; measured costs carry the error of their mean. Figures are medians of 10,000 "
        "simulated futures with the range that holds 95% of them.",
        *(f"{said[0].upper()}{said[1:]}." for said in found.basis),
    )


def tornado(each: Balance, currency: str) -> Figure | None:
    """The saving with one input at a time at either end."""
    swings = each.swings[:N_SWINGS]
    if not swings:
        return None

    def build(width: int) -> Spec:
        roomy = width > 500
        rows: list[Row] = [
            {"input": label, "end": f"input at its {end}", "saving": value}
            for swing in swings
            for label in [_label(swing, roomy=roomy)]
            for end, value in (("least", swing.at_least), ("most", swing.at_most))
        ]
        labels = [_label(swing, roomy=roomy).split("|") for swing in swings]
        # The width that is reserved for labels is reckoned without the lines below the first.
        room = 7 * max(len(line) for lines in labels for line in lines)
        encoding: Spec = {
            "y": {
                "field": "input",
                "type": "nominal",
                "sort": None,
                "title": None,
                "axis": {
                    "labelLimit": width // 2,
                    "labelExpr": "split(datum.label, '|')",
                    "minExtent": min(room, width // 2),
                },
            },
            "x": drawing.quantity("saving", f"Saving, {currency}", ticks=4),
            "x2": {"datum": each.middle},
            "color": drawing.colours(
                ("input at its least", "input at its most"),
                (drawing.BASELINE, drawing.CANDIDATE),
                "end",
                columns=0 if roomy else 1,
            ),
        }
        bars = drawing.layer(rows, {"type": "bar", "height": 16}, encoding)
        zero: Spec = {
            "data": {"values": [{"zero": 0}]},
            "mark": {"type": "rule", "color": drawing.INK, "strokeDash": [4, 3]},
            "encoding": {"x": {"field": "zero", "type": "quantitative"}},
        }
        return {"layer": [bars, zero], "height": {"step": 8 + 15 * max(map(len, labels))}}

    return drawing.draw(
        build,
        alt_text="What one input at a time does to the saving: "
        + "; ".join(
            f"{swing.name} from {amounts.signed(swing.at_least)} to {amounts.signed(swing.at_most)}"
            for swing in swings
        )
        + ".",
        caption=(
            f"Saving of {each.candidate} against {each.baseline} with one input at a time at "
            "either end of its range and all others in the middle; the dashed line is no saving."
        ),
    )


def scatter(found: Economics) -> Figure | None:
    """Quality against cost, each arm a point; the size of a point is its latency."""
    if len(found.standings) < 2:
        return None
    costs = [each.cost for each in found.standings]
    middle = (min(costs) + max(costs)) / 2
    # A name is written towards the middle, so that the frame cuts none.
    rows: list[Row] = [
        {
            "arm": each.arm,
            "quality": each.quality,
            "cost": each.cost,
            "side": "right" if each.cost > middle else "left",
        }
        for each in found.standings
    ]

    def build(width: int) -> Spec:
        place = {
            "x": drawing.quantity("cost", f"An answer, {found.currency}", ticks=4, zero=False),
            "y": drawing.quantity("quality", "Mean of the primary metric", ticks=5, zero=False),
        }
        dots = drawing.layer(
            rows,
            {"type": "point", "filled": True, "size": 120, "color": drawing.CANDIDATE},
            place,
        )
        names = [
            drawing.layer(
                [row for row in rows if row["side"] == side],
                {"type": "text", "dy": -12, "dx": shift, "align": side},
                {**place, "text": {"field": "arm"}},
            )
            for side, shift in (("left", -6), ("right", 6))
        ]
        return {"layer": [dots, *names], "height": 240}

    return drawing.draw(
        build,
        alt_text="Quality and cost of an answer: "
        + "; ".join(
            f"{each.arm} {each.quality:.3g} at {amounts.number(each.cost)} {found.currency}"
            for each in found.standings
        )
        + ".",
        caption="Better is up and to the left; an arm with another above and left is left behind.",
    )


def _label(swing: Swing, *, roomy: bool) -> str:
    """Lines: the name, where there is no room the arm by itself, and the ends of the input."""
    name = swing.name if roomy else swing.name.replace(": ", ":|")
    return f"{name}|{amounts.number(swing.least)} to {amounts.number(swing.most)}"


def _end(value: float) -> str:
    return "without end" if math.isinf(value) else amounts.number(value)


def _ends(value: Estimate) -> str:
    if math.isnan(value.low) and math.isnan(value.high):
        return "too few answers to bound it"
    if math.isnan(value.high):
        return f"at least {amounts.number(value.low)}"
    if math.isnan(value.low):
        return f"at most {amounts.number(value.high)}"
    return f"{amounts.number(value.low)} to {amounts.number(value.high)}"


def _volume(value: float) -> str:
    return "without end" if math.isinf(value) else f"{value:,.0f}"
