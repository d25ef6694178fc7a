"""What a study may spend, and by which prices: its ``budget`` and ``prices``, as they are written.

It knows no arms and counts nothing; ``purse`` does, while the work goes on.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from tuneornot.errors import DataError, StudyError
from tuneornot.formats import prices as pricefile
from tuneornot.records import Json, Prices, Record


class Budget(Record, frozen=True, kw_only=True):
    """What the study's questions may cost; no limit where nothing is given."""

    money: float | None = None
    """In the price file's currency, all commands together."""
    tokens: float | None = None
    """Read and written, all commands together."""
    minutes: float | None = None
    """Of one command."""
    calls: int | None = None
    """Questions put to models, all commands together."""

    @property
    def limits(self) -> dict[str, float]:
        """By name the limits that are given."""
        given = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in given.items() if value is not None}

    def faults(self) -> list[str]:
        """A sentence for each limit that cannot be one."""
        return [
            f"budget.{name}: found {value!r}, expected more than 0"
            for name, value in self.limits.items()
            if not value > 0
        ]


def prices(file: str | None, folder: Path) -> Prices | None:
    """A study's price file, read; ``None`` where it names none.

    Raises:
        StudyError: every fault of the file.
    """
    if file is None:
        return None
    try:
        return pricefile.read(folder / file, today=datetime.datetime.now(datetime.UTC).date())
    except DataError as error:
        raise StudyError(error.source, error.faults, error.advice) from error


def tuned(model: str) -> str:
    """Under which name a price file prices a model that a host tunes: its own is not known yet."""
    return f"{model}@tuned"


def rates(prices: Prices | None, models: Iterable[str]) -> list[Json]:
    """What models cost, as a fingerprint takes it: without the day."""
    if prices is None:
        return []
    known = {name: msgspec.to_builtins(prices.models[name]) for name in models}
    return [prices.currency, known]


def needs_times(metrics: Sequence[object], prices: Prices | None, models: Iterable[str]) -> bool:
    """Whether some of a study's metrics need answers that were timed one by one."""
    known = {} if prices is None else prices.models
    by_time = any(name in known and known[name].by_time for name in models)
    timed = "latency" in metrics or "first_token" in metrics
    return timed or ("cost" in metrics and by_time)


def price_faults(
    file: str | None,
    folder: Path,
    *,
    needs: Sequence[str],
    models: Iterable[str],
    trained: Iterable[str] = (),
) -> list[str]:
    """Whatever is told in money needs a price of every model.

    Args:
        file: the price file, as the study names it.
        folder: where its path starts.
        needs: the entries of the study that are in money.
        models: of the arms, by name.
        trained: models that hosts train, where that has to be priced too.
    """
    try:
        found = prices(file, folder)
    except StudyError as error:
        return [f"prices: {error.source}: {fault}" for fault in error.faults]
    if found is None:
        return [f"{what} needs a price file; name one with `prices: FILE`" for what in needs]
    untold = [
        f"{file!r} has no training_per_million of {model!r}, which a host trains"
        for model in trained
        if model in found.models and found.models[model].training_per_million is None
    ]
    missing = [model for model in dict.fromkeys(models) if model not in found.models]
    return untold + [
        f"{what} needs the price of every model; {file!r} has none of {model!r} "
        f"(it has {[*found.models]})"
        for what in needs
        for model in missing
    ]
