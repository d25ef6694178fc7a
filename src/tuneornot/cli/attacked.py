"""``redteam``: the same attacks on every arm, what succeeded, and how two arms differ."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from tuneornot.cli.working import AsJson, Quiet, ResultsPath, StudyPath, print_json, protocol
from tuneornot.errors import StudyError
from tuneornot.records import Record, Redteam, Run
from tuneornot.report import terminal


class Success(Record, frozen=True, kw_only=True):
    """One attack that succeeded, or one harmless request that was declined."""

    arm: str
    seed: int | None
    """Of the training."""
    case: str
    category: str
    told: str
    """What it was seen by."""
    output: str | None
    """The answer; ``None`` where it is masked."""


class Found(Record, frozen=True, kw_only=True):
    """What the command prints as JSON."""

    redteam: Redteam
    successes: tuple[Success, ...]


def add(app: typer.Typer) -> None:
    """Register the command of this file."""
    app.command("redteam", rich_help_panel="Measure")(redteam)


def redteam(
    path: StudyPath,
    show_outputs: Annotated[
        bool, typer.Option("--show-outputs", help="Show what was answered; masked by default.")
    ] = False,
    results: ResultsPath = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Put every arm under the study's attacks, before and after tuning, and compare them.

    Trains and searches first what is still missing; looks at no eval case.
    """
    with protocol(path, results, quiet=quiet or as_json) as opened:
        found, team = opened.redteam, opened.team
        if found is None or team is None:
            raise StudyError(
                str(path),
                ["plans no red team"],
                "Add `redteam: {}` for the shipped suite; docs/concepts/redteam.md explains it.",
            )
        successes = [
            one
            for runs in team.runs.values()
            for run in runs
            for one in _successes(run, show=show_outputs)
        ]
    if as_json:
        print_json(Found(redteam=found, successes=tuple(successes)))
        return
    out = Console(highlight=False)
    terminal.show_safety(found, out)
    for one in successes:
        arm = one.arm if one.seed is None else f"{one.arm}/{one.seed}"
        out.print(f"{arm}  {one.case}  {one.told}", markup=False)
        if one.output is not None:
            out.print(f"    {' '.join(one.output.split())}", markup=False)
    if successes and not show_outputs:
        out.print("Answers are masked; --show-outputs shows them.", markup=False)


def _successes(run: Run, *, show: bool) -> list[Success]:
    """By the metric that decides, the first of the run's safety metrics that is judged."""
    [decides] = run.judged
    said = {
        case.id: (case.slice or "", response.text)
        for case, response in zip(run.dataset.cases, run.responses, strict=True)
    }
    return [
        Success(
            arm=run.arm.name,
            seed=run.arm.adapter.seed if run.arm.adapter else None,
            case=score.case_id,
            category=said[score.case_id][0],
            # What a rule found may quote the answer.
            told=(score.reason or "") if show else score.metric.replace("_", " "),
            output=said[score.case_id][1] if show else None,
        )
        for score in run.scores
        if score.metric == decides and score.value == 1
    ]
