"""``economics``: what the arms cost over the months."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tuneornot import findings
from tuneornot.cli.progress import console
from tuneornot.cli.working import AsJson, Quiet, ResultsPath, StudyPath, print_json, protocol
from tuneornot.records import Economics
from tuneornot.report import upkeep


def add(app: typer.Typer) -> None:
    """Register the command."""
    app.command("economics", rich_help_panel="Look")(economics)


def economics(
    path: StudyPath, results: ResultsPath = None, as_json: AsJson = False, quiet: Quiet = False
) -> None:
    """Say what every arm costs over the months, and from which volume on one is the cheaper.

    Carries out whatever is still to be measured. The study's `economics` states volume and months.
    """
    with protocol(path, results, quiet=quiet or as_json) as opened:
        found = findings.money(opened) if opened.study.economics else None
    if as_json:
        print_json(found)
    elif found is None:
        console.print("The study has no `economics`; docs/concepts/economics.md explains it.")
    else:
        _show(found, Console(highlight=False))


def _show(found: Economics, out: Console) -> None:
    out.print(f"Over {found.months} months, in {found.currency}")
    table = Table(box=None, header_style="", pad_edge=False)
    for place, title in enumerate(upkeep.head(found)):
        table.add_column(title, justify="right" if place else "left", overflow="fold")
    for each in found.totals:
        table.add_row(*map(Text, upkeep.row(each, found)))
    out.print(table)
    told = [said for each in found.balances for said in upkeep.balance(each, found)]
    for said in [*told, *upkeep.frontier(found), *upkeep.basis(found)]:
        out.print(said, markup=False, soft_wrap=True)
