"""Beside steps 3 and 5: ask the judges about every answer of a run, and score it.

Questions of a whole run are gathered before any is asked, round by round, so that judges answer as
many at a time as any arm does; and whoever asks them (``session``) keeps every reply, so that
cache, resume and budget are those of every other question. It does not know what a judge is asked,
how it is reached, or whether it is right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from tuneornot.metrics.base import Mark
from tuneornot.metrics.judges.base import Answers, Asking, Judged, Question, Ruling
from tuneornot.records import Response, Run, Score

Ask = Callable[[Sequence[Question]], Answers]
"""What puts questions to judges: for each question its responses, repeats in order."""

Place = tuple[str, int]
"""A case's id and a repeat."""


def run(measured: Run, metrics: Sequence[Judged], ask: Ask, *, against: Run | None = None) -> Run:
    """A run with the scores of judged metrics beside those that it has.

    Args:
        measured: the answers.
        metrics: what judges are asked; names that the run does not have yet.
        ask: puts questions to judges.
        against: the baseline's run on the same cases, for paired metrics; ``None`` if ``measured``
            is the baseline's.
    """
    scores = list(measured.scores)
    for metric in metrics:
        found = rulings(measured, metric, ask, against=against)
        scores += [
            Score(
                metric=metric.name,
                case_id=case_id,
                repeat=repeat,
                value=ruling.mark.value,
                reason=ruling.mark.reason,
            )
            for (case_id, repeat), ruling in found.items()
        ]
    return msgspec.structs.replace(
        measured,
        metrics={**measured.metrics, **{metric.name: metric.scale for metric in metrics}},
        scores=tuple(scores),
        judged={**measured.judged, **{metric.name: metric.judges for metric in metrics}},
        paired=(*measured.paired, *(metric.name for metric in metrics if metric.paired)),
    )


def rulings(
    measured: Run, metric: Judged, ask: Ask, *, against: Run | None = None
) -> dict[Place, Ruling]:
    """The ruling on every answer, with the votes that it rests on; arguments as in ``run``.

    A failed call has no answer to judge: it is ``None`` with the call's error.
    """
    others = {} if against is None else dict(_placed(against))
    found: dict[Place, Ruling] = {}
    waiting: dict[Place, tuple[Asking, tuple[Question, ...]]] = {}
    # A judge of one answer sees what its arm was shown; one of two sees what both arms were.
    shown = measured.dataset.cases if metric.paired else measured.asked
    cases = {case.id: case for case in shown}
    for place, response in _placed(measured):
        found[place] = Ruling(Mark(None, "not judged yet"))
        other = others.get(place)
        if response.text is None:
            found[place] = _failed(response, "")
        elif metric.paired and against is not None and (other is None or other.text is None):
            found[place] = _failed(other, "the baseline has no answer: ")
        else:
            asking = metric.judging(cases[place[0]], response.text, other.text if other else None)
            _step(place, asking, None, found, waiting)
    while waiting:
        asked = dict(waiting)
        answers = iter(ask([each for _, questions in asked.values() for each in questions]))
        waiting.clear()
        for place, (asking, questions) in asked.items():
            _step(place, asking, tuple(next(answers) for _ in questions), found, waiting)
    return found


def _step(
    place: Place,
    asking: Asking,
    answers: Answers | None,
    found: dict[Place, Ruling],
    waiting: dict[Place, tuple[Asking, tuple[Question, ...]]],
) -> None:
    """Carry one judging to its next questions, or to its ruling."""
    try:
        waiting[place] = (asking, next(asking) if answers is None else asking.send(answers))
    except StopIteration as end:
        found[place] = end.value


def _failed(response: Response | None, before: str) -> Ruling:
    said = (response.error if response else None) or "the call failed without saying why"
    return Ruling(Mark(None, before + said))


def _placed(measured: Run) -> list[tuple[Place, Response]]:
    """Every response with its case and repeat; a run has them case by case."""
    places = [
        (case.id, repeat) for case in measured.dataset.cases for repeat in range(measured.n_repeats)
    ]
    return list(zip(places, measured.responses, strict=True))
