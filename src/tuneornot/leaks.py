"""On what terms a study looks for leaks: its embedding, and the pairs that people let pass.

Which cases repeat each other is known to ``cases.overlap``; here a study's plan and the file of
rulings beside it become the terms of that search. Retrieval's knowledge may hold answers and is
told, not refused (``retrieval.library``).
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tuneornot import fingerprint
from tuneornot.cases import overlap
from tuneornot.cases.searches import Meaning, Terms
from tuneornot.errors import StudyError
from tuneornot.formats import rulings
from tuneornot.formats.rulings import Ruling
from tuneornot.models.embedding import Embedding
from tuneornot.records import Audit, Overlap
from tuneornot.study import DataPlan

SHOWN = 3
"""Rulings that a sentence names."""


def terms(data: DataPlan, folder: Path) -> Terms:
    """The terms of a study.

    Raises:
        DataError: the file of rulings has faults.
        ModelError: the embedding cannot be found.
    """
    passed = frozenset(ruling.pair for ruling in kept(folder))
    if data.meaning is None:
        return Terms(passed=passed)
    embedding = Embedding(data.meaning.embed, folder)
    meaning = Meaning(embedding, embedding.identity, data.meaning.bound)
    return Terms(passed=passed, meaning=meaning)


def mark(found: Terms) -> str:
    """Fingerprint of everything but the cases that a search for leaks depends on."""
    meaning = None if found.meaning is None else [found.meaning.identity, found.meaning.bound]
    return fingerprint.of([overlap.RULES, list(found.near), sorted(found.passed), meaning])


def kept(folder: Path) -> tuple[Ruling, ...]:
    """The rulings beside a study. Raises ``DataError`` as ``formats.rulings.read``."""
    return rulings.read(folder / rulings.NAME)


def rule(found: Sequence[Overlap], pairs: Sequence[str], folder: Path, *, why: str, by: str) -> int:
    """Note that pairs are no leak.

    Args:
        found: the overlaps of the study.
        pairs: the names of those that are let pass.
        folder: where the study file stands.
        why: the reason, for whoever reads the report.
        by: who says so.

    Returns:
        How many rulings are in force now.

    Raises:
        StudyError: a name is none of these pairs, or there is no reason.
        StoreError: the file cannot be written.
    """
    known = {hit.pair: hit for hit in found}
    faults = [
        f"--no-leak: found {name!r}, expected one of {[*known]}"
        for name in pairs
        if name not in known
    ]
    if not why.strip():
        faults.append(f"--why: found {why!r}, expected a reason; the report shows it")
    if faults:
        raise StudyError("leaks", faults, "`tuneornot leaks STUDY` lists the pairs.")
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    made = [
        Ruling(
            pair=name,
            kind=known[name].kind,
            other=f"{known[name].other_set} {known[name].other_id}",
            judged=f"{known[name].eval_set} {known[name].eval_id}",
            why=why.strip(),
            by=by,
            at=now,
        )
        for name in dict.fromkeys(pairs)
    ]
    whole = [*kept(folder), *made]
    rulings.write(whole, folder / rulings.NAME)
    return len(whole)


def withdraw(pairs: Sequence[str], folder: Path) -> int:
    """Take rulings back; returns how many are in force now.

    Raises:
        StudyError: there is no ruling of that name.
        StoreError: the file cannot be written.
    """
    before = kept(folder)
    known = [ruling.pair for ruling in before]
    faults = [
        f"--withdraw: found {name!r}, expected one of {known}"
        for name in pairs
        if name not in known
    ]
    if faults:
        raise StudyError("leaks", faults, "`tuneornot leaks STUDY` lists the rulings.")
    whole = [ruling for ruling in before if ruling.pair not in pairs]
    rulings.write(whole, folder / rulings.NAME)
    return len(whole)


def noted(audit: Audit, folder: Path) -> Audit:
    """The audit with a sentence about what people let pass, for the report."""
    passed = kept(folder)
    if not passed:
        return audit
    named = [
        f"{one.other} and {one.judged} ({one.kind}; {one.by}: {one.why})" for one in passed[:SHOWN]
    ]
    more = f" and {len(passed) - SHOWN} more" if len(passed) > SHOWN else ""
    many = (
        "1 pair looks like a leak and was"
        if len(passed) == 1
        else f"{len(passed)} pairs look like leaks and were"
    )
    said = f"{many} let pass by a person: {'; '.join(named)}{more}."
    return msgspec.structs.replace(audit, warnings=(*audit.warnings, said))
