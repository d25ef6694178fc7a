"""Step 1: gather cases, audit them, split them, refuse overlap.

    cases = dataset.read(Path("cases.jsonl"))
    dataset.audit(cases, worthwhile=0.05).warnings
    splits = dataset.split(cases, eval=100, dev=60, by="group", seed=7)
    dataset.refuse_overlap(splits)

It reads and divides; it asks no model and scores nothing. What makes two cases alike is defined in
``cases.likeness``, how files are read in ``formats``.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from tuneornot import fingerprint
from tuneornot.cases import overlap
from tuneornot.cases import split as division
from tuneornot.cases.likeness import normalised
from tuneornot.cases.searches import Terms
from tuneornot.errors import DataError, LeakageError
from tuneornot.formats import casefile, rows
from tuneornot.formats import manifest as manifests
from tuneornot.formats.manifest import Manifest
from tuneornot.records import Audit, Case, Dataset, Json, Overlap, Splits
from tuneornot.stats import planning

FEWEST = 10
"""Cases below which nothing can be split."""
LEAST_CLAIM = 50
"""Cases below which an eval set shows only very large differences."""
LEAST_SLICE = 10
"""Cases below which nothing can be said of a slice."""
LEAST_GROUPS = 10
"""Groups below which intervals that respect them cannot be trusted."""
DISAGREEMENT = 0.2
"""Share of cases on which two arms are taken to disagree before anything was measured."""


def read(
    path: Path, *, fields: Mapping[str, str] | None = None, name: str | None = None
) -> Dataset:
    """Read cases from JSONL, CSV or Parquet.

    Args:
        path: the file.
        fields: case field to column where the names differ; dots lead into nested columns.
        name: of the dataset; the file's name without its ending where it is left out.

    Raises:
        DataError: every fault of the file with its place, what was found and what was expected.
    """
    faults: list[str] = []
    found = rows.read(path, faults)
    cases = casefile.cases(found, fields or {}, faults)
    if faults:
        raise DataError(str(path), faults, "Mend these rows; docs/concepts/cases.md has examples.")
    return Dataset(name=name or path.stem, cases=tuple(cases))


def column(path: Path, name: str, cases: Sequence[Case]) -> dict[str, Json]:
    """What stands in a column of a file that was read to cases, by case id.

    Args:
        path: the file.
        name: of the column; dots lead into nested ones.
        cases: as ``read`` gave them from this file.

    Raises:
        DataError: no row has the column.
    """
    found = rows.read(path, [])
    values = [casefile.at(row.values, name) for row in found]
    if all(value is casefile.ABSENT for value in values):
        fault = f"no row has the column {name!r}; columns are {casefile.names(found)}"
        raise DataError(str(path), [fault], "Name one of them.")
    return {
        case.id: None if value is casefile.ABSENT else value
        for case, value in zip(cases, values, strict=True)
    }


def audit(dataset: Dataset, *, worthwhile: float | None = None, alpha: float = 0.05) -> Audit:
    """What is known of a dataset before any money is spent, with warnings in sentences.

    Args:
        dataset: the cases, best of all those of the eval set.
        worthwhile: the smallest gain that the study wants to show.
        alpha: of the study's test.
    """
    cases = dataset.cases
    asked: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in cases:
        asked[normalised(case.text), normalised(case.context or "")].append(case)
    repeated = [same for same in asked.values() if len(same) > 1]
    differing = [same for same in repeated if len({_answer(case) for case in same}) > 1]
    grouped = any(case.group is not None for case in cases)
    n_groups = len({case.group or ("alone", case.id) for case in cases}) if grouped else None
    known = any(case.expected is not None for case in cases)
    found = Audit(
        dataset=dataset.name,
        n=len(cases),
        n_groups=n_groups,
        duplicates=tuple(tuple(case.id for case in same) for same in repeated),
        conflicts=tuple(tuple(case.id for case in same) for same in differing),
        empty=tuple(case.id for case in cases if _empty(case, known)),
        slices=dict(Counter(case.slice or "" for case in cases)),
        input_characters=_lengths([len(case.text) + len(case.context or "") for case in cases]),
        answer_characters=_lengths(
            [len(case.answer) for case in cases if case.expected is not None]
        ),
        detectable=planning.detectable(max(1, len(cases)), disagreement=DISAGREEMENT, alpha=alpha),
        n_wanted=planning.cases_needed(worthwhile, disagreement=DISAGREEMENT, alpha=alpha)
        if worthwhile
        else None,
    )
    return msgspec.structs.replace(found, warnings=_warnings(found, worthwhile, known))


def split(
    dataset: Dataset,
    *,
    eval: int | float,
    dev: int | float,
    train: int | float | None = None,
    by: Literal["case", "group"] = "case",
    seed: int = 0,
    extra: Sequence[Dataset] = (),
) -> Splits:
    """Divide a dataset; the same cases and seed give the same split whatever the rows' order.

    Cases that ask the same question after normalisation always stay on one side, and with
    ``by="group"`` so does every group; sizes are then as near to what was asked as whole blocks
    allow. Slices are spread in proportion.

    Args:
        dataset: what is divided.
        eval: cases for the verdict: a count, or a share below 1.
        dev: cases for the prompt search and the training's dev loss, likewise.
        train: cases that teach, likewise; ``None`` for all that remain.
        by: what must not be torn apart.
        seed: of the drawing.
        extra: further evaluation sets, passed through.

    Raises:
        DataError: there are too few cases for what is asked.
    """
    sizes = _sizes(dataset, eval, dev, train)
    parts = division.blocks(dataset.cases, by_group=by == "group")
    rest = division.order(parts, seed)
    made: dict[str, Dataset] = {}
    for name, size in sizes.items():
        taken, rest = division.take(rest, size)
        made[name] = Dataset(name=name, cases=tuple(case for block in taken for case in block))
        if not taken:
            raise _too_coarse(dataset, name, size, parts, by)
    return Splits(train=made["train"], dev=made["dev"], eval=made["eval"], extra=tuple(extra))


def given(*, train: Dataset, dev: Dataset, eval: Dataset, extra: Sequence[Dataset] = ()) -> Splits:
    """A split that exists already, from separate files; the parts get the split's names."""
    return Splits(
        train=msgspec.structs.replace(train, name="train"),
        dev=msgspec.structs.replace(dev, name="dev"),
        eval=msgspec.structs.replace(eval, name="eval"),
        extra=tuple(extra),
    )


def manifest(
    splits: Splits,
    *,
    source: Dataset | None = None,
    by: Literal["case", "group"] | None = None,
    seed: int | None = None,
) -> Manifest:
    """What was put where, by ids and fingerprints; see ``formats.manifest``."""
    return manifests.of(splits, source=source, by=by, seed=seed)


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Write a manifest, for example to ``splits.json``; raises ``StoreError`` if it cannot."""
    manifests.write(manifest, path)


def read_manifest(
    path: Path, made: Manifest, *datasets: Dataset, extra: Sequence[Dataset] = ()
) -> Splits:
    """Put cases where a manifest says, and verify that rule and cases are those that it names.

    Args:
        path: of the manifest.
        made: the manifest of the split that the present rule makes of the present cases.
        datasets: where the cases are: the one that was split, or the parts as they came.
        extra: the further evaluation sets.

    Raises:
        DataError: the file is no manifest, the rule is another one now, or cases are gone, new or
            changed (which ones, and how).
    """
    kept = manifests.read(path)
    found = {case.id: case for dataset in datasets for case in dataset.cases}
    parts = {
        name: Dataset(name=name, cases=tuple(found[key] for key in part.cases if key in found))
        for name, part in kept.parts.items()
        if name in ("train", "dev", "eval")
    }
    splits = Splits(train=parts["train"], dev=parts["dev"], eval=parts["eval"], extra=tuple(extra))
    differing = [*manifests.rule_changes(kept, made), *manifests.changes(kept, splits)]
    if differing:
        advice = "Restore what was, or remove the manifest to split anew: it is a new study then."
        raise DataError(str(path), differing, advice)
    return splits


def overlaps(
    splits: Splits,
    *,
    demonstrations: Sequence[Case] = (),
    also: Sequence[Dataset] = (),
    groups: bool = True,
    terms: Terms = Terms(),  # noqa: B008 - immutable
) -> tuple[Overlap, ...]:
    """Every case that teaches and is, in effect, a case that judges.

    Train, dev, the prompt's demonstrations and whatever else taught an arm (``also``) are held
    against eval and the extra sets, and train against dev, on which prompts and checkpoints are
    chosen.
    """
    teaching = {part.name: part.cases for part in (splits.train, splits.dev, *also)}
    found: list[Overlap] = []
    for judged in splits.measured:
        for name, cases in {**teaching, "demonstrations": tuple(demonstrations)}.items():
            found += overlap.find(cases, judged.cases, names=(name, judged.name), terms=terms)
    dev = ("train", "dev")
    found += overlap.find(splits.train.cases, splits.dev.cases, names=dev, terms=terms)
    return tuple(hit for hit in found if groups or hit.kind != "group")


def refuse_overlap(
    splits: Splits,
    *,
    demonstrations: Sequence[Case] = (),
    also: Sequence[Dataset] = (),
    groups: bool = True,
    terms: Terms = Terms(),  # noqa: B008 - immutable
) -> None:
    """Pass only splits without overlap.

    Args:
        splits: what teaches and what judges.
        demonstrations: of the prompt.
        also: what else taught an arm.
        groups: whether a group on both sides is refused; not where a study splits by case on
            purpose, for example because its users' requests are from known groups too.
        terms: bounds, the pairs that a person let pass, the embedding.

    Raises:
        ModelError: the embedding failed.
        LeakageError: names every pair with what both have in common, and what to do.
    """
    found = overlaps(splits, demonstrations=demonstrations, also=also, groups=groups, terms=terms)
    if not found:
        return
    advice = (
        "Split by group, so that no group stands on both sides."
        if all(hit.kind == "group" for hit in found)
        else "Remove the cases named first from what teaches; "
        "dataset.without_overlap does it and keeps eval as it is. Where a pair is no leak, say so "
        "with `tuneornot leaks`."
    )
    raise LeakageError("overlap", [told(hit) for hit in found], advice)


def without_overlap(splits: Splits, *, groups: bool = True) -> tuple[Splits, tuple[str, ...]]:
    """The splits without the train and dev cases that overlap; eval and extra stay untouched.

    Returns:
        The repaired splits, and the ids of the cases dropped.

    Raises:
        DataError: nothing would be left of train or of dev.
    """
    dropped = {(hit.other_set, hit.other_id) for hit in overlaps(splits, groups=groups)}
    left = {}
    for part in (splits.train, splits.dev):
        kept = tuple(case for case in part.cases if (part.name, case.id) not in dropped)
        if not kept:
            fault = f"all {len(part)} cases repeat cases that judge, so none would be left"
            raise DataError(part.name, [fault], "Give cases that are not in the other sets.")
        left[part.name] = msgspec.structs.replace(part, cases=kept)
    repaired = msgspec.structs.replace(splits, train=left["train"], dev=left["dev"])
    return repaired, tuple(dict.fromkeys(name for _, name in sorted(dropped)))


def _answer(case: Case) -> str:
    if isinstance(case.expected, str):
        return normalised(case.expected)
    return fingerprint.of(case.expected)


def _empty(case: Case, known: bool) -> bool:
    blank = isinstance(case.expected, str) and not case.expected.strip()
    return not case.text.strip() or (known and (case.expected is None or blank))


def _lengths(lengths: Sequence[int]) -> tuple[int, int, int]:
    if not lengths:
        return (0, 0, 0)
    return (min(lengths), round(float(np.median(lengths))), max(lengths))


def _warnings(found: Audit, worthwhile: float | None, known: bool) -> tuple[str, ...]:
    shown = f"differences of {found.detectable:.3f} or more"
    said = []
    if found.n < LEAST_CLAIM:
        said.append(f"{found.n} cases show only {shown}; {LEAST_CLAIM} to 100 are the least.")
    if worthwhile and found.n_wanted and found.n_wanted > found.n:
        said.append(
            f"{found.n} cases show {shown}, but {worthwhile:g} is worthwhile: "
            f"to show that needs about {found.n_wanted} cases."
        )
    if found.n_groups is not None and found.n_groups < LEAST_GROUPS:
        said.append(f"Only {found.n_groups} groups: intervals that respect them will be rough.")
    if found.duplicates:
        spare = sum(len(same) - 1 for same in found.duplicates)
        said.append(f"{spare} cases repeat a question: they add weight, not evidence.")
    if found.conflicts:
        said.append(
            f"{len(found.conflicts)} questions have answers that differ: {found.conflicts[0]}."
        )
    if found.empty:
        said.append(f"{len(found.empty)} cases have an empty input or answer: {found.empty[0]!r}.")
    if not known:
        said.append("No case has an expected answer: only metrics without a reference can judge.")
    small = {name: n for name, n in found.slices.items() if name and n < LEAST_SLICE}
    if small:
        named = ", ".join(f"{name} ({n})" for name, n in small.items())
        said.append(f"Slices under {LEAST_SLICE} cases, of which little can be said: {named}.")
    if len(found.slices) > 1 and "" in found.slices:
        said.append(f"{found.slices['']} cases belong to no slice.")
    return tuple(said)


def _sizes(
    dataset: Dataset, eval: int | float, dev: int | float, train: int | float | None
) -> dict[str, int]:
    """The number of cases of each part, in the order in which they are dealt out."""
    n = len(dataset)
    advice = "Ask for fewer, or collect more cases."
    if n < FEWEST:
        fault = f"holds {n} cases, and fewer than {FEWEST} cannot be split"
        raise DataError(dataset.name, [fault], "Collect more cases: 100 for eval is a good start.")
    sizes = {}
    for name, size in {"eval": eval, "dev": dev, "train": train}.items():
        if size is not None and not (0 < size < 1 or size == int(size) > 0):
            fault = f"{name}: found {size!r}, expected a number of cases or a share below 1"
            raise DataError(dataset.name, [fault], advice)
        if size is not None:
            sizes[name] = max(1, round(size * n)) if size < 1 else int(size)
    rest = n - sum(sizes.values())
    if rest < 0 or (rest == 0 and train is None):
        wanted = ", ".join(f"{name} {size}" for name, size in sizes.items())
        left = " and at least one for train" if train is None else ""
        raise DataError(dataset.name, [f"asked for {wanted}{left}, but it holds {n} cases"], advice)
    return {**sizes, "train": rest} if train is None else sizes


def _too_coarse(
    dataset: Dataset, name: str, size: int, parts: Sequence[division.Block], by: str
) -> DataError:
    smallest = min(len(block) for block in parts)
    fault = (
        f"{name}: asked for {size} cases, but they come in {len(parts)} blocks that must stay "
        f"together, of {smallest} cases or more, and none is left for it"
    )
    advice = "Ask for other sizes, or give finer groups."
    return DataError(dataset.name, [fault], advice)


def told(hit: Overlap) -> str:
    """An overlap in a sentence."""
    how = {
        "exact": "asks exactly the same as",
        "normalised": "asks the same, but for case, spacing or punctuation, as",
        "near": f"asks nearly the same ({hit.similarity:.2f}) as",
        "span": "contains word for word",
        "quote": f"quotes {hit.similarity:.0%} of",
        "paraphrase": f"means the same ({hit.similarity:.2f}) as",
        "group": f"is of the same group {hit.span!r} as",
    }[hit.kind]
    shown = "" if hit.kind == "group" else f': "{hit.span}"'
    return f"{hit.other_set} {hit.other_id!r} {how} {hit.eval_set} {hit.eval_id!r}{shown}"
