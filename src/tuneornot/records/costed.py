"""What an arm costs over the months: what the study says of it, and what follows for every arm."""

from __future__ import annotations

from tuneornot.records.base import Record
from tuneornot.records.compared import Estimate

Range = float | tuple[float, float]
"""One value, or ``[least, most]``: anything between is held to be as likely."""


class ArmCosts(Record, frozen=True, kw_only=True):
    """What an arm costs beside its answers, in the study's currency."""

    weeks: Range = 0.0
    """Weeks of engineering until it stands: a prompt, or data and training."""
    labels: Range = 0.0
    """Cases labelled by hand for it."""
    training: Range | None = None
    """Money for one training. Left out: as measured, where the model is paid by the hour."""
    per_year: Range = 0.0
    """How often a year it is made again: data change, a base model gets better."""
    weeks_again: Range = 0.0
    labels_again: Range = 0.0
    """Of each time that it is made again; a training is paid again as well."""
    life: Range | None = None
    """Months until its base model is withdrawn: it is then made again, once more each ``life``."""
    hosting: Range = 0.0
    """A month of the machines that stand ready for it, idle or not."""
    per_call: Range | None = None
    """Money for an answer, instead of what was measured; 0 where ``hosting`` pays for all."""


class EconomicsPlan(Record, frozen=True, kw_only=True):
    """What the sum over the months is reckoned from. No verdict rests on it."""

    calls_per_month: Range
    months: int = 24
    week: Range = 0.0
    """Money for a week of engineering."""
    label: Range = 0.0
    """Money for a label of one case."""
    currency: str | None = None
    """Only without a price file, which names its own."""
    arms: dict[str, ArmCosts] = {}


class ArmTotal(Record, frozen=True, kw_only=True):
    """What one arm costs, in money."""

    arm: str
    per_call: Estimate
    per_success: Estimate | None = None
    """Of an answer that is right; where the primary metric is 0 or 1 and higher is better."""
    once: Estimate
    """Until it stands."""
    per_month: Estimate
    """Answers and hosting at the stated volume."""
    total: Estimate
    """Over all months, made again as often as stated."""


class Swing(Record, frozen=True, kw_only=True):
    """What one uncertain input does to the saving while all others stay in their middle."""

    name: str
    least: float
    most: float
    """The ends of the input."""
    at_least: float
    at_most: float
    """The saving at either end."""


class Balance(Record, frozen=True, kw_only=True):
    """A candidate's money against the baseline's."""

    baseline: str
    candidate: str
    saving: Estimate
    """Total of the baseline minus that of the candidate; negative: the candidate costs more."""
    chance: float
    """Share of the draws in which the candidate costs less."""
    break_even: Estimate
    """Calls a month from which on the candidate costs less; infinite where its answers are not
    cheaper."""
    chance_never: float
    """Share of the draws without such a volume."""
    middle: float
    """The saving with every input in its middle."""
    swings: tuple[Swing, ...] = ()
    """The inputs that are uncertain, the one that matters most first."""


class Standing(Record, frozen=True, kw_only=True):
    """Where an arm stands in quality, cost and latency, and whether another leaves it behind."""

    arm: str
    quality: float
    """Mean of the primary metric."""
    cost: float
    latency_s: float | None
    """``None`` where answers were not timed one by one; then two dimensions count."""
    efficient: float
    """Share of the draws in which no other arm is at least as good in all and better in one."""


class Pace(Record, frozen=True, kw_only=True):
    """How fast an arm answers."""

    arm: str
    n: int
    """Answers timed one at a time."""
    quantiles: dict[str, Estimate]
    """Latency in s by ``p50``, ``p95``, ``p99``; an end that so few answers cannot show is NaN."""
    per_second: float | None = None
    """Answers a second at ``load``, by Little's law from the answers that were asked together."""
    load: float | None = None
    """Answers in flight at a time, mean."""


class Economics(Record, frozen=True, kw_only=True):
    """All that is told of money and speed over the months."""

    currency: str
    months: int
    calls_per_month: tuple[float, float]
    totals: tuple[ArmTotal, ...]
    balances: tuple[Balance, ...]
    standings: tuple[Standing, ...] = ()
    paces: tuple[Pace, ...] = ()
    basis: tuple[str, ...] = ()
    """What figures rest on that were not stated by the study."""
