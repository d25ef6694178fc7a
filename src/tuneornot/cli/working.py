"""What the commands that work on a study share: opening it, progress, a clean end."""

from __future__ import annotations

import contextlib
import gc
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated

import msgspec
import typer

from tuneornot import BEGUN, study
from tuneornot.cli.progress import Bars, console
from tuneornot.protocol import Protocol

EXIT_INTERRUPTED, EXIT_TERMINATED = 130, 143

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


class Terminated(KeyboardInterrupt):
    """SIGTERM: whoever ends this process wants what Ctrl-C wants."""


@contextlib.contextmanager
def _hearing() -> Iterator[None]:
    """SIGTERM ends the work as Ctrl-C does, in place of ending the process on the spot."""

    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated

    if threading.current_thread() is not threading.main_thread():
        yield  # no place to hear signals in
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def protocol(path: Path, results: Path | None, *, quiet: bool = False) -> Iterator[Protocol]:
    """Open a study with its results folder; leave both in order whatever happens."""
    file = file_of(path)
    plan = study.read(file)
    # What is loaded by now stays to the end: looking through it for garbage again and again would
    # take a tenth of the time that a fast server's answers do.
    gc.freeze()
    with _hearing(), Bars(quiet=quiet) as bars:
        opened = Protocol(plan, file.parent, results_of(path, results), listener=bars)
        opened.session.begun = BEGUN
        try:
            yield opened
        except KeyboardInterrupt as signalled:
            told = isinstance(signalled, Terminated)
            console.print(
                f"{'Terminated' if told else 'Interrupted'}. Everything measured is kept; the same "
                "command goes on from here.",
                soft_wrap=True,
            )
            raise typer.Exit(EXIT_TERMINATED if told else EXIT_INTERRUPTED) from None
        finally:
            opened.close()


def print_json(value: object) -> None:
    """Strict JSON to stdout, indented; what is not a number is null."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2)
    sys.stdout.write(text.decode() + "\n")
