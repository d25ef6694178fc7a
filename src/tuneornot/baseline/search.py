"""The search: a first field of prompts raced, then rounds of variations around the leaders.

It stops when the budget ends, when several rounds in a row brought nothing better, or when no dev
case is left to win. The ledger says what was tried, what it cost, whether it still rose, what twice
the effort would probably add, and how much of the winner's dev mean is luck of selection.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

import numpy as np

from tuneornot.baseline import evolving, tpe
from tuneornot.baseline.race import Answer, Budget, Race, Racer
from tuneornot.baseline.space import Offers, Proposal, Space
from tuneornot.baseline.tried import by_difficulty, tried
from tuneornot.baseline.writing import Write, Writer
from tuneornot.records import Case, Dataset, Ledger, Prompt, Run
from tuneornot.stats import selection
from tuneornot.study import By

PER_ROUND = 6
"""Variations raced against the leader at a time."""
SORTED = 40
"""Train cases that are asked to find hard ones."""
PATIENCE = 3
"""Rounds in a row without a new leader after which more of the same is not worth its cost."""


def search(
    answer: Answer,
    train: Dataset,
    dev: Dataset,
    *,
    start: Prompt,
    budget: Budget,
    offers: Offers = Offers(),  # noqa: B008 - immutable
    write: Write | None = None,
    by: By = "race",
    seed: int = 0,
    on_progress: Callable[[int, int | None], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Ledger:
    """Engineer a prompt: choose instructions, format hint and demonstrations by racing on dev.

    With equal arguments and answers it asks the same questions in the same order, so a search that
    was interrupted goes on where it stopped if the caller answers from what it kept (a budget in
    minutes then starts anew). It never sees eval cases.

    Args:
        answer: asks cases under a prompt and judges the answers by one metric, the run's first.
        train: the cases that may be shown as demonstrations.
        dev: the cases on which prompts are raced.
        start: the user's own prompt; its instructions are the task, and it is a candidate too.
        budget: minutes, calls, or both.
        offers: what prompts may ask of the model besides words.
        write: asks a model that writes instructions, where the study names one.
        by: whose proposals are raced: a first field and rounds of variations, optuna's, or those
            that gepa evolves with ``write``.
        seed: of every choice.
        on_progress: told the percentage of the budget that is spent, and 100.
        clock: seconds, for tests.

    Returns:
        The ledger; ``winner`` takes the prompt from it.

    Raises:
        DataError: no budget, no dev cases, or by gepa without ``write``.
        MissingExtra: by optuna or gepa, which is not installed.
    """

    def asked(prompt: Prompt, cases: Sequence[Case]) -> Run:
        run = answer(prompt, cases)
        if on_progress is not None:
            on_progress(round(100 * race.share_spent()), 100)
        return run

    space = Space(start, train.cases, seed, offers)
    race = Race(asked, dev.cases, budget, seed=seed, clock=clock)
    notes = (*_wanted(by, offers), *_sorted(race, space, start, "the bare prompt"))
    writer = None
    if write is not None and by != "gepa":
        writer = Writer(write, train.cases, start.instructions, seed)
    written = () if writer is None else writer.begun(race, start)
    if by == "optuna":
        tpe.run(race, space, written)
    elif by == "gepa":
        evolving.run(race, space, write)
    else:
        race.run(space.first(written))
        if not space.sorted.hard:  # a bare prompt may be wrong about everything
            notes += _sorted(race, space, race.leader().proposal.prompt, "the leader")
        _vary(race, space, writer)
    race.choose()
    return _ledger(race, seed, notes)


def _wanted(by: By, offers: Offers) -> tuple[str, ...]:
    """Who proposes, if not the usual, and what is tried besides words and demonstrations."""
    told = [] if by == "race" else [f"proposed by {by}"]
    drawn = (f"temperature {one.temperature:g}, top_p {one.top_p:g}" for one in offers.sampled)
    told += [f"sampling: also {' or '.join(drawn)}"] if offers.sampled else []
    told += ["retrieval: also without what is looked up"] if offers.lookup else []
    told += ["steps: also with a call before the answer"] if offers.steps else []
    return tuple(told)


def _sorted(race: Race, space: Space, prompt: Prompt, whose: str) -> tuple[str, ...]:
    """Find out which train cases are hard for a prompt, where the study wants it; tells of it."""
    if not space.offers.difficulty or race.ended is not None:
        return ()
    answered = tried(race, prompt, space.train, n=SORTED, rng=random.Random(space.seed))
    if answered is None:
        return (f"difficulty: the budget did not carry asking train cases under {whose}",)
    known = by_difficulty(answered)
    space.sort(known)
    if known.hard:
        n = len(known.hard)
        return (f"difficulty: {n} of {len(answered)} train cases were hard for {whose}",)
    told = f"{whose} did equally on all of {len(answered)} train cases, so none counts as hard"
    return (f"difficulty: {told}",)


def winner(ledger: Ledger) -> Prompt:
    """The prompt that won."""
    return next(one.prompt for one in ledger.candidates if one.name == ledger.best)


def _vary(race: Race, space: Space, writer: Writer | None) -> None:
    """Rounds of variations until something ends the race; says what."""
    seen = {racer.proposal.prompt.fingerprint for racer in race.racers}
    idle = 0
    while race.ended is None:
        best, *others = race.finalists()
        if race.won():
            race.ended = "no dev case is left to win"
            return
        made = space.variations(best.proposal, others[0].proposal if others else None)
        fresh = [one for one in made if one.prompt.fingerprint not in seen]
        if not fresh:
            race.ended = "every prompt that can be made was raced"
            return
        fresh = _some(fresh, space)
        better = None if writer is None else writer.improved(race, best.proposal.prompt)
        if better is not None:
            fresh = [space.reworded(best.proposal, better), *fresh]
        seen |= {one.prompt.fingerprint for one in fresh}
        race.run(fresh)
        idle = idle + 1 if race.leader() is best else 0
        if idle == PATIENCE and race.ended is None:
            race.ended = f"{PATIENCE} rounds of variations in a row brought nothing better"


def _some(fresh: list[Proposal], space: Space) -> list[Proposal]:
    """Recombinations stand first and are always tried; of the rest a sample."""
    if len(fresh) <= PER_ROUND:
        return fresh
    return [*fresh[:2], *space.rng.sample(fresh[2:], PER_ROUND - 2)]


def _ledger(race: Race, seed: int, notes: tuple[str, ...]) -> Ledger:
    best = race.leader()
    n_choosing = len(race.cases) - race.n_raced
    kept = best.scores[race.n_raced :]
    chosen = n_choosing > 0 and best.n_answered == len(race.cases)
    return Ledger(
        candidates=race.candidates(),
        progress=tuple(race.progress),
        n_calls=race.n_calls,
        n_tokens=race.n_tokens,
        seconds=race.seconds,
        metric=race.metric,
        best=best.name,
        dev_mean=race.reported(best.mean()),
        luck=_luck(race, best.n_answered, np.random.default_rng(seed)),
        ended=race.ended or "every prompt was raced",
        still_rising=_rising(race, best),
        n_choosing=n_choosing,
        choosing_mean=race.reported(float(kept.mean())) if chosen else None,
        gain=_gain(race),
        notes=notes,
    )


def _gain(race: Race) -> float:
    """By the first block, which every prompt answered; the choice is made on all cases."""
    n = race.edges[1]
    scores = [racer.scores[:n] for racer in race.racers if racer.n_answered >= n]
    return selection.further(np.array(scores), len(race.cases))


def _luck(race: Race, n_best: int, rng: np.random.Generator) -> float:
    """The luck in the winner's mean: of the choice on its first n cases, n / all of it remains.

    What it answered after the others had ended is fresh, so the luck of a choice on n cases is
    diluted by it. The greatest over the blocks' ends counts, each with those who got so far.
    """
    found = [0.0]
    for n in (*race.edges[1:], len(race.cases)):
        fields = [racer.scores[:n] for racer in race.contenders if racer.n_answered >= n]
        if n <= n_best and fields:
            found.append(selection.luck(np.array(fields), rng) * n / n_best)
    return max(found)


def _rising(race: Race, best: Racer) -> bool:
    """Whether the winner took the lead in the last third of the effort, and is better for it."""
    earlier = [racer for n_calls, racer in race.led if n_calls <= race.n_calls * 2 / 3]
    if not earlier or earlier[-1] is best:
        return False
    common = min(earlier[-1].n_answered, best.n_answered)
    return best.mean(common) > earlier[-1].mean(common)
