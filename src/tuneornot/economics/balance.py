"""Every arm's money, each candidate against the baseline, and what of it matters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np

from tuneornot.economics import frontier, inputs, measured, pace, totals
from tuneornot.economics.inputs import CALLS, Inputs, key
from tuneornot.economics.measured import Floats
from tuneornot.records import (
    ArmCosts,
    ArmTotal,
    Balance,
    Economics,
    EconomicsPlan,
    Estimate,
    Phase,
    Run,
    Scale,
    Standing,
    Swing,
)

LEVEL = 0.95


def of(
    plan: EconomicsPlan,
    runs: Sequence[Run],
    phases: Sequence[Phase],
    *,
    primary: str,
    baseline: str,
    currency: str,
    seed: int = 0,
) -> Economics:
    """What the arms of a study cost over the months.

    Args:
        plan: what the study states; every arm's answers have a price there or in the price file.
        runs: of every arm on eval.
        phases: where the money of the study went; trainings are among them.
        primary: the metric that tells quality and successes.
        baseline: the arm to compare with.
        currency: of all money.
        seed: of the simulation, which is the same again for the same study.
    """
    rng = np.random.default_rng(seed)
    arms = list(dict.fromkeys(run.arm.name for run in runs))
    basis: list[str] = []
    costs = {arm: _trained(arm, plan.arms.get(arm, ArmCosts()), phases, basis) for arm in arms}
    answers = _answers(runs, [arm for arm in arms if costs[arm].per_call is None], rng, basis)
    known = [arm for arm in arms if costs[arm].per_call is not None or arm in answers]
    found = inputs.gather(plan, {arm: costs[arm] for arm in known}, answers, rng)
    scale = next(run.metrics[primary] for run in runs if primary in run.metrics)
    quality = measured.means(runs, primary, arms)
    worth = {} if quality is None else quality.draw(inputs.N_DRAWS, rng)
    draws = {name: one.draws for name, one in found.items()}
    prices = {arm: draws[key(arm, "per_call")] for arm in known}
    calls = found[CALLS]
    return Economics(
        currency=currency,
        months=plan.months,
        calls_per_month=(calls.least, calls.most),
        totals=tuple(
            _total(arm, draws, plan.months, worth.get(arm) if _counts(scale) else None)
            for arm in known
        ),
        balances=tuple(
            _balance(baseline, arm, found, plan.months)
            for arm in known
            if arm != baseline and baseline in known
        ),
        standings=_standings(runs, scale, worth, prices, rng),
        paces=tuple(one for arm in arms if (one := pace.of(arm, runs)) is not None),
        basis=tuple(basis),
    )


def _trained(arm: str, costs: ArmCosts, phases: Sequence[Phase], basis: list[str]) -> ArmCosts:
    """With the price of one training as the study's own trainings cost, where it states none."""
    if costs.training is not None:
        return costs
    seen = [one for one in phases if one.name.startswith(f"train {arm}, seed ") and one.finished]
    paid = [one.money for one in seen if one.money is not None]
    if not paid:
        if seen:
            basis.append(f"the trainings of {arm} have no price and count as 0")
        return costs
    basis.append(f"a training of {arm} costs what the study's own did ({len(paid)} trained)")
    return msgspec.structs.replace(costs, training=float(np.mean(paid)))


def _answers(
    runs: Sequence[Run], arms: Sequence[str], rng: np.random.Generator, basis: list[str]
) -> dict[str, inputs.Input]:
    """By arm what an answer costs as measured."""
    if not arms:
        return {}
    found = measured.means(runs, "cost", arms)
    if found is None:
        basis.append(f"what answers of {', '.join(arms)} cost is not known: they are left out")
        return {}
    values = dict(zip(found.arms, found.value.tolist(), strict=True))
    drawn = found.draw(inputs.N_DRAWS, rng)
    return {arm: inputs.drawn(values[arm], drawn[arm]) for arm in found.arms}


def _counts(scale: Scale) -> bool:
    """Whether a mean of this metric is a share of successes."""
    return scale.binary and scale.better == "higher" and scale.low == 0.0


def _total(arm: str, draws: totals.Values, months: int, share: Floats | None) -> ArmTotal:
    per_call = draws[key(arm, "per_call")]
    each = None
    if share is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            each = estimate(np.where(share > 0, per_call / share, np.inf))
    return ArmTotal(
        arm=arm,
        per_call=estimate(per_call),
        per_success=each,
        once=estimate(totals.once(arm, draws)),
        per_month=estimate(totals.per_month(arm, draws)),
        total=estimate(totals.total(arm, draws, months)),
    )


def _balance(baseline: str, candidate: str, found: Inputs, months: int) -> Balance:
    draws = {name: one.draws for name, one in found.items()}
    middles = {name: np.asarray(one.middle) for name, one in found.items()}
    saving = _saving(baseline, candidate, draws, months)
    volume = totals.volume(baseline, candidate, draws, months)
    return Balance(
        baseline=baseline,
        candidate=candidate,
        saving=estimate(saving),
        chance=float((saving > 0).mean()),
        break_even=estimate(volume),
        chance_never=float(np.isinf(volume).mean()),
        middle=float(_saving(baseline, candidate, middles, months)),
        swings=_swings(
            found,
            lambda changed: float(_saving(baseline, candidate, {**middles, **changed}, months)),
        ),
    )


def _saving(baseline: str, candidate: str, values: totals.Values, months: int) -> Floats:
    return totals.total(baseline, values, months) - totals.total(candidate, values, months)


def _swings(found: Inputs, saving: Callable[[totals.Values], float]) -> tuple[Swing, ...]:
    """One input at a time at its ends, all others in the middle; what changes nothing is left out.

    The usual name of its picture is a tornado diagram.

    Args:
        found: every input.
        saving: with some inputs as given and all others in the middle.
    """
    swings = []
    for name, one in found.items():
        if not one.uncertain:
            continue
        least, most = (saving({name: np.asarray(end)}) for end in (one.least, one.most))
        if least != most:
            swings.append(
                Swing(name=name, least=one.least, most=one.most, at_least=least, at_most=most)
            )
    return tuple(sorted(swings, key=lambda swing: -abs(swing.at_most - swing.at_least)))


def _standings(
    runs: Sequence[Run],
    scale: Scale,
    worth: Mapping[str, Floats],
    cost: Mapping[str, Floats],
    rng: np.random.Generator,
) -> tuple[Standing, ...]:
    arms = [arm for arm in worth if arm in cost]
    if len(arms) < 2:
        return ()
    timed = measured.means(runs, "latency", arms)
    waits = {} if timed is None else timed.draw(inputs.N_DRAWS, rng)
    sign = 1.0 if scale.better == "higher" else -1.0
    goods = [{a: sign * worth[a] for a in arms}, {a: -cost[a] for a in arms}]
    goods += [{a: -waits[a] for a in arms}] if waits else []
    efficient = frontier.efficient(goods)
    return tuple(
        Standing(
            arm=arm,
            quality=float(worth[arm].mean()),
            cost=float(cost[arm].mean()),
            latency_s=float(waits[arm].mean()) if waits else None,
            efficient=efficient[arm],
        )
        for arm in arms
    )


def estimate(draws: Floats) -> Estimate:
    """The median of draws with the quantiles that hold 95% of them between."""
    tail = (1 - LEVEL) / 2
    low, lower, middle, upper, high = np.quantile(
        draws, [tail, 1 - LEVEL, 0.5, LEVEL, 1 - tail], method="inverted_cdf"
    )
    return Estimate(
        value=float(middle),
        low=float(low),
        high=float(high),
        lower=float(lower),
        upper=float(upper),
        level=LEVEL,
        method="simulation",
    )
