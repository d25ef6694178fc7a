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
from tuneornot.records import Phase, Record
from tuneornot.report import amounts, export, markdown, pages, terminal
from tuneornot.store import turn
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
        found = _found(plan, store, turn.holder(folder))
    if as_json:
        print_json(found)
    else:
        _show(found, path, Console(highlight=False))


def report(
    path: StudyPath,
    results: ResultsPath = None,
    to: Annotated[
        Path | None,
        typer.Option(help="Write one file here instead: .html, .md or .json, by its ending."),
    ] = None,
) -> None:
    """Show the verdict again and write the report anew from what is kept; measures nothing."""
    present = study.read(file_of(path))
    folder = results_of(path, results)
    if not (folder / "report.json").exists():
        raise StoreError(f"There is no report in {str(folder)!r} yet. Run: tuneornot run {path}")
    findings = export.read(folder / "report.json")
    _warn_of_another_plan(present, findings.plan, folder)
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


def _warn_of_another_plan(present: study.Study, plan: str, folder: Path) -> None:
    """Say so where the study file has changed since the report was made."""
    with Store(folder / "store.db") as store:
        texts = [one.text for one in store.plans() if one.fingerprint == plan]
    if texts and texts[0] != study.text(present):
        console.print(
            f"[yellow]note[/yellow] The study has changed: this is the report of plan {plan}. "
            "`tuneornot run` measures by the present one."
        )


class Step(Record, frozen=True, kw_only=True):
    """One phase of the work under the present plan, every session added up."""

    name: str
    finished: bool
    under_way: bool
    seconds: float
    """Of what is under way as far as it was kept."""
    n_asked: int

    @property
    def state(self) -> str:
        """In a word or two."""
        if self.under_way:
            return "under way"
        return "done" if self.finished else "interrupted"


class Found(Record, frozen=True, kw_only=True):
    """What is in a results folder."""

    study: str
    plan: str | None
    """Fingerprint of the study as it stands now; ``None`` where nothing was done under it."""
    steps: list[Step]
    """What was done under it, in the order of first work."""
    kept: dict[str, int]
    """Rows by kind, of all plans."""
    plans: list[tuple[str, str]]
    """Fingerprint and first sight of every plan of the study."""
    looks: int
    """How often a set that the verdict rests on was measured, under all plans."""
    verdicts: list[tuple[str, str, str]]
    """Time, candidate and outcome."""
    at_work: str | None
    """Who works in the folder now; ``None`` where nobody does."""


def _found(plan: study.Study, store: Store, at_work: str | None) -> Found:
    plans, text = store.plans(plan.study), study.text(plan)
    present = next((one.fingerprint for one in reversed(plans) if one.text == text), None)
    return Found(
        study=plan.study,
        plan=present,
        steps=[] if present is None else _steps(store, present, at_work is not None),
        kept=store.counts(),
        plans=[(one.fingerprint, one.first_seen) for one in plans],
        looks=len(store.looks()),
        verdicts=[(one.at, one.verdict.candidate, one.verdict.outcome) for one in store.verdicts()],
        at_work=at_work,
    )


def _steps(store: Store, plan: str, at_work: bool) -> list[Step]:
    """Of several phases of one name the sum; the last one that is open may be under way."""
    alike: dict[str, list[Phase]] = {}
    phases = store.phases(plan)
    for phase in phases:
        alike.setdefault(phase.name, []).append(phase)
    now = phases[-1].name if at_work and phases and not phases[-1].finished else None
    return [
        Step(
            name=name,
            finished=any(one.finished for one in same),
            under_way=name == now,
            seconds=sum(one.seconds for one in same),
            n_asked=sum(one.n_asked for one in same),
        )
        for name, same in alike.items()
    ]


def _show(found: Found, path: Path, out: Console) -> None:
    out.print(f"study     {found.study}", markup=False)
    kept = ", ".join(f"{kind} {n}" for kind, n in found.kept.items() if n)
    out.print(f"kept      {kept or 'nothing yet'}", markup=False, soft_wrap=True)
    for plan, first_seen in found.plans:
        present = "the study as it stands now" if plan == found.plan else "an earlier version"
        out.print(f"plan      {plan} of {first_seen[:19]}: {present}", markup=False, soft_wrap=True)
    if found.plan is None:
        out.print("steps     none under the study as it stands now", markup=False)
    else:
        table = Table("step", "state", "time", "asked", box=None, header_style="")
        for step in found.steps:
            took = amounts.duration(step.seconds) if step.seconds else ""
            table.add_row(step.name, step.state, took, str(step.n_asked))
        out.print(table)
    for at, candidate, outcome in found.verdicts:
        out.print(f"verdict   {outcome} for {candidate} at {at[:19]}", markup=False)
    if found.at_work is not None:
        out.print(f"at work   {found.at_work}: let it end", markup=False)
    elif found.plan is None or not found.verdicts:
        out.print(f"Next: tuneornot run {path} (goes on from here)", markup=False, soft_wrap=True)
