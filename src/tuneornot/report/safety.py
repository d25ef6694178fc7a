"""What the red team found, in sentences and rows: rates, differences, severities; no answers.

What models answered to attacks stands in no report: it is kept in the store, and
`tuneornot redteam --show-outputs` shows it. Only phrases what the records hold.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from tuneornot.records import Attacked, Contrast, Estimate, Harm, Redteam, Scale, Verdict
from tuneornot.report import amounts

_RATE = Scale(better="lower")
_NAMES = {
    "attack_success": "Attacks succeed",
    "over_refusal": "Harmless requests are declined",
}


class Row(NamedTuple):
    """One category or technique, ready to be shown."""

    name: str
    severity: str
    n: str
    baseline: str
    candidate: str
    difference: str
    p_holm: str


def title(given: Attacked) -> str:
    """Who is held against whom."""
    if given.tuning:
        return f"{given.candidate} against itself before tuning"
    return f"{given.candidate} against {given.baseline}"


def lost(verdict: Verdict) -> str | None:
    """Why a verdict is blocked, where it is by nothing but a loss of safety."""
    failed = [one.metric for one in verdict.reasons if one.role == "check" and one.holds is False]
    names = [name.removeprefix("red team: ") for name in failed]
    if not failed or not set(names) <= set(_NAMES):
        return None
    told = " and ".join(amounts.title(name).lower() for name in names)
    return f"{verdict.candidate} is shown to be less safe than {verdict.baseline} ({told})"


def suite(found: Redteam) -> tuple[str, ...]:
    """What was asked, and who judged."""
    named = ", ".join(found.suite)
    told = [
        f"The suite ({named}, fingerprint {found.fingerprint}) has"
        f" {amounts.count(found.n_attacks, 'attack')} that put"
        f" {amounts.count(found.n_behaviours, 'request')}, and"
        f" {amounts.count(found.n_lookalikes, 'harmless request')} that look alike."
    ]
    if found.judge is None:
        told.append(
            "Successes are told by rules: by a mark where there is one, else by what an answer"
            " says. A judge model beside them shows how far they can be believed."
        )
    else:
        told.append(
            f"Successes are told by a mark where there is one, else by {found.judge}, which is"
            " shown the request without its disguise."
        )
    agreed = found.agreement
    if agreed is not None:
        told.append(
            f"On {amounts.count(agreed.n, 'answer')} without a mark rules and judge agree with a"
            f" kappa of {_kappa(agreed.kappa)}: successes are"
            f" {amounts.level(agreed.rules, _RATE)} by the rules and"
            f" {amounts.level(agreed.judge, _RATE)} by the judge"
            + (f"; it left {agreed.n_undecided} undecided." if agreed.n_undecided else ".")
        )
    return tuple(told)


def told(given: Attacked) -> tuple[str, ...]:
    """The two rates of two arms, and whether the two judges come to the same conclusion."""
    lines = [_rate(one, given) for one in given.contrasts]
    if given.other is not None and _disagree(given):
        lines.append(
            f"The rules alone see it otherwise: {_points(given.other)}. Which of the two is right"
            " is told by labels: tuneornot label --set attacks."
        )
    worst = [row for row in given.categories if _is_shown(row)]
    if worst:
        names = ", ".join(f"{row.name} ({row.severity})" for row in worst)
        lines.append(f"A loss is shown, Holm-adjusted over the categories, in: {names}.")
    return tuple(lines)


def confidence(given: Attacked) -> str:
    """The level of the intervals of the rows."""
    return amounts.confidence(given.contrasts[0].mean)


def rows(given: Attacked, *, techniques: bool = False) -> tuple[Row, ...]:
    """A row for each category, worst first, or for each technique."""
    return tuple(_row(one) for one in (given.techniques if techniques else given.categories))


def _row(one: Harm) -> Row:
    named = f"{one.name} ({one.owasp})" if one.owasp else one.name
    return Row(
        name=named,
        severity=one.severity or "",
        n=str(one.n),
        baseline=amounts.level(one.baseline, _RATE),
        candidate=amounts.level(one.candidate, _RATE),
        difference=_ends(one.difference),
        p_holm=amounts.bare_p(one.p_holm),
    )


def _rate(one: Contrast, given: Attacked) -> str:
    before = amounts.level(one.baseline_mean.value, _RATE)
    after = amounts.level(one.candidate_mean.value, _RATE)
    first = "before tuning" if given.tuning else f"with {given.baseline}"
    return (
        f"{_NAMES[one.metric]} in {before} {first} and in {after} with {given.candidate}:"
        f" {_points(one.mean)}."
    )


def _points(made: Estimate) -> str:
    """A difference of rates with its interval, turned back so that more successes are more."""
    return _ends(made, f"{amounts.confidence(made)} interval ")


def _ends(made: Estimate, before: str = "") -> str:
    """The same for a table, whose caption tells the level of its intervals."""
    if not math.isfinite(made.value):
        return amounts.UNKNOWN
    value, low, high = (amounts.signed(-100 * x, 1) for x in (made.value, made.high, made.low))
    return f"{value} points ({before}{low} to {high})"


def _kappa(made: Estimate) -> str:
    if not math.isfinite(made.value):
        return amounts.UNKNOWN
    return (
        f"{made.value:.2f} ({amounts.confidence(made)} interval {made.low:.2f} to {made.high:.2f})"
    )


def _is_shown(row: Harm) -> bool:
    return (
        row.p_holm is not None
        and row.p_holm < 1 - row.difference.level
        and row.difference.value < 0
    )


def _disagree(given: Attacked) -> bool:
    """Whether one of the two finds a difference that the other does not, or finds another one."""
    first = next((one.mean for one in given.contrasts if one.metric == "attack_success"), None)
    return first is not None and given.other is not None and _sign(first) != _sign(given.other)


def _sign(made: Estimate) -> int:
    return (made.low > 0) - (made.high < 0)
