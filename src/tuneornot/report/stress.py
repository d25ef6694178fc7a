"""What changed cases did to each arm: sentences, rows of a table, and pictures.

Signs are those of every difference here: a loss is negative, and a negative difference means that
the candidate loses more than the baseline. Only the primary metric is drawn; whether a drop is
tolerated is the verdict's business.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from tuneornot.records import Comparison, Drop, Estimate, Findings, Perturbed
from tuneornot.report import amounts, drawing, intervals
from tuneornot.report.drawing import Figure, Row, Spec

UNDER_ALL = " under all perturbations"
"""Where a drop was seen, as the end of a phrase."""
_LONGEST = 200
"""Characters of an example; the whole texts stand in report.json."""


class Line(NamedTuple):
    """One row of the table, in words."""

    metric: str
    asked: str
    """The perturbation with its strength, and the cases."""
    baseline: str
    candidate: str
    difference: str
    p_value: str


def lines(comparison: Comparison) -> tuple[Line, ...]:
    """Every metric under each perturbation at the study's strength, all together, other cases."""
    return tuple(_line(drop) for drop in _shown(comparison))


def told(comparison: Comparison, primary: str) -> str:
    """The pooled difference of the primary in one sentence; empty where there is none."""
    drops = [drop for drop in comparison.drops if drop.metric == primary and drop.main]
    pooled = [drop for drop in drops if not drop.perturbation]
    if not pooled:
        return ""
    [drop] = pooled
    if not math.isfinite(drop.difference.value):
        return "What the arms lose on changed cases is not determined by these data."
    first, second, gap = (
        amounts.difference(each.value, drop.scale)
        for each in (drop.baseline, drop.candidate, drop.difference)
    )
    return (
        f"Asked in {amounts.count(len(drops) - 1, 'other way')}, {comparison.baseline} changes by"
        f" {first} in {amounts.title(primary).lower()} and {comparison.candidate} by {second}: a"
        f" difference of {gap} ({amounts.interval(drop.difference, drop.scale)})."
    )


def moved(drop: Drop, difference: Estimate) -> str:
    """Both arms' changes and their difference, at whatever error rate that was estimated."""
    first, second, gap = (
        amounts.change(each.value, drop.scale)
        for each in (drop.baseline, drop.candidate, difference)
    )
    return f"the baseline {first}, the candidate {second}, a difference of {gap}"


def examples(perturbed: Sequence[Perturbed]) -> tuple[str, ...]:
    """What each perturbation does, on how many cases, with one of them; a sentence each."""
    return tuple(_example(each) for each in perturbed if each.main)


def differences(comparison: Comparison, findings: Findings) -> Figure | None:
    """The difference of the drops in the primary, a row for each perturbation."""
    shown = [drop for drop in _shown(comparison) if drop.metric == findings.rule.primary]
    guarded = {
        rail.dataset: rail.margin
        for rail in findings.rule.guardrails
        if rail.quantity == "drop" and rail.metric == findings.rule.primary
    }
    if not shown:
        return None
    unit = _unit(shown[0])
    rows = [
        intervals.Line(
            label=_asked(drop),
            note=(
                f"{amounts.difference(drop.difference.value, drop.scale)}"
                f" ({amounts.span(drop.difference, drop.scale)})"
            ),
            bars=(_bar(drop, unit),),
            limit=-unit * guarded[drop.dataset] if drop.dataset in guarded else None,
        )
        for drop in shown
        if math.isfinite(drop.difference.value)
    ]
    points = "points" if amounts.is_share(shown[0].scale) else shown[0].scale.unit or "value"
    return intervals.chart(
        rows,
        axis=f"Difference of the drops, {points} (left: {comparison.candidate} loses more)",
        reference=0.0,
        alt_text="Differences of the drops: " + "; ".join(f"{r.label}: {r.note}" for r in rows),
        caption=(
            f"{amounts.title(findings.rule.primary)}: how much more the candidate loses than the"
            " baseline when the same cases are asked in another way, or on other cases, with"
            f" {amounts.confidence(shown[0].difference)} intervals. A short upright line is the"
            " margin that the study wrote down."
        ),
    )


def curves(comparison: Comparison, primary: str) -> tuple[Figure, ...]:
    """Both arms' means over the strength, for each perturbation measured at several."""
    by_name: dict[str, list[Drop]] = {}
    for drop in comparison.drops:
        if drop.metric == primary and drop.perturbation:
            by_name.setdefault(drop.perturbation, []).append(drop)
    return tuple(
        _curve(name, sorted(drops, key=lambda drop: drop.strength or 0.0), comparison)
        for name, drops in by_name.items()
        if len(drops) > 1
    )


def _curve(name: str, drops: Sequence[Drop], comparison: Comparison) -> Figure:
    unit, arms = _unit(drops[0]), (comparison.baseline, comparison.candidate)
    sign = 1.0 if drops[0].scale.better == "higher" else -1.0
    rows: list[Row] = [
        # Without any change each arm stands where the least change found it.
        {"arm": arm, "strength": 0.0, "level": unit * drops[0].plain[place]}
        for place, arm in enumerate(arms)
    ]
    for drop in drops:
        for place, change in enumerate((drop.baseline, drop.candidate)):
            level = unit * (drop.plain[place] + sign * change.value)
            rows.append({"arm": arms[place], "strength": drop.strength, "level": level})

    axis = f"{amounts.title(drops[0].metric)}, "
    axis += "percent" if amounts.is_share(drops[0].scale) else drops[0].scale.unit or "value"

    def build(width: int) -> Spec:
        encoding = {
            "x": drawing.quantity("strength", "Strength", ticks=5, domain=[0, 1]),
            "y": drawing.quantity("level", axis, ticks=5),
            "color": drawing.colours(arms, (drawing.BASELINE, drawing.CANDIDATE), "arm"),
        }
        mark = {"type": "line", "strokeWidth": 2.2, "point": {"filled": True, "size": 40}}
        return {**drawing.layer(rows, mark, encoding), "height": 200}

    ends = "; ".join(
        f"{arm} {amounts.level(drops[-1].plain[place], drops[-1].scale)} plainly, changed by"
        f" {amounts.difference(change.value, drops[-1].scale)} at {drops[-1].strength:g}"
        for place, (arm, change) in enumerate(
            zip(arms, (drops[-1].baseline, drops[-1].candidate), strict=True)
        )
    )
    return drawing.draw(
        build,
        alt_text=f"{amounts.title(name)} over strength: {ends}.",
        caption=(
            f"{amounts.title(name)}: both arms on the same cases at growing strength; 0 is the case"
            " as it stands in the eval set."
        ),
    )


def _line(drop: Drop) -> Line:
    return Line(
        metric=amounts.title(drop.metric),
        asked=_asked(drop),
        baseline=_change(drop, 0),
        candidate=_change(drop, 1),
        difference=(
            f"{amounts.difference(drop.difference.value, drop.scale)}"
            f" ({amounts.span(drop.difference, drop.scale)})"
        ),
        p_value=amounts.bare_p(drop.p_holm),
    )


def _change(drop: Drop, place: int) -> str:
    """From the plain level, by how much: ``23.0%, −4.0 points``."""
    change = (drop.baseline, drop.candidate)[place]
    plain = amounts.level(drop.plain[place], drop.scale)
    return f"{plain}, {amounts.difference(change.value, drop.scale)}"


def _asked(drop: Drop) -> str:
    cases = amounts.count(drop.n, "case")
    if drop.other_cases:
        return f"other cases: {drop.dataset} ({cases})"
    if not drop.perturbation:
        return f"all together ({cases})"
    return f"{drop.perturbation} at {drop.strength:g} ({cases})"


def _shown(comparison: Comparison) -> list[Drop]:
    """What is tested or guarded; the other points of the curves are drawn only."""
    return [
        drop
        for drop in comparison.drops
        if drop.other_cases or (drop.main and _says_more(drop, comparison))
    ]


def _says_more(drop: Drop, comparison: Comparison) -> bool:
    """All together say nothing beside a single perturbation."""
    several = {each.dataset for each in comparison.drops if each.main and each.perturbation}
    return bool(drop.perturbation) or len(several) > 1


def _example(given: Perturbed) -> str:
    kept = "meant to keep the meaning" if given.keeps_meaning else "changes the meaning"
    text = (
        f"{given.name} ({given.summary}; {kept}): changes {amounts.count(given.n, 'case')}"
        f" and leaves {given.n_same} as they are"
    )
    if given.n_lost:
        text += f"; {given.n_lost} are left out because the writer's text cannot stand for them"
    if not given.n:
        return f"{text}."
    return f"{text}. “{_cut(given.before)}” becomes “{_cut(given.after)}”."


def _cut(text: str) -> str:
    one = " ".join(text.split())
    return one if len(one) <= _LONGEST else one[: _LONGEST - 1] + "…"


def _unit(drop: Drop) -> float:
    return 100.0 if amounts.is_share(drop.scale) else 1.0


def _bar(drop: Drop, unit: float) -> intervals.Bar:
    made = drop.difference
    return intervals.Bar(unit * made.value, unit * made.low, unit * made.high, drawing.CANDIDATE)
