"""Judges in sentences: how far each can be believed, and what labels made of its difference.

It only phrases what the records hold; whether a judge is good enough is the reader's to say.
"""

from __future__ import annotations

import math

from tuneornot.records import Calibration, Contrast, Estimate, JudgedArm, Scale
from tuneornot.report import amounts

_SHARE = Scale()


def told(given: Calibration) -> tuple[str, ...]:
    """Everything that is known of one judge, the most important first."""
    found = [*(_undecided(arm) for arm in given.arms if arm.n_undecided)]
    if given.own:
        found.append(_own(given))
    if not given.n_labelled:
        unknown = (
            "It decided on none of the answers that people labelled."
            if given.n_people
            else "Nobody has labelled answers, so its error is not known."
        )
        return (unknown, *_always(given), *found)
    people = amounts.count(given.n_people, "person", "people")
    found = [
        f"Agreement with {people} on {amounts.count(given.n_labelled, 'answer')}: kappa"
        f" {_number(given.kappa)}, alpha {_number(given.alpha)}.",
        *(
            [f"The people among themselves: alpha {_number(given.alpha_of_people)}."]
            if given.alpha_of_people
            else []
        ),
        *(_bias(arm) for arm in given.arms if arm.n_labelled),
        *(_errors(arm) for arm in given.arms if arm.sensitivity and arm.specificity),
        *_length(given.length),
        *_always(given),
        *found,
    ]
    return tuple(found)


def corrected(given: Contrast) -> str | None:
    """What labels made of a judged difference; ``None`` where there are none."""
    correction = given.correction
    if correction is None:
        return None
    judge = f"The judge's own difference is {_points(correction.raw)}"
    labels = f"{_points(correction.corrected)} by {correction.n_both} labelled cases"
    verdict = "the verdict uses it" if correction.used else "too few or too uneven for the verdict"
    pooled = ""
    if correction.pooled is not None:
        pooled = (
            f" With one sensitivity and specificity for both arms (Rogan-Gladen):"
            f" {_points(correction.pooled)}."
        )
    return f"{judge}; corrected it is {labels} ({verdict}).{pooled}"


def of(given: Contrast) -> str | None:
    """``corrected`` with the metric's name before it."""
    said = corrected(given)
    return f"{amounts.title(given.metric)} on {given.dataset}: {said}" if said else None


def _always(given: Calibration) -> list[str]:
    """What needs no labels."""
    found = []
    if given.order is not None:
        order = given.order
        found.append(
            f"Changed its mind with the order on {_percent(order.inconsistent)} of"
            f" {amounts.count(order.n_pairs, 'pair')}"
            + (
                f"; of these {_percent(order.first)} for what stood first"
                f" ({amounts.p_value(order.first.p_value)})."
                if math.isfinite(order.first.value)
                else "."
            )
        )
    if given.retest is not None:
        retest = given.retest
        model = (
            f", a model's between its repeats {retest.model_noise:.3f}"
            if retest.model_noise is not None
            else ""
        )
        found.append(
            f"Against itself on {amounts.count(retest.n_answers, 'answer')}, {retest.n_repeats}"
            f" times each: alpha {_number(retest.alpha)}; the judge's noise is"
            f" {retest.noise:.3f}{model}."
        )
    return found


def _undecided(arm: JudgedArm) -> str:
    return f"Undecided on {arm.n_undecided} of {arm.n_answers} answers of {arm.arm}."


def _bias(arm: JudgedArm) -> str:
    return (
        f"On {arm.arm} its mean is off the people's by {_points(arm.bias)}"
        f" ({amounts.count(arm.n_labelled, 'answer')})."
    )


def _errors(arm: JudgedArm) -> str:
    assert arm.sensitivity is not None
    assert arm.specificity is not None
    return (
        f"On {arm.arm}: sensitivity {_percent(arm.sensitivity)}, specificity"
        f" {_percent(arm.specificity)}."
    )


def _length(slope: Estimate | None) -> list[str]:
    if slope is None or not math.isfinite(slope.value):
        return []
    return [
        f"On an answer that is longer by one standard deviation it is off by {_points(slope)} more"
        f" ({amounts.p_value(slope.p_value)})."
    ]


def _own(given: Calibration) -> str:
    said = f"It is also the model of {', '.join(given.own)}"
    if given.favour is None or not math.isfinite(given.favour.value):
        return f"{said}; whether it favours its own is not known without labels."
    return f"{said}, which it favours by {_points(given.favour)} over the others."


def _number(given: Estimate) -> str:
    if not math.isfinite(given.value):
        return "not determined"
    return f"{given.value:.2f} ({given.low:.2f} to {given.high:.2f})"


def _percent(given: Estimate) -> str:
    if not math.isfinite(given.value):
        return "not determined"
    return f"{given.value:.0%} ({given.low:.0%} to {given.high:.0%})"


def _points(given: Estimate) -> str:
    if not math.isfinite(given.value):
        return "not determined"
    return f"{amounts.change(given.value, _SHARE)} ({amounts.span(given, _SHARE)})"
