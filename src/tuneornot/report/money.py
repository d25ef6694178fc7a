"""What the study used and what a success costs, in sentences.

Money is at the prices of the user's own file. What is not known is said to be so and is never 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from tuneornot.records import Comparison, Findings, Phase
from tuneornot.report import amounts


def spent(phases: Sequence[Phase], currency: str) -> str:
    """What the questions of some phases used, one sentence; empty where nothing was asked."""
    n_calls = sum(phase.n_asked for phase in phases)
    if not n_calls:
        return ""
    used = [one for phase in phases for one in phase.spent]
    told = amounts.count(n_calls, "question")
    if used:
        n_read = sum(one.n_input_tokens for one in used)
        n_written = sum(one.n_output_tokens for one in used)
        told += f", {n_read:,} tokens read and {n_written:,} written"
    n_guessed = sum(one.n_guessed for one in used)
    if n_guessed:
        told += f" (for {amounts.count(n_guessed, 'question')} reckoned from characters)"
    return f"Asked: {told}{_paid(phases, currency)}."


def _paid(phases: Sequence[Phase], currency: str) -> str:
    if not currency:
        return ""
    total = sum(phase.money for phase in phases if phase.money is not None)
    told = f", {amounts.number(total)} {currency}"
    if any(phase.money is None for phase in phases):
        return f"{told} without the phases whose models have no price"
    return told


def per_success(comparison: Comparison, findings: Findings) -> str:
    """What an answer costs that is right by the primary metric; empty where that is not defined.

    The mean cost divided by the share of successes, both as measured; it carries no interval.
    """
    primary = comparison.contrast(findings.rule.primary, "eval")
    cost = comparison.contrast("cost", "eval")
    if primary is None or cost is None or not primary.scale.binary:
        return ""
    shares = (primary.baseline_mean.value, primary.candidate_mean.value)
    if primary.scale.better == "lower" or not all(share >= 0 for share in shares):
        return ""
    told = []
    for name, mean, share in zip(
        (comparison.baseline, comparison.candidate),
        (cost.baseline_mean.value, cost.candidate_mean.value),
        shares,
        strict=True,
    ):
        each = amounts.level(mean / share, cost.scale) if share else "nothing to divide by"
        told.append(f"{name} {each if math.isfinite(mean) else amounts.UNKNOWN}")
    return (
        f"Cost of an answer that succeeds in {amounts.title(primary.metric)}: {', '.join(told)} "
        "(mean cost / share of successes, without an interval)."
    )
