"""Prices and what was used: money is tokens or time, times what the user says they cost.

A price is the user's own statement of a day; nothing here knows what any provider charges. What
has no price, or tells no tokens, costs ``None``: not known, never 0.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING

from tuneornot.records.base import Record

if TYPE_CHECKING:  # a run carries its price, so these two files know each other
    from tuneornot.records.measured import Response

PER_MILLION = 1e-6
HOUR_S = 3600.0


class Rates(Record, frozen=True, kw_only=True):
    """What one model costs: per million tokens, or per hour of the machine that it runs on."""

    input_per_million: float | None = None
    """For a million tokens read."""
    output_per_million: float | None = None
    """For a million tokens written."""
    cached_input_per_million: float | None = None
    """For a million tokens that the server had read before; as ``input_per_million`` where it is
    left out, and wherever a server does not tell how many they were."""
    training_per_million: float | None = None
    """For a million tokens trained on by its host, all passes together."""
    per_machine_hour: float | None = None
    """For an hour of the machine: a model that you host yourself."""

    @property
    def by_time(self) -> bool:
        """Whether the machine is paid for instead of the tokens."""
        return self.per_machine_hour is not None

    def of(self, spent: Spent) -> float:
        """Money for what a model used: its tokens, or the time that it was at work."""
        if self.by_time:
            return _by_time(self, spent.seconds)
        training = PER_MILLION * (self.training_per_million or 0.0) * spent.n_trained_tokens
        return training + _by_tokens(
            self, spent.n_input_tokens, spent.n_cached_tokens, spent.n_output_tokens
        )


class Spent(Record, frozen=True, kw_only=True):
    """What one model used in some part of the work."""

    model: str
    """Its name, as arms give it."""
    n_calls: int = 0
    """Questions put to it, failed ones too; further tries of one question are not counted."""
    n_input_tokens: int = 0
    n_cached_tokens: int = 0
    n_output_tokens: int = 0
    n_guessed: int = 0
    """Calls whose tokens the server did not tell: they are reckoned from characters."""
    n_trained_tokens: int = 0
    """Trained on by a host, all passes together."""
    seconds: float = 0.0
    """How long answers were waited for, or the model was trained."""

    @property
    def n_tokens(self) -> int:
        """Read and written."""
        return self.n_input_tokens + self.n_output_tokens

    def plus(self, more: Spent) -> Spent:
        """Both together, under this one's name."""
        return Spent(
            model=self.model,
            n_calls=self.n_calls + more.n_calls,
            n_input_tokens=self.n_input_tokens + more.n_input_tokens,
            n_cached_tokens=self.n_cached_tokens + more.n_cached_tokens,
            n_output_tokens=self.n_output_tokens + more.n_output_tokens,
            n_guessed=self.n_guessed + more.n_guessed,
            n_trained_tokens=self.n_trained_tokens + more.n_trained_tokens,
            seconds=self.seconds + more.seconds,
        )


class Price(Record, frozen=True, kw_only=True):
    """What one model costs, of a day and in a currency."""

    rates: Rates
    currency: str
    as_of: str
    """The day of which the price is, ISO 8601."""
    n_days_old: int = 0
    """Days from then to the measurement."""

    def of(self, response: Response) -> float | None:
        """Money for one answer; ``None`` where what it used is not known.

        By tokens: input x its price + output x its price. By time: latency x the machine's price,
        only for answers that were asked alone, as if the machine did nothing else meanwhile.
        """
        if self.rates.by_time:
            alone = response.purpose == "latency" and response.load == 1
            if not alone or response.latency_s is None or response.error is not None:
                return None
            return _by_time(self.rates, response.latency_s)
        if response.n_input_tokens is None or response.n_output_tokens is None:
            return None
        return _by_tokens(
            self.rates,
            response.n_input_tokens,
            response.n_cached_tokens or 0,
            response.n_output_tokens,
        )


class Prices(Record, frozen=True, kw_only=True):
    """The user's price file."""

    as_of: datetime.date
    """The day on which the prices were looked up."""
    currency: str
    """One for the whole file, for example ``USD``."""
    models: dict[str, Rates]
    """By the model's name, as arms give it."""

    def price(self, model: str, today: datetime.date) -> Price | None:
        """The price of a model; ``None`` where the file does not name it."""
        if model not in self.models:
            return None
        return Price(
            rates=self.models[model],
            currency=self.currency,
            as_of=self.as_of.isoformat(),
            n_days_old=(today - self.as_of).days,
        )

    def also(self, name: str, like: str) -> None:
        """Price a model under a name that nobody knew when the file was written."""
        if like in self.models:
            self.models.setdefault(name, self.models[like])

    def money(self, spent: Iterable[Spent]) -> float | None:
        """What some part of the work cost; ``None`` where a model of it has no price."""
        used = [one for one in spent if one.n_calls or one.seconds or one.n_trained_tokens]
        if any(self._is_unknown(one) for one in used):
            return None
        return sum((self.models[one.model].of(one) for one in used), start=0.0)

    def _is_unknown(self, spent: Spent) -> bool:
        rates = self.models.get(spent.model)
        return rates is None or (spent.n_trained_tokens > 0 and rates.training_per_million is None)


def _by_time(rates: Rates, seconds: float) -> float:
    return (rates.per_machine_hour or 0.0) * seconds / HOUR_S


def _by_tokens(rates: Rates, n_input: int, n_cached: int, n_output: int) -> float:
    read = rates.input_per_million or 0.0
    again = rates.cached_input_per_million
    n_again = min(n_cached, n_input) if again is not None else 0
    return PER_MILLION * (
        read * (n_input - n_again)
        + (again or 0.0) * n_again
        + (rates.output_per_million or 0.0) * n_output
    )
