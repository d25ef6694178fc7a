"""A model whose questions are counted, and that is handed no more of them than may be asked.

Questions are taken from the caller one by one, and none is taken that the purse refuses. What was
handed over by then is still answered and handed back; only after that comes the error. So whatever
was paid for reaches the caller.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from tuneornot.models.base import Model, Reply, Request, Serving
from tuneornot.records import Adapter, Message, Spent
from tuneornot.spending.purse import Purse

CHARACTERS_PER_TOKEN = 4.0
"""Of a server that tells no token counts: about what English text comes to."""


class Metered:
    """A model behind a purse.

    Args:
        model: what answers.
        purse: what may be spent.
        on_spent: told of each answer's use as soon as it is there.
        clock: seconds.
    """

    def __init__(
        self,
        model: Model,
        purse: Purse,
        on_spent: Callable[[Spent], None],
        *,
        clock: Callable[[], float],
    ) -> None:
        self.name = model.name
        self._model = model
        self._purse = purse
        self._on_spent = on_spent
        self._clock = clock

    def identity(self) -> str:
        """As the model says it."""
        return self._model.identity()

    def close(self) -> None:
        """Free what the model holds."""
        self._model.close()

    def ask(
        self,
        requests: Iterable[Request],
        *,
        adapter: Adapter | None = None,
        one_by_one: bool = False,
    ) -> Iterator[tuple[int, Reply]]:
        """As ``Model.ask``.

        Raises:
            ModelError: as the model does.
            BudgetExceeded: from the iterator, after the answer to the last question that the purse
                allowed, where there were more.
        """
        handed = _Handed(self.name, requests, self._purse)
        replies = self._model.ask(handed, adapter=adapter, one_by_one=one_by_one)
        return self._counted(handed, replies)

    def _counted(
        self, handed: _Handed, replies: Iterator[tuple[int, Reply]]
    ) -> Iterator[tuple[int, Reply]]:
        with contextlib.ExitStack() as stack:
            stack.callback(handed.forget)
            if hasattr(replies, "close"):  # cancels what is in flight, where the caller leaves
                stack.callback(replies.close)
            since = self._clock()
            for position, reply in replies:
                spent = handed.answered(position, reply, self._clock() - since)
                self._purse.pay(spent)
                self._on_spent(spent)
                yield position, reply
                since = self._clock()
        if handed.refused is not None:
            # The last of several errands that end here tells of all.
            self._purse.n_refused += handed.n_left()
            left = f"{self._purse.n_refused:,} questions of this step, and what follows it"
            raise self._purse.exceeded(handed.refused, left)


class _Serving(Metered):
    """A metered model that shows its tokens."""

    def __init__(
        self,
        model: Model,
        shown: Serving,
        purse: Purse,
        on_spent: Callable[[Spent], None],
        *,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(model, purse, on_spent, clock=clock)
        self._shown = shown

    def prompt_tokens(self, messages: Sequence[Message]) -> list[int]:
        """As the model gives them."""
        return self._shown.prompt_tokens(messages)


def metered(
    model: Model,
    purse: Purse,
    on_spent: Callable[[Spent], None],
    *,
    clock: Callable[[], float] = time.monotonic,
) -> Metered:
    """A model behind a purse that shows its tokens where the model does."""
    if isinstance(model, Serving):
        return _Serving(model, model, purse, on_spent, clock=clock)
    return Metered(model, purse, on_spent, clock=clock)


class _Handed:
    """The questions of one errand that may be asked, and what those that were answered used."""

    def __init__(self, model: str, requests: Iterable[Request], purse: Purse) -> None:
        self.refused: str | None = None
        """The limit that ended the errand early."""
        self._model = model
        self._source = iter(requests)
        self._purse = purse
        self._n_handed = 0
        self._in_flight: dict[int, int] = {}
        """Position to characters."""
        self._used = Spent(model=model)

    def __iter__(self) -> Iterator[Request]:
        return self

    def __next__(self) -> Request:
        if self.refused is not None:
            raise StopIteration
        request = next(self._source)
        # Where arms take turns, what the others were sent will be paid for too.
        self.refused = self._purse.refuses(self._model, self._used)
        if self.refused is not None:
            raise StopIteration
        length = sum(len(message.content) for message in request.messages)
        self._in_flight[self._n_handed] = length
        self._purse.n_in_flight += 1
        self._n_handed += 1
        return request

    def answered(self, position: int, reply: Reply, seconds: float) -> Spent:
        """What one answer used."""
        n_characters = self._in_flight.pop(position)
        self._purse.n_in_flight -= 1
        n_input, n_output = reply.n_input_tokens, reply.n_output_tokens
        guessed = reply.text is not None and (n_input is None or n_output is None)
        if guessed and n_input is None:
            n_input = math.ceil(n_characters / CHARACTERS_PER_TOKEN)
        if guessed and n_output is None:
            n_output = math.ceil(len(reply.text or "") / CHARACTERS_PER_TOKEN)
        spent = Spent(
            model=self._model,
            n_calls=1,
            n_input_tokens=n_input or 0,
            n_cached_tokens=reply.n_cached_tokens or 0,
            n_output_tokens=n_output or 0,
            n_guessed=int(guessed),
            seconds=seconds,
        )
        self._used = self._used.plus(spent)
        return spent

    def forget(self) -> None:
        """What is in flight is called back."""
        self._purse.n_in_flight -= len(self._in_flight)
        self._in_flight.clear()

    def n_left(self) -> int:
        """Questions that were not handed over, the refused one among them."""
        return 1 + sum(1 for _ in self._source)
