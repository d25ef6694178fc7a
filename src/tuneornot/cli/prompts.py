"""Command for prompts: ``prompt`` prints an arm's, keeps it as a file, or compares it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tuneornot.cli import looks
from tuneornot.cli.progress import console
from tuneornot.cli.working import AsJson, Quiet, ResultsPath, StudyPath, print_json, protocol
from tuneornot.errors import StoreError, StudyError
from tuneornot.formats import promptfile
from tuneornot.protocol import Protocol
from tuneornot.records import Prompt


def add(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command("prompt", rich_help_panel=looks.PANEL)(prompt)


def prompt(
    path: StudyPath,
    arm: Annotated[
        str | None, typer.Option("--arm", metavar="NAME", help="Whose; the baseline's by default.")
    ] = None,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write it to this new file.")
    ] = None,
    diff: Annotated[
        str | None,
        typer.Option(
            "--diff",
            metavar="OTHER",
            help="What differs from it in OTHER: an arm, a prompt file, or a folder of a study.",
        ),
    ] = None,
    results: ResultsPath = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Show the prompt of an arm as YAML; engineers it first if that was not done.

    What is printed is a prompt file: another study takes it by `arms.NAME.prompt`.
    """
    with protocol(path, results, quiet=quiet or as_json) as opened:
        name = _named(opened, arm)
        mine = opened.prompt(name)
        text = promptfile.written(mine, about=_about(opened, name))
        if diff is not None:
            other = _other(opened, name, diff)
            text = promptfile.difference(mine, other, (name, diff))
    if to is not None:
        _write(text, to)
    elif as_json and diff is None:
        print_json(mine)
    else:
        sys.stdout.write(text)


def _named(opened: Protocol, arm: str | None) -> str:
    arms = opened.study.arms
    if arm is not None and arm not in arms:
        raise StudyError("--arm", [f"found {arm!r}, which is no arm; arms are {[*arms]}"])
    return arm or opened.study.baseline


def _about(opened: Protocol, arm: str) -> str:
    """Where a prompt comes from, in a line."""
    plan = opened.study.arms[arm]
    told = f"the prompt of {arm} in {opened.study.study}, for {plan.model}"
    if plan.search is None:
        return f"{told}; not engineered"
    ledger = opened.search(arm)
    return (
        f"{told}; best of {len(ledger.candidates)} tried, {ledger.metric} {ledger.dev_mean:.3f} "
        f"on dev"
    )


def _other(opened: Protocol, arm: str, named: str) -> Prompt:
    """The prompt that an arm, a folder of a study or a prompt file means."""
    if named in opened.study.arms:
        return opened.prompt(named)
    path = Path(named)
    if not path.is_dir():
        return promptfile.read(path)
    with protocol(path, None, quiet=True) as other:
        return other.prompt(arm if arm in other.study.arms else other.study.baseline)


def _write(text: str, file: Path) -> None:
    try:
        with file.open("x", encoding="utf-8", newline="") as opened:
            opened.write(text)
    except FileExistsError as error:
        raise StoreError(
            f"{str(file)!r} is there already, and nothing is overwritten. Name a new file."
        ) from error
    except OSError as error:
        raise StoreError(
            f"{str(file)!r} cannot be written: {error.strerror}. Name a place that can be."
        ) from error
    console.print(f"wrote {file}", markup=False)
