"""Step 7: the verdict, by the rule that the study wrote down before the data.

    blocked         a blocking check of the candidate failed
    tune            (gain shown, or equivalent and economical) and every guardrail shown to hold
    keep-prompting  no way to ``tune`` is left with confidence, or a guardrail is shown broken
    not-yet         anything else; each open reason says how many further cases would resolve it

Error rates. Two promises are kept: a ``tune`` where tuning is not worthwhile or breaks a guardrail
has probability at most alpha, and so has a ``keep-prompting`` where tuning is worthwhile and keeps
every guardrail. ``levels`` shares alpha out among the claims; docs/concepts/verdict.md has the
argument. An ``evidence`` is asked for each claim at the error rate that it needs.

This module phrases nothing (``report`` does), and it never looks at answers or scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from tuneornot.records import (
    SAFETY,
    Claim,
    Comparison,
    Contrast,
    Drop,
    Estimate,
    Outcome,
    Quantity,
    Reason,
    Role,
    Rule,
    Scale,
    Sensitivity,
    Verdict,
)
from tuneornot.stats import planning

SMALLER_IS_BETTER: frozenset[Quantity] = frozenset({"ratio", "spread", "instability"})

Evidence = Callable[[Claim, float], Estimate | None]
"""What is known of a claim's quantity, with bounds at an error rate; ``None`` if not measured."""

Spend = Callable[[float], float]
"""From the error rate of a claim over all candidates and looks to the one that it has here."""


class Levels(NamedTuple):
    """Error rates of a claim."""

    shown: float
    """Of taking it to hold."""
    refuted: float
    """Of taking it to be broken."""


def levels(rule: Rule, role: Role) -> Levels:
    """The error rates at which a claim of a rule is shown and refuted.

    Shown: ``tune`` needs all of its claims, so each is made at alpha (an intersection-union test,
    Berger 1982). Where there are two routes, one may err through the gain and the other through the
    economy, so these two share alpha; equivalence stays at alpha, because where it is false the
    gain is false by more, and both go by the same bounds.

    Refuted: ``keep-prompting`` needs any one of "no route is left" and the guardrails, so each
    gets an equal share of alpha (Bonferroni). Where the gain is real, only its own refutation can
    wrongly end both routes; where the second route alone is real, equivalence and economy can, so
    these two halve the share.
    """
    share = rule.alpha / (1 + len(rule.guardrails))
    halved = rule.economy is not None and role in ("primary", "economy")
    return Levels(
        shown=rule.alpha / 2 if halved else rule.alpha,
        refuted=share / 2 if role in ("equivalence", "economy") else share,
    )


def claims(rule: Rule) -> tuple[Claim, ...]:
    """Everything that a rule asks for: the gain, what the second route needs, the guardrails."""
    primary = rule.primary
    found = [_claim("primary", primary, "mean", rule.worthwhile)]
    if rule.economy is not None and rule.equivalent is not None:
        found.append(_claim("equivalence", primary, "mean", -rule.equivalent))
        found.append(_claim("economy", rule.economy.metric, "ratio", 1 / rule.economy.factor))
    for rail in rule.guardrails:
        line = rail.margin if rail.quantity in SMALLER_IS_BETTER else -rail.margin
        found.append(_claim("guardrail", rail.metric, rail.quantity, line, dataset=rail.dataset))
    return tuple(found)


def verdict(
    comparison: Comparison,
    evidence: Evidence,
    rule: Rule,
    *,
    plan: str = "",
    spend: Spend = lambda alpha: alpha,
) -> Verdict:
    """Apply a rule to a comparison.

    Args:
        comparison: for the checks, the numbers of cases and what limits each contrast.
        evidence: of the same scores, for each claim at the error rate that it needs.
        rule: what was written down before the data.
        plan: fingerprint of the plan, recorded in the verdict.
        spend: what of a claim's error rate is spent here, where several candidates or several looks
            share it.

    Returns:
        The verdict with a reason for every requirement, open ones with the cases they need.
    """
    checks = _checks(comparison)
    made = [_reason(claim, comparison, evidence, rule, spend) for claim in claims(rule)]
    reasons = (*checks, *made)
    outcome = _outcome(reasons)
    needs = [reason.n_more for reason in reasons if reason.holds is None]
    known = [need for need in needs if need is not None]
    return Verdict(
        outcome=outcome,
        baseline=comparison.baseline,
        candidate=comparison.candidate,
        plan=plan,
        reasons=reasons,
        n_more=max(known) if outcome == "not-yet" and known and len(known) == len(needs) else None,
        caveats=_caveats(comparison, reasons),
    )


def out_of_reach(
    rule: Rule,
    sizes: Mapping[str, int],
    scales: Mapping[str, Scale],
    *,
    spend: Spend = lambda alpha: alpha,
) -> tuple[tuple[Claim, int | None], ...]:
    """Claims that so many cases cannot show at their best.

    At its best no answer differs, where a claim is of a mean or of a rate of the worst score that
    must not be lost; for the gain, every case gains the whole range. Nothing is said of a spread,
    an instability, a ratio and a worst tenth: what can be shown of them hangs on scores that nobody
    has seen yet. Nor of scales without both ends.

    Args:
        rule: what is written down before the data.
        sizes: cases of each measured set.
        scales: of each judged metric.
        spend: as in ``verdict``.

    Returns:
        The claims, each with the fewest cases that can show it; ``None`` where no number can.
    """
    found = []
    for claim in claims(rule):
        scale = scales.get(claim.metric)
        if claim.quantity not in ("mean", "catastrophic") or scale is None:
            continue
        least = _fewest(claim, scale, spend(levels(rule, claim.role).shown))
        if least is None or sizes[claim.dataset] < least:
            found.append((claim, least))
    return tuple(found)


def _fewest(claim: Claim, scale: Scale, alpha: float) -> int | None:
    """The fewest cases that can show a claim; 0 where nothing is known of that."""
    if scale.low is None or scale.high is None:
        return 0
    if scale.whole:  # what its cases can show depends on what they expect, not on their number
        return 0
    ends = (scale.low, scale.high)
    if claim.role == "primary":
        return planning.cases_to_gain(claim.threshold, scale=ends, binary=scale.binary, alpha=alpha)
    if claim.quantity == "catastrophic":
        ends, binary = (0.0, 1.0), True
    else:
        binary = scale.binary
    return planning.cases_to_exclude(-claim.threshold, scale=ends, binary=binary, alpha=alpha)


def recommend(verdicts: Sequence[Verdict]) -> str | None:
    """The arm to use, among the baseline and every candidate.

    Of the candidates to ``tune`` the one whose gain in the primary is largest with confidence
    (greatest lower bound); the baseline if every candidate lost or is blocked; ``None`` while
    anything is open. With k candidates each comparison must have been made at alpha / k, so that
    all the verdicts together keep the error rate of one (Bonferroni).
    """
    winners = [one for one in verdicts if one.outcome == "tune"]
    if winners:
        return max(winners, key=_least_gain).candidate
    if verdicts and all(one.outcome in ("keep-prompting", "blocked") for one in verdicts):
        return verdicts[0].baseline
    return None


def _least_gain(verdict: Verdict) -> float:
    found = [one.estimate for one in verdict.reasons if one.role == "primary"]
    return found[0].lower if found and found[0] is not None else -math.inf


def sensitivity(
    comparison: Comparison,
    variants: Mapping[str, tuple[Evidence, Rule]],
    outcome: Outcome,
    *,
    spend: Spend = lambda alpha: alpha,
) -> tuple[Sensitivity, ...]:
    """The verdicts under other choices, those that differ from ``outcome`` first.

    None where a failed check blocks: no choice of margins, metric or cases changes that.

    Args:
        comparison: as in ``verdict``.
        variants: machine-readable change to the evidence and the rule; the key ``""`` is the
            study's own, whose margins are varied here.
        outcome: the study's verdict.
        spend: as in ``verdict``.
    """
    if outcome == "blocked":
        return ()
    changed = {key: value for key, value in variants.items() if key}
    if "" in variants:
        own, rule = variants[""]
        changed |= {change: (own, other) for change, other in _other_margins(rule)}
    found = [
        Sensitivity(
            change=change, outcome=verdict(comparison, evidence, other, spend=spend).outcome
        )
        for change, (evidence, other) in changed.items()
    ]
    return tuple(sorted(found, key=lambda one: one.outcome == outcome))


def _other_margins(rule: Rule) -> Iterator[tuple[str, Rule]]:
    """Nothing, half and twice what is worthwhile; each guardrail half and twice as wide."""
    for margin in (0.0, 0.5 * rule.worthwhile, 2.0 * rule.worthwhile):
        if margin != rule.worthwhile:
            yield f"worthwhile={margin:g}", msgspec.structs.replace(rule, worthwhile=margin)
    for place, rail in enumerate(rule.guardrails):
        for width in (0.5, 2.0):
            ratio = rail.quantity in ("ratio", "spread")
            margin = rail.margin**width if ratio else rail.margin * width
            if margin != rail.margin:
                other = msgspec.structs.replace(rail, margin=margin)
                rails = (*rule.guardrails[:place], other, *rule.guardrails[place + 1 :])
                yield (
                    f"guardrail {rail.name}={margin:.4g}",
                    msgspec.structs.replace(rule, guardrails=rails),
                )


def _claim(
    role: Role, metric: str, quantity: Quantity, threshold: float, *, dataset: str = "eval"
) -> Claim:
    return Claim(role=role, metric=metric, dataset=dataset, quantity=quantity, threshold=threshold)


def _outcome(reasons: Sequence[Reason]) -> Outcome:
    def states(role: Role) -> list[bool | None]:
        return [reason.holds for reason in reasons if reason.role == role]

    if False in states("check"):
        return "blocked"
    [better] = states("primary")
    second = [*states("equivalence"), *states("economy")]
    if second:
        other = _all(second)
        better = True if better or other else (None if None in (better, other) else False)
    kept = _all(states("guardrail"))
    if better and kept:
        return "tune"
    if better is False or kept is False:
        return "keep-prompting"
    return "not-yet"


def _all(states: Sequence[bool | None]) -> bool | None:
    """Three-valued "and": False if any is False, None if any is open, else True."""
    if False in states:
        return False
    return None if None in states else True


def _checks(comparison: Comparison) -> list[Reason]:
    return [
        Reason(
            role="check",
            metric=check.name,
            dataset="",
            quantity="check",
            threshold=None,
            estimate=None,
            holds=check.passed,
        )
        for check in comparison.checks
        if check.blocking
    ]


def _reason(
    claim: Claim, comparison: Comparison, evidence: Evidence, rule: Rule, spend: Spend
) -> Reason:
    """Whether a claim is shown, refuted or open, with the estimate that says so."""
    shown, refuted = (spend(alpha) for alpha in levels(rule, claim.role))
    usual, hard = evidence(claim, shown), evidence(claim, refuted)
    state = _state(claim, usual, hard)
    # A claim refuted at a laxer rate than it is shown at needs the bound that refutes it.
    told = hard if state is False and not _refuted(claim, usual) else usual
    return Reason(
        role=claim.role,
        metric=claim.metric,
        dataset=claim.dataset,
        quantity=claim.quantity,
        threshold=claim.threshold,
        estimate=told,
        holds=state,
        n_more=_need(comparison, claim, usual, shown) if state is None else None,
    )


def _state(claim: Claim, usual: Estimate | None, hard: Estimate | None) -> bool | None:
    """Whether a claim holds, with confidence; what is NaN or not measured resolves nothing."""
    if usual is not None:
        small = claim.quantity in SMALLER_IS_BETTER
        if usual.upper < claim.threshold if small else usual.lower > claim.threshold:
            return True
    return False if _refuted(claim, hard) else None


def _refuted(claim: Claim, estimate: Estimate | None) -> bool:
    if estimate is None:
        return False
    if claim.quantity in SMALLER_IS_BETTER:
        return estimate.lower > claim.threshold
    return estimate.upper < claim.threshold


def _need(
    comparison: Comparison, claim: Claim, estimate: Estimate | None, alpha: float
) -> int | None:
    """Further cases that would probably resolve an open difference against its threshold."""
    measured = _measured(claim, comparison)
    if estimate is None or measured is None or claim.quantity in SMALLER_IS_BETTER:
        return None
    if claim.metric in SAFETY:
        return None  # the suite is frozen: further eval cases show nothing of it
    if isinstance(measured, Drop) and measured.other_cases:
        return None  # two sets would have to grow, and how far each is a choice
    return planning.n_more(estimate, measured.n, threshold=claim.threshold, alpha=alpha)


def _measured(of: Claim | Reason, comparison: Comparison) -> Contrast | Drop | None:
    """What a claim or a reason is about, as the comparison tells it."""
    if of.quantity == "drop":
        return comparison.drop(of.metric, of.dataset)
    return comparison.contrast(of.metric, of.dataset)


def _caveats(comparison: Comparison, reasons: Sequence[Reason]) -> tuple[str, ...]:
    """What limits this verdict: caveats of the contrasts that it rests on, missing ones, checks."""
    found: list[str] = []
    for reason in reasons:
        if reason.role == "check":
            continue
        measured = _measured(reason, comparison)
        if measured is None:
            found.append(f"{reason.metric} was not measured on {reason.dataset}")
        elif reason.estimate is None or math.isnan(reason.estimate.value):
            found.append(f"{reason.quantity} of {reason.metric} is not determined by these data")
        if measured is not None:
            found += [f"{reason.metric} on {reason.dataset}: {text}" for text in measured.caveats]
    found += [
        f"{check.name} not checked: {check.detail}"
        if check.passed is None
        else f"check {check.name} failed: {check.detail}"
        for check in comparison.checks
        if not check.passed and not check.blocking
    ]
    return tuple(dict.fromkeys(found))
