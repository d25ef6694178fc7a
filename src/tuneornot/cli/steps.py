"""Commands that measure: ``run`` for the whole protocol, and every step by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console

from tuneornot import feasible, findings
from tuneornot.cli import begin, judged
from tuneornot.cli.progress import console
from tuneornot.cli.working import AsJson, Quiet, ResultsPath, StudyPath, print_json, protocol
from tuneornot.errors import StudyError
from tuneornot.records import Check
from tuneornot.report import schooling, terminal

PANEL = "Measure"
ArmName = Annotated[
    str | None, typer.Option("--arm", help="Only this arm of the study.", metavar="NAME")
]


def add(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command("run", rich_help_panel=PANEL)(run)
    app.command("baseline", rich_help_panel=PANEL)(baseline)
    app.command("finetune", rich_help_panel=PANEL)(finetune)
    app.command("measure", rich_help_panel=PANEL)(measure)
    app.command("stress", rich_help_panel=PANEL)(stress)
    app.command("compare", rich_help_panel=PANEL)(compare)
    app.command("decide", rich_help_panel=PANEL)(decide)


def run(
    path: StudyPath, results: ResultsPath = None, as_json: AsJson = False, quiet: Quiet = False
) -> None:
    """Carry out the whole protocol, from cases to verdict and report.

    Whatever was done before, by this or by another command, is not done again: interrupt it when
    you like and run it again.
    """
    with protocol(path, results, quiet=quiet or as_json) as opened:
        wrong = feasible.faults(opened)
        if wrong:
            raise StudyError(str(path), wrong, "Nothing was spent; `tuneornot check` tells more.")
        # What the cases can show is told before anything is spent on them.
        warnings = (f"warning   {said}" for said in begin.beyond(opened))
        for line in [*begin.told(opened.audit, findings.sizes(opened)), *warnings]:
            opened.listener.say(line)
        found = findings.of(opened)
        written = findings.write(found, opened.results)
        opened.session.rest("write the report")
        found = msgspec.structs.replace(found, phases=findings.phases(opened))
    if as_json:
        print_json(found.verdicts)
    else:
        terminal.show(found, Console(highlight=False), report=written)


def baseline(
    path: StudyPath,
    results: ResultsPath = None,
    arm: ArmName = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Engineer the prompt of every arm that has a search budget (step 2); prints the ledger."""
    with protocol(path, results, quiet=quiet or as_json) as opened:
        ledgers = {
            name: opened.search(name)
            for name, plan in opened.study.arms.items()
            if plan.search is not None and arm in (None, name)
        }
    if as_json:
        print_json(ledgers)
        return
    out = Console(highlight=False)
    for name, ledger in ledgers.items():
        further = (
            f"; twice the effort would probably help by about {ledger.gain:.3f}"
            if ledger.gain is not None
            else ""
        )
        out.print(
            f"{name}: best of {len(ledger.candidates)} candidates is {ledger.best!r}, "
            f"{ledger.metric} {ledger.dev_mean:.3f} on dev (of which about {ledger.luck:.3f} is "
            f"luck of selection), after {ledger.n_calls} calls and {ledger.seconds:.0f} s; "
            f"ended: {ledger.ended}{further}",
            markup=False,
        )
        for note in ledger.notes:
            out.print(f"  {note}", markup=False)
    if not ledgers:
        console.print("No arm of this study has a search budget.")


def finetune(
    path: StudyPath,
    results: ResultsPath = None,
    arm: ArmName = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train every arm that is to be tuned, one adapter for each seed (step 4), and check it.

    Models that were tuned elsewhere are checked too.
    """
    with protocol(path, results, quiet=quiet or as_json) as opened:
        adapters = {
            name: opened.adapters(name)
            for name, plan in opened.study.arms.items()
            if plan.tune is not None and arm in (None, name)
        }
        searches = {name: opened.trials(name) for name in adapters}
        elsewhere = [*opened.elsewhere.brought, *opened.elsewhere.hosted]
        brought = {name: opened.elsewhere.proof(name) for name in elsewhere if arm in (None, name)}
        served = {name: ", ".join(one.model for one in opened.arms(name)) for name in brought}
    if as_json:
        print_json({**adapters, **brought})
        return
    out = Console(highlight=False)
    for name, trained in adapters.items():
        for said in schooling.trials(searches[name]):
            out.print(f"{name}: {said}", markup=False)
        for adapter in trained:
            out.print(f"{name}, seed {adapter.seed}: {adapter.path}", markup=False)
            _print_checks(out, adapter.checks)
    for name, checks in brought.items():
        out.print(f"{name}: tuned elsewhere, {served[name]}", markup=False, soft_wrap=True)
        _print_checks(out, checks)
    if not adapters and not brought:
        console.print("No arm of this study is tuned.")


def _print_checks(out: Console, checks: Sequence[Check]) -> None:
    for check in checks:
        failed = "FAIL" if check.blocking else "note"
        mark = {True: "ok  ", False: failed, None: "?   "}[check.passed]
        out.print(f"  {mark} {check.name}: {check.detail}", markup=False, soft_wrap=True)


def measure(
    path: StudyPath, results: ResultsPath = None, as_json: AsJson = False, quiet: Quiet = False
) -> None:
    """Measure every arm on the frozen cases (steps 3 and 5); prints the means."""
    with protocol(path, results, quiet=quiet or as_json) as opened:
        levels = findings.levels(opened)
    if as_json:
        print_json(levels)
        return
    out = Console(highlight=False)
    for row in levels:
        out.print(
            f"{row.arm:12} {row.dataset:12} {row.metric:16} {row.mean:.4f}  "
            f"({row.n_scored} scored, {row.n_unscored} not)",
            markup=False,
        )


def stress(
    path: StudyPath, results: ResultsPath = None, as_json: AsJson = False, quiet: Quiet = False
) -> None:
    """Ask every arm the eval cases in other ways (step 5) and print what each arm loses by it."""
    with protocol(path, results, quiet=quiet or as_json) as opened:
        if opened.study.stress is None and not opened.study.data.sets:
            raise StudyError(
                str(path),
                ["stress: missing, and there are no other sets to lose anything on"],
                "Name perturbations, such as `stress: {perturbations: [typos, casing]}`; "
                "docs/concepts/stress.md lists them.",
            )
        comparisons = opened.comparisons
        perturbed = [each.told for each in opened.changed]
        primary = opened.study.decide.primary
    if as_json:
        drops = {each.candidate: each.drops for each in comparisons}
        print_json({"perturbed": perturbed, "drops": drops})
    else:
        terminal.show_stress(comparisons, perturbed, primary, Console(highlight=False))


def compare(
    first: Annotated[
        Path, typer.Argument(metavar="STUDY|BASELINE", help="A study, or a file of scores.")
    ],
    second: Annotated[
        Path | None, typer.Argument(metavar="[CANDIDATE]", help="The other file of scores.")
    ] = None,
    margin: Annotated[
        float, typer.Option(help="For two files: the gain that has to be exceeded.")
    ] = 0.0,
    alpha: Annotated[float, typer.Option(help="For two files: error rate.")] = 0.05,
    results: ResultsPath = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Compare the arms of a study (step 6), or two files of scores of any origin.

    A file of scores is JSONL or CSV with rows case_id, score and, if you have them, metric, repeat
    and group. Nothing is run for it: anybody's results can be judged.
    """
    if second is not None:
        judged.files(first, second, margin=margin, alpha=alpha, as_json=as_json)
        return
    if first.suffix in (".csv", ".jsonl", ".parquet"):
        raise StudyError(
            "compare",
            [f"found one file of scores, {str(first)!r}; expected a study or two files of scores"],
            "Give the baseline's file, then the candidate's.",
        )
    with protocol(first, results, quiet=quiet or as_json) as opened:
        comparisons = opened.comparisons
    if as_json:
        print_json(comparisons)
        return
    for comparison in comparisons:
        terminal.show_comparison(comparison, Console(highlight=False))


def decide(
    path: StudyPath, results: ResultsPath = None, as_json: AsJson = False, quiet: Quiet = False
) -> None:
    """Apply the study's rule (step 7), measuring first what is not measured yet."""
    with protocol(path, results, quiet=quiet or as_json) as opened:
        found = findings.of(opened)
    if as_json:
        print_json(found.verdicts)
    else:
        terminal.show(found, Console(highlight=False))
