"""The steps of a study, each with what is left of it and what that is expected to take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

import msgspec

from tuneornot import brought, finetune
from tuneornot.forecast import attacked, authored, judged, stressed
from tuneornot.forecast.basis import TIMED, Guess, spent_of
from tuneornot.forecast.outlay import Forecast, Outlay, Used, total
from tuneornot.forecast.ready import Ready
from tuneornot.forecast.ready import of as ready_arm
from tuneornot.protocol import Protocol
from tuneornot.records import Arm, Case, Spent
from tuneornot.spending import Tally


def of(protocol: Protocol) -> Forecast:
    """What is left of a study; asks no model anything.

    Raises:
        ModelError: a model cannot be opened, so that what is known of it cannot be told.
    """
    ready = [ready_arm(protocol, name) for name in protocol.study.arms]
    outlays = [one for arm in ready for one in _preparing(protocol, arm)]
    if protocol.times:
        outlays += _timing(protocol, ready)
    for arm in ready:
        measuring = _measuring(protocol, arm, f"measure {arm.name}", arm.judging)
        outlays += [measuring, *_judging(protocol, arm, (measuring.n_calls or 0) // arm.n_each)]
    outlays += [_outlay(protocol, plain, guesses) for plain, guesses in stressed.writing(protocol)]
    changed = stressed.cases(protocol)
    if changed:
        outlays += [_measuring(protocol, arm, f"stress {arm.name}", changed) for arm in ready]
    for arm in ready:
        outlays += [_outlay(protocol, *expected) for expected in attacked.asked(protocol, arm)]
    prices = protocol.prices
    return Forecast(
        outlays=tuple(outlays),
        spent=_spent(protocol),
        total=total(tuple(outlays), priced=prices is not None),
        budget=protocol.study.budget,
        currency="" if prices is None else prices.currency,
    )


def _preparing(protocol: Protocol, arm: Ready) -> list[Outlay]:
    """Search or training, where it is not done."""
    plan = protocol.study.arms[arm.name]
    if plan.search is not None and not arm.arms:
        searching = _searching(protocol, arm)
        writing = authored.asked(protocol, arm, searching)
        return [searching, *(_outlay(protocol, plain, guesses) for plain, guesses in writing)]
    if plan.tune is not None:
        # Trainings on shares of train count as whole ones: rather too much than too little.
        n_left = arm.n_arms - len(arm.arms) + protocol.tuning.n_left(protocol.pupil(arm.name))
        return [_training(protocol, arm, n_left)] if n_left else []
    if plan.hosted is not None and not arm.arms:
        return [_ordering(protocol, arm)]
    return _checking(protocol, arm)


def _searching(protocol: Protocol, arm: Ready) -> Outlay:
    plan = protocol.study.arms[arm.name].search
    assert plan is not None, "only an arm with a search is searched for"
    step, dev = f"engineer the prompt of {arm.name}", arm.splits.dev.cases
    seconds, so_far = arm.basis.seconds(), spent_of(protocol, arm.model, step)
    by_time = None
    if plan.minutes is not None and seconds.value:
        by_time = math.ceil(60 * plan.minutes / seconds.value)
    n_known = 0 if plan.calls is None else min(plan.calls, so_far.n_calls)
    by_calls = None if plan.calls is None else plan.calls - n_known
    n_calls = min((n for n in (by_time, by_calls) if n is not None), default=None)
    minutes = None if seconds.value is None or n_calls is None else n_calls * seconds.value / 60
    if plan.minutes is not None:
        minutes = plan.minutes if minutes is None else min(minutes, plan.minutes)
    read, written = arm.basis.read(arm.prompts, dev), arm.basis.written(dev)
    if so_far.n_calls:
        n = so_far.n_calls
        read = Guess(so_far.n_input_tokens / n, f"tokens: {n} earlier questions of this search")
        written = Guess(so_far.n_output_tokens / n, "")
    else:
        read = Guess(read.value, f"{read.basis}; the {len(arm.prompts)} prompts it begins with")
    return _outlay(
        protocol,
        Outlay(
            step=step,
            arm=arm.name,
            model=arm.model,
            n_calls=n_calls,
            n_known=n_known,
            minutes=minutes,
            at_most=True,
        ),
        (read, written, seconds),
    )


def _training(protocol: Protocol, arm: Ready, n_left: int) -> Outlay:
    """Its time is that of earlier trainings; its questions check the adapter."""
    took = [
        phase.seconds
        for phase in protocol.store.phases()
        if phase.name.startswith("train ") and phase.finished
        if any(one.model == arm.model for one in phase.spent)
    ]
    checked = arm.splits.dev.cases or arm.splits.train.cases
    basis = f"minutes: {len(took)} earlier trainings of this model"
    return _outlay(
        protocol,
        Outlay(
            step=f"train {arm.name}",
            arm=arm.name,
            model=arm.model,
            n_calls=n_left * 2 * (min(finetune.ASKED, len(checked)) + len(finetune.PROBE)),
            n_known=0,
            minutes=n_left * fmean(took) / 60 if took else None,
        ),
        (
            arm.basis.read(arm.prompts, checked),
            arm.basis.written(checked),
            Guess(None, basis if took else "minutes: no training of this model was timed yet"),
        ),
    )


def _ordering(protocol: Protocol, arm: Ready) -> Outlay:
    """Trainings by a host, and the questions that check what comes back."""
    hosted = protocol.elsewhere.hosted[arm.name]
    seeds = hosted.plan.seeds
    known = [protocol.store.order(hosted.key(seed)) for seed in seeds]
    # What was ordered is paid for, whether it is done or not.
    n_left = sum(order is None or order.job is None for order in known)
    asked = arm.splits.dev.cases[: brought.ASKED]
    checking = _outlay(
        protocol,
        Outlay(
            step=f"train {arm.name}",
            arm=arm.name,
            model=arm.model,
            n_calls=(len(seeds) + 1) * len(asked),
        ),
        (arm.basis.read(arm.prompts, asked), arm.basis.written(asked), Guess(None, "")),
    )
    expected = hosted.expected()
    n_tokens = n_left * expected.n_trained_tokens
    spent = Spent(model=arm.model, n_trained_tokens=n_tokens)
    money = None if protocol.prices is None else protocol.prices.money([spent])
    passes = hosted.plan.epochs or "one pass, for the host chooses how many,"
    basis = (
        f"training: about {n_tokens:,} tokens, {n_left} of {len(seeds)} jobs, "
        f"{f'{passes} passes' if hosted.plan.epochs else passes} at 4 characters a token; the "
        "host counts its own, and its minutes are not known"
    )
    return msgspec.structs.replace(
        checking,
        money=None if money is None or checking.money is None else checking.money + money,
        basis=(basis, *checking.basis),
    )


def _checking(protocol: Protocol, arm: Ready) -> list[Outlay]:
    """The questions that check a model which was tuned elsewhere, and the one before it."""
    one = protocol.elsewhere.brought.get(arm.name)
    if one is None:
        return []
    asked = one.asked(arm.splits.dev).cases
    sides = [arm.arms[0]]
    if one.base is not None:
        sides.append(brought.before(arm.arms[0], protocol.model(one.base)))
    outlays = []
    for side in sides:
        n_known = len(_answered(protocol, side, asked, "answer"))
        plain = Outlay(
            step=f"check {arm.name}",
            arm=arm.name,
            model=side.model,
            n_calls=len(asked) - n_known,
            n_known=n_known,
        )
        guesses = (arm.basis.read(arm.prompts, asked), arm.basis.written(asked))
        outlays.append(_outlay(protocol, plain, (*guesses, arm.basis.seconds())))
    return outlays


def _timing(protocol: Protocol, ready: Sequence[Ready]) -> list[Outlay]:
    """One question at a time: the first of each arm's, on the cases that not all were timed on."""
    n_done = 0
    if all(arm.arms for arm in ready):
        timed = (_answered(protocol, arm.arms[0], arm.eval, "latency") for arm in ready)
        n_done = len(set.intersection(*timed))
    n_wanted = min(protocol.study.timed, len(ready[0].eval))
    n_left = max(0, n_wanted - n_done)
    return [
        _outlay(
            protocol,
            Outlay(
                step=TIMED,
                arm=arm.name,
                model=arm.model,
                # One more warms up; its answer is not used.
                n_calls=(n_left + 1 if n_left else 0) * arm.n_each,
                n_known=n_done * arm.n_each,
            ),
            (
                arm.basis.read(arm.prompts, arm.eval),
                arm.basis.written(arm.eval),
                arm.basis.seconds(alone=True),
            ),
        )
        for arm in ready
    ]


def _measuring(protocol: Protocol, arm: Ready, step: str, cases: Sequence[Case]) -> Outlay:
    repeats = range(protocol.study.repeats)
    n_wanted = arm.n_arms * len(cases) * len(repeats) * arm.n_each
    n_known = sum(
        len(_answered(protocol, one, cases, "answer", repeat))
        for whole in arm.arms
        for one in _calls(whole)
        for repeat in repeats
    )
    read, written = arm.basis.read(arm.prompts, cases), arm.basis.written(cases)
    if not arm.arms and len(arm.prompts) > 1:
        read = Guess(read.value, f"{read.basis}; a prompt as long as those the search begins with")
    return _outlay(
        protocol,
        Outlay(
            step=step,
            arm=arm.name,
            model=arm.model,
            n_calls=n_wanted - n_known,
            n_known=n_known,
        ),
        (read, written, arm.basis.seconds()),
    )


def _judging(protocol: Protocol, arm: Ready, n_answers: int) -> list[Outlay]:
    return [
        _outlay(protocol, plain, guesses)
        for plain, guesses in judged.asked(protocol, arm, n_answers)
    ]


def _calls(arm: Arm) -> list[Arm]:
    """The arm, and as what it is asked the steps of its prompt."""
    return [arm, *([] if arm.before is None else _calls(arm.before))]


def _answered(
    protocol: Protocol, arm: Arm, cases: Sequence[Case], purpose: str, repeat: int = 0
) -> set[str]:
    """Questions that an arm has answered."""
    keys = [(arm.fingerprint, case.question, repeat, purpose) for case in cases]
    found = protocol.store.responses(keys).values()
    return {response.question for response in found if response.text is not None}


def _outlay(protocol: Protocol, plain: Outlay, guesses: tuple[Guess, Guess, Guess]) -> Outlay:
    """An outlay with its tokens, minutes and money, from those of one question.

    Args:
        protocol: the study.
        plain: without them; minutes that it has already stay.
        guesses: of one question: tokens read, tokens written, seconds.
    """
    n = plain.n_calls
    read, written, seconds = (
        None if one.value is None or n is None else n * one.value for one in guesses
    )
    minutes = plain.minutes
    if minutes is None and seconds is not None:
        minutes = seconds / 60
    elif minutes is None and n == 0:
        minutes = 0.0
    return msgspec.structs.replace(
        plain,
        n_input_tokens=read,
        n_output_tokens=written,
        minutes=minutes,
        money=_money(protocol, plain.model, read, written, minutes),
        basis=tuple(one.basis for one in guesses if one.basis) if n != 0 else (),
    )


def _money(
    protocol: Protocol,
    model: str,
    read: float | None,
    written: float | None,
    minutes: float | None,
) -> float | None:
    rates = None if protocol.prices is None else protocol.prices.models.get(model)
    if rates is None or (minutes is None if rates.by_time else read is None or written is None):
        return None
    return rates.of(
        Spent(
            model=model,
            n_input_tokens=round(read or 0),
            n_output_tokens=round(written or 0),
            seconds=60 * (minutes or 0.0),
        )
    )


def _spent(protocol: Protocol) -> Used:
    """What earlier commands used, as the budget counts it."""
    spent = Tally(one for phase in protocol.store.phases() for one in phase.spent).spent
    prices = protocol.prices
    money = 0.0
    if prices is not None:
        money = sum(prices.models[one.model].of(one) for one in spent if one.model in prices.models)
    return Used(
        calls=sum(one.n_calls for one in spent),
        tokens=sum(one.n_tokens for one in spent),
        minutes=0.0,
        money=money,
    )
