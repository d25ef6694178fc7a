"""Which runs meet which, at which error rate: from a study's runs to comparisons and verdicts.

``compare`` knows two lists of runs and ``decide`` what they show; here stands what lies between:
that each candidate meets the baseline on every measured set, that several candidates share the
study's error rate, and which other choices the verdict is tried under. Nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from tuneornot import compare, decide, study
from tuneornot.records import Audit, Check, Comparison, Rule, Run, Splits, Verdict


class Pairing:
    """The runs of a study, ready to be paired.

    Args:
        plan: the study.
        splits: the sets that the verdict rests on, and what the eval cases were drawn from.
        runs: by arm its runs, one for each set and training seed.
        checks: by arm what was found of it beside its training; part of every comparison that it
            is in.
    """

    def __init__(
        self,
        plan: study.Study,
        splits: Splits,
        runs: Mapping[str, Sequence[Run]],
        *,
        checks: Mapping[str, Sequence[Check]],
    ) -> None:
        self._study = plan
        self._rule = study.rule(plan)
        self._splits = splits
        self._runs = runs
        self._checks = checks

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
            self._pairs(usual.candidate), by=self._rule.adjust, pool=self._splits.drawn
        )
        verdict = decide.verdict(usual, evidence, self._rule, plan=plan, spend=self._spend)
        variants: dict[str, tuple[decide.Evidence, Rule]] = {"": (evidence, self._rule)}
        variants |= self._variants(usual, evidence, audit)
        found = decide.sensitivity(usual, variants, verdict.outcome, spend=self._spend)
        return msgspec.structs.replace(verdict, sensitivity=found)

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
        """What one comparison may spend of an error rate that all candidates share."""
        return alpha / len(self._study.candidates)

    def _compared(self, name: str, alpha: float) -> Comparison:
        """One candidate against the baseline, on every set."""
        pairs = self._pairs(name)
        margins = {self._rule.primary: self._rule.worthwhile}
        made = compare.comparison(pairs, alpha=alpha, margins=margins)
        beside = [*self._checks[self._study.baseline], *self._checks[name]]
        made = msgspec.structs.replace(made, checks=(*beside, *made.checks))
        return self._adjusted(made, pairs[0]) if self._rule.adjust else made

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
