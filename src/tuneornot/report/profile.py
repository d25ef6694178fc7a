"""What is commonly said of fine-tuning, in sentences: confirmed here or not, and by what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tuneornot.records import ClaimName, Comparison, Expectation, Findings, Pointed, Scale, State
from tuneornot.report import amounts

SAID: dict[ClaimName, str] = {
    "format": "Tuned answers keep their form better",
    "terminology": "A tuned model uses the field's terms and codes better",
    "latency": "A tuned model answers in a third of the time or less",
    "facts": "A tuned model is worse at facts",
    "shift": "A tuned model loses more where questions change",
    "safety": "A tuned model is less safe",
}
STATES: dict[State, str] = {
    "confirmed": "confirmed here",
    "contradicted": "contradicted here",
    "open": "not resolved here",
    "unmeasured": "not measured",
}


_AGAINST = {
    "shift": " against the gain on eval",
    "drop": " against what the baseline loses on changed cases",
}


class Line(NamedTuple):
    """One claim as it is shown."""

    claim: str
    state: str
    figures: tuple[str, ...]


def lines(findings: Findings, candidate: str) -> tuple[Line, ...]:
    """Every claim for one candidate; empty where it is not tuned."""
    comparison = next((one for one in findings.comparisons if one.candidate == candidate), None)
    return tuple(
        Line(SAID[each.claim], STATES[each.state], _figures(each, comparison))
        for each in findings.profile
        if each.candidate == candidate
    )


def candidates(findings: Findings) -> tuple[str, ...]:
    """The candidates that claims are told of."""
    return tuple(dict.fromkeys(each.candidate for each in findings.profile))


def is_empty(findings: Findings, candidate: str) -> bool:
    """Whether nothing that was measured speaks of any claim for a candidate."""
    return all(
        each.state == "unmeasured" for each in findings.profile if each.candidate == candidate
    )


NOTHING = (
    "None of the common claims of fine-tuning was measured by this study: its metrics and sets"
    " speak of none of them, and its `claims` name nothing that does."
)


def sentence(line: Line) -> str:
    """A claim on one line."""
    figures = f": {'; '.join(line.figures)}" if line.figures else ""
    return f"{line.claim}: {line.state}{figures}."


def _figures(each: Expectation, comparison: Comparison | None) -> tuple[str, ...]:
    return tuple(_figure(figure, _scale(figure, comparison)) for figure in each.figures)


def _scale(figure: Pointed, comparison: Comparison | None) -> Scale:
    found = comparison.contrast(figure.metric, figure.dataset) if comparison else None
    return found.scale if found is not None else Scale()


def _figure(figure: Pointed, scale: Scale) -> str:
    name = f"{amounts.title(figure.metric)} on {figure.slice or figure.dataset}"
    if figure.what == "ratio":
        estimate = figure.estimate
        return f"{name} {amounts.factor(estimate.value)} ({amounts.factor_span(estimate)})"
    # Holm's p value and the interval may disagree where several figures speak of one claim.
    p_value = amounts.p_value(figure.p_holm)
    told = f"{amounts.difference(figure.estimate.value, scale)}"
    told += _AGAINST.get(figure.what, "")
    span = f"{amounts.confidence(figure.estimate)} {amounts.span(figure.estimate, scale)}"
    return f"{name} {told} ({', '.join(part for part in (span, p_value) if part)})"


def told(findings: Findings) -> Sequence[str]:
    """All claims of all candidates, a sentence each; with the candidate where there are several."""
    names = candidates(findings)
    return [
        (f"{name}: " if len(names) > 1 else "") + said
        for name in names
        for said in (
            [NOTHING]
            if is_empty(findings, name)
            else [sentence(line) for line in lines(findings, name)]
        )
    ]
