"""Legal citations to JSON: the reporter in its standard abbreviation, whatever its spelling.

Cases are built from ``reporters_db`` (the court reporters of the United States with the spelling
variants that occur in practice): one case for each spelling, so that no spelling stands on both
sides of a split. The main file holds spellings of reporters of which other spellings may be in the
training split, which is what production looks like; ``unseen.jsonl`` holds reporters of which no
spelling is ever trained on. Names of parties, volumes, pages and years are made up here, the years
within the life of the edition.

``eyecite_match`` judges an answer as lawyers' software reads it; the study uses it beside exact
match.
"""

from __future__ import annotations

import functools
import json
import random
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from tuneornot.errors import MissingExtra
from tuneornot.records import Case, Json

FIELDS = ("volume", "reporter", "page", "year")
SLICES = {
    "federal": "federal",
    "scotus_early": "federal",
    "state": "state",
    "state_regional": "regional",
    "neutral": "neutral",
    "specialty": "specialty",
    "specialty_lexis": "specialty",
    "specialty_west": "specialty",
}
UNSEEN_SHARE = 0.18
"""Share of the reporters of which nothing is trained on."""
STANDARD_SHARE = 0.25
"""Share of the cases that are spelled in the standard way already."""
EARLIEST, LATEST = 1790, 2024

PARTIES = (
    "Abbott Aldous Barrow Bellweather Carmody Castellan Delacroix Dunmore Eastgate Ellery Farrow "
    "Fenwick Garland Greaves Hadley Holloway Ingram Ives Jarvis Jessop Keating Kirkbride Lachlan "
    "Lowell Marchetti Merrow Nakamura Norwood Okafor Osgood Pemberton Prewitt Quigley Radcliffe "
    "Rosales Sandoval Stavros Tennant Thorne Underhill Vance Vasquez Wexford Whitlock Yarrow "
    "Zeller "
)


class Spelling(NamedTuple):
    """One way in which a reporter's edition is written."""

    text: str
    standard: str
    """Abbreviation of the edition."""
    reporter: str
    """Root abbreviation, the same for every edition: the case's group."""
    slice: str
    first: int
    last: int


def spellings() -> list[Spelling]:
    """Every spelling with exactly one meaning, in a fixed order."""
    try:
        from reporters_db import REPORTERS
    except ImportError as error:
        raise MissingExtra("The example legal-citations", "examples") from error
    meanings: dict[str, set[Spelling]] = defaultdict(set)
    for root, entries in REPORTERS.items():
        for entry in entries:
            written = {name: name for name in entry["editions"]} | entry["variations"]
            for text, standard in written.items():
                life = entry["editions"].get(standard)
                if life is None:
                    continue
                first = max(EARLIEST, life["start"].year if life["start"] else EARLIEST)
                last = min(LATEST, life["end"].year if life["end"] else LATEST)
                place = SLICES[entry["cite_type"]]
                spelling = Spelling(text, standard, root, place, min(first, last), last)
                meanings[text].add(spelling)
    return sorted(next(iter(found)) for found in meanings.values() if len(found) == 1)


def cases(seed: int = 7) -> tuple[list[Case], list[Case]]:
    """The cases of known reporters and those of reporters never trained on, shuffled by seed."""
    draw = random.Random(seed)
    found = spellings()
    roots = sorted({spelling.reporter for spelling in found})
    unseen = set(draw.sample(roots, round(UNSEEN_SHARE * len(roots))))
    variants = [one for one in found if one.text != one.standard]
    standard = [one for one in found if one.text == one.standard]
    n_standard = round(len(variants) * STANDARD_SHARE / (1 - STANDARD_SHARE))
    chosen = variants + draw.sample(standard, min(n_standard, len(standard)))
    draw.shuffle(chosen)
    made = [_case(position, spelling, draw) for position, spelling in enumerate(chosen)]
    return (
        [case for case in made if case.group not in unseen],
        [case for case in made if case.group in unseen],
    )


def _case(position: int, spelling: Spelling, draw: random.Random) -> Case:
    volume, page = draw.randint(1, 640), draw.randint(1, 1400)
    year = draw.randint(spelling.first, spelling.last)
    plaintiff, defendant = draw.sample(PARTIES.split(), 2)
    pinned = f"{page}, {page + draw.randint(1, 14)}" if draw.random() < 0.35 else str(page)
    cited = f"{volume} {spelling.text} {pinned} ({year})"
    if draw.random() < 0.6:
        cited = f"{plaintiff} v. {defendant}, {cited}"
    right: dict[str, Json] = {
        "volume": volume,
        "reporter": spelling.standard,
        "page": page,
        "year": year,
    }
    return Case(
        id=f"cite-{position:04d}",
        input=cited,
        expected=right,
        slice=spelling.slice,
        group=spelling.reporter,
    )


def write(folder: Path) -> tuple[Path, ...]:
    """Write ``study.yaml``, ``cases.jsonl``, ``unseen.jsonl`` and ``schema.json`` to a folder."""
    known, unseen = cases()
    files = {
        "study.yaml": STUDY,
        "schema.json": json.dumps(SCHEMA, indent=2) + "\n",
        "cases.jsonl": _lines(known),
        "unseen.jsonl": _lines(unseen[:UNSEEN_CASES]),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return tuple(folder / name for name in files)


def _lines(made: list[Case]) -> str:
    rows = (
        {
            "id": case.id,
            "input": case.input,
            "expected": case.expected,
            "slice": case.slice,
            "group": case.group,
        }
        for case in made
    )
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def eyecite_match(case: Case, text: str) -> bool | None:
    """Whether eyecite reads the answer as the citation that was meant.

    Volume, page and corrected reporter of the answer's citation, as ``eyecite`` parses it, equal
    those of the expected one. More lenient than exact match: any spelling that eyecite maps to
    the same edition is right, and the year is not compared.

    Returns:
        ``None`` where eyecite cannot parse even the expected citation (about one in forty).
    """
    wanted = _read(case.expected)
    if wanted is None:
        return None
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return _read(answer) == wanted


def _read(value: Json) -> tuple[str, str, str] | None:
    if not isinstance(value, dict):
        return None
    volume, reporter, page = (value.get(name) for name in ("volume", "reporter", "page"))
    if not (isinstance(volume, int | str) and isinstance(page, int | str)):
        return None
    return _parse(str(volume), str(reporter), str(page))


@functools.lru_cache(maxsize=100_000)
def _parse(volume: str, reporter: str, page: str) -> tuple[str, str, str] | None:
    try:
        from eyecite import get_citations
        from eyecite.models import FullCaseCitation
    except ImportError as error:
        raise MissingExtra("The metric eyecite_match", "examples") from error
    for found in get_citations(f"{volume[:12]} {reporter[:120]} {page[:12]}"):
        if isinstance(found, FullCaseCitation):
            read = found.groups
            reporter = found.corrected_reporter()  # type: ignore[no-untyped-call]
            return (read.get("volume", ""), reporter, read.get("page", ""))
    return None


UNSEEN_CASES = 60
SCHEMA: dict[str, Json] = {
    "type": "object",
    "properties": {
        "volume": {"type": "integer"},
        "reporter": {"type": "string", "minLength": 1},
        "page": {"type": "integer"},
        "year": {"type": "integer", "minimum": 1600, "maximum": 2100},
    },
    "required": list(FIELDS),
    "additionalProperties": False,
}
STUDY = """\
# Should we fine-tune a small model to standardise legal citations, or is a good prompt enough?
study: legal-citations
task: >-
  Convert a legal citation to JSON with the keys volume, reporter, page and year.
  Write the reporter in its standard abbreviation.

data:
  cases: cases.jsonl            # spellings of reporters, one case for each spelling
  split: {eval: 100, dev: 60, train: 300, by: case, seed: 7}
  extra: {unseen: unseen.jsonl} # reporters of which nothing is trained on

arms:
  prompted: {model: local:smollm2-135m, search: {calls: 400, metric: field_match}}
  tuned:    {model: local:smollm2-135m, tune: {seeds: [1]}}

metrics:
  - exact_match                 # all four fields right
  - field_match                 # share of the fields that are right
  - json_schema: {schema: schema.json}
  - tuneornot.examples.legal_citations:eyecite_match
  - latency

sampling: {max_tokens: 64}

decide:
  primary: exact_match
  worthwhile: 0.05              # the smallest gain that pays for the trouble
  guardrails:                   # what must not be lost
    json_schema: 0.05
    exact_match@unseen: 0.10
  alpha: 0.05
"""
