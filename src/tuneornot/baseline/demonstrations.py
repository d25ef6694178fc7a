"""Which solved cases to show to a model before the question, and in which order.

Demonstrations come from the training cases only. They are drawn evenly over labels or slices, so
that a small number still shows the breadth of the job, and are kept short, because every question
pays for them again. Or each question is shown those of a pool that are nearest to it, or cases are
taken of which it is known that they are hard.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from tuneornot.cases.likeness import Hashes, normalised, shingles
from tuneornot.records import Case

How = Literal["random", "diverse", "nearest"]

CHARACTERS = 12_000
"""Together: some 3,000 to 4,000 tokens, which small models still read."""
POOL = 200
"""Cases among which diverse ones are looked for, and those nearest to a question."""
ROOM = 3
"""A pool must hold so many times the cases that are shown of it: else nearness chooses little."""


class Shown(NamedTuple):
    """Demonstrations of a prompt."""

    cases: tuple[Case, ...]
    nearest: int | None = None
    """As in ``Prompt``: of the cases only so many are shown, those nearest to the question."""


class Sorted(NamedTuple):
    """Train cases of which it is known how hard they are."""

    hard: tuple[Case, ...] = ()
    """The hardest first."""
    easy: tuple[Case, ...] = ()


def eligible(cases: Sequence[Case], n: int) -> list[Case]:
    """The cases that may be shown where n are: solved, not blank, none much longer than most.

    Empty if there are fewer than n.
    """
    solved = [case for case in cases if case.expected is not None and case.text.strip()]
    if not solved:
        return []
    typical = float(np.median([_size(case) for case in solved]))
    longest = min(2 * typical, CHARACTERS / max(n, 1))
    found = [case for case in solved if _size(case) <= longest]
    return found if len(found) >= n else []


def draw(
    cases: Sequence[Case], n: int, how: How, rng: random.Random, *, labelled: bool
) -> Shown | None:
    """Choose n of the cases, in an order drawn at random; ``None`` where there are too few.

    Args:
        cases: eligible ones.
        n: how many.
        how: ``random`` within each label or slice in turn; ``diverse``: from a random start always
            the one that is least like those chosen already, by shingles of question and answer;
            ``nearest``: for each question n of a pool that is drawn at random.
        rng: of the drawing.
        labelled: whether answers are labels, over which to spread; else slices are.
    """
    if len(cases) < (ROOM * n if how == "nearest" else n):
        return None
    if how == "nearest":
        pool = _in_turn(cases, min(POOL, len(cases)), rng, labelled)
        return Shown(tuple(pool), n)
    if how == "random":
        chosen = _in_turn(cases, n, rng, labelled)
    else:
        chosen = _farthest(_in_turn(cases, min(POOL, len(cases)), rng, labelled), n)
    rng.shuffle(chosen)
    return Shown(tuple(chosen))


def draw_sorted(
    known: Sorted, n: int, rng: random.Random, *, mixed: bool, labelled: bool
) -> Shown | None:
    """Choose n of the cases that are hard, in an order drawn at random; ``None`` for too few.

    Args:
        known: eligible ones.
        n: how many.
        rng: of the drawing, evenly over labels or slices among ``ROOM`` times as many that are the
            hardest.
        mixed: whether half of them, rounded down, are easy ones in place of hard ones.
        labelled: as for ``draw``.
    """
    n_easy = n // 2 if mixed else 0
    n_hard = n - n_easy
    if len(known.hard) < n_hard or len(known.easy) < n_easy:
        return None
    chosen = _in_turn(known.hard[: ROOM * n_hard], n_hard, rng, labelled)
    chosen += _in_turn(known.easy, n_easy, rng, labelled)
    rng.shuffle(chosen)
    return Shown(tuple(chosen))


def _in_turn(cases: Sequence[Case], n: int, rng: random.Random, labelled: bool) -> list[Case]:
    parts: dict[str, list[Case]] = defaultdict(list)
    for case in rng.sample(list(cases), len(cases)):
        parts[case.answer if labelled else case.slice or ""].append(case)
    turns = rng.sample(list(parts.values()), len(parts))
    chosen: list[Case] = []
    while len(chosen) < n:
        for part in turns:
            if part and len(chosen) < n:
                chosen.append(part.pop())
    return chosen


def _farthest(pool: Sequence[Case], n: int) -> list[Case]:
    """Farthest-point traversal: the greatest distance to the nearest chosen one (Gonzalez 1985)."""
    sets = [shingles(normalised(f"{case.text} {case.answer}")) for case in pool]
    chosen = [0]
    nearest = np.zeros(len(pool))
    while len(chosen) < n:
        last = sets[chosen[-1]]
        alike = np.array([_dice(last, other) for other in sets])
        nearest = np.maximum(nearest, alike)
        nearest[chosen] = 2.0
        chosen.append(int(np.argmin(nearest)))
    return [pool[position] for position in chosen]


def _dice(left: Hashes, right: Hashes) -> float:
    common = len(np.intersect1d(left, right, assume_unique=True))
    return 2 * common / (len(left) + len(right))


def _size(case: Case) -> int:
    return len(case.text) + len(case.context or "") + len(case.answer)
