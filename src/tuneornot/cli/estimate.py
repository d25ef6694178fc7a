"""``estimate``: what a study will take, before it is spent."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tuneornot import forecast
from tuneornot.cli.progress import console
from tuneornot.cli.working import AsJson, Quiet, ResultsPath, StudyPath, print_json, protocol
from tuneornot.forecast import Forecast, Outlay
from tuneornot.forecast.basis import TIMED
from tuneornot.report import amounts


def add(app: typer.Typer) -> None:
    """Register the command."""
    app.command("estimate", rich_help_panel="Begin")(estimate)


def estimate(
    path: StudyPath,
    results: ResultsPath = None,
    probe: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=0,
            help="First ask every arm N dev cases, never eval cases, to see what answers take.",
        ),
    ] = 0,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Say what is left of a study: calls, tokens, money and minutes, against its budget."""
    with protocol(path, results, quiet=quiet or as_json) as opened:
        if probe:
            for name in opened.study.arms:
                forecast.probe(opened, name, probe)
        found = forecast.of(opened)
    if as_json:
        print_json({"forecast": found, "short": found.short})
        return
    out = Console(highlight=False)
    out.print(_table(found))
    for line in told(found):
        out.print(line, markup=False, soft_wrap=True)
    if found.short:
        console.print("The study will end at its budget; what is answered by then is kept.")


def told(found: Forecast) -> list[str]:
    """Totals, the budget, and what the figures rest on, a line for each."""
    total = found.total
    lines = [
        f"left      {_count(total.calls)} calls, {_count(total.tokens)} tokens, "
        f"{_minutes(total.minutes)}{_paid(total.money, found.currency)}"
    ]
    for name, limit in found.budget.limits.items():
        spent, left = getattr(found.spent, name), getattr(total, name)
        if left is None:
            state = "what is left is not known"
        else:
            state = "NOT ENOUGH" if name in found.short else "enough"
        shown = _count if name in ("calls", "tokens") else _number
        before = "" if name == "minutes" else f", {shown(spent)} spent before"
        lines.append(
            f"budget    {name}: {limit:,g} allowed{before}, {shown(left)} to come: {state}"
        )
    about: dict[str, list[str]] = {}
    for outlay in found.outlays:
        for text in outlay.basis:
            about.setdefault(text, []).append(outlay.step)
    for text, steps in about.items():
        where = "" if len(steps) == len(found.outlays) else f" ({', '.join(dict.fromkeys(steps))})"
        lines.append(f"basis     {text}{where}")
    return lines


def _table(found: Forecast) -> Table:
    table = Table(box=None, header_style="", pad_edge=False)
    table.add_column("step", overflow="fold")
    for name in ("to ask", "known", "read", "written", "time", *_currency(found)):
        table.add_column(name, justify="right")
    for one in found.outlays:
        table.add_row(*_row(one, found))
    return table


def _row(one: Outlay, found: Forecast) -> list[Text]:
    most = "<= " if one.at_most and one.n_calls else ""
    step = f"{TIMED}: {one.arm}" if one.step == TIMED else one.step
    cells = [
        step,
        most + _count(one.n_calls),
        _count(one.n_known),
        _count(one.n_input_tokens),
        _count(one.n_output_tokens),
        _minutes(one.minutes),
    ]
    cells += [_number(one.money)] if found.currency else []
    return [Text(cell) for cell in cells]


def _currency(found: Forecast) -> tuple[str, ...]:
    return (found.currency,) if found.currency else ()


def _count(value: float | None) -> str:
    return "?" if value is None else f"{value:,.0f}"


def _minutes(value: float | None) -> str:
    return "?" if value is None else amounts.duration(60 * value)


def _number(value: float | None) -> str:
    return "?" if value is None else amounts.number(value)


def _paid(value: float | None, currency: str) -> str:
    return f", {_number(value)} {currency}" if currency else ""
