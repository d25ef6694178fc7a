"""Commands that look at what is there and measure nothing: ``status``, ``report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tuneornot import study
from tuneornot.cli.progress import console
from tuneornot.cli.working import (
    AsJson,
    ResultsPath,
    StudyPath,
    file_of,
    print_json,
    results_of,
)
from tuneornot.errors import StoreError, StudyError
from tuneornot.records import Record
from tuneornot.report import export, markdown, pages, terminal
from tuneornot.store.store import Store

PANEL = "Look"


def add(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command("status", rich_help_panel=PANEL)(status)
    app.command("report", rich_help_panel=PANEL)(report)


def status(path: StudyPath, results: ResultsPath = None, as_json: AsJson = False) -> None:
    """Show what has been measured so far; opens no model."""
    plan = study.read(file_of(path))
    folder = results_of(path, results)
    if not (folder / "store.db").exists():
        console.print(
            f"Nothing is measured in {folder} yet. Start: tuneornot run {path}", markup=False
        )
        return
    with Store(folder / "store.db") as store:
        found = _found(plan.study, store)
    if as_json:
        print_json(found)
    else:
        _show(found, Console(highlight=False))


def report(
    path: StudyPath,
    results: ResultsPath = None,
    to: Annotated[
        Path | None,
        typer.Option(help="Write one file here instead: .html, .md or .json, by its ending."),
    ] = None,
) -> None:
    """Show the verdict again and write the report anew from what is kept; measures nothing."""
    folder = results_of(path, results)
    if not (folder / "report.json").exists():
        raise StoreError(f"There is no report in {str(folder)!r} yet. Run: tuneornot run {path}")
    findings = export.read(folder / "report.json")
    _warn_of_another_plan(path, findings.plan, folder)
    if to is None:
        written = pages.write(findings, folder / "report.html")
        markdown.write(findings, folder / "report.md")
        terminal.show(findings, Console(highlight=False), report=written)
        return
    writers = {".html": pages.write, ".md": markdown.write, ".json": export.write}
    if to.suffix not in writers:
        raise StudyError(
            "report --to", [f"found {to.name!r}, expected an ending among {', '.join(writers)}"]
        )
    console.print(f"wrote {writers[to.suffix](findings, to)}", markup=False)


def _warn_of_another_plan(path: Path, plan: str, folder: Path) -> None:
    """Say so where the study file has changed since the report was made."""
    with Store(folder / "store.db") as store:
        texts = [one.text for one in store.plans() if one.fingerprint == plan]
    if texts and texts[0] != study.text(study.read(file_of(path))):
        console.print(
            f"[yellow]note[/yellow] The study has changed: this is the report of plan {plan}. "
            "`tuneornot run` measures by the present one."
        )


class Found(Record, frozen=True, kw_only=True):
    """What is in a results folder."""

    study: str
    kept: dict[str, int]
    """Rows by kind."""
    plans: list[tuple[str, str]]
    """Fingerprint and first sight of every plan of the study."""
    looks: int
    """How often a set that a verdict rests on was measured."""
    verdicts: list[tuple[str, str, str]]
    """Time, candidate and outcome."""


def _found(name: str, store: Store) -> Found:
    return Found(
        study=name,
        kept=store.counts(),
        plans=[(plan.fingerprint, plan.first_seen) for plan in store.plans(name)],
        looks=len(store.looks()),
        verdicts=[(one.at, one.verdict.candidate, one.verdict.outcome) for one in store.verdicts()],
    )


def _show(found: Found, out: Console) -> None:
    table = Table(show_header=False, box=None)
    table.add_row("study", found.study)
    for kind, n in found.kept.items():
        table.add_row(kind, str(n))
    for plan, first_seen in found.plans:
        table.add_row(f"plan {plan}", f"first seen {first_seen}")
    for at, candidate, outcome in found.verdicts:
        table.add_row(f"verdict on {candidate}", f"{outcome} at {at}")
    out.print(table)
