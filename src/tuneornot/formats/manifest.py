"""The manifest of a split: which case is in which part, with its fingerprint, as a JSON file.

It holds no case, only what identifies each, so it can be kept beside the data and under version
control. Read again, it tells which cases are gone, new or changed since. It does not split.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from tuneornot.errors import DataError, StoreError
from tuneornot.formats import replaced
from tuneornot.records import Dataset, Record, Splits


class Part(Record, frozen=True, kw_only=True):
    """One part of a split."""

    fingerprint_of_all: str
    """Fingerprint of the dataset: cases and their order."""
    cases: dict[str, str]
    """Case id to fingerprint, in the order of the dataset."""


class Manifest(Record, frozen=True, kw_only=True):
    """What was put where, and by which rule."""

    version: Literal[1] = 1
    source: str | None = None
    """Fingerprint of the cases before they were split; ``None`` where they came split."""
    by: Literal["case", "group"] | None = None
    seed: int | None = None
    parts: dict[str, Part]
    """``train``, ``dev``, ``eval``, then the extra sets by name."""


def of(
    splits: Splits,
    *,
    source: Dataset | None = None,
    by: Literal["case", "group"] | None = None,
    seed: int | None = None,
) -> Manifest:
    """The manifest of a split."""
    sets = (splits.train, splits.dev, *splits.measured)
    return Manifest(
        source=source.fingerprint if source else None,
        by=by,
        seed=seed,
        parts={
            each.name: Part(
                fingerprint_of_all=each.fingerprint,
                cases={case.id: case.fingerprint for case in each.cases},
            )
            for each in sets
        },
    )


def write(manifest: Manifest, path: Path) -> None:
    """Write a manifest as JSON; a file of that name is replaced in one step.

    Raises:
        StoreError: the file cannot be written.
    """
    try:
        replaced.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n", path)
    except OSError as error:
        raise StoreError(
            f"The manifest of the split cannot be written to {str(path)!r}: {error.strerror}. "
            "Free some space or choose a folder that can be written to."
        ) from error


def read(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        DataError: there is none, or the file is not one.
    """
    advice = "Split the cases again to write it anew."
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except OSError as error:
        raise DataError(str(path), [f"cannot be read: {error.strerror}"], advice) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(str(path), [f"is not the manifest of a split: {error}"], advice) from error
    missing = {"train", "dev", "eval"} - set(found.parts)
    if missing:
        fault = f"is not the manifest of a split: it lacks {sorted(missing)}"
        raise DataError(str(path), [fault], advice)
    return found


def rule_changes(kept: Manifest, made: Manifest) -> tuple[str, ...]:
    """How the rule by which the cases were split differs from the one that made another split."""
    found = []
    for name in ("by", "seed"):
        then, now = getattr(kept, name), getattr(made, name)
        if then != now:
            found.append(f"the cases were split with {name} {then!r}, the study says {now!r} now")
    for name in ("train", "dev", "eval"):
        held, holds = (len(each.parts[name].cases) for each in (kept, made))
        if held != holds:
            found.append(f"{name} has {held} cases, by the study as it is now it had {holds}")
    return tuple(found)


def changes(manifest: Manifest, splits: Splits) -> tuple[str, ...]:
    """What differs between a manifest and a split, a sentence for each case and part."""
    sets = {each.name: each for each in (splits.train, splits.dev, *splits.measured)}
    found = [f"{name}: the part is new" for name in sets if name not in manifest.parts]
    for name, part in manifest.parts.items():
        if name not in sets:
            found.append(f"{name}: the part is gone")
            continue
        now = {case.id: case.fingerprint for case in sets[name].cases}
        found += [f"{name}: case {key!r} is gone" for key in part.cases if key not in now]
        found += [f"{name}: case {key!r} is new" for key in now if key not in part.cases]
        found += [
            f"{name}: case {key!r} changed (fingerprint {part.cases[key]}, now {now[key]})"
            for key in now
            if part.cases.get(key, now[key]) != now[key]
        ]
        if part.cases == now and part.fingerprint_of_all != sets[name].fingerprint:
            found.append(f"{name}: its cases are the same, but in another order")
    return tuple(found)
