"""Whether trainings that differ in the seed only say the same of the primary metric.

A verdict speaks of the average of the trainings, and one of them is deployed. Where one seed is
worthwhile and another is not, or one wins and another loses, and the two differ by more than the
cases' luck, the average hides it; this check tells. It does not choose a seed: to take the best on
eval would be a choice on the cases that judge.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence

from tuneornot.compare.evidence import Evidence
from tuneornot.metrics.base import Whole
from tuneornot.records import Check, Claim, Estimate, Rule, Run, Scale
from tuneornot.report import amounts

NAME = "seeds-agree"


def agree(
    baseline: Run,
    trainings: Sequence[Run],
    rule: Rule,
    *,
    alpha: float,
    whole: Mapping[str, Whole] | None = None,
) -> Check | None:
    """Hold the seeds of one arm against each other.

    Two seeds disagree where their gains lie on either side of nothing or of what is worthwhile,
    and the paired difference between them excludes 0. All such pairs share alpha (Bonferroni), so
    seeds that are equally good disagree with probability at most alpha.

    Args:
        baseline: on the set that the verdict rests on.
        trainings: the candidate's runs on it, one for each seed.
        rule: for the primary metric and what is worthwhile.
        alpha: error rate of all pairs together.
        whole: the whole-run metrics by name, which know their figures.

    Returns:
        ``None`` with fewer than two trainings, where the primary is no score of answers (a
        latency is timed for one seed only), or where a gain is not determined.
    """
    if len(trainings) < 2 or rule.primary not in baseline.metrics:
        return None
    gains = [_difference(baseline, run, rule.primary, alpha, whole) for run in trainings]
    known = [made.value for made in gains if made is not None and math.isfinite(made.value)]
    if len(known) < len(trainings):
        return None
    share = alpha / math.comb(len(trainings), 2)
    apart = [
        (first, second)
        for first, second in itertools.combinations(range(len(trainings)), 2)
        if _astride(known[first], known[second], rule.worthwhile)
        and _differ(_difference(trainings[first], trainings[second], rule.primary, share, whole))
    ]
    scale = baseline.metrics[rule.primary]
    return Check(
        name=NAME,
        passed=not apart,
        detail=_told([_name(run) for run in trainings], known, apart, rule, scale),
        blocking=False,
    )


def _difference(
    first: Run, second: Run, metric: str, alpha: float, whole: Mapping[str, Whole] | None
) -> Estimate | None:
    claim = Claim(
        role="check", metric=metric, dataset=first.dataset.name, quantity="mean", threshold=0.0
    )
    return Evidence([(first, second)], whole=whole)(claim, alpha)


def _astride(one: float, other: float, worthwhile: float) -> bool:
    return any(min(one, other) <= bar < max(one, other) for bar in (0.0, worthwhile))


def _differ(made: Estimate | None) -> bool:
    return made is not None and not made.low <= 0 <= made.high


def _told(
    names: Sequence[str],
    gains: Sequence[float],
    apart: Sequence[tuple[int, int]],
    rule: Rule,
    scale: Scale,
) -> str:
    each = ", ".join(
        f"{name} {amounts.change(gain, scale)}" for name, gain in zip(names, gains, strict=True)
    )
    told = (
        f"in {amounts.title(rule.primary)} against the baseline: {each}; worthwhile is "
        f"{amounts.margin(rule.worthwhile, scale)}"
    )
    if not apart:
        return f"{told}; no two of them differ with confidence over what would be decided."
    pairs = "; ".join(f"{names[first]} and {names[second]}" for first, second in apart)
    return (
        f"{told}; with confidence these differ, and would not be decided alike: {pairs}. The "
        "verdict speaks of the average of these trainings; the one that is deployed may lie on the "
        "other side."
    )


def _name(run: Run) -> str:
    adapter = run.arm.adapter
    return run.arm.model if adapter is None else f"seed {adapter.seed}"
