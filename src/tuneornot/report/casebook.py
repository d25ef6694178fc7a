"""The cases side by side: what was asked, what was expected, what each arm answered, its scores.

A page stays usable and small only with so many cases: those where the arms differ come first, then
failures, then the rest, up to ``MOST`` cases and ``ROOM`` characters; the page says how many are
left out. The texts are the models' and the users' own: nothing here is escaped, the template does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tuneornot.records import Case, Findings, Response, Run
from tuneornot.report import amounts, casewise

MOST = 500
ROOM = 900_000
"""Characters of all texts together, so that the file stays under two megabytes."""
LONGEST = 1_600
"""Characters shown of one text."""
PASSAGE = 400
"""Characters shown of one passage."""


class Mark(NamedTuple):
    """One score as shown."""

    metric: str
    shown: str
    state: str
    """``right``, ``wrong``, ``none`` (not scored) or empty for what is neither."""


class Answer(NamedTuple):
    """What one arm answered to one case."""

    arm: str
    text: str
    note: str
    """Error, or that the answer was cut; empty if there is nothing to say."""
    marks: tuple[Mark, ...]
    passages: tuple[str, ...] = ()
    """What it was shown with the question, best first."""


class Entry(NamedTuple):
    """One case with all answers."""

    case: Case
    dataset: str
    asked: str
    expected: str
    answers: tuple[Answer, ...]
    tags: tuple[str, ...]
    """What it can be filtered by: ``better``, ``worse``, ``wrong``, ``unscored``."""


class Casebook(NamedTuple):
    """The cases that the page shows."""

    entries: tuple[Entry, ...]
    n_total: int
    metric: str
    """The metric by which cases count as better, worse or wrong."""
    datasets: tuple[str, ...]
    several_answers: bool
    """Whether some arm answered more often than once (repeats, training seeds)."""


def build(findings: Findings) -> Casebook:
    """Choose the cases to show and lay out their answers."""
    arms = tuple(dict.fromkeys(run.arm.name for run in findings.runs))
    baseline = findings.comparisons[0].baseline if findings.comparisons else ""
    datasets = tuple(dict.fromkeys(run.dataset.name for run in findings.runs))
    metric = findings.rule.primary
    ranked: list[tuple[float, Entry]] = []
    for name in datasets:
        runs = {arm: of for arm in arms if (of := casewise.of(findings.runs, arm, name))}
        ranked += _set(runs, metric, baseline)
    # Stable: within one rank the order of the sets and of their cases stays.
    ranked.sort(key=lambda pair: -pair[0])
    shown: list[Entry] = []
    room = ROOM
    for _, entry in ranked[:MOST]:
        room -= _length(entry)
        if room < 0:
            break
        shown.append(entry)
    several = any(run.n_repeats > 1 for run in findings.runs) or len(findings.runs) > len(
        {(run.arm.name, run.dataset.name) for run in findings.runs}
    )
    return Casebook(tuple(shown), len(ranked), metric, datasets, several)


def _set(runs: dict[str, tuple[Run, ...]], metric: str, baseline: str) -> list[tuple[float, Entry]]:
    """The entries of one set with their ranks: by size of the difference, then failures."""
    values = {arm: casewise.values(of, metric) for arm, of in runs.items()}
    answers = {arm: casewise.answers(of[0]) for arm, of in runs.items()}
    marks = {arm: _marks(of[0]) for arm, of in runs.items()}
    first = next(iter(runs.values()))[0]
    scale = first.metrics.get(metric)
    sign = -1.0 if scale is not None and scale.better == "lower" else 1.0
    ranked = []
    for case in first.dataset.cases:
        scores = {arm: of[case.id] for arm, of in values.items() if case.id in of}
        gains = [
            sign * (score - scores[baseline])
            for arm, score in scores.items()
            if arm != baseline and baseline in scores
        ]
        tags = _tags(gains, scores, n_arms=len(runs))
        entry = Entry(
            case=case,
            dataset=first.dataset.name,
            asked=_cut(case.text),
            expected="" if case.expected is None else _cut(case.answer),
            answers=tuple(
                _answer(
                    arm,
                    answers[arm].get(case.id),
                    marks[arm].get(case.id, ()),
                    _passages(runs[arm][0], case.id),
                )
                for arm in runs
            ),
            tags=tags,
        )
        most = max((abs(gain) for gain in gains), default=0.0)
        ranked.append((1 + most if most else 0.5 * bool(tags), entry))
    return ranked


def _tags(gains: Sequence[float], scores: dict[str, float], *, n_arms: int) -> tuple[str, ...]:
    found = []
    if any(gain > 0 for gain in gains):
        found.append("better")
    if any(gain < 0 for gain in gains):
        found.append("worse")
    if scores and not any(scores.values()):
        found.append("wrong")
    if len(scores) < n_arms:
        found.append("unscored")
    return tuple(found)


def _marks(run: Run) -> dict[str, tuple[Mark, ...]]:
    found: dict[str, list[Mark]] = {}
    for score in run.scores:
        if score.repeat:
            continue
        scale = run.metrics[score.metric]
        name = amounts.title(score.metric)
        if score.value is None:
            mark = Mark(name, f"not scored: {score.reason or 'no reason was kept'}", "none")
        elif scale.binary:
            right = score.value == (1.0 if scale.better == "higher" else 0.0)
            mark = Mark(name, "yes" if score.value else "no", "right" if right else "wrong")
        else:
            whole = score.value.is_integer() and not amounts.is_share(scale)
            shown = f"{score.value:,.0f} {scale.unit}".rstrip()
            mark = Mark(name, shown if whole else amounts.level(score.value, scale), "")
        found.setdefault(score.case_id, []).append(mark)
    return {case_id: tuple(marks) for case_id, marks in found.items()}


def _passages(run: Run, case_id: str) -> tuple[str, ...]:
    found = () if run.retrieved is None else run.retrieved.of(case_id)
    return tuple(_cut(f"{passage.id}: {passage.shown}", PASSAGE) for passage in found)


def _answer(
    arm: str, response: Response | None, marks: tuple[Mark, ...], passages: tuple[str, ...]
) -> Answer:
    if response is None:
        return Answer(arm, "", "was not asked", marks, passages)
    if response.text is None:
        return Answer(arm, "", response.error or "no answer", marks, passages)
    notes = ["the answer reached the longest allowed length"] * (response.finish == "length")
    if response.reasoning:
        notes.append(f"it wrote first: {_cut(response.reasoning, PASSAGE)}")
    return Answer(arm, _cut(response.text), "; ".join(notes), marks, passages)


def _cut(text: str, longest: int = LONGEST) -> str:
    if len(text) <= longest:
        return text
    return f"{text[:longest]} … ({len(text) - longest:,} more characters)"


def _length(entry: Entry) -> int:
    # Besides its texts a case costs about so much markup, more for every score shown.
    markup = 500 + sum(90 * len(answer.marks) for answer in entry.answers)
    texts = sum(
        len(answer.text) + sum(len(passage) for passage in answer.passages)
        for answer in entry.answers
    )
    return markup + texts + len(entry.asked) + len(entry.expected)
