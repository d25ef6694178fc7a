"""Step 1 as a study plans it: its files to one frozen split, the same one at every command.

The split is made anew each time from the plan and held against the manifest that the first time
wrote: what the verdict rests on cannot move while results stand. It can grow: each file of ``more``
is added to eval as a whole and frozen in a manifest of its own, beside the first one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from tuneornot import dataset
from tuneornot.cases.hold_out import drawn
from tuneornot.errors import DataError, LeakageError
from tuneornot.records import Case, Dataset, Splits
from tuneornot.study import DataPlan

PARTS = ("train", "dev", "eval")
FEWEST_HELD = 2
"""Held-out cases below which nothing can be compared."""


def frozen(data: DataPlan, folder: Path, manifest: Path) -> Splits:
    """Read, split or take as given, refuse overlap, and freeze.

    Args:
        data: the plan.
        folder: where its relative paths start.
        manifest: ``splits.json``; written the first time, verified afterwards.

    Raises:
        DataError: a fault of a file, too few cases, or cases or rule differ from the manifest.
        LeakageError: eval cases overlap with what teaches.
        StoreError: the manifest cannot be written.
    """
    extra = [_read(data, folder, file, name) for name, file in data.extra.items()]
    if data.cases is None:
        sources: Sequence[Dataset] = [
            _read(data, folder, getattr(data, name), name) for name in PARTS
        ]
        train, dev, judged = sources
        splits = dataset.given(train=train, dev=dev, eval=judged, extra=extra)
        made = dataset.manifest(splits)
    else:
        plan = data.split
        source, held = _held_out(data, folder / data.cases)
        extra += held
        sources = [source]
        splits = dataset.split(
            source,
            eval=plan.eval,
            dev=plan.dev,
            train=plan.train,
            by=plan.by,
            seed=plan.seed,
            extra=extra,
        )
        made = dataset.manifest(splits, source=source, by=plan.by, seed=plan.seed)
    groups = data.split.by == "group"
    dataset.refuse_overlap(splits, groups=groups)
    if manifest.exists():
        splits = dataset.read_manifest(manifest, made, *sources, extra=extra)
    else:
        dataset.write_manifest(made, manifest)
    for number, file in enumerate(data.more, start=2):
        more = _read(data, folder, file, "eval")
        splits = _grown(splits, more, manifest.with_stem(f"{manifest.stem}-{number}"), groups)
    return splits


def _held_out(data: DataPlan, file: Path) -> tuple[Dataset, list[Dataset]]:
    """The cases that are split, and each set of those that are held out."""
    whole = dataset.read(file, fields=data.fields, name="cases")
    left, held = whole.cases, []
    for name, plan in data.split.hold_out.items():
        values = {} if plan.column is None else dataset.column(file, plan.column, whole.cases)
        found = [case for case in left if plan.holds(case, values.get(case.id))]
        if len(found) < FEWEST_HELD:
            fault = f"split.hold_out.{name}: {len(found)} cases are of it, expected 2 or more"
            raise DataError(str(file), [fault], "Correct the slice or the range; see `check`.")
        ids = {case.id for case in found}
        left = tuple(case for case in left if case.id not in ids)
        held.append(Dataset(name=name, cases=drawn(found, plan.cases, data.split.seed)))
    return Dataset(name="cases", cases=left), held


def _grown(splits: Splits, more: Dataset, manifest: Path, groups: bool) -> Splits:
    """The splits with further eval cases, verified like the first ones."""
    held = {case.id for part in (splits.train, splits.dev, splits.eval) for case in part.cases}
    again = [case.id for case in more.cases if case.id in held]
    if again:
        fault = f"{len(again)} of its cases have the id of a case that is there: {again[:5]}"
        raise DataError("data.more", [fault], "Give ids of their own to cases that are new.")
    cases = (*splits.eval.cases, *more.cases)
    grown = msgspec.structs.replace(splits, eval=Dataset(name="eval", cases=cases))
    dataset.refuse_overlap(grown, groups=groups)
    made = dataset.manifest(grown)
    if manifest.exists():
        parts = (grown.train, grown.dev, grown.eval)
        return dataset.read_manifest(manifest, made, *parts, extra=grown.extra)
    dataset.write_manifest(made, manifest)
    return grown


def refuse_taught(splits: Splits, taught: Sequence[Case], arm: str, *, groups: bool) -> None:
    """Eval cases must not stand in what a model was trained on that was tuned elsewhere.

    Raises:
        LeakageError: a row of its training file is, in effect, a case that judges.
    """
    judging = msgspec.structs.replace(
        splits,
        train=Dataset(name=f"arms.{arm}.tuned.trained_on", cases=tuple(taught)),
        dev=Dataset(name="dev", cases=()),
    )
    found = dataset.overlaps(judging, groups=groups)
    if found:
        advice = "Bring a model that was trained without them, or judge on cases that it never saw."
        raise LeakageError("overlap", [dataset.told(hit) for hit in found], advice)


def _read(data: DataPlan, folder: Path, file: str, name: str) -> Dataset:
    return dataset.read(folder / file, fields=data.fields, name=name)
