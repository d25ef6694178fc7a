"""The verdict of this package on drawn scores: its own ``decide`` on its own statistics.

``compare.Evidence`` reads runs. Here the same statistics come from arrays, by the same functions
and arguments, each at the error rate at which ``decide`` asks; a test holds both ways together.
"""

from __future__ import annotations

import numpy as np
from benchmarks.verdicts.scenarios import Drawn, Place, Scenario, Scores

from tuneornot import decide
from tuneornot.records import Claim, Comparison, Contrast, Estimate, Quantity, Scale, Verdict
from tuneornot.stats import paired, spread, tails


def verdict(
    scenario: Scenario, drawn: Drawn, *, spend: decide.Spend = lambda alpha: alpha
) -> Verdict:
    """The rule of a scenario applied to one draw; its first reason holds the primary's estimate."""
    return decide.verdict(
        comparison(scenario, drawn), evidence(scenario, drawn), scenario.rule, spend=spend
    )


def evidence(scenario: Scenario, drawn: Drawn) -> decide.Evidence:
    """What the draw says of a claim, computed once for each quantity and error rate."""
    known: dict[tuple[Place, Quantity, float], Estimate] = {}

    def found(claim: Claim, alpha: float) -> Estimate:
        place = (claim.metric, claim.dataset)
        key = (place, claim.quantity, alpha)
        if key not in known:
            scale = scenario.scales[claim.metric]
            known[key] = estimate(claim.quantity, scale, drawn[place], alpha)
        return known[key]

    return found


def comparison(scenario: Scenario, drawn: Drawn) -> Comparison:
    """How many cases there are of each metric; a verdict takes its estimates from the evidence."""
    contrasts = (
        unmeasured(metric, scenario.scales[metric], _scored(scores), dataset=where)
        for (metric, where), scores in drawn.items()
    )
    return compared(*contrasts, alpha=scenario.rule.alpha)


def compared(*contrasts: Contrast, alpha: float = 0.05) -> Comparison:
    """The tuned arm against the prompted one."""
    return Comparison(baseline="prompted", candidate="tuned", alpha=alpha, contrasts=contrasts)


def unmeasured(metric: str, scale: Scale, n: int, *, dataset: str = "eval") -> Contrast:
    """A contrast of n cases without its estimates, which the evidence gives."""
    return Contrast(
        metric=metric,
        dataset=dataset,
        baseline="prompted",
        candidate="tuned",
        scale=scale,
        n=n,
        baseline_mean=paired.NAN,
        candidate_mean=paired.NAN,
        mean=paired.NAN,
    )


def estimate(quantity: Quantity, scale: Scale, scores: Scores, alpha: float) -> Estimate:
    """One quantity, as ``compare`` has it computed."""
    b, c, groups = scores.baseline, scores.candidate, scores.groups
    binary = scale.binary and b.ndim == 1
    span = scale.low, scale.high
    match quantity:
        case "mean":
            return paired.difference(b, c, groups=groups, scale=span, binary=binary, alpha=alpha)
        case "ratio":
            return paired.ratio(b, c, groups=groups, alpha=alpha)
        case "spread":
            return spread.between_cases(b, c, groups=groups, binary=binary, alpha=alpha)
        case "instability":
            return spread.between_repeats(b, c, groups=groups, alpha=alpha)
        case "drop":
            if span[0] is None or span[1] is None:
                return paired.difference(b, c, groups=groups, binary=False, alpha=alpha)
            wide = span[1] - span[0]
            return paired.difference(
                b, c, groups=groups, scale=(-wide, wide), binary=False, alpha=alpha
            )
        case "worst_tenth":
            return tails.worst_tenth(b, c, groups=groups, scale=span, alpha=alpha)
        case _:
            raise ValueError(f"no scenario here asks for {quantity!r}; add how it is computed")


def _scored(scores: Scores) -> int:
    missing = [np.isnan(arm) for arm in (scores.baseline, scores.candidate)]
    gone = [each if each.ndim == 1 else each.all(axis=1) for each in missing]
    return int(np.sum(~(gone[0] | gone[1])))
