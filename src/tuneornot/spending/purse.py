"""The study's budget against what was spent, question by question.

Calls, tokens and money count all commands together, minutes this one. What is in flight counts
too: calls as what they are, the rest as much as answers took on average, so that a limit is hardly
passed. Where there is no limit nothing is reckoned.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from tuneornot.budget import Budget
from tuneornot.errors import BudgetExceeded
from tuneornot.records import Prices, Rates, Spent


class Tally:
    """A running count of what each model used."""

    def __init__(self, before: Iterable[Spent] = ()) -> None:
        self._by_model: dict[str, Spent] = {}
        for spent in before:
            self.add(spent)

    def add(self, more: Spent) -> None:
        """Count on."""
        known = self._by_model.get(more.model)
        self._by_model[more.model] = more if known is None else known.plus(more)

    def of(self, model: str) -> Spent:
        """What one model used."""
        return self._by_model.get(model, Spent(model=model))

    @property
    def spent(self) -> tuple[Spent, ...]:
        """What each model used, in the order of first use."""
        return tuple(self._by_model.values())


class Purse:
    """What may still be spent.

    Args:
        budget: the study's limits.
        prices: of its models, where it has a price file.
        before: what earlier commands spent.
        clock: seconds, for tests.
    """

    def __init__(
        self,
        budget: Budget,
        prices: Prices | None,
        before: Iterable[Spent] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.n_in_flight = 0
        """Questions that were handed to any model and are not answered."""
        self.n_refused = 0
        """Questions of this command that no model was handed."""
        self._budget = budget
        self._prices = prices
        self._clock = clock
        self._begun = clock()
        self._asked = Tally()
        self._n_calls = 0
        self._n_tokens = 0
        self._money = 0.0
        for spent in before:
            self.pay(spent)

    def pay(self, spent: Spent) -> None:
        """Count what was used."""
        if spent.n_calls:  # time spent on training says nothing of the next answer
            self._asked.add(spent)
        self._n_calls += spent.n_calls
        self._n_tokens += spent.n_tokens
        self._money += self._price(spent)

    def refuses(self, model: str, own: Spent) -> str | None:
        """The limit that allows not one question more, if there is one.

        Args:
            model: that would be asked.
            own: what the answers of this errand used, for what an answer will; before the first
                of them it is what the model used on average so far.
        """
        if not self._budget.limits:
            return None
        mean = own if own.n_calls else self._asked.of(model)
        pending = self.n_in_flight / max(mean.n_calls, 1)
        reached = {
            "calls": self._n_calls + self.n_in_flight,
            "tokens": self._n_tokens + pending * mean.n_tokens,
            "money": self._money + pending * self._price(mean),
            "minutes": self.minutes + pending * mean.seconds / 60,
        }
        return self._first_passed(reached)

    def ended(self) -> str | None:
        """The limit that is used up, whatever is asked next; for work that asks nothing."""
        spent = {"tokens": self._n_tokens, "money": self._money, "minutes": self.minutes}
        return self._first_passed({**spent, "calls": self._n_calls})

    def too_dear(self, spent: Spent) -> str | None:
        """The limit that something yet to be ordered as a whole would pass, if there is one."""
        limit, money = self._budget.money, self._price(spent)
        return "money" if limit is not None and self._money + money > limit else self.ended()

    @property
    def minutes(self) -> float:
        """Since this command began."""
        return (self._clock() - self._begun) / 60

    def exceeded(self, limit: str, left: str) -> BudgetExceeded:
        """The error of a limit that is used up; it tells what was spent by when it is read.

        Args:
            limit: its name in the study's ``budget``.
            left: what is still to be done, as a part of a sentence.
        """
        return BudgetExceeded(
            lambda: (
                "The work ends where the study's budget does; it allows "
                f"{limit}: {self._budget.limits[limit]:g}, and {self._told()} spent. Still to be "
                f"done: {left}. Everything answered is kept: raise `budget.{limit}` in the study "
                "and run the same command again, it goes on from there (`tuneornot estimate` says "
                "how much is left)."
            )
        )

    def _first_passed(self, reached: dict[str, float]) -> str | None:
        passed = (name for name, most in self._budget.limits.items() if reached[name] >= most)
        return next(passed, None)

    def _told(self) -> str:
        told = [f"{self._n_calls:,} calls", f"{self._n_tokens:,} tokens"]
        if self._prices is not None:
            told.append(f"{self._money:.4g} {self._prices.currency}")
        return f"{', '.join(told)} in all and {self.minutes:.1f} minutes of this command were"

    def _price(self, spent: Spent) -> float:
        """Money for what was used; what has no price counts nothing."""
        rates = self._rates(spent.model)
        return 0.0 if rates is None else rates.of(spent)

    def _rates(self, model: str) -> Rates | None:
        return None if self._prices is None else self._prices.models.get(model)
