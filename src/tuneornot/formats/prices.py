"""The price file that the user owns: what each model costs, of which day, in which currency.

    as_of: 2026-11-20
    currency: USD
    models:
      "https://api.example.com/v1#large": {input_per_million: 2.5, output_per_million: 10}
      local:smollm2-135m: {per_machine_hour: 0.4}

No price is built in, because prices change and differ by contract. It is read whole, and all of its
faults are told at once. Whether a study's models are in it is for the study to say.
"""

from __future__ import annotations

import datetime
import math
from pathlib import Path

import msgspec

from tuneornot.errors import DataError
from tuneornot.formats import form
from tuneornot.records import Prices, Rates

ADVICE = "docs/guides/budget.md shows a price file."
TOKENS = ("input_per_million", "output_per_million")


def read(path: Path, *, today: datetime.date) -> Prices:
    """Read and check a price file.

    Args:
        path: a YAML file.
        today: a file of a later day than tomorrow is a slip of the pen.

    Raises:
        DataError: every fault of the file.
    """
    try:
        raw = msgspec.yaml.decode(path.read_bytes())
    except OSError as error:
        fault = f"cannot be read: {error.strerror or error}"
        raise DataError(str(path), [fault], ADVICE) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        fault = f"is not YAML: {' '.join(str(error).split())}"
        raise DataError(str(path), [fault], ADVICE) from error
    faults: list[str] = []
    prices = form.gather(Prices, raw, faults)
    if prices is not None:
        faults += _faults(prices, today)
    if faults or prices is None:
        raise DataError(str(path), faults, ADVICE)
    return prices


def _faults(prices: Prices, today: datetime.date) -> list[str]:
    faults = []
    # The day begins earlier elsewhere: tomorrow's date may be today's for whoever wrote it.
    if prices.as_of > today + datetime.timedelta(days=1):
        faults.append(
            f"as_of: found {prices.as_of.isoformat()!r}, which is to come; "
            "give the day on which you looked the prices up"
        )
    if not prices.currency.strip():
        faults.append(f"currency: found {prices.currency!r}, expected a name such as 'USD'")
    for model, rates in prices.models.items():
        faults += [f"models.{model}{fault}" for fault in _rate_faults(rates)]
    return faults


def _rate_faults(rates: Rates) -> list[str]:
    given = {name: getattr(rates, name) for name in Rates.__struct_fields__}
    known = {name: value for name, value in given.items() if value is not None}
    faults = [
        f".{name}: found {value!r}, expected a price of 0 or more"
        for name, value in known.items()
        if not (math.isfinite(value) and value >= 0)
    ]
    missing = [name for name in TOKENS if name not in known]
    if rates.by_time and len(known) > 1:
        others = [name for name in known if name != "per_machine_hour"]
        faults.append(f": found per_machine_hour and {others}; a model is paid by one of the two")
    elif not rates.by_time and missing:
        faults.append(
            f": {' and '.join(missing)} missing; give {' and '.join(TOKENS)}, or per_machine_hour"
        )
    return faults
