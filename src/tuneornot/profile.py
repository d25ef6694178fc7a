"""What is commonly said of fine-tuning, held against this study: confirmed here, or not.

    format       tuned answers keep their form better
    terminology  and use the field's own words and codes better
    latency      a tuned model takes a third of the time or less
    facts        but it is worse at facts, or wrong with more confidence
    shift        loses more where questions change
    safety       and is easier to attack, or declines harmless requests

A claim of a gain or loss is confirmed where at least one figure shows it and none shows the
opposite, contradicted where it is the other way round; p values are adjusted over the figures of a
claim (Holm). The claim of latency is confirmed where the ratio is at most a third with confidence,
contradicted where it is more with confidence. No verdict rests on it, and it does not say why.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

import msgspec

from tuneornot.records import (
    POOLED,
    SAFETY,
    ClaimName,
    Comparison,
    Contrast,
    Expectation,
    Pointed,
    State,
)
from tuneornot.stats.multiplicity import holm

A_THIRD = 1 / 3
BETTER: Mapping[ClaimName, bool] = {
    "format": True,
    "terminology": True,
    "facts": False,
    "shift": False,
    "safety": False,
}
"""Claims of a gain (True) or of a loss."""

KINDS: Mapping[ClaimName, frozenset[str]] = {
    "format": frozenset(
        [
            *("json_valid", "json_schema", "well_formed", "one_of"),
            *("sections", "regex", "length", "language"),
        ]
    ),
    "terminology": frozenset(),
    "facts": frozenset(
        ("faithfulness", "lexical_support", "number_support", "name_support", "confident_wrong")
    ),
}
"""Built-in metrics that speak of a claim; a study names others in ``claims``."""


def of(
    comparisons: Sequence[Comparison],
    *,
    kinds: Mapping[str, str],
    named: Mapping[ClaimName, Sequence[str]],
    primary: str,
) -> tuple[Expectation, ...]:
    """Every claim for every candidate.

    Args:
        comparisons: of tuned candidates with the baseline.
        kinds: by a metric's name the built-in metric that it is.
        named: by claim what the study holds to speak of it, in place of the built-in choice:
            ``METRIC``, ``METRIC@SET`` or ``METRIC/SLICE``.
        primary: the metric whose gain on other sets tells of shift.
    """
    found = []
    for comparison in comparisons:
        for claim in get_args(ClaimName):
            figures = tuple(_figures(claim, comparison, kinds, named.get(claim), primary))
            adjusted = _adjusted(figures)
            found.append(
                Expectation(
                    claim=claim,
                    candidate=comparison.candidate,
                    state=_state(claim, adjusted, comparison.alpha),
                    figures=adjusted,
                )
            )
    return tuple(found)


def _figures(
    claim: ClaimName,
    comparison: Comparison,
    kinds: Mapping[str, str],
    named: Sequence[str] | None,
    primary: str,
) -> Iterator[Pointed]:
    """Every figure that speaks of a claim, where it was measured."""
    if named is not None:
        for name in named:
            yield from _named(name, comparison)
    elif claim == "latency":
        timed = comparison.contrast("latency", "eval")
        if timed is not None and timed.ratio is not None:
            yield Pointed(metric="latency", dataset="eval", what="ratio", estimate=timed.ratio)
    elif claim == "safety":
        yield from (_mean(each) for each in comparison.contrasts if each.metric in SAFETY)
    elif claim == "shift":
        yield from _shifted(comparison, primary)
    else:
        for contrast in comparison.contrasts:
            if kinds.get(contrast.metric) in KINDS.get(claim, ()) and contrast.dataset == "eval":
                yield _mean(contrast)
        if claim == "facts":
            yield from _rare(comparison)


def _rare(comparison: Comparison) -> Iterator[Pointed]:
    """What is gained or lost on the rarest cases, where the study tells the rare from the common.

    A figure of rare cases speaks of facts as no mean over all cases does, which form can carry.
    """
    for band in comparison.bands:
        if band.name == "rare":
            yield Pointed(
                metric=band.metric, dataset="eval", slice="rare cases", estimate=band.difference
            )


def _named(name: str, comparison: Comparison) -> Iterator[Pointed]:
    """The figure of ``METRIC``, ``METRIC@SET`` or ``METRIC/SLICE``, if it was measured."""
    metric, _, part = name.partition("/")
    metric, _, dataset = metric.partition("@")
    contrast = comparison.contrast(metric, dataset or "eval")
    if contrast is None:
        return
    if not part:
        yield _mean(contrast)
    for each in contrast.slices:
        if part and each.slice == part:
            yield Pointed(metric=metric, dataset=contrast.dataset, slice=part, estimate=each.raw)


def _mean(contrast: Contrast) -> Pointed:
    return Pointed(metric=contrast.metric, dataset=contrast.dataset, estimate=contrast.mean)


def _shifted(comparison: Comparison, primary: str) -> Iterator[Pointed]:
    """How much more of the primary the candidate loses than the baseline.

    On all perturbations together, where the study names some, and on each further set.
    """
    for drop in comparison.drops:
        if drop.metric == primary and (drop.other_cases or drop.dataset == POOLED):
            yield Pointed(
                metric=primary,
                dataset=drop.dataset,
                what="shift" if drop.other_cases else "drop",
                estimate=drop.difference,
            )


def _adjusted(figures: Sequence[Pointed]) -> tuple[Pointed, ...]:
    adjusted = holm([_p_value(each) for each in figures]).tolist()
    return tuple(
        each if each.what == "ratio" else msgspec.structs.replace(each, p_holm=p)
        for each, p in zip(figures, adjusted, strict=True)
    )


def _p_value(figure: Pointed) -> float:
    p = None if figure.what == "ratio" else figure.estimate.p_value
    return math.nan if p is None else p


def _state(claim: ClaimName, figures: Sequence[Pointed], alpha: float) -> State:
    if not figures:
        return "unmeasured"
    if claim == "latency":
        ups = [each.estimate.upper <= A_THIRD for each in figures if each.what == "ratio"]
        downs = [each.estimate.lower > A_THIRD for each in figures if each.what == "ratio"]
    else:
        sign = 1 if BETTER[claim] else -1
        shown = [each for each in figures if each.p_holm is not None and each.p_holm < alpha]
        ups = [sign * each.estimate.value > 0 for each in shown]
        downs = [sign * each.estimate.value < 0 for each in shown]
    if any(ups) == any(downs):
        return "open"
    return "confirmed" if any(ups) else "contradicted"
