"""Findings into pictures of estimates: effects against margins, levels, slices, quantiles.

Only chooses what to draw and names it; all values stand in the records. Shares are drawn in
percent and points. Pictures of single cases and of the effort are in ``shapes`` and ``efforts``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tuneornot.records import Comparison, Contrast, Estimate, Reason, Scale, Verdict
from tuneornot.report import amounts, drawing, intervals, sentences
from tuneornot.report.drawing import Figure, Row, Spec

_STATE = {True: drawing.GOOD, False: drawing.BAD, None: drawing.OPEN}


def effects(comparison: Comparison, verdict: Verdict | None) -> Figure | None:
    """Every difference in a share, with its interval, against the margins of the rule."""
    judged = {
        (reason.metric, reason.dataset): reason
        for reason in reversed(verdict.reasons if verdict else ())
        if reason.quantity == "mean"
    }
    lines = [
        _effect(each, judged.get((each.metric, each.dataset)))
        for each in comparison.contrasts
        if amounts.is_share(each.scale)
    ]
    for reason in verdict.reasons if verdict else ():
        each = comparison.contrast(reason.metric, reason.dataset)
        if reason.quantity == "worst_tenth" and each and amounts.is_share(each.scale):
            lines.append(_requirement(reason, "Worst tenth of ", 100.0))
        elif reason.quantity == "catastrophic":
            lines.append(_requirement(reason, "Total failures in ", 100.0))
    return intervals.chart(
        lines,
        axis=f"{comparison.candidate} minus {comparison.baseline}, points (right is better)",
        reference=0.0,
        alt_text=_told("Differences with intervals", lines),
        caption=(
            f"Mean paired differences with {_confidence(comparison)} intervals. A short upright"
            " line is the margin that the study wrote down; green: the requirement holds, red: it"
            " is broken, amber: these data do not decide; grey: no requirement."
        ),
    )


def ratios(comparison: Comparison, verdict: Verdict | None) -> Figure | None:
    """Factors: spread where the rule limits it, and every ratio of means."""
    limits: dict[tuple[str, str, str], Reason] = {
        (reason.metric, reason.dataset, reason.quantity): reason
        for reason in (verdict.reasons if verdict else ())
    }
    lines = []
    for each in comparison.contrasts:
        for quantity, estimate in (("ratio", each.ratio), ("spread", each.spread)):
            reason = limits.get((each.metric, each.dataset, quantity))
            if estimate is None or (quantity == "spread" and reason is None):
                continue
            aspect = "" if quantity == "ratio" else "Spread of "
            lines.append(
                intervals.Line(
                    label=_label(each.metric, each.dataset, aspect),
                    note=f"{amounts.factor(estimate.value)} ({amounts.factor_span(estimate)})",
                    bars=(_bar(estimate, 1.0, _STATE[reason.holds] if reason else drawing.MUTED),),
                    limit=reason.threshold if reason else None,
                )
            )
    return intervals.chart(
        lines,
        axis=f"{comparison.candidate} / {comparison.baseline} (left is better)",
        reference=1.0,
        ratio=True,
        alt_text=_told("Ratios with intervals", lines),
        caption=(
            f"Candidate divided by baseline, with {_confidence(comparison)} intervals, on a"
            " logarithmic axis."
        ),
    )


def _confidence(comparison: Comparison) -> str:
    """The level of the intervals of a comparison."""
    return f"{100 * (1 - comparison.alpha):.4g}%"


def levels(contrasts: Sequence[Contrast]) -> Figure | None:
    """Where both arms stand, one row for each contrast (of one unit)."""
    scale = contrasts[0].scale
    unit = _factor(scale)
    lines = [
        intervals.Line(
            label=f"{each.dataset} ({amounts.count(each.n, 'case')})",
            note=(
                f"{amounts.level(each.baseline_mean.value, scale)} to"
                f" {amounts.level(each.candidate_mean.value, scale)}"
            ),
            bars=(
                _bar(each.baseline_mean, unit, drawing.BASELINE),
                _bar(each.candidate_mean, unit, drawing.CANDIDATE),
            ),
        )
        for each in contrasts
    ]
    name = amounts.title(contrasts[0].metric)
    return intervals.chart(
        lines,
        axis=f"{name}, {'percent' if amounts.is_share(scale) else scale.unit or 'value'}",
        reference=None,
        alt_text=_told(f"{name} of both arms", lines),
        caption=(
            f"Means with {amounts.confidence(contrasts[0].baseline_mean)} intervals: above"
            f" {contrasts[0].baseline} (blue), below"
            f" {contrasts[0].candidate} (orange)."
        ),
    )


def slices(contrast: Contrast) -> Figure | None:
    """Each slice's difference: as observed, and shrunk towards the whole."""
    unit = _factor(contrast.scale)
    lines = [
        intervals.Line(
            label=f"{each.slice or 'without a slice'} ({amounts.count(each.n, 'case')})",
            note=(
                f"{amounts.difference(each.pooled.value, contrast.scale)}"
                f" ({amounts.span(each.pooled, contrast.scale)})"
            ),
            bars=(
                _bar(each.pooled, unit, drawing.CANDIDATE),
                _bar(each.raw, unit, drawing.MUTED),
            ),
        )
        for each in contrast.slices
    ]
    axis = "points" if amounts.is_share(contrast.scale) else contrast.scale.unit or "value"
    return intervals.chart(
        lines,
        axis=f"Difference in {amounts.title(contrast.metric)}, {axis} (right is better)",
        reference=0.0,
        alt_text=_told("Differences by slice", lines),
        caption=(
            f"Differences with {amounts.confidence(contrast.mean)} intervals. Orange, with its"
            " figures: shrunk towards the whole, because small slices exaggerate; grey below it:"
            " as observed."
        ),
    )


def quantiles(contrast: Contrast) -> Figure | None:
    """Where in the distribution the difference lies, in a simultaneous band."""
    unit = _factor(contrast.scale)
    rows: list[Row] = [
        {"q": 100 * at.q, "value": unit * at.value, "low": unit * at.low, "high": unit * at.high}
        for at in contrast.quantiles
        if math.isfinite(at.value)
    ]
    if len(rows) < 2:
        return None
    points = "points" if amounts.is_share(contrast.scale) else contrast.scale.unit or "value"

    x = drawing.quantity("q", "Quantile, percent (left: worst cases)")
    title = f"Difference, {points}"
    value = drawing.quantity("value", title, ticks=5)

    def build(width: int) -> Spec:
        low = drawing.quantity("low", title, ticks=5)
        solid = {"color": drawing.CANDIDATE, "opacity": 1}
        layers = [
            drawing.layer([{"low": 0.0}], {"type": "rule", "color": drawing.MUTED}, {"y": low}),
            drawing.layer(
                rows,
                {"type": "area", "color": drawing.CANDIDATE, "opacity": 0.18},
                {"x": x, "y": low, "y2": {"field": "high"}},
            ),
            drawing.layer(rows, {"type": "line", **solid}, {"x": x, "y": value}),
            drawing.layer(rows, {"type": "point", "filled": True, **solid}, {"x": x, "y": value}),
        ]
        return {"layer": layers, "height": 200}

    ends = f"{rows[0]['value']:+.3g} at the worst end, {rows[-1]['value']:+.3g} at the best end"
    return drawing.draw(
        build,
        alt_text=f"Difference of quantiles: {ends}.",
        caption=(
            "Difference of each quantile of the two score distributions, candidate minus baseline,"
            " in a band that holds for all quantiles at once."
        ),
    )


def _effect(contrast: Contrast, reason: Reason | None) -> intervals.Line:
    return intervals.Line(
        label=_label(contrast.metric, contrast.dataset),
        note=(
            f"{amounts.bare(contrast.mean.value, contrast.scale)}"
            f" ({amounts.span(contrast.mean, contrast.scale)})"
        ),
        bars=(_bar(contrast.mean, 100.0, _STATE[reason.holds] if reason else drawing.MUTED),),
        limit=None if reason is None or reason.threshold is None else 100 * reason.threshold,
    )


def _requirement(reason: Reason, aspect: str, unit: float) -> intervals.Line:
    estimate = reason.estimate or Estimate(
        value=math.nan, low=math.nan, high=math.nan, lower=math.nan, upper=math.nan
    )
    return intervals.Line(
        label=_label(reason.metric, reason.dataset, aspect),
        note=f"{amounts.bare(estimate.value, Scale())} ({amounts.span(estimate, Scale())})",
        bars=(_bar(estimate, unit, _STATE[reason.holds]),),
        limit=None if reason.threshold is None else unit * reason.threshold,
    )


def _label(metric: str, dataset: str, aspect: str = "") -> str:
    name = aspect + (sentences.inline(metric) if aspect else amounts.title(metric))
    return name if dataset == "eval" else f"{name} on {dataset}"


def _bar(estimate: Estimate, unit: float, colour: str) -> intervals.Bar:
    return intervals.Bar(unit * estimate.value, unit * estimate.low, unit * estimate.high, colour)


def _factor(scale: Scale) -> float:
    return 100.0 if amounts.is_share(scale) else 1.0


def _told(what: str, lines: Sequence[intervals.Line]) -> str:
    return f"{what}. " + "; ".join(f"{line.label}: {line.note}" for line in lines) + "."
