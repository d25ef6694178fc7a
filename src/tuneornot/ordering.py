"""Step 4 where a host trains: what is sent, what it will cost, and the orders of one arm.

Nothing leaves the machine before its text was looked through: private text in what would be sent
ends the work, unless the study says `send: true`. Where an order is kept already it is carried on,
and a finished one is only read. The store is handed in as functions; ``hosting`` does the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import NamedTuple

import msgspec

from tuneornot import fingerprint
from tuneornot.cases import private
from tuneornot.errors import StudyError
from tuneornot.formats.taught import Taught
from tuneornot.hosting import Desk, HostedPlan, file
from tuneornot.records import Dataset, Order, Prompt, Spent

Ordering = Callable[[Spent, str], AbstractContextManager[Callable[[Spent], None]]]


class Books(NamedTuple):
    """Where orders and what they cost are written down."""

    known: Callable[[str], Order | None]
    """The order of a key."""
    keep: Callable[[Order], None]
    pay: Ordering
    """Refuses what is too dear; then told what was used."""
    say: Callable[[str], None]


class Hosted:
    """One arm that a host trains.

    Args:
        name: of the arm.
        plan: the study's settings.
        model: that is trained.
        prompt: what the tuned arm is asked with.
        train: the cases that teach.
    """

    def __init__(
        self, name: str, plan: HostedPlan, model: str, *, prompt: Prompt, train: Dataset
    ) -> None:
        self.name = name
        self.plan = plan
        self.model = model
        self._prompt = prompt
        self._train = train

    def key(self, seed: int) -> str:
        """Name of a training, with all that determines it."""
        kept = msgspec.structs.replace(self.plan, seeds=(seed,), send=False)
        determined = [self.model, kept.fingerprint, self._prompt.fingerprint]
        mark = fingerprint.of([*determined, self._train.fingerprint])[:8]
        return f"{self.name}-seed{seed}-{mark}"

    def file(self) -> file.TrainingFile:
        """What is sent.

        Raises:
            TrainingError: there is nothing to learn from.
        """
        return file.write(self._train.cases, self._prompt)

    def expected(self) -> Spent:
        """What one training will use by characters; one pass where the host chooses how many."""
        n_tokens = self.file().n_tokens * (self.plan.epochs or 1)
        return Spent(model=self.model, n_trained_tokens=round(n_tokens))

    def private(self) -> list[str]:
        """A sentence for each kind of private text that would be sent, masked."""
        if self.plan.send:
            return []
        return [
            f"{held.told('what would be sent')}; take it out, or say `hosted: {{send: true}}`"
            for held in private.held(self.file().said)
        ]

    def is_done(self, books: Books) -> bool:
        """Whether every training of the arm is finished."""
        orders = [books.known(self.key(seed)) for seed in self.plan.seeds]
        return all(order is not None and order.state == "done" for order in orders)

    def taught(self) -> Taught:
        """What the model learns from, as ``brought`` looks at it."""
        return Taught(self._train.cases, len(self._train), ())

    def trained(self, seed: int, books: Books) -> Order:
        """The finished order of a seed, ordering and waiting as far as it is not.

        Raises:
            StudyError: private text would be sent.
            BudgetExceeded: it would cost more than is left.
            TrainingError, ModelError, ServerError: see ``Desk.train``.
        """
        order = books.known(self.key(seed))
        if order is not None and order.state == "done":
            return order
        desk = Desk(self.plan, self.model, keep=books.keep, say=books.say)
        if order is None or order.state == "sending":
            order = self._begun(seed, order)
        # What is on its way already is paid for, whatever the budget says by now.
        expected = self.expected() if order.job is None else Spent(model=self.model)
        with books.pay(expected, f"the training of {self.name!r}, and what follows it") as pay:
            done = desk.train(order, self.file())
            n_tokens = done.n_tokens or expected.n_trained_tokens
            pay(Spent(model=self.model, n_trained_tokens=n_tokens, seconds=done.seconds))
        return done

    def forgotten(self, order: Order, books: Books) -> Order:
        """An order that was given up, ready to be placed anew."""
        anew = Order(
            key=order.key,
            arm=order.arm,
            model=order.model,
            host=order.host,
            api=order.api,
            seed=order.seed,
            attempt=order.attempt + 1,
            n_rows=order.n_rows,
            n_tokens_guessed=order.n_tokens_guessed,
        )
        books.keep(anew)
        return anew

    def cancelled(self, order: Order, books: Books) -> Order:
        """End an order at its host, as far as it still can be."""
        return Desk(self.plan, self.model, keep=books.keep, say=books.say).cancel(order)

    def _begun(self, seed: int, before: Order | None) -> Order:
        found = self.private()
        if found:
            raise StudyError(
                f"arms.{self.name}.hosted", found, "Nothing was sent. `tuneornot check` shows more."
            )
        if before is not None:
            return before
        sent = self.file()
        return Order(
            key=self.key(seed),
            arm=self.name,
            model=self.model,
            host=self.plan.address(self.model).base,
            api=self.plan.spoken(self.model),
            seed=seed,
            n_rows=sent.n_rows,
            n_tokens_guessed=sent.n_tokens,
        )
