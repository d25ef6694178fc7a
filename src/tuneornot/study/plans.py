"""What a study file can say: the records behind it, section by section."""

from __future__ import annotations

from typing import Literal

from tuneornot.attacks.plan import RedteamPlan
from tuneornot.budget import Budget
from tuneornot.cases.hold_out import HoldOut
from tuneornot.cases.rarity import FactsPlan
from tuneornot.hosting.plan import HostedPlan
from tuneornot.records import ClaimName, Covariate, EconomicsPlan, Json, Record, Sampling
from tuneornot.retrieval.plan import RetrievePlan
from tuneornot.stress.plan import StressPlan
from tuneornot.study.meaning import MeaningPlan
from tuneornot.training.plan import TunePlan
from tuneornot.training.tuned import TunedPlan


class SplitPlan(Record, frozen=True, kw_only=True):
    """How cases are divided: counts, or shares below 1."""

    eval: int | float = 100
    dev: int | float = 60
    train: int | float | None = None
    """``None``: all that remain."""
    by: Literal["case", "group"] = "case"
    seed: int = 0
    hold_out: dict[str, HoldOut] = {}
    """Further evaluation sets made of cases of the file, which then stand in no other part."""


class DataPlan(Record, frozen=True, kw_only=True):
    """Where the cases are: one file to be split, or three files that are split already."""

    cases: str | None = None
    train: str | None = None
    dev: str | None = None
    eval: str | None = None
    more: tuple[str, ...] = ()
    """Files of further eval cases, collected after a verdict: each was added to eval as a whole."""
    extra: dict[str, str] = {}
    """Further evaluation sets: name to file."""
    fields: dict[str, str] = {}
    """Case field to column, where the names differ."""
    taught: dict[str, str] = {}
    """What else taught an arm, such as the seeds of synthetic data: name to file of cases."""
    meaning: MeaningPlan | None = None
    """By what paraphrases are looked for; nobody does without it."""
    split: SplitPlan = SplitPlan()

    @property
    def sets(self) -> tuple[str, ...]:
        """Names of the further evaluation sets, the study's own and those that are held out."""
        return (*self.extra, *self.split.hold_out)


Vary = Literal["difficulty", "sampling", "retrieval", "steps"]
"""What a prompt search can vary further: it costs calls, or changes more than words."""
By = Literal["race", "optuna", "gepa"]
"""Whose prompts a search races: a first field and variations of its leaders, optuna's, or those
that gepa evolves with a writer."""


class SearchPlan(Record, frozen=True, kw_only=True):
    """The budget for engineering a prompt; at least one of minutes and calls."""

    minutes: float | None = None
    calls: int | None = None
    metric: str | None = None
    """What prompts are raced by; the primary where it is left out. A graded metric tells more from
    few dev cases than one that is almost always 0."""
    reasoning: int | None = None
    """Tokens that prompts may let the model think for before its answer; 0: none does. Left out:
    none of a local model, else as many as ``baseline.offers`` says."""
    writer: str | None = None
    """A model that writes instructions, shown train cases and what failed on them."""
    seed: int = 0
    vary: tuple[Vary, ...] = ()
    """What is varied besides what always is."""
    by: By = "race"
    """Whose proposals are raced."""

    @property
    def settings(self) -> dict[str, Json]:
        """Everything that determines its ledger; a field that came later only where it is set."""
        return self.settled(("vary", "by"))


class ArmPlan(Record, frozen=True, kw_only=True):
    """One arm as the study wants it."""

    model: str
    instructions: str | None = None
    """What the model is told; the study's task where it is left out."""
    prompt: str | None = None
    """A file of a prompt, in place of instructions: what the arm begins with."""
    sampling: dict[str, Json] = {}
    """Fields of the study's sampling that are different for this arm."""
    search: SearchPlan | None = None
    tune: TunePlan | None = None
    tuned: TunedPlan | None = None
    """That its model was tuned elsewhere, and how."""
    hosted: HostedPlan | None = None
    """How a host trains its model."""
    retrieve: RetrievePlan | None = None

    @property
    def is_tuned(self) -> bool:
        """Whether it answers with a tuned model, whoever tunes or tuned it."""
        return any(one is not None for one in (self.tune, self.tuned, self.hosted))


class DecidePlan(Record, frozen=True, kw_only=True):
    """The rule of the verdict, as the user writes it."""

    primary: str
    worthwhile: float
    baseline: str | None = None
    """Name of the arm to beat; the first arm that is not tuned where it is left out."""
    guardrails: dict[str, float] = {}
    """``metric``, or a quantity of the primary or of another metric (``spread``,
    ``worst_tenth(field_match)``), each optionally ``@set``, to the largest tolerated loss (a
    factor for ``spread`` and measured quantities)."""
    equivalent: float | None = None
    economy: dict[str, float] = {}
    """``{latency: 3}``: at least three times less than the baseline."""
    alpha: float = 0.05
    adjust: tuple[Covariate, ...] = ()
    """What is known of a case before anybody answers, to adjust the primary's difference for how
    the eval cases differ from all cases of the file that they were drawn from."""
    looks: tuple[int, ...] = ()
    """``[100, 200, 400]``: numbers of eval cases at which a verdict may be asked for; the error
    rate is shared among them. Empty: one look, at whatever number of cases."""


class Study(Record, frozen=True, kw_only=True):
    """The whole plan."""

    study: str
    task: str
    data: DataPlan
    arms: dict[str, ArmPlan]
    metrics: tuple[str | dict[str, dict[str, Json]], ...]
    decide: DecidePlan
    sampling: Sampling = Sampling()
    repeats: int = 1
    timed: int = 12
    """Eval cases asked one at a time for latency, where it is among the metrics."""
    prices: str | None = None
    """The price file."""
    budget: Budget = Budget()
    economics: EconomicsPlan | None = None
    """What the arms cost over the months, beside the verdict."""
    stress: StressPlan | None = None
    """Ways in which the eval cases are asked once more."""
    facts: FactsPlan | None = None
    """What makes a case rare, for accuracy by rarity beside the verdict."""
    claims: dict[ClaimName, tuple[str, ...]] = {}
    """What speaks of a common claim of fine-tuning, in place of the built-in choice: metrics, as
    ``METRIC``, ``METRIC@SET`` or ``METRIC/SLICE``."""
    redteam: RedteamPlan | None = None
    """The attacks that every arm is put under."""

    @property
    def baseline(self) -> str:
        """Name of the baseline arm."""
        if self.decide.baseline is not None:
            return self.decide.baseline
        return next(name for name, arm in self.arms.items() if not arm.is_tuned)

    @property
    def candidates(self) -> tuple[str, ...]:
        """Names of the other arms, in the study's order."""
        return tuple(name for name in self.arms if name != self.baseline)
