"""Two files of scores, one for each arm: rows in, aligned arrays for each metric out.

    {"case_id": "17", "score": 0.5}
    {"case_id": "17", "score": 1, "metric": "exact", "repeat": 0, "group": "customer-4"}

Any format of ``rows`` will do; further columns are passed over. ``metric`` is ``score`` where there
is none. An empty or null score is a case that could not be judged: it stays NaN and never becomes
0. A case that stands in one file only keeps its row, unscored for the other arm, so that it is
counted. Which direction is better is not known here, nor what a score may be.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuneornot.errors import DataError
from tuneornot.formats import rows

ADVICE = (
    "Give each arm's file one row for each case, with case_id and score, and, where there are "
    "several, metric and repeat; group where cases belong together."
)
METRIC = "score"
_TRUTHS = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True, eq=False)
class Paired:
    """The scores of one metric from both files, the same cases in the same rows."""

    metric: str
    case_ids: tuple[str, ...]
    """(n,) in the order of the baseline's file; cases of the candidate's only come last."""
    baseline: NDArray[np.float64]
    """(n, repeats), NaN for unscored."""
    candidate: NDArray[np.float64]
    """(n, repeats); repeats may differ in number."""
    groups: tuple[str, ...] | None
    """(n,); a case without a group is its own. ``None`` where no case has one."""
    n_unpaired: tuple[int, int]
    """Cases that stand in one file only, (baseline's, candidate's)."""


class _Score(NamedTuple):
    case_id: str
    metric: str
    repeat: int
    value: float
    group: str | None


def read(baseline: Path, candidate: Path) -> tuple[Paired, ...]:
    """Read and pair two files, metric by metric in the order of the baseline's file.

    Raises:
        DataError: a file cannot be read; or, all told at once with file and line, a row lacks
            ``case_id`` or ``score``, a score is not a finite number, a repeat is not a whole
            number from 0, a case has two scores for one repeat or two groups, a metric stands in
            one file only, or no case stands in both.
    """
    faults: list[str] = []
    first, second = _file(baseline, faults), _file(candidate, faults)
    groups = _groups([(baseline, first), (candidate, second)], faults)
    if not faults:
        _refuse_apart(baseline, first, candidate, second, faults)
    if faults:
        raise DataError(f"{baseline} and {candidate}", faults, ADVICE)
    metrics = dict.fromkeys(score.metric for score in first)
    return tuple(_paired(metric, first, second, groups) for metric in metrics)


def _file(path: Path, faults: list[str]) -> list[_Score]:
    unread: list[str] = []
    found = rows.read(path, unread)
    faults += [f"{path}, {fault}" for fault in unread]
    if absent := _absent(found):
        # Told once for the file, not for every row: most likely it has no line of names.
        names = sorted(map(str, found[0].values))
        faults.append(f"{path}: no row has {' or '.join(absent)}, found the columns {names!r}")
        return []
    scores: list[_Score] = []
    places: dict[tuple[str, str, int], str] = {}
    for row in found:
        own: list[str] = []
        score = _score(row, own)
        faults += [f"{path}, {row.place}: {fault}" for fault in own]
        if score is None:
            continue
        key = (score.case_id, score.metric, score.repeat)
        if key in places:
            faults.append(
                f"{path}, {row.place}: case {score.case_id!r} has another score of "
                f"{score.metric!r} for repeat {score.repeat!r} at {places[key]}; number the repeats"
            )
        else:
            places[key] = row.place
            scores.append(score)
    return scores


def _absent(found: list[rows.Row]) -> list[str]:
    """The columns that every file must have and no row of this one has."""
    wanted = ("case_id", "score") if found else ()
    return [column for column in wanted if not any(column in row.values for row in found)]


def _score(row: rows.Row, faults: list[str]) -> _Score | None:
    values = row.values
    case_id = values.get("case_id")
    if case_id is None or isinstance(case_id, (list, dict)) or not str(case_id).strip():
        faults.append(f"found the case_id {case_id!r}, expected a text or a number")
    if "score" not in values:
        faults.append(f"has no score, found the columns {sorted(map(str, values))!r}")
    value = _number(values.get("score"), faults)
    repeat = _repeat(values.get("repeat"), faults)
    metric, group = _label(values.get("metric")), _label(values.get("group"))
    if faults:
        return None
    return _Score(str(case_id).strip(), metric or METRIC, repeat, value, group)


def _number(raw: object, faults: list[str]) -> float:
    """A score as a number; NaN where there is none."""
    text = str(raw).strip() if raw is not None else ""
    if not text:
        return math.nan
    if isinstance(raw, (bool, str)) and text.lower() in _TRUTHS:
        return _TRUTHS[text.lower()]
    try:
        value = float(text)
    except ValueError:
        faults.append(f"found the score {raw!r}, expected a number, or nothing for unscored")
        return math.nan
    if math.isinf(value):
        faults.append(f"found the score {raw!r}, expected a finite number")
    return value


def _repeat(raw: object, faults: list[str]) -> int:
    text = str(raw).strip() if raw is not None else ""
    if not text:
        return 0
    try:
        # 2.0 is how a column of whole numbers with gaps is often written.
        value = float(text)
    except ValueError:
        value = math.nan
    if not (value >= 0 and value.is_integer()):
        faults.append(f"found the repeat {raw!r}, expected a whole number from 0")
        return 0
    return int(value)


def _label(raw: object) -> str | None:
    text = str(raw).strip() if raw is not None else ""
    return text or None


def _groups(files: Iterable[tuple[Path, list[_Score]]], faults: list[str]) -> dict[str, str] | None:
    """The group of each case that has one; ``None`` where none has."""
    groups: dict[str, str] = {}
    told: set[str] = set()
    for path, scores in files:
        for score in scores:
            if score.group is None:
                continue
            known = groups.setdefault(score.case_id, score.group)
            if known != score.group and score.case_id not in told:
                told.add(score.case_id)
                faults.append(
                    f"{path}: case {score.case_id!r} is in group {score.group!r} and in {known!r}"
                )
    return groups or None


def _refuse_apart(
    baseline: Path,
    first: list[_Score],
    candidate: Path,
    second: list[_Score],
    faults: list[str],
) -> None:
    """Files that have nothing, or not the same metrics, in common."""
    ours, theirs = ({score.metric for score in scores} for scores in (first, second))
    for path, alone in ((baseline, ours - theirs), (candidate, theirs - ours)):
        faults += [
            f"{path}: the metric {name!r} stands in this file only" for name in sorted(alone)
        ]
    for metric in sorted(ours & theirs):
        cases = [
            {score.case_id for score in scores if score.metric == metric}
            for scores in (first, second)
        ]
        if not cases[0] & cases[1]:
            faults.append(f"no case_id of {metric!r} stands in both files")


def _paired(
    metric: str, first: list[_Score], second: list[_Score], groups: dict[str, str] | None
) -> Paired:
    ours = [score for score in first if score.metric == metric]
    theirs = [score for score in second if score.metric == metric]
    left = dict.fromkeys(score.case_id for score in ours)
    right = dict.fromkeys(score.case_id for score in theirs)
    case_ids = tuple({**left, **right})
    row_of = {case_id: row for row, case_id in enumerate(case_ids)}
    return Paired(
        metric=metric,
        case_ids=case_ids,
        baseline=_table(ours, row_of),
        candidate=_table(theirs, row_of),
        # The mark keeps a case that is its own group apart from any group's name.
        groups=None
        if groups is None
        else tuple(groups.get(case_id, f"\0{case_id}") for case_id in case_ids),
        n_unpaired=(len(left.keys() - right.keys()), len(right.keys() - left.keys())),
    )


def _table(scores: list[_Score], row_of: dict[str, int]) -> NDArray[np.float64]:
    repeats = sorted({score.repeat for score in scores})
    column_of = {repeat: column for column, repeat in enumerate(repeats)}
    table = np.full((len(row_of), len(repeats)), np.nan)
    for score in scores:
        table[row_of[score.case_id], column_of[score.repeat]] = score.value
    return table
