"""Everything beside the verdict in sentences: contrasts, the search, training, looks, limits.

Like ``sentences`` it only phrases what the records hold. It does not judge whether an effort was
enough or a caveat serious; it says what was seen so that the reader can.
"""

from __future__ import annotations

import math
from collections import Counter

import msgspec

from tuneornot.records import (
    Adapter,
    Audit,
    Check,
    Contrast,
    Estimate,
    Findings,
    Guardrail,
    Ledger,
    Scale,
    Sensitivity,
    Verdict,
)
from tuneornot.report import amounts, sentences

_SHARE = Scale()


def contrast(given: Contrast) -> str:
    """One metric on one set: levels, difference, and who won how often."""
    name = amounts.title(given.metric)
    size = amounts.count(given.n, "case")
    if not math.isfinite(given.mean.value):
        return f"{name} on {given.dataset} ({size}) is not determined by these data."
    p_value = amounts.p_value(given.p_value)
    return (
        f"{sentences.moved(given, name)} on {given.dataset} ({size}):"
        f" {amounts.change(given.mean.value, given.scale)}"
        f" ({amounts.interval(given.mean, given.scale)}{', ' + p_value if p_value else ''})."
        f" {given.candidate} is better on {given.wins}, equal on {given.ties} and worse on"
        f" {given.losses}."
    )


def tested(given: Contrast) -> str:
    """By what test the p value and the interval of a contrast were found."""
    p_value = amounts.p_value(given.p_value)
    if not p_value:
        return f"the interval is by {given.mean.method}"
    return (
        f"{p_value} is two-sided, of no difference, and by the same method as the interval:"
        f" {given.mean.method}"
    )


def tails(given: Contrast) -> tuple[str, ...]:
    """What happened besides the mean: spread, repeats, the worst cases, the whole distribution.

    Of a yes-or-no score all but the first two follow from its mean; they are not told again.
    """
    scale = given.scale
    told = [
        _change("Instability between repeats", given.instability, scale, better="negative"),
        _seeds(given.seed_spread, scale),
    ]
    if not scale.binary:
        told += [
            _ratio("Spread between cases", given.spread),
            _change("Mean of the worst tenth", given.worst_tenth, scale),
            _change("Avoided total failures", given.catastrophic, _SHARE),
            _chance("Chance that the candidate beats the baseline on a case", given.superiority),
            _distance(given.wasserstein, scale),
            _order(given.dominance),
        ]
    if given.gain_probability is not None and math.isfinite(given.gain_probability):
        chance = _probability(given.gain_probability)
        told.append(
            "Probability, given these data, that the gain is larger than the margin that the study"
            f" sets for it (than nothing, where it sets none): {chance}."
        )
    return tuple(text for text in told if text)


def unscored(given: Contrast) -> str:
    """Cases left out of a contrast for want of a score, or an empty text."""
    if not any(given.n_unscored):
        return ""
    counts = zip(given.n_unscored, (given.baseline, given.candidate), strict=True)
    left_out = " and ".join(f"{amounts.count(n, 'case')} of {arm}" for n, arm in counts if n)
    return f"{left_out} could not be scored: left out, not counted as zero."


def check(given: Check) -> str:
    """What a check after training saw."""
    failed = "failed" if given.blocking else "failed (a caveat)"
    state = {True: "passed", False: failed, None: "was not checked"}[given.passed]
    return f"{amounts.title(given.name)} {state}: {given.detail.rstrip('.')}."


def ledger(given: Ledger, scale: Scale | None) -> tuple[str, ...]:
    """The effort behind the prompted baseline, and whether it still paid."""
    shown = scale or Scale(low=None, high=None)
    effort = (
        f"The search tried {amounts.count(len(given.candidates), 'prompt')} with"
        f" {amounts.count(given.n_calls, 'call')} and {given.n_tokens:,} tokens in"
        f" {amounts.duration(given.seconds)}. It ended because {_because(given.ended)}."
    )
    if given.notes:
        effort = f"{effort} As the study wants: {'; '.join(given.notes)}."
    rising = (
        "The leader still improved in the last third of the effort: a longer search may find a"
        " better prompt."
        if given.still_rising
        else "The leader did not improve in the last third of the effort."
    )
    if given.gain is not None:
        gain = amounts.difference(given.gain, shown)
        rising += (
            f" Twice the effort would probably have helped by about {gain.lstrip('+')}."
            if gain.startswith("+")
            else " Twice the effort would probably not have helped."
        )
    dev = f"The winner reached {amounts.level(given.dev_mean, shown)} on the dev cases"
    if not math.isfinite(given.luck):
        return effort, rising, f"{dev}; how much of it is luck of selection is not determined."
    luck = amounts.difference(abs(given.luck), shown).lstrip("+")
    return effort, rising, f"{dev}, of which about {luck} is expected luck of selection."


_FINGERPRINTS = ("identity", "prompt", "train", "dev", "template")
"""Settings of a training that tell it from another one and say nothing to a reader."""


def adapter(given: Adapter) -> str:
    """What one training was and took."""
    settings = ", ".join(
        f"{key.replace('_', ' ')} {value}"
        for key, value in given.settings.items()
        if key not in (*_FINGERPRINTS, "mix")
    )
    mix = given.settings.get("mix")
    mixed = (
        f" General data are {mix['share']:.0%} of its examples." if isinstance(mix, dict) else ""
    )
    what = "All weights of" if given.settings.get("method") == "full" else "An adapter for"
    return (
        f"{what} {given.model} trained with seed {given.seed} in"
        f" {amounts.duration(given.seconds)}{f' ({settings})' if settings else ''}."
        f"{mixed}"
    )


def audit(given: Audit) -> tuple[str, ...]:
    """What the cases can show, before any result."""
    groups = f" in {amounts.count(given.n_groups, 'group')}" if given.n_groups else ""
    can = (
        f"{amounts.count(given.n, 'case')}{groups} show a true difference of"
        f" {amounts.margin(round(given.detectable, 3), _SHARE)} with 80% power, if the arms"
        " disagree on a fifth of the cases."
    )
    if given.n_wanted is None:
        return (can,)
    return can, f"The worthwhile difference would need about {amounts.about(given.n_wanted)} cases."


def looks(findings: Findings) -> tuple[str, ...]:
    """How often the sets that the verdict rests on were looked at, and under how many plans."""
    told = []
    plans = {look.plan for look in findings.looks}
    for name, times in sorted(Counter(look.dataset for look in findings.looks).items()):
        told.append(f"The set {name} was looked at {amounts.count(times, 'time')}.")
    if findings.plan_changes:
        told.append(
            f"The plan was changed {amounts.count(len(findings.plan_changes), 'time')} after the"
            " evaluation set had been looked at, so the error rates of the rule are no longer"
            " exact."
        )
    elif len(plans) == 1:
        told.append("Every look was made under one unchanged plan.")
    return tuple(told)


def rule(findings: Findings) -> tuple[str, ...]:
    """The rule that was written down before the data, a sentence for each part."""
    given = findings.rule
    scales = _scales(findings)
    unknown = Scale(low=None, high=None)
    least = amounts.margin(given.worthwhile, scales.get(given.primary, unknown))
    told = [
        f"Primary metric: {sentences.inline(given.primary)}; worthwhile is a gain above {least}.",
        f"Each claim has an error rate of {given.alpha * 100:.4g}%.",
    ]
    if given.looks:
        told.append(
            f"Looks at {', '.join(f'{n:,}' for n in given.looks)} evaluation cases share it, so"
            " cases may be added until something is decided."
        )
    if given.economy is not None and given.equivalent is not None:
        loss = amounts.margin(given.equivalent, scales.get(given.primary, unknown))
        told.append(
            f"Or: not worse by {loss} or more, and {sentences.inline(given.economy.metric)} lower"
            f" by {given.economy.factor:.4g} times or more."
        )
    told += [f"Guardrail: {_guardrail(rail, findings)}." for rail in given.guardrails]
    return tuple(told)


def _guardrail(rail: Guardrail, findings: Findings) -> str:
    if rail.quantity in ("ratio", "spread"):
        shown = amounts.factor(rail.margin)
    elif rail.quantity == "catastrophic":
        shown = amounts.margin(rail.margin, _SHARE)
    else:
        unknown = Scale(low=None, high=None)
        shown = amounts.margin(rail.margin, _scales(findings).get(rail.metric, unknown))
    what = f"{rail.quantity.replace('_', ' ')} of {sentences.inline(rail.metric)}"
    return f"{what} on {rail.dataset}, within {shown}"


def no_sensitivity(verdict: Verdict) -> str:
    """Why no other choice was tried."""
    if verdict.outcome == "blocked":
        return (
            "A failed check blocks whatever the scores say: no other margin, metric or choice of"
            " slices changes that."
        )
    return "No other choice was tried."


def sensitivity(given: Sensitivity, findings: Findings) -> str:
    """The changed choice in words: ``If a gain above 2 points were worthwhile``."""
    key, _, value = given.change.partition("=")
    key = key.strip()
    if key == "primary":
        return f"If {amounts.title(value)} were the primary metric"
    if key == "without slice":
        return f"Without the cases of the slice {value}"
    if key == "adjust":
        return "With the difference as it was measured, not adjusted"
    for rail in findings.rule.guardrails:
        if key == f"guardrail {rail.name}":
            other = msgspec.structs.replace(rail, margin=float(value))
            return f"If the guardrail were: {_guardrail(other, findings)}"
    if key == "worthwhile":
        return f"If a gain above {_worthwhile(value, findings)} were worthwhile"
    return f"If {key.replace('_', ' ')} were {value}" if value else f"With {key}"


def limits(findings: Findings) -> tuple[str, ...]:
    """Everything that limits the conclusion, each once, what the verdict rests on first."""
    about: dict[str, list[str]] = {}
    checks = []
    for comparison in findings.comparisons:
        checks += [check(one) for one in comparison.checks if one.blocking and not one.passed]
        for each in comparison.contrasts:
            where = f"{amounts.title(each.metric)} on {each.dataset}"
            for text in each.caveats:
                about.setdefault(text.rstrip("."), []).append(where)
    told = [*_verdict_caveats(findings), *checks]
    told += [text for text in looks(findings) if "plan was changed" in text]
    told += [f"{_listed(names)}: {text}." for text, names in about.items()]
    told += findings.audit.warnings
    for name, tried in findings.ledgers.items():
        if tried.still_rising:
            told.append(f"The prompt search for {name} was still improving when it ended.")
    return tuple(dict.fromkeys(told))


def _verdict_caveats(findings: Findings) -> list[str]:
    """Caveats of the verdicts, without those that the contrasts tell themselves."""
    known = {
        f"{each.metric} on {each.dataset}: {text}"
        for comparison in findings.comparisons
        for each in comparison.contrasts
        for text in each.caveats
    }
    told = (text for verdict in findings.verdicts for text in verdict.caveats)
    return [f"{text[:1].upper()}{text[1:].rstrip('.')}." for text in told if text not in known]


def _listed(names: list[str]) -> str:
    unique = list(dict.fromkeys(names))
    if len(unique) <= 3:
        return ", ".join(unique)
    return f"{', '.join(unique[:2])} and {len(unique) - 2} more"


def _scales(findings: Findings) -> dict[str, Scale]:
    measured = {name: scale for run in findings.runs for name, scale in run.metrics.items()}
    # Those of the red team, whose runs are not among the findings.
    compared = (each for comparison in findings.comparisons for each in comparison.contrasts)
    return {**{each.metric: each.scale for each in compared}, **measured}


def _worthwhile(value: str, findings: Findings) -> str:
    scale = _scales(findings).get(findings.rule.primary)
    try:
        return amounts.margin(float(value), scale) if scale else value
    except ValueError:
        return value


def _because(ended: str) -> str:
    text = ended.strip().rstrip(".")
    return text[:1].lower() + text[1:] if text else "no reason was recorded"


def _ratio(name: str, estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    if not math.isfinite(estimate.value):
        return f"{name} is not determined by these data."
    interval = f"{amounts.confidence(estimate)} interval {amounts.factor_span(estimate)}"
    return f"{name} is {amounts.factor(estimate.value)} the baseline's ({interval})."


def _change(name: str, estimate: Estimate | None, scale: Scale, *, better: str = "positive") -> str:
    if estimate is None:
        return ""
    if not math.isfinite(estimate.value):
        return f"{name} is not determined by these data."
    change = amounts.difference(estimate.value, scale)
    return f"{name}: {change} ({amounts.interval(estimate, scale)}); {better} is better."


def _seeds(estimate: Estimate | None, scale: Scale) -> str:
    if estimate is None or not math.isfinite(estimate.value):
        return ""
    size = amounts.difference(estimate.value, scale).lstrip("+")
    return (
        f"Trainings that differ in the seed only vary by {size} (standard deviation;"
        f" {amounts.confidence(estimate)} interval {amounts.span(estimate, scale)})."
    )


def _probability(value: float) -> str:
    """A posterior probability is never certain, whatever its rounding."""
    if value > 0.999:
        return "over 99.9%"
    return "under 0.1%" if value < 0.001 else f"{value * 100:.1f}%"


def _chance(name: str, estimate: Estimate | None) -> str:
    if estimate is None or not math.isfinite(estimate.value):
        return ""
    # A chance lies between 0 and 1; an interval's part beyond that says nothing.
    low, high = max(0.0, estimate.low), min(1.0, estimate.high)
    ends = f"{low * 100:.1f}% to {high * 100:.1f}%"
    return (
        f"{name}, ties counted half: {estimate.value * 100:.1f}%"
        f" ({amounts.confidence(estimate)} interval {ends})."
    )


def _distance(estimate: Estimate | None, scale: Scale) -> str:
    if estimate is None or not math.isfinite(estimate.value):
        return ""
    size = amounts.difference(estimate.value, scale).lstrip("+")
    return f"The two score distributions are {size} apart (Wasserstein distance)."


def _order(estimate: Estimate | None) -> str:
    if estimate is None or not math.isfinite(estimate.value):
        return ""
    return (
        f"Almost stochastic order: violation ratio {estimate.value:.2f}"
        f" (upper bound {estimate.upper:.2f}); at 0 the candidate dominates, at 1 the"
        " baseline."
    )
