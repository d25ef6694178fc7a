"""Models that are tuned elsewhere: by a host that is paid for it, or before this study began.

Both come with a name or a folder in place of a training that could be watched, so both are proven
by the same checks. It orders each training once and waits for it; which arm is measured with what
it brings is the protocol's affair.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tuneornot import brought, budget
from tuneornot.brought import Brought
from tuneornot.ordering import Books, Hosted
from tuneornot.records import Arm, Check, Dataset, Order, Prices, Prompt, Splits
from tuneornot.session import Session
from tuneornot.study import Study
from tuneornot.training.tuned import TunedPlan


class Arms(Protocol):
    """What is asked of the protocol about the study's arms."""

    @property
    def prices(self) -> Prices | None:
        """Of the study's models."""
        ...

    @property
    def splits(self) -> Splits:
        """The frozen split."""
        ...

    def start(self, arm: str) -> Prompt:
        """The prompt that an arm begins with."""
        ...

    def taught(self, arm: str) -> Sequence[Dataset]:
        """Train and dev as the arm is asked them."""
        ...

    def arms(self, name: str) -> tuple[Arm, ...]:
        """The arms of one plan: one, or one for each training seed."""
        ...


class Elsewhere:
    """The arms of a study whose models are not tuned here.

    Args:
        study: the plan.
        folder: where its relative paths start.
        session: has the models open and counts what is spent.
        arms: tells of the study's arms.
    """

    def __init__(self, study: Study, folder: Path, session: Session, arms: Arms) -> None:
        self._study = study
        self._folder = folder
        self._session = session
        self._arms = arms
        self._orders: dict[str, tuple[Order, ...]] = {}
        self._proofs: dict[str, tuple[Check, ...]] = {}
        self.brought: Mapping[str, Brought] = {
            name: Brought(arm.tuned, arm.model, folder, fields=study.data.fields)
            for name, arm in study.arms.items()
            if arm.tuned is not None
        }
        """By arm the models that were tuned before."""

    @functools.cached_property
    def hosted(self) -> Mapping[str, Hosted]:
        """By arm the trainings that are ordered from hosts."""
        return {
            name: Hosted(
                name,
                arm.hosted,
                arm.model,
                prompt=self._arms.start(name),
                train=self._arms.taught(name)[0],
            )
            for name, arm in self._study.arms.items()
            if arm.hosted is not None
        }

    def orders(self, arm: str) -> tuple[Order, ...]:
        """The arm's finished trainings at its host, ordered and waited for where they are not."""
        if arm not in self._orders:
            hosted, found = self.hosted[arm], []
            for seed in hosted.plan.seeds:
                with self._session.phase(f"train {arm}, seed {seed}"):
                    found.append(hosted.trained(seed, self.books))
            for order in found:
                if self._arms.prices is not None and order.served is not None:
                    self._arms.prices.also(order.served, budget.tuned(order.model))
            self._orders[arm] = tuple(found)
        return self._orders[arm]

    @property
    def books(self) -> Books:
        """Where orders and what they cost are written down."""
        session = self._session
        return Books(
            session.store.order, session.store.keep_order, session.ordering, session.listener.say
        )

    def proof(self, arm: str) -> tuple[Check, ...]:
        """The checks of an arm whose model was not tuned here; empty for all others."""
        if arm not in self._proofs:
            found = [self._proven(each, one) for each, one in self._known(arm)]
            self._proofs[arm] = brought.joined(found)
        return self._proofs[arm]

    def _known(self, name: str) -> list[tuple[Arm, Brought]]:
        """The arms of a plan with what is known of their models."""
        if name in self.brought:
            return [(self._arms.arms(name)[0], self.brought[name])]
        hosted = self.hosted.get(name)
        if hosted is None:
            return []
        before, learnt = TunedPlan(base=hosted.model), hosted.taught()
        return [
            (arm, Brought(before, arm.model, self._folder, learnt=learnt))
            for arm in self._arms.arms(name)
        ]

    def _proven(self, arm: Arm, one: Brought) -> tuple[Check, ...]:
        session = self._session
        models = {name: session.model(name) for name in {arm.model, one.base} if name is not None}
        with session.phase(f"check {arm.name}"):
            return one.checks(
                arm,
                models,
                self._arms.splits.dev,
                lambda asked, cases: session.run(asked, cases, (), repeats=1),
            )
