"""The command line: one command for the whole protocol, one for each step by itself.

Data go to stdout, words to stderr. A wrong input ends in one sentence and a documented exit code;
Ctrl-C ends cleanly, and the same command goes on from there.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from tuneornot import __version__
from tuneornot.cli import (
    attacked,
    begin,
    costs,
    estimate,
    fields,
    jobs,
    labels,
    leaks,
    looks,
    prompts,
    steps,
)
from tuneornot.cli.progress import console
from tuneornot.errors import TuneornotError

EPILOG = (
    "Exit codes: 0 done, 1 unexpected, 2 wrong input, 3 budget ended, 4 eval cases leaked, "
    "5 model or training failed, 6 results cannot be kept, 130 interrupted, 143 terminated."
)

app = typer.Typer(
    name="tuneornot",
    help=(
        "Should a language model be fine-tuned for your job, or is a well-engineered prompt "
        "enough? Measured on your own cases, with a verdict whose error rates are known.\n\n"
        "Start with: tuneornot init legal-citations demo, then: tuneornot run demo/study.yaml"
    ),
    epilog=EPILOG,
    no_args_is_help=True,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _whole(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True)
    ] = False,
) -> None:
    if version:
        sys.stdout.write(f"tuneornot {__version__}\n")
        raise typer.Exit


for part in (begin, fields, leaks, estimate, steps, jobs, attacked, looks, costs, labels, prompts):
    part.add(app)


def main() -> None:
    """Run the command line; the process leaves with the exit code."""
    try:
        app()
    except TuneornotError as error:
        console.print(f"[red]error[/red] {type(error).__name__}:", end=" ")
        console.print(str(error), markup=False, soft_wrap=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader of a pipe has gone (``| head``): no error, but nothing more to write.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
