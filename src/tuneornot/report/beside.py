"""The figures beside the verdict in sentences: what was retrieved, and how sure answers were.

They take no part in the verdict, and the sentences say what each one can and cannot show. Only
phrases what the records hold.
"""

from __future__ import annotations

import math

from tuneornot.records import Aside, Estimate, Findings, Scale
from tuneornot.report import amounts, drawing
from tuneornot.report.drawing import Figure, Row, Spec

_SHARE = Scale()
_AREA = Scale(low=None, high=None)


def told(findings: Findings) -> tuple[str, ...]:
    """A sentence or two for each figure, in their order."""
    baseline = findings.comparisons[0].baseline if findings.comparisons else ""
    return tuple(_TOLD[aside.figure](aside, baseline) for aside in findings.asides)


def curves(findings: Findings) -> tuple[Figure, ...]:
    """Risk against coverage of all arms, a picture for each set and way to read confidence."""
    found: dict[tuple[str, str | None], list[Aside]] = {}
    for aside in findings.asides:
        if aside.curve:
            found.setdefault((aside.dataset, aside.metric), []).append(aside)
    baseline = findings.comparisons[0].baseline if findings.comparisons else ""
    return tuple(_curve(asides, baseline) for asides in found.values())


def _curve(asides: list[Aside], baseline: str) -> Figure:
    rows: list[Row] = [
        {"arm": aside.arm, "taken": 100 * taken, "wrong": 100 * wrong}
        for aside in asides
        for taken, wrong in aside.curve
    ]
    arms = tuple(aside.arm for aside in asides)
    others = [arm for arm in arms if arm != baseline]
    # The first candidate has the candidate's colour; more than one are told apart by their dashes.
    hues = tuple(drawing.BASELINE if arm == baseline else drawing.CANDIDATE for arm in arms)

    def build(width: int) -> Spec:
        encoding = {
            "x": drawing.quantity(
                "taken", "Surest answers taken, percent", ticks=5, domain=[0, 100]
            ),
            "y": drawing.quantity("wrong", "Wrong among them, percent", ticks=5),
            "color": drawing.colours(arms, hues, "arm"),
        }
        if len(others) > 1:
            encoding["strokeDash"] = {"field": "arm", "type": "nominal", "legend": None}
        mark = {"type": "line", "strokeWidth": 2.2, "point": {"filled": True, "size": 30}}
        return {**drawing.layer(rows, mark, encoding), "height": 220}

    ends = "; ".join(
        f"{aside.arm}: {100 * aside.curve[0][1]:.3g}% wrong among the surest"
        f" {100 * aside.curve[0][0]:.3g}%, {100 * aside.curve[-1][1]:.3g}% among all"
        for aside in asides
    )
    return drawing.draw(
        build,
        alt_text=f"Risk against coverage on {asides[0].dataset}. {ends}.",
        caption=(
            f"Risk against coverage on {asides[0].dataset}, declined answers last: a curve that"
            " starts low belongs to an arm whose confidence can be trusted for some answers."
        ),
    )


def _recall(given: Aside, baseline: str) -> str:
    return (
        f"{given.arm} on {given.dataset}: a passage holds the expected answer, word for word, in"
        f" {amounts.level(given.value, _SHARE)} of {amounts.count(given.n, 'case')} that expect a"
        f" text{_interval(given.estimate, share=True)}."
    )


def _overconfidence(given: Aside, baseline: str) -> str:
    side = "above" if given.value >= 0 else "below"
    size = amounts.difference(abs(given.value), _SHARE).lstrip("+")
    return (
        f"{_of(given)}: mean confidence lies {size} {side} the share of right answers"
        f"{_interval(given.estimate)}.{_difference(given, baseline, _SHARE)}"
    )


def _calibration(given: Aside, baseline: str) -> str:
    text = f"{_of(given)}: the expected calibration error is {_size(given.value)}"
    if given.chance is not None:
        mean, most = given.chance
        text += (
            f"; on so many answers true confidences would show {_size(mean)} on average and stay"
            f" below {_size(most)} in 95% of draws"
        )
    if given.debiased is not None:
        text += f"; without what chance adds, the root mean square error is {_size(given.debiased)}"
    return f"{text}."


def _risk_area(given: Aside, baseline: str) -> str:
    return (
        f"{_of(given)}: the area under risk against coverage is"
        f" {amounts.level(given.value, _AREA)}{_interval(given.estimate, bare=True)}; less is"
        f" better, and the arm's error rate is what confidence without use would show."
        f"{_difference(given, baseline, _AREA)}"
    )


def _of(given: Aside) -> str:
    return f"{given.arm} on {given.dataset} ({amounts.count(given.n, 'answer')})"


def _size(value: float) -> str:
    return amounts.difference(value, _SHARE).lstrip("+")


def _interval(estimate: Estimate | None, *, share: bool = False, bare: bool = False) -> str:
    if estimate is None or not math.isfinite(estimate.low):
        return ""
    if bare:
        ends = f"{amounts.level(estimate.low, _AREA)} to {amounts.level(estimate.high, _AREA)}"
    elif share:
        ends = f"{amounts.level(estimate.low, _SHARE)} to {amounts.level(estimate.high, _SHARE)}"
    else:
        ends = amounts.span(estimate, _SHARE)
    return f" ({amounts.confidence(estimate)} interval {ends})"


def _difference(given: Aside, baseline: str, scale: Scale) -> str:
    found = given.difference
    if found is None or not math.isfinite(found.value):
        return ""
    return (
        f" Against {baseline}: {amounts.difference(found.value, scale)}"
        f" ({amounts.interval(found, scale)})."
    )


_TOLD = {
    "recall": _recall,
    "overconfidence": _overconfidence,
    "calibration": _calibration,
    "risk_area": _risk_area,
}
