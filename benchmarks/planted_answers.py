"""A study whose answers are given: from 0/1 outcomes to runs, and by ``Pairing`` to a verdict.

Every case has a right and a wrong answer, every attack one that complies and one that declines;
both are scored once by the package's own metrics, so that a draw only picks among responses and
scores that exist. It knows nothing of chances.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
from benchmarks.verdicts.arms import Floats
from numpy.typing import NDArray

from tuneornot import dataset, study
from tuneornot.attacks import suite
from tuneornot.attacks.plan import RedteamPlan
from tuneornot.metrics.base import Metric
from tuneornot.metrics.reference import ExactMatch
from tuneornot.pairing import Pairing, SoFar
from tuneornot.records import (
    SAFETY,
    Arm,
    Case,
    Dataset,
    Outcome,
    Perturbed,
    Response,
    Run,
    Score,
    Splits,
    Stage,
)
from tuneornot.redteam import tables
from tuneornot.redteam.rules import Complies
from tuneornot.scoring import judge

OLD, NEW = "prompted", "tuned"
ARMS = {
    OLD: Arm(name=OLD, kind="prompted", model="local:old"),
    NEW: Arm(name=NEW, kind="tuned", model="local:new"),
}
DECLINES = "I am sorry, but I cannot help with that."
WAYS = ("typos", "casing", "punctuation", "filler", "casual")
PLANS = {
    "drop": "equivalent: 0.05, economy: {latency: 3}, guardrails: {drop: 0.05}",
    "refusals": "",
    "guarded": "guardrails: {attack_success: 0.05, over_refusal: 0.05}",
    "economy": "equivalent: 0.05, economy: {latency: 3}",
}
"""By family what its study decides by, beside a worthwhile gain of 0.05 in exact match."""

Outcomes = Sequence[float] | Floats


class Answers:
    """What may be answered on one set: (case, outcome) to responses and scores of either arm."""

    def __init__(self, cases: Dataset, metric: Metric, texts: Sequence[tuple[str, str]]) -> None:
        """Score both answers to every case; ``texts`` are those of outcome 0 and 1."""
        self.cases, self._metric = cases, metric
        self._made: dict[str, list[tuple[tuple[Response, Score], ...]]] = {}
        for name, arm in ARMS.items():
            self._made[name] = [
                tuple(self._scored(arm, case, text) for text in pair)
                for case, pair in zip(cases.cases, texts, strict=True)
            ]

    def run(self, name: str, outcomes: Outcomes, *, timed: Sequence[float] | Floats = ()) -> Run:
        """One arm with an outcome for each case; ``timed`` are seconds of the first cases."""
        taken = [
            pair[int(outcome)] for pair, outcome in zip(self._made[name], outcomes, strict=True)
        ]
        arm = ARMS[name]
        return Run(
            arm=arm,
            dataset=self.cases,
            metrics={self._metric.name: self._metric.scale},
            n_repeats=1,
            responses=tuple(response for response, _ in taken),
            scores=tuple(score for _, score in taken),
            timings=tuple(
                Response(
                    arm=arm.fingerprint,
                    question=case.question,
                    purpose="latency",
                    text="",
                    latency_s=float(seconds),
                )
                for case, seconds in zip(self.cases.cases, timed, strict=False)
            ),
        )

    def _scored(self, arm: Arm, case: Case, text: str) -> tuple[Response, Score]:
        response = Response(arm=arm.fingerprint, question=case.question, text=text)
        [score] = judge([self._metric], case, response)
        return response, score


class World:
    """A study of one family with so many eval cases, ready for drawn outcomes."""

    def __init__(self, family: str, n: int) -> None:
        self.n = n
        self.n_ways = len(WAYS)
        self._plan = study.parse(_plan(family))
        cases = _cases(n)
        self._splits = Splits(
            train=Dataset(name="train", cases=()), dev=Dataset(name="dev", cases=()), eval=cases
        )
        self._audit = dataset.audit(cases)
        texts = [("wrong", str(case.expected)) for case in cases.cases]
        self.plain = Answers(cases, ExactMatch(), texts)
        self._changed = {way: Answers(_asked(cases, way), ExactMatch(), texts) for way in WAYS}
        self._team = suite.of(RedteamPlan(), self._plan.task, Path())
        attacks, lookalikes = self._team
        self.attacks = Answers(
            attacks, Complies("attack_success"), [(DECLINES, _complies(c)) for c in attacks.cases]
        )
        self.lookalikes = Answers(
            lookalikes, Complies("over_refusal"), [("Gladly.", DECLINES)] * len(lookalikes)
        )
        self.n_lookalikes = len(lookalikes)

    @property
    def requests(self) -> NDArray[np.intp]:
        """(attacks,) which request each of them puts."""
        named = [case.group or case.id for case in self._team.attacks.cases]
        return np.unique(named, return_inverse=True)[1]

    def verdict(
        self,
        plain: tuple[Floats, Floats],
        changed: Sequence[tuple[Floats, Floats]],
        *,
        timed: Mapping[str, Floats],
        attacked: Mapping[str, tuple[Floats, Floats]],
    ) -> Outcome:
        """What the study concludes.

        Args:
            plain: 0/1 of baseline and candidate for each eval case.
            changed: the same under each way of asking; empty where the study has no stress.
            timed: by arm seconds of the first cases.
            attacked: by arm 0/1 for each attack and each look-alike; empty without a red team.
        """
        outcomes = dict(zip(ARMS, plain, strict=True))
        runs = {name: [self.plain.run(name, outcomes[name], timed=timed[name])] for name in ARMS}
        under = {name: self._under(name, pair) for name, pair in attacked.items()}
        alpha = self._plan.decide.alpha
        safety = tables.contrasts(under[OLD], under[NEW], alpha=alpha) if under else ()
        so_far = SoFar(
            checks=dict.fromkeys(ARMS, ()),
            stage=Stage(n=self.n, alpha=alpha),
            phases=(),
            whole={},
            changed=[
                (_told(way, self.n), self._runs(self._changed[way], pair))
                for way, pair in zip(WAYS, changed, strict=False)
            ],
            attacked=under,
            safety={NEW: safety},
        )
        pairing = Pairing(self._plan, self._splits, runs, so_far)
        [comparison] = pairing.comparisons()
        return pairing.verdict(comparison, self._audit, plan="").outcome

    @staticmethod
    def _runs(answers: Answers, pair: tuple[Floats, Floats]) -> dict[str, list[Run]]:
        return {name: [answers.run(name, side)] for name, side in zip(ARMS, pair, strict=True)}

    def _under(self, name: str, pair: tuple[Floats, Floats]) -> list[Run]:
        """An arm's runs under the red team, judged by rules."""
        sides = zip((self.attacks, self.lookalikes), pair, SAFETY, strict=True)
        return [
            msgspec.structs.replace(answers.run(name, outcomes), judged={metric: ()})
            for answers, outcomes, metric in sides
        ]


def _plan(family: str) -> str:
    stress = f"stress: {{perturbations: [{', '.join(WAYS)}]}}\n" if family == "drop" else ""
    team = "redteam: {}\n" if family in ("refusals", "guarded") else ""
    more = f", {PLANS[family]}" if PLANS[family] else ""
    return f"""\
study: planted
task: Tell the price.
data: {{cases: cases.jsonl, split: {{eval: 0.5, dev: 0.2}}}}
arms: {{{OLD}: {{model: "local:old"}}, {NEW}: {{model: "local:new"}}}}
metrics: [exact_match, latency]
{stress}{team}decide: {{baseline: {OLD}, primary: exact_match, worthwhile: 0.05{more}}}
"""


def _cases(n: int) -> Dataset:
    asked = (f"What does lot {i} cost?" for i in range(n))
    cases = (Case(id=f"c{i}", input=said, expected=f"{7 * i}") for i, said in enumerate(asked))
    return Dataset(name="eval", cases=tuple(cases))


def _asked(cases: Dataset, way: str) -> Dataset:
    """The same cases with another text; which one does not matter to answers that are given."""
    changed = (msgspec.structs.replace(case, input=f"({way}) {case.input}") for case in cases.cases)
    return Dataset(name=way, cases=tuple(changed))


def _told(way: str, n: int) -> Perturbed:
    return Perturbed(
        name=way,
        perturbation=way,
        strength=0.3,
        main=True,
        keeps_meaning=True,
        summary="",
        n=n,
        n_same=0,
    )


def _complies(case: Case) -> str:
    """An answer that the rules take for compliance: it holds the mark, or a sign."""
    target = suite.target(case)
    if target.mark is not None:
        return f"Here it is: {target.mark}"
    return f"Certainly: {''.join(target.signs[:1])} and so on."
