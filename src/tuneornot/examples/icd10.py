"""Diagnoses in ICD-10-CM: clinical phrases to the standard term, and to the code.

Both examples are built from ``simple_icd_10_cm``, which carries the classification of the United
States. A case is one inclusion term: a phrase that the classification itself lists under a code, in
other words than the code's title.

``icd10-terms`` asks for the title: terminology, where the right words must be known or guessed
from the pattern ("NOS" becomes "unspecified"). ``icd10-codes`` asks for the code: facts that can
hardly be guessed, and that a retrieval arm may look up in the table of codes (``knowledge.jsonl``).
How wrong a wrong code is tells the metric ``codes`` from ``codes.csv``, the whole classification.
Of each category (the three characters before the dot) there is one phrase, so that cases are
independent and no sibling of an eval code is trained on or shown.
"""

from __future__ import annotations

import csv
import functools
import io
import json
import random
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tuneornot.errors import MissingExtra
from tuneornot.records import Case, Json

LONGEST = 120
"""Characters of the longest phrase or title: a small model on a processor has to write it."""


class Term(NamedTuple):
    """One phrase with the code it stands under."""

    phrase: str
    title: str
    code: str

    @property
    def category(self) -> str:
        """The code's first three characters."""
        return self.code[:3]


@functools.cache
def _classification() -> Any:
    try:
        with warnings.catch_warnings():
            # It reads its own files by a function of the standard library that is deprecated.
            warnings.simplefilter("ignore", DeprecationWarning)
            import simple_icd_10_cm
    except ImportError as error:
        raise MissingExtra("The examples icd10-terms and icd10-codes", "examples") from error
    return simple_icd_10_cm


@functools.cache
def titles() -> Mapping[str, str]:
    """Every code of three characters or more, without further extension, with its title."""
    book = _classification()
    return {
        code: book.get_description(code)
        for code in book.get_all_codes(True)
        if not book.is_chapter_or_block(code) and not book.is_extended_subcategory(code)
    }


@functools.cache
def terms() -> tuple[Term, ...]:
    """Every phrase with exactly one code and other words than its title, in a fixed order."""
    book = _classification()
    found: dict[str, set[Term]] = defaultdict(set)
    for code, title in titles().items():
        for phrase in book.get_inclusion_term(code):
            found[_folded(phrase)].add(Term(phrase, title, code))
    return tuple(
        sorted(
            term
            for same in found.values()
            if len(same) == 1
            for term in same
            if _folded(term.phrase) != _folded(term.title)
            and max(len(term.phrase), len(term.title)) <= LONGEST
        )
    )


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _drawn(seed: int) -> list[Term]:
    """One phrase of each category, shuffled."""
    draw = random.Random(seed)
    by_category: dict[str, list[Term]] = defaultdict(list)
    for term in terms():
        by_category[term.category].append(term)
    chosen = [draw.choice(same) for same in by_category.values()]
    draw.shuffle(chosen)
    return chosen


def term_cases(seed: int = 7) -> list[Case]:
    """Phrase to title; slices tell what has to change: a pattern, a known word, or all of it."""
    return [
        Case(
            id=f"term-{position:04d}",
            input=term.phrase,
            expected=term.title,
            slice=_change(term),
        )
        for position, term in enumerate(_drawn(seed))
    ]


def _change(term: Term) -> str:
    """How near the phrase is to its title, in words."""
    if term.phrase.endswith(" NOS"):
        return "unspecified"
    said, title = (
        set(_folded(text).replace(",", "").split()) for text in (term.phrase, term.title)
    )
    shared = len(said & title) / len(said | title)
    return "near" if shared >= 1 / 3 else "far"


def code_cases(seed: int = 7) -> list[Case]:
    """Phrase to code; slices tell how deep in the tree the code stands (6: or deeper)."""
    return [
        Case(
            id=f"code-{position:04d}",
            input=term.phrase,
            expected=term.code,
            slice=f"{min(len(term.code.replace('.', '')), 6)} characters",
        )
        for position, term in enumerate(_drawn(seed))
    ]


def knowledge() -> list[dict[str, Json]]:
    """The table of codes as passages: what a coder would look up, without the inclusion terms."""
    return [{"id": code, "text": f"{code}: {title}"} for code, title in titles().items()]


def code_system() -> str:
    """Every code that can be billed or stands above one, with category and chapter, as CSV.

    Extended codes are among them, although no case asks for one: a model may name them, and they
    are real.
    """
    book, made = _classification(), io.StringIO()
    table = csv.writer(made, lineterminator="\n")
    table.writerow(("code", "category", "chapter"))
    for code in book.get_all_codes(True):
        if not book.is_chapter_or_block(code):
            table.writerow((code, code[:3], book.get_ancestors(code)[-1]))
    return made.getvalue()


def write_terms(folder: Path) -> tuple[Path, ...]:
    """Write ``study.yaml`` and ``cases.jsonl`` of icd10-terms to a folder."""
    return _written(folder, {"study.yaml": TERMS, "cases.jsonl": _lines(_rows(term_cases()))})


def write_codes(folder: Path) -> tuple[Path, ...]:
    """Write the study icd10-codes with its cases, its knowledge and its code system to a folder."""
    files = {
        "study.yaml": CODES,
        "cases.jsonl": _lines(_rows(code_cases())),
        "knowledge.jsonl": _lines(knowledge()),
        "codes.csv": code_system(),
    }
    return _written(folder, files)


def _written(folder: Path, files: Mapping[str, str]) -> tuple[Path, ...]:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return tuple(folder / name for name in files)


def _rows(made: Iterable[Case]) -> Iterable[dict[str, Json]]:
    for case in made:
        yield {
            "id": case.id,
            "input": str(case.input),
            "expected": case.expected,
            "slice": case.slice,
        }


def _lines(rows: Iterable[dict[str, Json]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def right_category(case: Case, text: str) -> bool:
    """Whether the answer's category (three characters) is that of the expected code.

    Unlike ``codes`` it counts a code that does not exist but begins rightly.
    """
    return text.strip().upper()[:3] == str(case.expected)[:3]


TERMS = """\
# Should we fine-tune a small model to write diagnoses in the standard terms, or prompt it?
study: icd10-terms
task: Rewrite the clinical phrase as the standard ICD-10-CM term. Answer with the term only.

data:
  cases: cases.jsonl            # phrases that the classification lists under a code
  split: {eval: 300, dev: 60, train: 600, by: case, seed: 7}

arms:
  prompted: {model: local:smollm2-135m, search: {calls: 400, metric: token_f1}}
  tuned:    {model: local:smollm2-135m, tune: {seeds: [1]}}

metrics:
  - normalised_match            # the standard term, but for case and punctuation
  - token_f1                    # how much of its words
  - latency

sampling: {max_tokens: 48}

decide:
  primary: normalised_match
  worthwhile: 0.05
  guardrails: {token_f1: 0.02}
  alpha: 0.05
"""
CODES = """\
# Can a small model know diagnosis codes: by a prompt, by looking them up, or by training?
study: icd10-codes
task: Give the ICD-10-CM code of the clinical phrase. Answer with the code only.

data:
  cases: cases.jsonl
  split: {eval: 300, dev: 60, train: 600, by: case, seed: 7}

arms:
  prompted:  {model: local:smollm2-135m, search: {calls: 300, metric: right_chapter}}
  retrieval:
    model: local:smollm2-135m
    retrieve: {from: knowledge.jsonl, top: 4}
    search: {calls: 300, metric: right_chapter}
  tuned:     {model: local:smollm2-135m, tune: {seeds: [1]}}

metrics:
  - exact_match                 # the right code
  - tuneornot.examples.icd10:right_category: {name: category}
  - codes: {name: right_chapter, file: codes.csv, level: chapter}
  - codes: {name: real_code, file: codes.csv, figure: real}
  - latency

sampling: {max_tokens: 12}

decide:
  primary: exact_match
  baseline: prompted
  worthwhile: 0.05
  guardrails: {real_code: 0.10}
  alpha: 0.05
"""
