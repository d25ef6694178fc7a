"""The verdict of this package on drawn scores: its own ``decide`` on its own statistics.

A full comparison computes a dozen quantities that a rule does not ask for. Here a contrast is
filled with those that the rule names, by the same functions and arguments as ``compare`` uses, at
``alpha / n_routes`` and at ``alpha / n_ways``; a test holds the two paths together.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from benchmarks.verdicts.scenarios import PRIMARY, Drawn, Place, Scenario, Scores

from tuneornot import decide
from tuneornot.records import Comparison, Contrast, Estimate, Quantity, Rule, Scale, Verdict
from tuneornot.stats import paired, spread, tails


def verdict(scenario: Scenario, drawn: Drawn) -> Verdict:
    """The rule of a scenario applied to one draw; its first reason holds the primary's estimate."""
    rule = scenario.rule
    routes, ways = decide.n_routes(rule), decide.n_ways(rule)
    usual = comparison(scenario, drawn, rule.alpha / routes)
    strict = usual if ways == routes else comparison(scenario, drawn, rule.alpha / ways)
    return decide.verdict(usual, strict, rule)


def comparison(scenario: Scenario, drawn: Drawn, alpha: float) -> Comparison:
    """What the rule needs to know, at one error rate."""
    asked: dict[Place, list[Quantity]] = {}
    for place, quantity in _asked(scenario.rule):
        asked.setdefault(place, []).append(quantity)
    return Comparison(
        baseline="prompted",
        candidate="tuned",
        alpha=alpha,
        contrasts=tuple(
            contrast(place, scenario.scales[place[0]], drawn[place], quantities, alpha=alpha)
            for place, quantities in asked.items()
        ),
    )


def contrast(
    place: Place, scale: Scale, scores: Scores, quantities: Iterable[Quantity], *, alpha: float
) -> Contrast:
    """One metric on one set with some of its quantities."""
    made = {quantity: estimate(quantity, scale, scores, alpha) for quantity in quantities}
    return Contrast(
        metric=place[0],
        dataset=place[1],
        baseline="prompted",
        candidate="tuned",
        scale=scale,
        n=_scored(scores),
        baseline_mean=paired.NAN,
        candidate_mean=paired.NAN,
        mean=made.get("mean", paired.NAN),
        ratio=made.get("ratio"),
        spread=made.get("spread"),
        instability=made.get("instability"),
        worst_tenth=made.get("worst_tenth"),
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
        case "worst_tenth":
            return tails.worst_tenth(b, c, groups=groups, scale=span, alpha=alpha)
        case _:
            raise ValueError(f"no scenario here asks for {quantity!r}; add how it is computed")


def _asked(rule: Rule) -> Iterable[tuple[Place, Quantity]]:
    yield PRIMARY, "mean"
    if rule.economy is not None:
        yield (rule.economy.metric, "eval"), "ratio"
    for rail in rule.guardrails:
        if ((rail.metric, rail.dataset), rail.quantity) != (PRIMARY, "mean"):
            yield (rail.metric, rail.dataset), rail.quantity


def _scored(scores: Scores) -> int:
    missing = [np.isnan(arm) for arm in (scores.baseline, scores.candidate)]
    gone = [each if each.ndim == 1 else each.all(axis=1) for each in missing]
    return int(np.sum(~(gone[0] | gone[1])))
