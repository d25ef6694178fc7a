"""Which look at the eval set a verdict rests on, and what of an error rate it may spend.

Looks are told apart by the number of eval cases: to measure the same cases again shows nothing new,
to add cases after an open verdict and look again is a second chance to err. What was looked at is
in the store, under every plan of the study. It knows no scores.
"""

from __future__ import annotations

from collections.abc import Sequence

from tuneornot import study
from tuneornot.records import Look, Stage
from tuneornot.stats import sequential
from tuneornot.store.store import Plan


def of(plan: study.Study, plans: Sequence[Plan], looks: Sequence[Look], n: int) -> Stage:
    """The present look at the eval set.

    Args:
        plan: the study.
        plans: every one that the study ever had.
        looks: all that are known; those of the study at an eval set of fewer cases count.
        n: eval cases now.

    Returns:
        Without planned looks where an earlier one was taken under another plan: what is planned
        afterwards pays for nothing.
    """
    now, texts = study.text(plan), {each.fingerprint: each.text for each in plans}
    before = [
        (look.n, texts[look.plan])
        for look in looks
        if look.dataset == "eval" and look.plan in texts and look.n is not None and look.n < n
    ]
    kept = all(text == now or study.grown(text, now) for text in {text for _, text in before})
    return Stage(
        n=n,
        earlier=tuple(sorted({size for size, _ in before})),
        planned=plan.decide.looks if kept else (),
        alpha=plan.decide.alpha,
    )


def level(alpha: float, now: Stage) -> float:
    """What a claim may spend of its error rate at this look.

    By an error-spending function of the planned cases (``stats.sequential``), so that the planned
    looks keep the error rate together. All of it where one look is planned, or where the planned
    ones are over: then ``caveat`` says what that costs.
    """
    if not now.planned or now.n_spent > 1:
        return alpha
    return sequential.level([*now.earlier, now.n], now.planned[-1], alpha)


def caveat(now: Stage) -> tuple[str, ...]:
    """What a look that nobody planned does to the promise of the verdict; empty if none is."""
    if now.n_spent == 1:
        return ()
    sizes = ", ".join(f"{n}" for n in now.earlier)
    why = (
        f"the last planned look, at {now.planned[-1]} cases, is over"
        if now.planned
        else "looks were not planned before the first"
    )
    return (
        f"this is look {now.look} at a growing eval set (before: {sizes} cases, now {now.n}), and "
        f"{why}: over all looks either wrong verdict has a probability of up to "
        f"{min(now.n_spent * now.alpha, 1):.3g}, not {now.alpha:g}",
    )
