"""Verdicts whose primary a fallible judge scores, end to end, with and without labels.

The judge calls right answers right with probability 0.8 and wrong ones wrong with 0.7, in both arms
or in one arm otherwise. Runs are made as a study keeps them, the judge's scores on every case and
people's labels on some, and go through ``compare.Evidence`` and ``decide.verdict``: what the
correction does is the package's own. The truth is that of the answers, not of the judge.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from benchmarks.verdicts.arms import Floats
from benchmarks.verdicts.listing import BITS
from benchmarks.verdicts.ours import compared, unmeasured
from benchmarks.verdicts.scenarios import ROUNDING
from scipy import special

from tuneornot import compare, decide
from tuneornot.records import Arm, Case, Dataset, Response, Rule, Run, Score

RATE, WORTHWHILE = 0.6, 0.05
Errors = tuple[float, float]
"""Sensitivity and specificity."""
USUAL: Errors = (0.8, 0.7)


@dataclass(frozen=True)
class Judging:
    """Arms, a judge and labels."""

    name: str
    gain: float
    """True gain in the rate of right answers."""
    n_labels: int = 100
    """Cases whose answers of both arms are labelled."""
    of_candidate: Errors = USUAL
    """The judge's errors on the candidate's answers; on the baseline's they are usual."""

    @property
    def promised(self) -> bool:
        """Whether the verdict rests on corrected means; else a caveat says that it does not."""
        return self.n_labels > 0

    def once(self, rng: np.random.Generator, n: int) -> tuple[str, bool]:
        """One draw: the outcome, and whether it is a wrong decision."""
        pair = self.runs(rng, n)
        evidence = compare.Evidence([pair])
        rule = Rule(primary="told", worthwhile=WORTHWHILE)
        found = decide.verdict(compared(unmeasured("told", BITS, n)), evidence, rule).outcome
        if found == "tune":
            return found, self.gain <= WORTHWHILE + ROUNDING
        return found, found == "keep-prompting" and self.gain >= WORTHWHILE - ROUNDING

    def runs(self, rng: np.random.Generator, n: int) -> tuple[Run, Run]:
        """Both arms on the same cases."""
        luck = math.sqrt(0.5) * (rng.standard_normal(n) + rng.standard_normal((2, n)))
        right = special.ndtr(luck) < np.array([[RATE], [RATE + self.gain]])
        known = rng.permutation(n)[: self.n_labels].tolist()
        data = _dataset(n)
        made = []
        for arm, truth, errors in zip(
            ("prompted", "tuned"), right, (USUAL, self.of_candidate), strict=True
        ):
            said = rng.random(n) < np.where(truth, errors[0], 1 - errors[1])
            made.append(
                _run(arm, data, said.astype(np.float64), {row: float(truth[row]) for row in known})
            )
        return made[0], made[1]


def _dataset(n: int) -> Dataset:
    return Dataset(name="eval", cases=tuple(Case(id=f"{i}", input=f"q{i}") for i in range(n)))


def _run(name: str, data: Dataset, said: Floats, labels: dict[int, float]) -> Run:
    arm = Arm(name=name, kind="tuned" if name == "tuned" else "prompted", model="local:x")
    return Run(
        arm=arm,
        dataset=data,
        metrics={"told": BITS},
        n_repeats=1,
        responses=tuple(
            Response(arm=arm.fingerprint, question=case.question, text="x") for case in data.cases
        ),
        scores=tuple(
            Score(metric="told", case_id=case.id, value=value, reason="")
            for case, value in zip(data.cases, said.tolist(), strict=True)
        ),
        judged={"told": ("local:judge",)},
        labels=tuple(
            Score(metric="told", case_id=f"{row}", value=value, reason="")
            for row, value in labels.items()
        ),
    )


def judgings() -> Sequence[Judging]:
    """At the edge, with and without a gain; without labels; a judge that favours the candidate."""
    lenient = (0.9, 0.6)
    return (
        Judging("0.8 / 0.7, 100 labels, gain 0.05", 0.05),
        Judging("0.8 / 0.7, no labels, gain 0.05", 0.05, n_labels=0),
        Judging("0.8 / 0.7, 100 labels, gain 0.25", 0.25),
        Judging("0.8 / 0.7, no labels, gain 0.25", 0.25, n_labels=0),
        Judging("0.8 / 0.7, 100 labels, loss 0.15", -0.15),
        Judging("0.9 / 0.6 on the candidate, 100 labels, gain 0.05", 0.05, of_candidate=lenient),
        Judging(
            "0.9 / 0.6 on the candidate, no labels, gain 0.05",
            0.05,
            n_labels=0,
            of_candidate=lenient,
        ),
    )
