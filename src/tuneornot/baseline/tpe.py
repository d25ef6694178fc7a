"""The search by optuna: its sampler proposes each next prompt, its pruner ends poor ones.

Tree-structured Parzen estimators (Bergstra et al. 2011) learn from the means so far which frame,
hint and demonstrations do well; one prompt is raced at a time, and after each block of cases a
prompt below the median of the others at that block ends. Cases, blocks, budget and ledger are the
race's. Its parts are known from the start: instructions that are written on the way are not tried.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from tuneornot.baseline.race import Race, Racer
from tuneornot.baseline.space import Choice, Parts, Proposal, Space
from tuneornot.errors import MissingExtra

if TYPE_CHECKING:
    import optuna

DRAWS = 4
"""Choices of cases for each number and way of choosing: a good one can be met again."""
UNPRUNED = 5
"""Prompts that race to the end before any is ended early."""
IDLE = 18
"""Prompts in a row without a new leader after which more of the same is not worth its cost: as
many as the race's rounds of variations."""
STALE = 100
"""Proposals in a row that were raced before, after which nothing new is expected."""


def run(race: Race, space: Space, written: Sequence[str] = ()) -> None:
    """Race the user's own prompt and then what optuna proposes, until something ends the race.

    Args:
        race: takes the answers; nothing was raced yet.
        space: what prompts are made of; its seed is the sampler's.
        written: instructions by another model, which are frames too.

    Raises:
        MissingExtra: optuna is not installed.
    """
    for text in written:
        space.written(text)
    proposer = _Proposer(space)
    race.one(space.own, lambda _: None)
    seen = {space.start.fingerprint}
    idle = stale = 0
    while race.ended is None:
        if race.won():
            race.ended = "no dev case is left to win"
            return
        trial, made = proposer.next()
        if made is None or made.prompt.fingerprint in seen:
            stale += 1
            proposer.failed(trial)
        else:
            seen.add(made.prompt.fingerprint)
            before = race.leader()
            racer = race.one(made, functools.partial(proposer.doubt, trial))
            if race.ended is None:
                proposer.told(trial, racer)
            stale, idle = 0, idle + 1 if race.leader() is before else 0
        if race.ended is None and stale == STALE:
            race.ended = f"optuna proposed nothing new {STALE} times in a row"
        if race.ended is None and idle == IDLE:
            race.ended = f"{IDLE} prompts of optuna's in a row brought nothing better"


class _Proposer:
    """Optuna, asked for the parts of one prompt after the other and told how each did."""

    def __init__(self, space: Space) -> None:
        # Deferred: it is an extra, and takes a second to import.
        try:
            import optuna
        except ImportError as error:
            raise MissingExtra("The search by optuna", "optuna") from error
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = space
        self._states = optuna.trial.TrialState
        self._study = optuna.create_study(
            direction="maximize",
            sampler=optuna.samplers.TPESampler(seed=space.seed),
            pruner=optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED),
        )

    def next(self) -> tuple[optuna.Trial, Proposal | None]:
        """A trial and its prompt; ``None`` where there are too few cases for it."""
        trial = self._study.ask()
        return trial, self._space.of(self._parts(trial))

    def doubt(self, trial: optuna.Trial, racer: Racer) -> str | None:
        """Why optuna's pruner ends a prompt after its last block, if it does."""
        n = racer.n_answered
        trial.report(racer.mean(), n)
        return f"below the median of earlier prompts on {n} cases" if trial.should_prune() else None

    def told(self, trial: optuna.Trial, racer: Racer) -> None:
        """How the trial's prompt did, to its last block or to where it was ended."""
        if racer.dropped is None:
            self._study.tell(trial, racer.mean())
        else:
            self._study.tell(trial, state=self._states.PRUNED)

    def failed(self, trial: optuna.Trial) -> None:
        """Nothing new is learnt from a trial: its prompt was raced before, or cannot be made."""
        self._study.tell(trial, state=self._states.FAIL)

    def _parts(self, trial: optuna.Trial) -> Parts:
        """What optuna chooses; what would change nothing is not asked for."""
        space = self._space
        frame = trial.suggest_categorical("frame", [*space.frames])
        hint = trial.suggest_categorical("hint", [*space.hints])
        n = space.numbers[trial.suggest_int("number", 0, len(space.numbers) - 1)]
        way = trial.suggest_categorical("how", [*space.hows]) if n else space.hows[0]
        how = cast("Choice", way)
        draw = trial.suggest_int("draw", 0, DRAWS - 1) if n and how != "nearest" else 0
        may_hold = space.offers.form is not None and space.thinks(frame) is None
        held = may_hold and trial.suggest_categorical("held to the form", [False, True])
        ways = dict(enumerate((None, *space.offers.sampled)))
        sampled = ways[trial.suggest_categorical("sampling", [*ways]) if len(ways) > 1 else 0]
        turned = space.offers.lookup and trial.suggest_categorical("turned", [False, True])
        split = space.offers.steps > 0 and trial.suggest_categorical("split", [False, True])
        return Parts(frame, hint, how, n, held, draw, sampled, turned, split)
