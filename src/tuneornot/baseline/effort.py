"""Whether the effort deserves the name: a verdict over an unengineered prompt is worth nothing."""

from __future__ import annotations

from tuneornot.records import Check, Ledger

LEAST = 8
"""Prompts that must have been tried. A budget in minutes that ends earlier (a slow or busy machine)
leaves the user's first prompt as the baseline, and any training beats that."""
NAME = "prompt-engineered"


def check(ledger: Ledger | None) -> Check:
    """What can be said of the baseline's prompt.

    Args:
        ledger: of its search; ``None`` where the study plans none and takes the prompt as given.

    Returns:
        A check that blocks where a search was planned and hardly begun, and that is a caveat where
        none was planned, or where all prompts scored the same and the shortest was taken.
    """
    if ledger is None:
        told = "the study plans no search for the baseline; its prompt is used as it was given"
        return Check(name=NAME, passed=False, detail=told, blocking=False)
    n = len(ledger.candidates)
    told = f"{n} prompts were tried in {ledger.n_calls} calls"
    if n < LEAST:
        told += (
            f", at least {LEAST} are needed for a fair baseline; {ledger.ended}: give the search "
            "more and run the same command again"
        )
        return Check(name=NAME, passed=False, detail=told)
    if len({tried.mean for tried in ledger.candidates}) == 1:
        told += (
            f", and all of them have {ledger.metric} {ledger.dev_mean:g} on dev, so nothing was "
            "chosen but the shortest: name a metric that tells them apart as `search.metric`"
        )
        return Check(name=NAME, passed=False, detail=told, blocking=False)
    return Check(name=NAME, passed=True, detail=told)
