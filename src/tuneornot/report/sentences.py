"""Verdicts and reasons as sentences that a manager understands and a statistician accepts.

It phrases what the records say: outcome, thresholds and whether they hold come from the verdict and
are never computed here. Claims are one-sided, the intervals shown are two-sided; where the two
could seem to disagree, the one-sided bound is written instead. What the data do not determine is
said in these words, without a digit. Contrasts, checks and ledgers are phrased in ``remarks``.
"""

from __future__ import annotations

import math

from tuneornot.records import (
    POOLED,
    Check,
    Comparison,
    Contrast,
    Drop,
    Estimate,
    Findings,
    Further,
    Reason,
    Scale,
    Stage,
    Verdict,
)
from tuneornot.report import amounts, safety, stress

_SHARE = Scale()
_UNKNOWN_UNIT = Scale(low=None, high=None)
_ASPECTS = {
    "spread": "Spread between cases of",
    "instability": "Instability between repeats of",
    "worst_tenth": "Worst tenth of",
    "catastrophic": "Total failures in",
    "drop": "Drop in",
    "ratio": "",
    "mean": "",
    "check": "",
}
_SMALLER_IS_BETTER = ("ratio", "spread", "instability")
STATES = {True: "holds", False: "broken", None: "unresolved"}
"""A reason's ``holds`` as one word."""


def headline(verdict: Verdict, findings: Findings) -> str:
    """The outcome in one sentence, with the reason that carries it."""
    comparison = comparison_of(verdict, findings)
    if verdict.outcome == "tune":
        return f"{_choice(verdict, findings)}: {_why_tune(verdict, comparison)}."
    if verdict.outcome == "keep-prompting":
        return f"{_stay(verdict, findings)}: {_why_keep(verdict, comparison)}."
    if verdict.outcome == "blocked":
        return f"Blocked: {safety.lost(verdict) or _why_blocked(verdict)}."
    return f"Not yet: {_why_not_yet(verdict)}."


def recommendation(findings: Findings) -> str | None:
    """Which of several arms to use, one sentence; ``None`` with a single candidate."""
    n = len(findings.verdicts)
    if n < 2:
        return None
    if findings.recommended is None:
        return f"No arm is recommended yet: at least one of the {n} comparisons is open."
    return (
        f"Of all {n + 1} arms {findings.recommended} is recommended; the {n} comparisons share one "
        "error rate."
    )


def advice(verdict: Verdict) -> str:
    """What to do next, one sentence."""
    if verdict.outcome == "tune":
        return (
            f"Serve {verdict.candidate}, and measure again when its model, its data or its scope"
            " changes."
        )
    if verdict.outcome == "keep-prompting":
        return (
            f"Stay with {verdict.baseline}, and ask again when the task, the model or the training"
            " data changes."
        )
    if verdict.outcome == "blocked":
        return "Mend what failed and run the study again; what was measured is kept."
    if verdict.n_more is not None:
        return (
            f"Add about {amounts.about(verdict.n_more)} cases to the evaluation set and run again;"
            f" what was measured is kept.{_further_cases(verdict.further)}"
            f"{_further_look(verdict.stage)}"
        )
    return (
        f"Stay with {verdict.baseline} for now. How many more cases would decide it cannot be"
        " said: improve an arm or what it learns from, and run again."
    )


def _further_cases(further: Further | None) -> str:
    """What asking them takes, as a further sentence."""
    if further is None:
        return ""
    takes = [amounts.count(further.n_calls, "call")]
    if further.n_tokens is not None:
        takes.append(f"about {amounts.about(math.ceil(further.n_tokens))} tokens")
    if further.minutes is not None:
        takes.append(amounts.duration(60 * further.minutes))
    if further.money is not None:
        takes.append(f"{amounts.number(further.money)} {further.currency}")
    return f" To ask all arms takes {', '.join(takes)}, as so far."


def _further_look(stage: Stage | None) -> str:
    """What judging again after adding cases costs, as a further sentence."""
    if stage is None:
        return ""
    if stage.next is not None:
        return f" A look at {stage.next} cases is planned and shares the error rate."
    risk = f"{min((stage.n_spent + 1) * stage.alpha, 1.0) * 100:.4g}%"
    return (
        f" A further look is not planned: over all looks either wrong verdict would then have a"
        f" probability of up to {risk}, not {stage.alpha * 100:.4g}%."
    )


def comparison_of(verdict: Verdict, findings: Findings) -> Comparison | None:
    """The comparison that a verdict judges."""
    for comparison in findings.comparisons:
        if (comparison.baseline, comparison.candidate) == (verdict.baseline, verdict.candidate):
            return comparison
    return None


def by_weight(verdict: Verdict) -> tuple[Reason, ...]:
    """The reasons in the order to read them: as the rule has them, but passed checks at the end."""
    return tuple(
        sorted(verdict.reasons, key=lambda each: each.role == "check" and each.holds is True)
    )


def reason(given: Reason, comparison: Comparison | None) -> str:
    """One requirement and what the data say of it: metric, set, estimate, interval, threshold."""
    if given.role == "check" or given.quantity == "check":
        return _check_reason(given, comparison)
    contrast = _contrast(given, comparison)
    subject = _subject(given)
    if given.estimate is None or not math.isfinite(given.estimate.value):
        return f"{subject} is not determined by these data, so {_open(given)}."
    scale = _scale(given, contrast)
    seen = _seen(given, given.estimate, contrast)
    if given.quantity in ("ratio", "spread"):
        return f"{seen} {_evidence(given, scale)}{_ratio_clause(given)}"
    return f"{seen} {_evidence(given, scale)}{_difference_clause(given, scale)}"


def _choice(verdict: Verdict, findings: Findings) -> str:
    return "Fine-tune" if _kind(verdict, findings) == "tuned" else f"Choose {verdict.candidate}"


def _stay(verdict: Verdict, findings: Findings) -> str:
    tuned = _kind(verdict, findings) == "tuned"
    return "Keep prompting" if tuned else f"Keep {verdict.baseline}"


def _kind(verdict: Verdict, findings: Findings) -> str:
    kinds = {run.arm.name: run.arm.kind for run in findings.runs}
    return kinds.get(verdict.candidate, "tuned")


def _why_tune(verdict: Verdict, comparison: Comparison | None) -> str:
    guarded = any(given.role == "guardrail" for given in verdict.reasons)
    kept = "nothing that must not be lost was lost" if guarded else "the study guards nothing else"
    for given in verdict.reasons:
        if given.role == "primary" and given.holds and given.estimate:
            scale = _scale(given, _contrast(given, comparison))
            gain = amounts.difference(given.estimate.value, scale).lstrip("+")
            return (
                f"{verdict.candidate} is better than {verdict.baseline} by {gain} in"
                f" {inline(given.metric)}, and {kept}"
            )
    for given in verdict.reasons:
        if given.role == "economy" and given.holds and given.estimate:
            return (
                f"{verdict.candidate} answers as well as {verdict.baseline} at"
                f" {amounts.factor(given.estimate.value)} the {inline(given.metric)}, and {kept}"
            )
    return f"{verdict.candidate} meets every requirement of the study, and {kept}"


def _why_keep(verdict: Verdict, comparison: Comparison | None) -> str:
    broken = [given for given in verdict.reasons if given.holds is False]
    ordered = sorted(broken, key=lambda given: given.role != "primary")
    for given in ordered:
        scale = _scale(given, _contrast(given, comparison))
        if given.role == "primary" and given.estimate and given.threshold is not None:
            gain = amounts.difference(given.estimate.upper, scale).lstrip("+")
            least = amounts.margin(given.threshold, scale)
            if given.estimate.upper <= 0:
                return f"{verdict.candidate} does not gain in {inline(given.metric)}"
            return (
                f"{verdict.candidate} gains at most {gain} in {inline(given.metric)}, less than"
                f" the {least} that would be worth the trouble"
            )
        if given.role == "guardrail":
            return f"{_lower_first(_subject(given))} got worse than the study allows"
        if given.role in ("economy", "equivalence"):
            return f"{_lower_first(_subject(given))} misses what the study asks"
    return f"{verdict.candidate} does not meet the study's rule"


def _why_blocked(verdict: Verdict) -> str:
    checks = [
        given.metric for given in verdict.reasons if given.role == "check" and given.holds is False
    ]
    found = f"{verdict.candidate} could not be shown to be what it should be"
    if checks:
        found = f"{' and '.join(inline(name) for name in checks)} failed for {verdict.candidate}"
    elif broken := [given for given in verdict.reasons if given.holds is False]:
        found = f"{_lower_first(_subject(broken[0]))} got worse than the study allows"
    return f"{found}, so these figures must not be acted on"


_NO_NUMBER = ", and no number of further cases can be named that would probably settle it"
"""``planning.n_more`` finds none: not that none would, but that the truth may lie too near."""


def _why_not_yet(verdict: Verdict) -> str:
    unresolved = [given for given in verdict.reasons if given.holds is None]
    total = sum(given.role != "check" for given in verdict.reasons)
    if len(unresolved) == 1:
        what = _question(unresolved[0])
    else:
        what = f"{len(unresolved)} of {total} requirements are unresolved"
    if any(given.role == "primary" and given.holds for given in verdict.reasons):
        what = f"a worthwhile gain is shown, but {what}"
    if verdict.n_more is None:
        return f"{what}{_NO_NUMBER}"
    settled = f"about {amounts.about(verdict.n_more)} more cases would probably settle it"
    return f"{what}; {settled}{_if_nothing_new(*unresolved)}"


def _question(given: Reason) -> str:
    if given.role == "primary":
        return f"whether the gain in {inline(given.metric)} is worthwhile is unresolved"
    subject = _lower_first(_subject(given))
    return f"whether {subject} stays within what the study allows is unresolved"


def _check_reason(given: Reason, comparison: Comparison | None) -> str:
    found: Check | None = None
    for check in comparison.checks if comparison else ():
        if check.name == given.metric:
            found = check
    state = {True: "passed", False: "failed", None: "could not be made"}[given.holds]
    detail = f": {found.detail.rstrip('.')}" if found and found.detail else ""
    return f"Check {inline(given.metric)} {state}{detail}."


def _seen(given: Reason, estimate: Estimate, contrast: Contrast | Drop | None) -> str:
    """What was observed, up to the bracket with its error."""
    subject = _subject(given)
    scale = _scale(given, contrast)
    if given.quantity in ("ratio", "spread"):
        return f"{subject} is {amounts.factor(estimate.value)} the baseline's"
    change = amounts.change(estimate.value, scale)
    if isinstance(contrast, Drop):
        return f"{subject}: {stress.moved(contrast, estimate)}"
    if given.quantity != "mean" or contrast is None:
        return f"{subject}: {change}"
    return f"{moved(contrast, subject)}: {change}"


def moved(contrast: Contrast, subject: str) -> str:
    """From the baseline's level to the candidate's: ``Exact match rose from 11.0% to 33.0%``."""
    scale = contrast.scale
    before = amounts.level(contrast.baseline_mean.value, scale)
    after = amounts.level(contrast.candidate_mean.value, scale)
    if amounts.UNKNOWN in (before, after):
        return f"{subject} has no level on both sides"
    if before == after:
        return f"{subject} stayed at {after}"
    rose = contrast.candidate_mean.value > contrast.baseline_mean.value
    # The unit once is enough: "from 64.7 to 64.3 characters".
    start = before.removesuffix(f" {scale.unit}")
    return f"{subject} {'rose' if rose else 'fell'} from {start} to {after}"


def _evidence(given: Reason, scale: Scale) -> str:
    estimate = given.estimate
    assert estimate is not None
    if given.quantity in ("ratio", "spread"):
        text = f"{amounts.confidence(estimate)} interval {amounts.factor_span(estimate)}"
        ends, show = (estimate.lower, estimate.upper), amounts.factor
    else:
        text = amounts.interval(estimate, scale)
        ends = (estimate.lower, estimate.upper)

        def show(value: float) -> str:
            return amounts.difference(value, scale)

    bound = _bound(given, estimate, ends)
    if bound is None:
        return f"({text})"
    word, value = bound
    return f"({text}; {word} {show(value)} with {amounts.confidence(estimate)} confidence)"


def _bound(
    given: Reason, estimate: Estimate, ends: tuple[float, float]
) -> tuple[str, float] | None:
    """The one-sided bound that carries a claim, where the two-sided interval crosses the line."""
    line = given.threshold
    if line is None or given.holds is None or not estimate.low <= line <= estimate.high:
        return None
    upper = given.holds == (given.quantity in _SMALLER_IS_BETTER)
    return ("at most", ends[1]) if upper else ("at least", ends[0])


def _difference_clause(given: Reason, scale: Scale) -> str:
    if given.threshold is None:
        return "."
    line = amounts.margin(given.threshold, scale)
    if given.role == "primary":
        return {
            True: f", above the {line} that the study calls worthwhile.",
            False: f", with confidence less than the {line} that the study calls worthwhile.",
            None: f"; whether it reaches the {line} that the study calls worthwhile is not resolved"
            f"{_more(given)}.",
        }[given.holds]
    worse = "an increase" if given.quantity in _SMALLER_IS_BETTER else "a loss"
    if given.threshold:
        allowed = "that still count as equivalent" if given.role == "equivalence" else "allowed"
        worse += f" of more than the {line} {allowed}"
    return {
        True: f"; {worse} is excluded.",
        False: f"; {worse} is shown.",
        None: f"; whether there is {worse} is not resolved{_more(given)}.",
    }[given.holds]


def _ratio_clause(given: Reason) -> str:
    if given.threshold is None:
        return "."
    line = amounts.factor(given.threshold)
    return {
        True: f", below the limit of {line}.",
        False: f", with confidence above the limit of {line}.",
        None: f"; whether it stays below the limit of {line} is not resolved{_more(given)}.",
    }[given.holds]


def _more(given: Reason) -> str:
    if _is_near_miss(given):
        return " at the stricter level that a rejection needs"
    if given.n_more is None:
        return _NO_NUMBER
    settled = f"; about {amounts.about(given.n_more)} more cases would probably settle it"
    return settled + _if_nothing_new(given)


def _if_nothing_new(*given: Reason) -> str:
    """What a number of further cases supposes where what may have stayed unseen decides it."""
    estimates = [one.estimate for one in given if one.n_more is not None]
    if any(one is not None and one.hangs_on_unseen for one in estimates):
        return ", if they show no failure that the cases so far have not shown"
    return ""


def _is_near_miss(given: Reason) -> bool:
    """Open although the interval lies wholly on the losing side of the threshold.

    A rejection may rest on any of several requirements and is therefore tested more strictly.
    """
    if given.estimate is None or given.threshold is None:
        return False
    if given.quantity in _SMALLER_IS_BETTER:
        return given.estimate.low > given.threshold
    return given.estimate.high < given.threshold


def _open(given: Reason) -> str:
    return "the requirement is open" + _more(given)


def _subject(given: Reason) -> str:
    where = "" if given.dataset in ("eval", "") else f" on {given.dataset}"
    where = stress.UNDER_ALL if given.dataset == POOLED else where
    aspect = _ASPECTS[given.quantity]
    if given.role == "check" or given.quantity == "check":
        return f"Check {inline(given.metric)}"
    name = f"{aspect} {inline(given.metric)}" if aspect else amounts.title(given.metric)
    return f"{name}{where}"


def _scale(given: Reason, contrast: Contrast | Drop | None) -> Scale:
    # A rate of total failures is a share whatever the metric's own unit is.
    if given.quantity == "catastrophic":
        return _SHARE
    return contrast.scale if contrast else _UNKNOWN_UNIT


def _contrast(given: Reason, comparison: Comparison | None) -> Contrast | Drop | None:
    if comparison is None:
        return None
    find = comparison.drop if given.quantity == "drop" else comparison.contrast
    return find(given.metric, given.dataset)


def inline(name: str) -> str:
    """A metric's name within a sentence."""
    return _lower_first(amounts.title(name))


def _lower_first(text: str) -> str:
    first = text.split(" ", 1)[0]
    return text if first.isupper() and len(first) > 1 else text[:1].lower() + text[1:]
