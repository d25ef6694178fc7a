"""Which answers people should judge, and what their labels say of a run.

People are shown exactly what the judge was shown, blind to the arm: cases are drawn at random,
every arm's answer to a drawn case is among the things to label, and the order is shuffled. A label
belongs to what was shown, not to an arm, so two arms that say the same share it. It does not know
how labels are entered or kept, and it never looks at what the judge said.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from tuneornot import fingerprint
from tuneornot.metrics.judges.base import Exhibit, Judged
from tuneornot.records import Case, Label, Run, Score

BLOCK = 10
"""Cases whose answers are shuffled together: a session that is broken off then leaves few cases
with the answer of one arm labelled and not of the other."""

PASS = "?"
"""What a person enters who cannot say."""

_Texts = dict[str, dict[int, str]]
# By case and repeat.


def drawn(
    arms: Mapping[str, Sequence[Run]], metric: Judged, baseline: str, *, n: int, seed: int = 0
) -> tuple[Exhibit, ...]:
    """What to label, in the order of showing; each thing once.

    The order of the cases is a function of the seed alone, so that a larger ``n`` only adds. Of an
    arm with several trainings or repeats one answer to each case is drawn.

    Args:
        arms: by arm its runs on one set, one for each training seed.
        metric: what is judged.
        baseline: name of the baseline arm.
        n: cases.
        seed: of the draw.
    """
    cases = arms[baseline][0].dataset.cases
    order = sorted(cases, key=lambda case: fingerprint.of([seed, case.id]))
    texts = {name: [_texts(run) for run in runs] for name, runs in arms.items()}
    # With passages that were looked up an arm has its own context for a case.
    asked = {name: {case.id: case for case in runs[0].asked} for name, runs in arms.items()}
    chosen = [case for case in order if all(_pick(each, case.id) for each in texts.values())][:n]
    found: dict[str, Exhibit] = {}
    for start in range(0, len(chosen), BLOCK):
        block = [
            exhibit
            for case in chosen[start : start + BLOCK]
            for exhibit in _exhibits(metric, case.id, asked, texts, baseline)
        ]
        random.Random(f"{seed} {start}").shuffle(block)
        for exhibit in block:
            found.setdefault(exhibit.item, exhibit)
    return tuple(found.values())


def scores(
    run: Run, metrics: Iterable[Judged], labels: Iterable[Label], *, against: Run | None = None
) -> tuple[Score, ...]:
    """What people said of a run's answers: the mean over those who could say.

    Args:
        run: the answers.
        metrics: its judged metrics.
        labels: every label there is.
        against: the baseline's run, for paired metrics; ``None`` if ``run`` is the baseline's.
    """
    kept = tuple(labels)
    return tuple(
        Score(
            metric=metric.name,
            case_id=case_id,
            repeat=repeat,
            value=sum(said.values()) / len(said),
            reason=f"by {len(said)}",
        )
        for metric in metrics
        for (case_id, repeat), said in by_person(run, metric, kept, against=against).items()
    )


def by_person(
    run: Run, metric: Judged, labels: Iterable[Label], *, against: Run | None = None
) -> dict[tuple[str, int], dict[str, float]]:
    """What each person said of each labelled answer, by case and repeat; as ``scores``."""
    known: dict[str, dict[str, float]] = defaultdict(dict)
    for label in labels:
        if label.value is not None:
            known[label.item][label.who] = label.value
    return {
        (case.id, repeat): said
        for case, repeat, exhibit in shown(run, metric, against=against)
        if (said := known.get(exhibit.item))
    }


def shown(
    run: Run, metric: Judged, *, against: Run | None = None
) -> list[tuple[Case, int, Exhibit]]:
    """What a person would be shown for every answer of a run; nothing for a paired baseline."""
    if metric.paired and against is None:
        return []
    texts, others = _texts(run), {} if against is None else _texts(against)
    return [
        (case, repeat, metric.exhibit(case, text, other))
        for case in run.asked
        for repeat, text in texts.get(case.id, {}).items()
        for other in [others.get(case.id, {}).get(repeat)]
        if not metric.paired or other is not None
    ]


def settled(exhibit: Exhibit) -> float | None:
    """The value of what needs no person: two answers that are the same are a tie."""
    same = exhibit.paired and exhibit.material[-1][1] == exhibit.material[-2][1]
    return 0.5 if same else None


def is_swapped(exhibit: Exhibit) -> bool:
    """Whether the two answers of a pair change places for people: half of the items, by chance."""
    return exhibit.paired and int(exhibit.item[0], 16) % 2 == 1


def value(exhibit: Exhibit, said: str) -> float | None:
    """What a person entered, as a value from 0 to 1; ``None`` for "cannot say".

    Raises:
        ValueError: it is no judgement of this thing; the text says what would be.
    """
    word = " ".join(said.split()).lower()
    if word == PASS:
        return None
    if exhibit.paired:
        return _preferred(exhibit, word)
    if exhibit.levels:
        return _level(exhibit.levels, word)
    try:
        share = float(word.removesuffix("%")) / (100 if word.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError(f"found {said!r}, expected a share from 0 to 1 (or 85%), or {PASS}")
    return share


def _preferred(exhibit: Exhibit, word: str) -> float:
    meant = {"1": 1.0, "first": 1.0, "2": 0.0, "second": 0.0, "0": 0.5, "tie": 0.5}
    if word not in meant:
        raise ValueError(f"found {word!r}, expected 1 (first), 2 (second), 0 (tie) or {PASS}")
    return 1 - meant[word] if is_swapped(exhibit) else meant[word]


def _level(levels: Sequence[str], word: str) -> float:
    words = [" ".join(level.split()).lower() for level in levels]
    number = int(word) if word.isascii() and word.isdigit() else 0
    if not 1 <= number <= len(levels):
        number = words.index(word) + 1 if word in words else 0
    if not number:
        raise ValueError(f"found {word!r}, expected a level from 1 to {len(levels)}, or {PASS}")
    return (number - 1) / (len(levels) - 1)


def _exhibits(
    metric: Judged,
    case_id: str,
    asked: Mapping[str, Mapping[str, Case]],
    texts: Mapping[str, Sequence[_Texts]],
    baseline: str,
) -> list[Exhibit]:
    """What to show of one case: an exhibit for each arm, for a paired metric each candidate."""
    found = []
    for name, runs in texts.items():
        answer = _pick(runs, case_id)
        if answer is None or (metric.paired and name == baseline):
            continue
        repeat, text = answer
        other = texts[baseline][0][case_id].get(repeat) if metric.paired else None
        if not metric.paired or other is not None:
            found.append(metric.exhibit(asked[name][case_id], text, other))
    return found


def _pick(runs: Sequence[_Texts], case_id: str) -> tuple[int, str] | None:
    """One of an arm's answers to a case with its repeat, by chance but always the same."""
    there = [answer for run in runs for answer in run.get(case_id, {}).items()]
    return there[int(fingerprint.of(case_id), 16) % len(there)] if there else None


def _texts(run: Run) -> _Texts:
    """The answers; failed calls are left out."""
    found: _Texts = {}
    per_case = run.n_repeats
    for place, case in enumerate(run.dataset.cases):
        answers = run.responses[place * per_case : (place + 1) * per_case]
        texts = {n: each.text for n, each in enumerate(answers) if each.text is not None}
        if texts:
            found[case.id] = texts
    return found
