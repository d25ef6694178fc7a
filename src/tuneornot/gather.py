"""Step 1 as a study plans it: its files to one frozen split, the same one at every command.

The split is made anew each time from the plan and held against the manifest that the first time
wrote: what the verdict rests on cannot move while results stand. It can grow: each file of ``more``
is added to eval as a whole and frozen in a manifest of its own, beside the first one.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from tuneornot import dataset, fingerprint, leaks
from tuneornot.cases.hold_out import drawn
from tuneornot.cases.rarity import FactsPlan, counts
from tuneornot.errors import DataError, LeakageError
from tuneornot.formats import manifest as manifests
from tuneornot.formats.manifest import Manifest
from tuneornot.records import Case, Dataset, Json, Overlap, Splits
from tuneornot.study import DataPlan

PARTS = ("train", "dev", "eval")
MOST_FAULTS = 10
"""Cases without a number that are named; a wrong column would name all."""
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
    gathered = _gathered(data, folder)
    splits, made = gathered.splits, gathered.made
    looked = _Looked(data, folder)
    looked.refuse(splits, manifest)
    if manifest.exists():
        splits = dataset.read_manifest(manifest, made, *gathered.sources, extra=splits.extra)
    else:
        dataset.write_manifest(made, manifest)
    further = [_read(data, folder, file, "eval") for file in data.more]
    _refuse_other_order(data.more, further, manifest)
    for number, more in enumerate(further, start=2):
        splits = _verified(_grown(splits, more), looked, _of_more(manifest, number))
    return splits


def overlaps(
    data: DataPlan, folder: Path, taught: Mapping[str, Sequence[Case]]
) -> tuple[Overlap, ...]:
    """Everything that looks like a leak and was not let pass, in all files of a study.

    Args:
        data: the plan.
        folder: where its relative paths start.
        taught: what taught models that were tuned elsewhere, by name.

    Raises:
        DataError: a fault of a file, or too few cases.
        ModelError: the embedding failed.
    """
    splits = _gathered(data, folder).splits
    for file in data.more:
        splits = _grown(splits, _read(data, folder, file, "eval"))
    elsewhere = [Dataset(name=name, cases=tuple(cases)) for name, cases in taught.items()]
    return _Looked(data, folder).overlaps(splits, elsewhere)


class _Gathered(NamedTuple):
    """The split as files and plan make it now."""

    splits: Splits
    made: Manifest
    sources: tuple[Dataset, ...]
    """Where its cases are from: one file, or one for each part."""


def _gathered(data: DataPlan, folder: Path) -> _Gathered:
    extra = [_read(data, folder, file, name) for name, file in data.extra.items()]
    if data.cases is None:
        train, dev, judged = (_read(data, folder, getattr(data, name), name) for name in PARTS)
        splits = dataset.given(train=train, dev=dev, eval=judged, extra=extra)
        return _Gathered(splits, dataset.manifest(splits), (train, dev, judged))
    plan = data.split
    source, held = _held_out(data, folder / data.cases)
    splits = dataset.split(
        source,
        eval=plan.eval,
        dev=plan.dev,
        train=plan.train,
        by=plan.by,
        seed=plan.seed,
        extra=[*extra, *held],
    )
    made = dataset.manifest(splits, source=source, by=plan.by, seed=plan.seed)
    return _Gathered(splits, made, (source,))


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


class _Looked:
    """The search for leaks, on a study's terms; what was found clean is not searched again."""

    def __init__(self, data: DataPlan, folder: Path) -> None:
        self._also = [_read(data, folder, file, name) for name, file in data.taught.items()]
        self._groups = data.split.by == "group"
        self._terms = leaks.terms(data, folder)

    def overlaps(self, splits: Splits, elsewhere: Sequence[Dataset] = ()) -> tuple[Overlap, ...]:
        """What looks like a leak."""
        also = [*self._also, *elsewhere]
        return dataset.overlaps(splits, also=also, groups=self._groups, terms=self._terms)

    def refuse(self, splits: Splits, manifest: Path) -> None:
        """Pass only what is clean, and note it: a search may take minutes, or cost money.

        Raises:
            LeakageError: something is not.
        """
        noted = manifest.with_suffix(".clean")
        searched = [splits, *self._also]
        marks = [each.fingerprint for each in searched]
        mark = fingerprint.of([*marks, self._groups, leaks.mark(self._terms)])
        if noted.exists() and noted.read_text(encoding="utf-8") == mark:
            return
        groups, terms = self._groups, self._terms
        dataset.refuse_overlap(splits, also=self._also, groups=groups, terms=terms)
        # The manifest beside it tells of a folder that cannot be written; this only saves time.
        with contextlib.suppress(OSError):
            noted.write_text(mark, encoding="utf-8")


def _grown(splits: Splits, more: Dataset) -> Splits:
    """The splits with further eval cases."""
    held = {case.id for part in (splits.train, splits.dev, splits.eval) for case in part.cases}
    again = [case.id for case in more.cases if case.id in held]
    if again:
        fault = f"{len(again)} of its cases have the id of a case that is there: {again[:5]}"
        raise DataError("data.more", [fault], "Give ids of their own to cases that are new.")
    cases = (*splits.eval.cases, *more.cases)
    return msgspec.structs.replace(splits, eval=Dataset(name="eval", cases=cases))


def _refuse_other_order(files: Sequence[str], further: Sequence[Dataset], manifest: Path) -> None:
    """Each file must stand where it stood when its cases were added.

    Raises:
        DataError: another file stands there, and the one that stood there stands elsewhere.
    """
    held = set(manifests.read(manifest).parts["eval"].cases)
    ids = [{case.id for case in more.cases} for more in further]
    for number, file in enumerate(files, start=2):
        frozen = _of_more(manifest, number)
        if not frozen.exists():
            return
        before, held = held, set(manifests.read(frozen).parts["eval"].cases)
        added = held - before
        meant = [other for other, own in zip(files, ids, strict=True) if own & added]
        if meant and file not in meant:
            fault = f"found {file!r} as file {number - 1}, where {meant[0]!r} was when it was added"
            advice = "Name files in the order in which they were added, new ones last."
            raise DataError("data.more", [fault], advice)


def _of_more(manifest: Path, number: int) -> Path:
    """The manifest of eval once it had grown so often, beside the first one."""
    return manifest.with_stem(f"{manifest.stem}-{number}")


def _verified(grown: Splits, looked: _Looked, manifest: Path) -> Splits:
    """Grown splits, refused or frozen like the first ones."""
    looked.refuse(grown, manifest)
    made = dataset.manifest(grown)
    if manifest.exists():
        parts = (grown.train, grown.dev, grown.eval)
        return dataset.read_manifest(manifest, made, *parts, extra=grown.extra)
    dataset.write_manifest(made, manifest)
    return grown


def rarity(facts: FactsPlan, data: DataPlan, folder: Path, splits: Splits) -> dict[str, float]:
    """By eval case how often train teaches it, or what a column holds; without it left out.

    Raises:
        DataError: no row has the column, or it holds no number for some case.
    """
    if facts.column is None:
        return counts(splits.eval.cases, splits.train.cases, facts.count or "expected")
    file = folder / (data.cases or data.eval or "")
    values = dataset.column(
        file, facts.column, dataset.read(file, fields=data.fields, name="cases").cases
    )
    held = {case.id: values.get(case.id) for case in splits.eval.cases}
    found = {case_id: _number(value) for case_id, value in held.items() if value is not None}
    faults = [
        f"{facts.column}: case {case_id!r} has {held[case_id]!r}, expected a number"
        for case_id, value in found.items()
        if value is None
    ]
    if faults:
        raise DataError(str(file), faults[:MOST_FAULTS], "Mend the column, or name another one.")
    return {case_id: value for case_id, value in found.items() if value is not None}


def _number(value: Json) -> float | None:
    """A finite number, also one that is written as a text; else ``None``."""
    try:
        number = float(value) if isinstance(value, str | int | float) else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def refuse_taught(
    splits: Splits, taught: Sequence[Case], arm: str, *, data: DataPlan, folder: Path
) -> None:
    """Eval cases must not stand in what a model was trained on that was tuned elsewhere.

    Raises:
        LeakageError: a row of its training file is, in effect, a case that judges.
    """
    judging = msgspec.structs.replace(
        splits,
        train=Dataset(name=trained_on(arm), cases=tuple(taught)),
        dev=Dataset(name="dev", cases=()),
    )
    terms = leaks.terms(data, folder)
    found = dataset.overlaps(judging, groups=data.split.by == "group", terms=terms)
    if found:
        advice = "Bring a model that was trained without them, or judge on cases that it never saw."
        raise LeakageError("overlap", [dataset.told(hit) for hit in found], advice)


def trained_on(arm: str) -> str:
    """What the training file of a model that was tuned elsewhere is called among the sets."""
    return f"arms.{arm}.tuned.trained_on"


def _read(data: DataPlan, folder: Path, file: str, name: str) -> Dataset:
    return dataset.read(folder / file, fields=data.fields, name=name)
