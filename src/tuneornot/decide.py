"""Step 7: the verdict, by the rule that the study wrote down before the data.

    blocked         a blocking check of the candidate failed
    tune            (gain shown, or equivalent and economical) and every guardrail shown to hold
    keep-prompting  no way to ``tune`` is left with confidence, or a guardrail is shown broken
    not-yet         anything else; each open reason says how many further cases would resolve it

Error rates. ``tune`` needs all of its claims, each at error rate alpha: an intersection-union test
(Berger 1982), whose error rate is at most alpha without correction; where the study allows two
routes to it, each is taken at alpha / 2 (``n_routes``). ``keep-prompting`` needs any
one of several claims, so each of those is made at alpha divided by their number (Bonferroni),
from a comparison computed at that stricter level (``strict``). Inverted, the two promises are: a
``tune`` where tuning is not worthwhile or breaks a guardrail has probability at most alpha, and so
has a ``keep-prompting`` where tuning is worthwhile and keeps every guardrail.

This module phrases nothing (``report`` does), and it never looks at answers or scores.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from tuneornot.records import (
    Comparison,
    Contrast,
    Estimate,
    Guardrail,
    Outcome,
    Quantity,
    Reason,
    Rule,
    Scale,
    Sensitivity,
    Verdict,
)
from tuneornot.stats import planning

SMALLER_IS_BETTER: frozenset[Quantity] = frozenset({"ratio", "spread", "instability"})


def n_routes(rule: Rule) -> int:
    """By how many routes the rule can end in ``tune``: better, or also equivalent and economical.

    Either may err, so with two of them each claim is made at alpha / 2.
    """
    return 1 if rule.economy is None else 2


def n_ways(rule: Rule) -> int:
    """In how many ways the rule can end in ``keep-prompting``.

    One for the gain and one for each guardrail. With a second route to ``tune`` the gain must be
    lost together with the equivalence or together with the economy: one way more.
    """
    return n_routes(rule) + len(rule.guardrails)


def verdict(comparison: Comparison, strict: Comparison, rule: Rule, *, plan: str = "") -> Verdict:
    """Apply a rule to a comparison.

    Args:
        comparison: every contrast at error rate ``rule.alpha / n_routes(rule)``.
        strict: the same contrasts at ``rule.alpha / n_ways(rule)``.
        rule: what was written down before the data.
        plan: fingerprint of the plan, recorded in the verdict.

    Returns:
        The verdict with a reason for every requirement, open ones with the cases they need.
    """
    checks = _checks(comparison)
    gain = _gain(comparison, strict, rule)
    economy = _economy(comparison, strict, rule)
    guardrails = [_guardrail(comparison, strict, rule, i) for i in range(len(rule.guardrails))]
    outcome = _outcome(checks, gain, economy, guardrails)
    reasons = (*checks, gain, *economy, *guardrails)
    open_reasons = [reason for reason in reasons if reason.holds is None]
    needs = [reason.n_more for reason in open_reasons]
    known = [need for need in needs if need is not None]
    return Verdict(
        outcome=outcome,
        baseline=comparison.baseline,
        candidate=comparison.candidate,
        plan=plan,
        reasons=reasons,
        n_more=max(known) if outcome == "not-yet" and known and len(known) == len(needs) else None,
        caveats=_caveats(comparison, rule, reasons),
    )


def out_of_reach(
    rule: Rule, sizes: Mapping[str, int], scales: Mapping[str, Scale], *, n_candidates: int = 1
) -> tuple[tuple[Guardrail, int | None], ...]:
    """Guardrails on means that so many cases cannot show, even if the arms never differ.

    Args:
        rule: what is written down before the data.
        sizes: cases of each measured set.
        scales: of each judged metric.
        n_candidates: candidates that share the error rate.

    Returns:
        Each with the fewest cases that can show it; ``None`` where no number can.
    """
    alpha = rule.alpha / (n_routes(rule) * n_candidates)
    found = []
    for rail in rule.guardrails:
        scale = scales.get(rail.metric)
        if rail.quantity != "mean" or scale is None or scale.low is None or scale.high is None:
            continue
        least = planning.cases_to_exclude(
            rail.margin, scale=(scale.low, scale.high), binary=scale.binary, alpha=alpha
        )
        if least is None or sizes[rail.dataset] < least:
            found.append((rail, least))
    return tuple(found)


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
    rule: Rule, variants: Mapping[str, tuple[Comparison, Comparison, Rule]], outcome: Outcome
) -> tuple[Sensitivity, ...]:
    """The verdicts under other choices, those that differ from ``outcome`` first.

    Args:
        rule: the study's own rule, from which margins are varied here.
        variants: machine-readable change to (comparison, strict comparison, rule); the key ``""``
            is the study's own comparison.
        outcome: the study's verdict.
    """
    own = variants.get("")
    changed = {key: value for key, value in variants.items() if key}
    if own is not None:
        for factor in (0.0, 0.5, 2.0):
            margin = rule.worthwhile * factor
            if margin != rule.worthwhile:
                other = msgspec.structs.replace(rule, worthwhile=margin)
                changed[f"worthwhile={margin:g}"] = (own[0], own[1], other)
    found = [
        Sensitivity(change=change, outcome=verdict(usual, strict, other).outcome)
        for change, (usual, strict, other) in changed.items()
    ]
    return tuple(sorted(found, key=lambda one: one.outcome == outcome))


def _outcome(
    checks: Sequence[Reason], gain: Reason, economy: Sequence[Reason], guardrails: Sequence[Reason]
) -> Outcome:
    if any(check.holds is False for check in checks):
        return "blocked"
    better = gain.holds
    if economy:
        second = _all([reason.holds for reason in economy])
        better = True if better or second else (None if None in (better, second) else False)
    kept = _all([reason.holds for reason in guardrails])
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


def _gain(comparison: Comparison, strict: Comparison, rule: Rule) -> Reason:
    usual, hard = _pair(comparison, strict, rule.primary, "eval", "mean")
    state = _above(usual, hard, rule.worthwhile)
    return Reason(
        role="primary",
        metric=rule.primary,
        dataset="eval",
        quantity="mean",
        threshold=rule.worthwhile,
        estimate=usual,
        holds=state,
        n_more=_need(comparison, rule.primary, "eval", usual, rule.worthwhile, rule.alpha, state),
    )


def _economy(comparison: Comparison, strict: Comparison, rule: Rule) -> list[Reason]:
    if rule.economy is None or rule.equivalent is None:
        return []
    usual, hard = _pair(comparison, strict, rule.primary, "eval", "mean")
    equal = _above(usual, hard, -rule.equivalent)
    equivalence = Reason(
        role="equivalence",
        metric=rule.primary,
        dataset="eval",
        quantity="mean",
        threshold=-rule.equivalent,
        estimate=usual,
        holds=equal,
        n_more=_need(comparison, rule.primary, "eval", usual, -rule.equivalent, rule.alpha, equal),
    )
    usual, hard = _pair(comparison, strict, rule.economy.metric, "eval", "ratio")
    cheap = _below(usual, hard, 1 / rule.economy.factor)
    economy = Reason(
        role="economy",
        metric=rule.economy.metric,
        dataset="eval",
        quantity="ratio",
        threshold=1 / rule.economy.factor,
        estimate=usual,
        holds=cheap,
    )
    return [equivalence, economy]


def _guardrail(comparison: Comparison, strict: Comparison, rule: Rule, position: int) -> Reason:
    rail = rule.guardrails[position]
    usual, hard = _pair(comparison, strict, rail.metric, rail.dataset, rail.quantity)
    n_more = None
    if rail.quantity in SMALLER_IS_BETTER:
        threshold = rail.margin
        state = _below(usual, hard, threshold)
    else:
        threshold = -rail.margin
        state = _above(usual, hard, threshold)
        n_more = _need(comparison, rail.metric, rail.dataset, usual, threshold, rule.alpha, state)
    return Reason(
        role="guardrail",
        metric=rail.metric,
        dataset=rail.dataset,
        quantity=rail.quantity,
        threshold=threshold,
        estimate=usual,
        holds=state,
        n_more=n_more,
    )


def _pair(
    comparison: Comparison, strict: Comparison, metric: str, dataset: str, quantity: Quantity
) -> tuple[Estimate | None, Estimate | None]:
    """The same estimate at the usual and at the stricter level."""
    return (
        _quantity(comparison.contrast(metric, dataset), quantity),
        _quantity(strict.contrast(metric, dataset), quantity),
    )


def _quantity(contrast: Contrast | None, quantity: Quantity) -> Estimate | None:
    if contrast is None or quantity == "check":
        return None
    found: Estimate | None = getattr(contrast, quantity)
    return found


def _above(usual: Estimate | None, hard: Estimate | None, threshold: float) -> bool | None:
    """Whether a quantity is above a threshold, with confidence; NaN resolves nothing."""
    if usual is not None and usual.lower > threshold:
        return True
    if hard is not None and hard.upper < threshold:
        return False
    return None


def _below(usual: Estimate | None, hard: Estimate | None, threshold: float) -> bool | None:
    if usual is not None and usual.upper < threshold:
        return True
    if hard is not None and hard.lower > threshold:
        return False
    return None


def _need(
    comparison: Comparison,
    metric: str,
    dataset: str,
    estimate: Estimate | None,
    threshold: float,
    alpha: float,
    state: bool | None,
) -> int | None:
    """Further cases that would probably resolve an open mean against a threshold."""
    contrast = comparison.contrast(metric, dataset)
    if state is not None or estimate is None or contrast is None:
        return None
    return planning.n_more(estimate, contrast.n, threshold=threshold, alpha=alpha)


def _caveats(comparison: Comparison, rule: Rule, reasons: Sequence[Reason]) -> tuple[str, ...]:
    """What limits this verdict: caveats of the contrasts that it rests on, missing ones, checks."""
    found: list[str] = []
    for reason in reasons:
        contrast = comparison.contrast(reason.metric, reason.dataset)
        if reason.role == "check":
            continue
        if contrast is None:
            found.append(f"{reason.metric} was not measured on {reason.dataset}")
        elif reason.estimate is None or math.isnan(reason.estimate.value):
            found.append(f"{reason.quantity} of {reason.metric} is not determined by these data")
        if contrast is not None:
            found += [f"{reason.metric} on {reason.dataset}: {text}" for text in contrast.caveats]
    found += [
        f"check {check.name} failed: {check.detail}"
        for check in comparison.checks
        if not check.passed and not check.blocking
    ]
    return tuple(dict.fromkeys(found))
