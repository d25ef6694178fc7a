"""Which runs meet which, at which error rate: from a study's runs to comparisons and verdicts.

``compare`` knows two lists of runs and ``decide`` two comparisons; here stands what lies between:
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
        self._splits = splits
        self._runs = runs
        self._checks = checks

    def comparisons(self) -> tuple[Comparison, ...]:
        """Each candidate against the baseline; together they keep the study's error rate."""
        alpha = self._alpha(decide.n_routes(study.rule(self._study)))
        return tuple(self._compared(name, alpha) for name in self._study.candidates)

    def verdict(self, usual: Comparison, audit: Audit, *, plan: str) -> Verdict:
        """The rule applied to one comparison, with what would change it.

        Args:
            usual: one of ``comparisons()``.
            audit: of the eval set: which slices can be left out.
            plan: fingerprint of the plan.
        """
        rule = study.rule(self._study)
        strict = self._compared(usual.candidate, self._alpha(decide.n_ways(rule)))
        verdict = decide.verdict(usual, strict, rule, plan=plan)
        variants = {"": (usual, strict, rule)}
        variants |= dict(self._variants(usual, strict, audit, rule))
        found = decide.sensitivity(rule, variants, verdict.outcome)
        return msgspec.structs.replace(verdict, sensitivity=found)

    def _variants(
        self, usual: Comparison, strict: Comparison, audit: Audit, rule: Rule
    ) -> Iterator[tuple[str, tuple[Comparison, Comparison, Rule]]]:
        for metric in self._runs[usual.baseline][0].metrics:
            if metric != rule.primary:
                other = msgspec.structs.replace(rule, primary=metric)
                yield f"primary={metric}", (usual, strict, other)
        if rule.adjust:
            plain = [
                self._compared(usual.candidate, one.alpha, adjusted=False)
                for one in (usual, strict)
            ]
            yield "adjust=nothing", (plain[0], plain[1], rule)
        for part, n in audit.slices.items():
            if len(audit.slices) > 1 and n < len(self._splits.measured[0]) - 1:
                without = [
                    self._compared(usual.candidate, one.alpha, without=part)
                    for one in (usual, strict)
                ]
                yield f"without slice={part}", (without[0], without[1], rule)

    def _alpha(self, n_claims: int) -> float:
        """The error rate of each of so many claims; several candidates share the study's too."""
        rule = study.rule(self._study)
        return rule.alpha / (n_claims * len(self._study.candidates))

    def _compared(
        self, name: str, alpha: float, *, without: str | None = None, adjusted: bool = True
    ) -> Comparison:
        """One candidate against the baseline, on every set, optionally without one slice."""
        pairs = []
        for measured in self._splits.measured:
            sides = [
                [
                    compare.without(run, without)
                    for run in self._runs[arm]
                    if run.dataset == measured
                ]
                for arm in (self._study.baseline, name)
            ]
            pairs.append((sides[0][0], sides[1]))
        rule = study.rule(self._study)
        made = compare.comparison(pairs, alpha=alpha, margins={rule.primary: rule.worthwhile})
        beside = [*self._checks[self._study.baseline], *self._checks[name]]
        made = msgspec.structs.replace(made, checks=(*beside, *made.checks))
        return self._adjusted(made, pairs[0], rule, without) if adjusted and rule.adjust else made

    def _adjusted(
        self,
        made: Comparison,
        pair: tuple[Run, Sequence[Run]],
        rule: Rule,
        without: str | None,
    ) -> Comparison:
        """With the primary's difference on eval adjusted to the pool, less a slice left out."""
        pool = [
            case for case in self._splits.drawn if without is None or (case.slice or "") != without
        ]
        contrasts = [
            compare.adjust(contrast, pair[0], pair[1], by=rule.adjust, pool=pool, alpha=made.alpha)
            if (contrast.metric, contrast.dataset) == (rule.primary, "eval")
            else contrast
            for contrast in made.contrasts
        ]
        return msgspec.structs.replace(made, contrasts=tuple(contrasts))
