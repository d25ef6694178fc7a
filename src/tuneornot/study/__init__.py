"""The plan of a study, written before the data: cases, arms, metrics, margins, budgets.

``study.read(path)`` reads ``study.yaml``, tells every fault at once, and returns a frozen ``Study``
whose fingerprint is the pre-registration. It opens no model, reads no cases and decides nothing;
whether a model or a file exists is found out by ``check``.
"""

from tuneornot.study.plans import (
    ArmPlan,
    By,
    DataPlan,
    DecidePlan,
    SearchPlan,
    SplitPlan,
    Study,
    Vary,
)
from tuneornot.study.reading import grown, metrics, parse, read, text
from tuneornot.study.rules import MEASURED, QUANTITIES, kinds, rests_on_cost, rule, sampling
from tuneornot.training.plan import TunePlan

__all__ = [
    "MEASURED",
    "QUANTITIES",
    "ArmPlan",
    "By",
    "DataPlan",
    "DecidePlan",
    "SearchPlan",
    "SplitPlan",
    "Study",
    "TunePlan",
    "Vary",
    "grown",
    "kinds",
    "metrics",
    "parse",
    "read",
    "rests_on_cost",
    "rule",
    "sampling",
    "text",
]
