"""``leaks``: what looks like a leak, what both have in common, and what a person says of it."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer
from rich.console import Console

from tuneornot import gather, leaks
from tuneornot.cli.progress import console
from tuneornot.cli.working import AsJson, ResultsPath, StudyPath, print_json, protocol
from tuneornot.dataset import told
from tuneornot.errors import LeakageError, StudyError
from tuneornot.formats.rulings import NAME, Ruling
from tuneornot.protocol import Protocol
from tuneornot.records import Check, Overlap

Pairs = list[str] | None


def add(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command("leaks", rich_help_panel="Begin")(show)


def show(
    path: StudyPath,
    no_leak: Annotated[
        Pairs, typer.Option("--no-leak", metavar="PAIR", help="Let this pair pass; repeatable.")
    ] = None,
    why: Annotated[str, typer.Option(help="With --no-leak: the reason, for the report.")] = "",
    who: Annotated[
        str | None, typer.Option("--as", help="Who says so; your login name by default.")
    ] = None,
    withdraw: Annotated[
        Pairs, typer.Option("--withdraw", metavar="PAIR", help="Take a ruling back; repeatable.")
    ] = None,
    results: ResultsPath = None,
    as_json: AsJson = False,
) -> None:
    """List what looks like a leak between what teaches and what judges; rule that a pair is none.

    Rulings are kept in leaks.jsonl beside the study, are honoured by every command, and stand in
    the report. Leaves with exit code 4 while a pair is open.
    """
    if why and not no_leak:
        raise StudyError("leaks --why", ["is given without --no-leak, the pair that it is about"])
    with protocol(path, results, quiet=True) as opened:
        taught = {
            gather.trained_on(name): brought.taught.cases
            for name, brought in opened.elsewhere.brought.items()
            if brought.taught
        }
        folder = opened.folder
        found = gather.overlaps(opened.study.data, folder, taught)
        if withdraw:
            leaks.withdraw(withdraw, folder)
            found = gather.overlaps(opened.study.data, folder, taught)
        if no_leak:
            leaks.rule(found, no_leak, folder, why=why, by=who or getpass.getuser())
            found = gather.overlaps(opened.study.data, folder, taught)
        # The split is frozen, and what is looked up is held against it, once nothing is open.
        looked_up = [] if found else _knowledge(opened)
    _print(found, leaks.kept(folder), looked_up, as_json=as_json)
    if found:
        raise LeakageError(
            "leaks",
            [f"{len(found)} cases that teach look like cases that judge"],
            "Take them out of what teaches, or rule with --no-leak PAIR --why REASON.",
        )


def _knowledge(opened: Protocol) -> list[Check]:
    """What the arms that look things up find of the cases that judge."""
    measured = opened.splits.measured
    checks = [opened.library.check(name, measured) for name in opened.study.arms]
    return [check for check in checks if check is not None and not check.passed]


def _print(
    found: tuple[Overlap, ...],
    rulings: tuple[Ruling, ...],
    looked_up: list[Check],
    *,
    as_json: bool,
) -> None:
    if as_json:
        print_json({"open": found, "rulings": rulings, "knowledge": looked_up})
        return
    out = Console(highlight=False)
    for hit in found:
        out.print(f"{hit.pair}  {hit.kind:10} {hit.similarity:.2f}  {told(hit)}", markup=False)
    for ruling in rulings:
        said = f"{ruling.other} and {ruling.judged}; {ruling.by}, {ruling.at[:10]}: {ruling.why}"
        out.print(f"{ruling.pair}  no leak ({ruling.kind}): {said}", markup=False)
    for check in looked_up:
        out.print(f"told, not refused: {check.name}: {check.detail}", markup=False)
    if not found:
        console.print(f"Nothing open; {len(rulings)} rulings in {NAME}.", markup=False)
