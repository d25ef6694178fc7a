"""What decides more of the verdicts from the same cases, and what it does to the error rates.

    covariates   known before the answers, by ``stats.adjusted``, on published results
    repeats      several answers to each case
    looks        collecting the further cases that a ``not-yet`` names, and judging again

Each is held to the same truths as the plain verdict: a method that decides more by erring more is
no gain.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from benchmarks.verdicts import arms, ours
from benchmarks.verdicts.arms import Beta, Floats
from benchmarks.verdicts.listing import BITS, Drawing
from benchmarks.verdicts.published import Published, is_safe
from benchmarks.verdicts.scenarios import PRIMARY, Drawn, Scenario, Scores, rule
from numpy.typing import NDArray

from tuneornot import stages
from tuneornot.records import Estimate, Stage
from tuneornot.stats import adjusted, paired

WORTHWHILE = 0.05
LONGEST = 400
"""Most further cases that anybody collects after one look."""
DEV_EACH = 5
"""Dev cases of each task from which its difficulty is taken."""


class Claims(NamedTuple):
    """Shares of draws."""

    shown: float
    """Lower bound above what is worthwhile."""
    low_errors: float
    high_errors: float
    covered: float


def claims(found: list[Estimate], truth: float) -> Claims:
    """What bounds claimed, against the truth."""
    return Claims(
        shown=float(np.mean([each.lower > WORTHWHILE for each in found])),
        low_errors=float(np.mean([each.lower > truth for each in found])),
        high_errors=float(np.mean([each.upper < truth for each in found])),
        covered=float(np.mean([each.low <= truth <= each.high for each in found])),
    )


def by_slice(found: Published, pair: tuple[str, str], n: int, n_sets: int) -> tuple[Claims, Claims]:
    """Plain and adjusted for one covariate of XSTest: whether the prompt should be answered."""
    baseline, candidate = (found.scores[name] for name in pair)
    safe = is_safe(found).astype(np.float64)
    rng = np.random.default_rng([n, 41])
    plain, better = [], []
    for _ in range(n_sets):
        at = rng.integers(0, len(baseline), n)
        plain.append(_plain(baseline[at], candidate[at]))
        better.append(_adjusted(baseline[at], candidate[at], safe[at], safe))
    truth = float((candidate - baseline).mean())
    return claims(plain, truth), claims(better, truth)


def by_dev(found: Published, pair: tuple[str, str], n: int, n_sets: int) -> tuple[Claims, Claims]:
    """Plain and adjusted for what each task of BIG-Bench Hard gained on a few dev cases."""
    baseline, candidate = (found.scores[name] for name in pair)
    names, task = np.unique(found.slices, return_inverse=True)
    members = [np.flatnonzero(task == k) for k in range(len(names))]
    gains = candidate - baseline
    rng = np.random.default_rng([n, 42])
    plain, better = [], []
    for _ in range(n_sets):
        dev = np.array([gains[rng.choice(each, DEV_EACH)].mean() for each in members])
        at = rng.integers(0, len(gains), n)
        plain.append(_plain(baseline[at], candidate[at]))
        known = _of_tasks(dev, task)
        better.append(_adjusted(baseline[at], candidate[at], known[at], known))
    truth = float(gains.mean())
    return claims(plain, truth), claims(better, truth)


def repeats(n_repeats: int) -> Iterator[Scenario]:
    """Answers that vary: a gain of 0.15, and of exactly what is worthwhile."""
    steady = Beta(0.55, 0.25)
    for gain in (0.15, 0.05):
        candidate = Beta(0.55 + gain, 0.25)
        yield Scenario(
            family=f"{n_repeats} answers to each case",
            name=f"gain {gain:g}",
            rule=rule(),
            draw=_answers(arms.repeated(steady, candidate, n_repeats)),
            truths={(*PRIMARY, "mean"): gain},
            scales={"score": BITS},
            sizes=(100,),
        )


def looks(scenario: Scenario, n: int, most: int, n_sets: int) -> list[tuple[float, float, float]]:
    """After each look the shares of ``tune`` and ``keep-prompting`` and the mean cases so far.

    Whoever gets ``not-yet`` collects as many further cases as it says (at most ``LONGEST``, and
    that many where it names no number) and judges all cases together by the same rule.
    """
    rng = np.random.default_rng([n, 43])
    counts = np.zeros((most, 3))
    for _ in range(n_sets):
        drawn = scenario.draw(rng, n)
        outcome = "not-yet"
        for look in range(most):
            if outcome == "not-yet":
                made = ours.verdict(scenario, drawn)
                outcome = made.outcome
                held = len(drawn[PRIMARY].baseline)
                if outcome == "not-yet" and look + 1 < most:
                    more = min(made.n_more or LONGEST, LONGEST)
                    drawn = _joined(drawn, scenario.draw(rng, more))
            counts[look] += (outcome == "tune", outcome == "keep-prompting", held)
    return [(row[0], row[1], row[2]) for row in (counts / n_sets).tolist()]


def planned_looks(
    scenario: Scenario, sizes: tuple[int, ...], n_sets: int
) -> list[tuple[float, float, float]]:
    """As ``looks``, at numbers of cases that were planned and share one error rate."""
    rng = np.random.default_rng([*sizes, 44])
    counts = np.zeros((len(sizes), 3))
    for _ in range(n_sets):
        drawn = scenario.draw(rng, sizes[0])
        outcome, held = "not-yet", 0
        for look, n in enumerate(sizes):
            if outcome == "not-yet":
                if look:
                    drawn = _joined(drawn, scenario.draw(rng, n - held))
                now = Stage(n=n, earlier=sizes[:look], planned=sizes, alpha=scenario.rule.alpha)
                spend = functools.partial(stages.level, now=now)
                outcome, held = ours.verdict(scenario, drawn, spend=spend).outcome, n
            counts[look] += (outcome == "tune", outcome == "keep-prompting", held)
    return [(row[0], row[1], row[2]) for row in (counts / n_sets).tolist()]


def _answers(draw: arms.Draw) -> Drawing:
    def drawn(rng: np.random.Generator, n: int) -> Drawn:
        baseline, candidate = draw(rng, n)
        if baseline.shape[1] == 1:
            return {PRIMARY: Scores(baseline[:, 0], candidate[:, 0])}
        return {PRIMARY: Scores(baseline, candidate)}

    return drawn


def _joined(first: Drawn, second: Drawn) -> Drawn:
    return {
        place: Scores(
            np.concatenate([scores.baseline, second[place].baseline]),
            np.concatenate([scores.candidate, second[place].candidate]),
        )
        for place, scores in first.items()
    }


def _plain(baseline: Floats, candidate: Floats) -> Estimate:
    return paired.difference(baseline, candidate, scale=(0, 1), binary=True)


def _adjusted(baseline: Floats, candidate: Floats, known: Floats, pool: Floats) -> Estimate:
    return adjusted.difference(baseline, candidate, known, pool, scale=(0, 1))


def _of_tasks(values: Floats, task: NDArray[np.intp]) -> Floats:
    known: Floats = values[task]
    return known
