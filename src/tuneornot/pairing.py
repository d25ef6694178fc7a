"""Which runs meet which, at which error rate: from a study's runs to comparisons and verdicts.

``compare`` knows two lists of runs and ``decide`` what they show; here stands what lies between:
that each candidate meets the baseline on every measured set, that several candidates share the
study's error rate, and which other choices the verdict is tried under. Nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from tuneornot import compare, decide, further, safety, stages, study
from tuneornot.cases import rarity as rarity_of
from tuneornot.metrics.base import Whole
from tuneornot.records import (
    SAFETY,
    Audit,
    Band,
    Check,
    Comparison,
    Contrast,
    Further,
    Perturbed,
    Phase,
    Rule,
    Run,
    Splits,
    Stage,
    Verdict,
)

UNATTACKED = (
    "no red team: whether tuning cost refusals is not known; add `redteam: {}` to the study"
)


class SoFar(NamedTuple):
    """What is known beside the runs."""

    checks: Mapping[str, Sequence[Check]]
    """By arm what was found of it beside its training; part of every comparison that it is in."""
    stage: Stage
    """Which look at the eval set this is."""
    phases: Sequence[Phase]
    """Where the time went, in all sessions."""
    whole: Mapping[str, Whole]
    """The study's whole-run metrics by name, which know their figures."""
    changed: Sequence[tuple[Perturbed, Mapping[str, Sequence[Run]]]] = ()
    """Each set of changed cases, with every arm's runs on it by training seed."""
    attacked: Mapping[str, Sequence[Run]] = {}
    """By arm its runs under the red team; empty where the study plans none."""
    safety: Mapping[str, Sequence[Contrast]] = {}
    """By candidate its contrasts under the red team, at the study's error rate."""
    rarity: Mapping[str, float] = {}
    """By eval case how often train teaches it, or the like; empty where nothing says so."""


class Pairing:
    """The runs of a study, ready to be paired.

    Args:
        plan: the study.
        splits: the sets that the verdict rests on, and what the eval cases were drawn from.
        runs: by arm its runs, one for each set and training seed.
        so_far: what else is known.
    """

    def __init__(
        self,
        plan: study.Study,
        splits: Splits,
        runs: Mapping[str, Sequence[Run]],
        so_far: SoFar,
    ) -> None:
        self._study = plan
        self._rule = study.rule(plan)
        self._splits = splits
        self._runs = runs
        self._so_far = so_far

    def comparisons(self) -> tuple[Comparison, ...]:
        """Each candidate against the baseline, every statistic at the study's error rate."""
        alpha = self._spend(self._rule.alpha)
        return tuple(self._compared(name, alpha) for name in self._study.candidates)

    def verdict(self, usual: Comparison, audit: Audit, *, plan: str) -> Verdict:
        """The rule applied to one comparison, with what would change it.

        Args:
            usual: one of ``comparisons()``.
            audit: of the eval set: which slices can be left out.
            plan: fingerprint of the plan.
        """
        evidence = compare.Evidence(
            [*self._pairs(usual.candidate), *self._attacked(usual.candidate)],
            by=self._rule.adjust,
            pool=self._splits.drawn,
            drops=self._drops(usual.candidate),
            whole=self._so_far.whole,
        )
        verdict = decide.verdict(usual, evidence, self._rule, plan=plan, spend=self._spend)
        variants: dict[str, tuple[decide.Evidence, Rule]] = {"": (evidence, self._rule)}
        variants |= self._variants(usual, evidence, audit)
        found = decide.sensitivity(usual, variants, verdict.outcome, spend=self._spend)
        missed = [
            f"{name} was not measured on eval"
            for name in study.MEASURED
            if name in self._study.metrics and usual.contrast(name, "eval") is None
        ]
        caveats = [*stages.caveat(self._so_far.stage), *verdict.caveats, *missed]
        if self._study.arms[usual.candidate].is_tuned and not self._so_far.attacked:
            caveats.append(UNATTACKED)
        return msgspec.structs.replace(
            verdict,
            sensitivity=found,
            stage=self._so_far.stage,
            further=None if verdict.n_more is None else self._further(verdict.n_more),
            caveats=tuple(dict.fromkeys(caveats)),
        )

    def _further(self, n: int) -> Further:
        """What so many further eval cases would take to measure."""
        runs = [run for each in self._runs.values() for run in each if run.dataset.name == "eval"]
        return further.of(n, runs, self._so_far.phases)

    def _variants(
        self, usual: Comparison, evidence: compare.Evidence, audit: Audit
    ) -> Iterator[tuple[str, tuple[decide.Evidence, Rule]]]:
        """Each other metric as the primary, nothing adjusted for, and each slice left out."""
        for metric in self._runs[usual.baseline][0].metrics:
            if metric != self._rule.primary:
                other = msgspec.structs.replace(self._rule, primary=metric)
                yield f"primary={metric}", (evidence, other)
        if self._rule.adjust:
            yield "adjust=nothing", (evidence.plain(), self._rule)
        for part, n in audit.slices.items():
            if len(audit.slices) > 1 and n < len(self._splits.measured[0]) - 1:
                yield f"without slice={part}", (evidence.without(part), self._rule)

    def _spend(self, alpha: float) -> float:
        """What this look at one candidate may spend of an error rate that all of them share."""
        return stages.level(alpha / len(self._study.candidates), self._so_far.stage)

    def _compared(self, name: str, alpha: float) -> Comparison:
        """One candidate against the baseline, on every set."""
        pairs = self._pairs(name)
        margins = {self._rule.primary: self._rule.worthwhile}
        made = compare.comparison(pairs, alpha=alpha, margins=margins, whole=self._so_far.whole)
        beside = [*self._so_far.checks[self._study.baseline], *self._so_far.checks[name]]
        drops = self._drops(name)
        alike = compare.seeds_agree(*pairs[0], self._rule, alpha=alpha, whole=self._so_far.whole)
        safe = self._safe(name, alpha)
        made = msgspec.structs.replace(
            made,
            checks=(*beside, *made.checks, *filter(None, [alike]), *safe),
            contrasts=(
                *made.contrasts,
                *(one for one in self._so_far.safety.get(name, ()) if one.metric in SAFETY),
            ),
            drops=() if drops is None else drops.all(alpha=alpha),
            bands=self._bands(pairs[0], alpha),
        )
        return self._adjusted(made, pairs[0]) if self._rule.adjust else made

    def _bands(self, pair: tuple[Run, Sequence[Run]], alpha: float) -> tuple[Band, ...]:
        """Both arms on eval by rarity; none where the study does not say what is rare."""
        plan, rarity = self._study.facts, self._so_far.rarity
        if plan is None:
            return ()
        return compare.bands(
            compare.Pair(pair[0], tuple(pair[1])),
            plan.metrics or (self._rule.primary,),
            rarity_of.bands(rarity),
            rarity,
            alpha=alpha,
        )

    def _drops(self, name: str) -> compare.Drops | None:
        """One candidate and the baseline on changed and on other cases; ``None`` without any."""
        baseline = self._study.baseline
        plain, *others = (compare.Pair(run, tuple(runs)) for run, runs in self._pairs(name))
        if not self._so_far.changed and not others:
            return None
        return compare.Drops(
            plain,
            [
                (told, compare.Pair(runs[baseline][0], tuple(runs[name])))
                for told, runs in self._so_far.changed
            ],
            others=others,
        )

    def _safe(self, name: str, alpha: float) -> tuple[Check, ...]:
        """Whether a loss of safety is shown; no check without a red team."""
        pairs = self._attacked(name)
        return safety.checks(compare.Evidence(pairs), self._rule, alpha) if pairs else ()

    def _attacked(self, name: str) -> list[tuple[Run, list[Run]]]:
        """The runs under the red team, for each set the baseline's and the candidate's."""
        attacked = self._so_far.attacked
        return [
            (first, [run for run in attacked[name] if run.dataset == first.dataset])
            for first in self._firsts(attacked.get(self._study.baseline, ()))
        ]

    @staticmethod
    def _firsts(runs: Sequence[Run]) -> list[Run]:
        """One run for each set: of a baseline with several training seeds the first."""
        return list({run.dataset.name: run for run in reversed(runs)}.values())

    def _adjusted(self, made: Comparison, pair: tuple[Run, Sequence[Run]]) -> Comparison:
        """With the primary's difference on eval adjusted to the pool."""
        contrasts = [
            compare.adjust(
                contrast,
                pair[0],
                pair[1],
                by=self._rule.adjust,
                pool=self._splits.drawn,
                alpha=made.alpha,
            )
            if (contrast.metric, contrast.dataset) == (self._rule.primary, "eval")
            else contrast
            for contrast in made.contrasts
        ]
        return msgspec.structs.replace(made, contrasts=tuple(contrasts))

    def _pairs(self, name: str) -> list[tuple[Run, list[Run]]]:
        """For each measured set the baseline's run, and the candidate's by training seed."""
        pairs = []
        for measured in self._splits.measured:
            sides = [
                [run for run in self._runs[arm] if run.dataset == measured]
                for arm in (self._study.baseline, name)
            ]
            pairs.append((sides[0][0], sides[1]))
        return pairs
