"""``label`` and ``judges``: people label, and the judge is held against what they said."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from tuneornot import labelling
from tuneornot.cli.progress import console
from tuneornot.cli.working import AsJson, Quiet, ResultsPath, StudyPath, print_json, protocol
from tuneornot.errors import DataError, StudyError
from tuneornot.formats import sheet
from tuneornot.metrics.judges.base import Exhibit, Judged
from tuneornot.protocol import Protocol
from tuneornot.records import SAFETY, Label, Run
from tuneornot.report import terminal
from tuneornot.store.store import Store


def add(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command("label", rich_help_panel="Judges")(label)
    app.command("judges", rich_help_panel="Judges")(judges)


def label(
    path: StudyPath,
    metric: Annotated[
        str | None, typer.Option(help="The judged metric; needed if there are several.")
    ] = None,
    n: Annotated[int, typer.Option("--n", help="Cases to draw; every arm's answer to each.")] = 60,
    seed: Annotated[int, typer.Option(help="Of the draw.")] = 0,
    dataset: Annotated[
        str, typer.Option("--set", help="Of the measured sets, or `attacks` or `lookalikes`.")
    ] = "eval",
    who: Annotated[
        str | None, typer.Option("--as", help="Who labels; your login name by default.")
    ] = None,
    export: Annotated[Path | None, typer.Option(help="Write a CSV sheet to fill in.")] = None,
    filled: Annotated[
        Path | None, typer.Option("--import", help="Read labels from a filled sheet.")
    ] = None,
    results: ResultsPath = None,
    quiet: Quiet = False,
) -> None:
    """Judge some answers yourself, blind to the arm, so that the judge's error becomes known.

    Measures first what is not measured yet. Every label is kept at once: stop when you like, and
    the same command goes on with what you have not labelled.
    """
    if n < 1:
        raise StudyError("label --n", [f"found {n!r}, expected 1 or more"])
    with protocol(path, results, quiet=quiet) as opened:
        arms = _on(opened, dataset)
        judged = _metric(opened, metric, dataset)
        if filled is not None:
            n_kept = _import(opened, judged, arms, filled, who or "")
            console.print(f"kept {n_kept} labels of {judged.name}", markup=False)
            return
        drawn = labelling.drawn(arms, judged, opened.study.baseline, n=n, seed=seed)
        if export is not None:
            sheet.write(export, [_row(exhibit) for exhibit in drawn])
            console.print(f"wrote {export} with {len(drawn)} things to label", markup=False)
            return
        name = who or getpass.getuser()
        _ask(opened.store, judged.name, drawn, name)


def judges(
    path: StudyPath, results: ResultsPath = None, as_json: AsJson = False, quiet: Quiet = False
) -> None:
    """Show how far each judge agrees with the people who labelled, and on what its errors hang."""
    with protocol(path, results, quiet=quiet or as_json) as opened:
        found = opened.calibrations
    if as_json:
        print_json(found)
    elif found:
        terminal.show_judges(found, Console(highlight=False))
    else:
        console.print("No metric of this study is judged by a model.")


def _metric(opened: Protocol, name: str | None, dataset: str) -> Judged:
    known = {one.name: one for one in opened.metrics if isinstance(one, Judged)}
    if dataset in SAFETY.values():
        attacked = opened.team.judged if opened.team else ()
        known = {one.name: one for one in attacked if SAFETY[one.name] == dataset}
    if name is None and len(known) == 1:
        return next(iter(known.values()))
    if name not in known:
        found = "none was named" if name is None else f"found {name!r}"
        raise StudyError("label --metric", [f"{found}, expected one of {[*known]}"])
    return known[name]


def _on(opened: Protocol, dataset: str) -> dict[str, list[Run]]:
    names = [measured.name for measured in opened.splits.measured]
    names += SAFETY.values() if opened.team else ()
    if dataset not in names:
        raise StudyError("label --set", [f"found {dataset!r}, expected one of {names}"])
    whole = opened.team.runs if opened.team and dataset in SAFETY.values() else opened.runs
    return {
        name: [run for run in runs if run.dataset.name == dataset] for name, runs in whole.items()
    }


def _ask(store: Store, metric: str, drawn: Sequence[Exhibit], who: str) -> None:
    """Show one thing after the other until all are labelled or the person stops."""
    done = {one.item for one in store.labels() if one.who == who}
    left = [exhibit for exhibit in drawn if exhibit.item not in done]
    out = Console(highlight=False)
    out.print(f"{len(drawn) - len(left)} of {len(drawn)} are labelled by {who}.", markup=False)
    position = 0
    while position < len(left):
        exhibit = left[position]
        # Kept only when its turn comes: all ties of a draw that is broken off would be too many.
        known = labelling.settled(exhibit)
        if known is not None:
            store.keep_label(Label(item=exhibit.item, metric=metric, who=who, value=known))
            left.pop(position)
            continue
        _show(exhibit, out, f"{position + 1} of {len(left)}")
        said = _line()
        if said in (None, "q"):
            break
        if said == "b":
            position = max(position - 1, 0)
            continue
        try:
            value = labelling.value(exhibit, said)
        except ValueError as fault:
            out.print(str(fault), markup=False)
            continue
        store.keep_label(Label(item=exhibit.item, metric=metric, who=who, value=value))
        position += 1
    ended = "All are labelled." if position == len(left) else "The same command goes on from here."
    out.print(f"{ended} See: tuneornot judges", markup=False)


def _line() -> str | None:
    """What was entered; ``None`` at the end of the input."""
    sys.stdout.write("> ")
    sys.stdout.flush()
    line = sys.stdin.readline()
    return line.strip() if line else None


def _show(exhibit: Exhibit, out: Console, place: str) -> None:
    out.rule(place)
    for title, text in _parts(exhibit):
        out.print(f"[bold]{escape(title)}[/bold]\n{escape(text)}\n")
    out.print(exhibit.task, markup=False)
    for number, level in enumerate(exhibit.levels, start=1):
        out.print(f"  {number}  {level}", markup=False)
    if exhibit.paired:
        keys = "1 the first is better, 2 the second, 0 neither"
    else:
        keys = f"1 to {len(exhibit.levels)}" if exhibit.levels else "a share, 0 to 1 or 85%"
    out.print(f"{keys}; {labelling.PASS} cannot say, b back, q stop", markup=False)


def _parts(exhibit: Exhibit) -> list[tuple[str, str]]:
    """The material as a person sees it: the two answers of a pair in a random order."""
    if not exhibit.paired:
        return list(exhibit.material)
    *shown, (_, first), (_, second) = exhibit.material
    if labelling.is_swapped(exhibit):
        first, second = second, first
    return [*shown, ("first answer", first), ("second answer", second)]


def _row(exhibit: Exhibit) -> dict[str, str]:
    levels = " | ".join(f"{number}: {said}" for number, said in enumerate(exhibit.levels, start=1))
    return {
        "item": exhibit.item,
        "task": exhibit.task,
        "levels": levels,
        **dict(_parts(exhibit)),
        "label": "" if labelling.settled(exhibit) is None else "tie",
    }


def _import(
    opened: Protocol, metric: Judged, arms: Mapping[str, Sequence[Run]], path: Path, who: str
) -> int:
    """Keep the labels of a filled sheet, all of them or none."""
    against = arms[opened.study.baseline][0]
    known = {
        exhibit.item: exhibit
        for name, runs in arms.items()
        for run in runs
        for _, _, exhibit in labelling.shown(
            run, metric, against=None if name == opened.study.baseline else against
        )
    }
    faults, labels = [], []
    for row in sheet.read(path, who=who):
        if row.item not in known:
            faults.append(
                f"line {row.line}: item {row.item!r} is no answer of this study under "
                f"{metric.name!r}; it may be of another metric, or the answers have changed"
            )
            continue
        try:
            value = labelling.value(known[row.item], row.label)
        except ValueError as fault:
            faults.append(f"line {row.line}: {fault}")
            continue
        labels.append(Label(item=row.item, metric=metric.name, who=row.who, value=value))
    if faults:
        raise DataError(str(path), faults, "Nothing was kept: mend the sheet and import it again.")
    for one in labels:
        opened.store.keep_label(one)
    return len(labels)
