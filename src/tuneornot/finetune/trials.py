"""The search for a recipe: pairs of rank and rate, the better half trained on for twice as long.

Successive halving over epochs (Jamieson and Talwalkar 2016, arXiv:1502.07943): every pair is
trained for one epoch, the better half again for two, the better half of those for four. Each
training is whole, since its rate falls to 0 at its own end, so how long to train is chosen by the
same comparison. Judged is the loss on dev cases, the same for all; no answer is asked for and no
eval case is seen.

It does not know how a recipe is trained, and searches nothing but rank, rate and epochs.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import msgspec

from tuneornot.records import Trial, Trials
from tuneornot.training.plan import TrialPlan
from tuneornot.training.recipe import Recipe

RANKS = (0.5, 1.0, 2.0)
RATES = (1 / 3, 1.0, 3.0)

Fit = Callable[[Recipe], Trial]
"""Trains by one recipe, or tells what it gave before."""


def search(given: Recipe, plan: TrialPlan, fit: Fit) -> tuple[Recipe, Trials]:
    """Try recipes around a given one.

    Returns:
        The chosen recipe, with the ledger of all trials; the given one if all of them diverged.
    """
    racing = candidates(given, plan)
    tried: list[tuple[Recipe, Trial]] = []
    epochs = 1
    while racing and epochs <= plan.epochs:
        run = [msgspec.structs.replace(one, epochs=epochs) for one in racing]
        done = [(one, fit(one)) for one in run]
        tried += done
        done = sorted((pair for pair in done if pair[1].dev_loss is not None), key=_loss)
        racing = [recipe for recipe, _ in done[: max(1, len(done) // 2)]]
        epochs *= 2
    best = min(range(len(tried)), key=lambda place: _loss(tried[place]))
    chosen = given if tried[best][1].dev_loss is None else tried[best][0]
    return chosen, Trials(tried=tuple(trial for _, trial in tried), best=best)


def candidates(given: Recipe, plan: TrialPlan) -> list[Recipe]:
    """The given recipe first, then others; the scale alpha / rank stays as it is."""
    around = {}
    for wider in RANKS if given.method != "full" else (1.0,):
        for faster in RATES:
            rank = max(1, round(given.rank * wider))
            around[wider, faster] = msgspec.structs.replace(
                given,
                rank=rank,
                alpha=max(1, round(given.alpha * rank / given.rank)),
                rate=float(f"{given.rate * faster:.3g}"),
            )
    others = [pair for pair in around if pair != (1.0, 1.0)]
    random.Random(plan.seed).shuffle(others)
    return [around[pair] for pair in [(1.0, 1.0), *others][: plan.trials]]


def _loss(pair: tuple[Recipe, Trial]) -> float:
    loss = pair[1].dev_loss
    return math.inf if loss is None else loss
