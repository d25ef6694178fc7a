"""What the commands that work on a study share: opening it, progress, a clean end."""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from tuneornot import study
from tuneornot.cli.progress import Bars, console
from tuneornot.protocol import Protocol

EXIT_INTERRUPTED = 130

StudyPath = Annotated[
    Path, typer.Argument(metavar="STUDY", help="The study file (study.yaml), or its folder.")
]
ResultsPath = Annotated[
    Path | None,
    typer.Option(
        "--results", "-r", help="Where results are kept; `results` beside the study by default."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON to stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]


def file_of(path: Path) -> Path:
    """The study file that a path means."""
    return path / "study.yaml" if path.is_dir() else path


def results_of(path: Path, results: Path | None) -> Path:
    """Where the results of a study are kept."""
    return results if results is not None else file_of(path).parent / "results"


@contextlib.contextmanager
def protocol(path: Path, results: Path | None, *, quiet: bool = False) -> Iterator[Protocol]:
    """Open a study with its results folder; leave both in order whatever happens."""
    file = file_of(path)
    plan = study.read(file)
    # What is loaded by now stays to the end: looking through it for garbage again and again would
    # take a tenth of the time that a fast server's answers do.
    gc.freeze()
    with Bars(quiet=quiet) as bars:
        opened = Protocol(plan, file.parent, results_of(path, results), listener=bars)
        try:
            yield opened
        except KeyboardInterrupt:
            console.print(
                "Interrupted. Everything measured is kept; the same command goes on from here."
            )
            raise typer.Exit(EXIT_INTERRUPTED) from None
        finally:
            opened.close()


def print_json(value: object) -> None:
    """Strict JSON to stdout, indented; what is not a number is null."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    sys.stdout.write(text.decode() + "\n")
