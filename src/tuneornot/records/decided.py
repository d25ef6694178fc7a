"""The rule, its verdict with reasons, and the whole of a study's findings."""

from __future__ import annotations

from typing import Literal

from tuneornot.records.arms import Adapter, Ledger
from tuneornot.records.attacked import Redteam
from tuneornot.records.base import Record
from tuneornot.records.cases import Audit
from tuneornot.records.compared import Aside, Comparison, Estimate
from tuneornot.records.costed import Economics
from tuneornot.records.expected import Expectation
from tuneornot.records.labelled import Calibration
from tuneornot.records.learned import Learning, Trials
from tuneornot.records.measured import Run
from tuneornot.records.priced import Spent
from tuneornot.records.stressed import Perturbed

Outcome = Literal["tune", "keep-prompting", "not-yet", "blocked"]
Quantity = Literal[
    "mean", "ratio", "spread", "instability", "worst_tenth", "catastrophic", "drop", "check"
]
Role = Literal["primary", "equivalence", "economy", "guardrail", "check"]
Covariate = Literal["length", "slice"]
"""What is known of a case before anybody answers: characters of its text, and its slice."""


class Guardrail(Record, frozen=True, kw_only=True):
    """Something that a candidate must not lose."""

    metric: str
    dataset: str
    """Name of the set on which it is checked (``eval`` unless the study says otherwise)."""
    quantity: Quantity
    margin: float
    """For a ratio (``spread``, ``ratio``): the factor it must stay below; else the loss it must
    stay above, as a positive number in units of the metric."""

    @property
    def name(self) -> str:
        """What it is about: ``spread(field_match)@eval``."""
        return f"{self.quantity}({self.metric})@{self.dataset}"


class Economy(Record, frozen=True, kw_only=True):
    """What makes an equivalent candidate worth having."""

    metric: str
    """``latency`` or ``cost``."""
    factor: float
    """At least so many times less than the baseline."""


class Rule(Record, frozen=True, kw_only=True):
    """The pre-registered rule: what the verdict will rest on, written before the data."""

    primary: str
    worthwhile: float
    """The smallest gain in the primary that pays for the trouble."""
    guardrails: tuple[Guardrail, ...] = ()
    equivalent: float | None = None
    """With ``economy``: largest loss in the primary that still counts as equivalent."""
    economy: Economy | None = None
    alpha: float = 0.05
    """Error rate of each one-sided claim."""
    adjust: tuple[Covariate, ...] = ()
    """What the primary's difference on eval is adjusted for."""
    looks: tuple[int, ...] = ()
    """Numbers of eval cases at which a verdict may be asked for; empty: at one number only."""


class Claim(Record, frozen=True, kw_only=True):
    """One requirement of a rule: a quantity of a metric on a set, and its threshold."""

    role: Role
    metric: str
    dataset: str
    quantity: Quantity
    threshold: float
    """What the quantity has to exceed (or, for a spread or a ratio, stay below)."""


class Reason(Record, frozen=True, kw_only=True):
    """One requirement of the study's rule and what the data say of it."""

    role: Role
    metric: str
    """Name of the metric, or of the check."""
    dataset: str
    quantity: Quantity
    threshold: float | None
    """What the quantity had to exceed (or, for a spread or a cost ratio, stay below)."""
    estimate: Estimate | None
    """At the error rate of the claim that is made of it."""
    holds: bool | None
    """True or False with confidence; ``None``: not resolved by these data."""
    n_more: int | None = None
    """Further cases that would probably resolve it, where it is not resolved and can be."""


class Stage(Record, frozen=True, kw_only=True):
    """Which look at a growing eval set a verdict rests on, and what the looks before cost it."""

    n: int
    """Eval cases now."""
    earlier: tuple[int, ...] = ()
    """Eval cases at the looks before, fewest first."""
    planned: tuple[int, ...] = ()
    """As in the rule; empty where that was not so at an earlier look."""
    alpha: float
    """The study's error rate."""

    @property
    def look(self) -> int:
        """1 for the first."""
        return len(self.earlier) + 1

    @property
    def n_spent(self) -> int:
        """How many times the error rate all looks so far may use up together (union bound).

        Planned looks share one; every look that was not planned, or after the last planned number
        of cases was reached, takes one more.
        """
        if not self.planned:
            return self.look
        return max(1, sum(n >= self.planned[-1] for n in (*self.earlier, self.n)))

    @property
    def next(self) -> int | None:
        """Eval cases at the next planned look; ``None`` where none is left."""
        return next((n for n in self.planned if n > self.n), None)


class Further(Record, frozen=True, kw_only=True):
    """What measuring further cases would take; ``None`` where an arm does not tell it."""

    n_cases: int
    n_calls: int
    """Questions to all arms together, without those to judges."""
    n_tokens: float | None = None
    """Read and written."""
    minutes: float | None = None
    """Of waiting for answers, many at a time as they were asked so far."""
    money: float | None = None
    currency: str = ""


class Sensitivity(Record, frozen=True, kw_only=True):
    """What the verdict would be if one choice had been different."""

    change: str
    """Machine-readable: ``worthwhile=0.02``, ``guardrail mean(json_valid)@eval=0.04``,
    ``primary=field_match``, ``without slice=federal``."""
    outcome: Outcome


class Verdict(Record, frozen=True, kw_only=True):
    """What the study's rule says of a comparison."""

    outcome: Outcome
    baseline: str
    candidate: str
    plan: str
    """Fingerprint of the plan whose rule was applied."""
    reasons: tuple[Reason, ...]
    sensitivity: tuple[Sensitivity, ...] = ()
    n_more: int | None = None
    """For ``not-yet``: further cases that would probably resolve every open reason."""
    further: Further | None = None
    """What ``n_more`` cases would take to measure."""
    stage: Stage | None = None
    """``None`` for verdicts given without a store, and for those of before looks were told."""
    caveats: tuple[str, ...] = ()


class Phase(Record, frozen=True, kw_only=True):
    """Where the time went."""

    name: str
    seconds: float
    n_asked: int = 0
    """Questions put to a model in this phase."""
    n_known: int = 0
    """Questions whose answers were already in the store."""
    finished: bool = True
    """False where it was interrupted or failed."""
    spent: tuple[Spent, ...] = ()
    """What each model used."""
    money: float | None = None
    """What that cost at the study's prices; ``None`` where a model used has none."""


class Look(Record, frozen=True, kw_only=True):
    """One look at a set that the verdict rests on."""

    dataset: str
    arm: str
    """Name of the arm that was measured."""
    plan: str
    """Fingerprint of the plan in force."""
    at: str
    """ISO 8601, UTC."""
    n: int | None = None
    """Cases of the set then; ``None`` in stores of before this was kept."""


class Findings(Record, frozen=True, kw_only=True):
    """Everything that a report is made from."""

    study: str
    task: str
    plan: str
    """Fingerprint of the plan, taken before the first answer on the eval set."""
    plan_changes: tuple[str, ...] = ()
    """Fingerprints of earlier plans under which this study's eval set was already looked at."""
    rule: Rule
    audit: Audit
    splits: dict[str, int]
    """Cases in each split and extra set."""
    ledgers: dict[str, Ledger] = {}
    """By arm."""
    adapters: dict[str, tuple[Adapter, ...]] = {}
    """By arm, one for each training seed."""
    trials: dict[str, Trials] = {}
    """By arm the search for its recipe."""
    learning: dict[str, Learning] = {}
    """By arm what more training data would bring."""
    runs: tuple[Run, ...]
    """Every arm on every measured set."""
    comparisons: tuple[Comparison, ...]
    verdicts: tuple[Verdict, ...]
    """One for each comparison, in the same order."""
    asides: tuple[Aside, ...] = ()
    """Figures beside the verdict: what was retrieved, and confidence against being right."""
    perturbed: tuple[Perturbed, ...] = ()
    """Every set of changed cases that the arms were asked."""
    recommended: str | None = None
    """The arm to use; ``None`` while that is open."""
    judges: tuple[Calibration, ...] = ()
    """Each judge of each judged metric, held against the people who labelled."""
    redteam: Redteam | None = None
    """``None`` where the study plans none."""
    looks: tuple[Look, ...] = ()
    phases: tuple[Phase, ...] = ()
    currency: str = ""
    """Of everything in money; empty where the study has no price file."""
    economics: Economics | None = None
    """Where the study states what the months cost."""
    profile: tuple[Expectation, ...] = ()
    """What is commonly said of fine-tuning, for each tuned candidate."""
    machine: str = ""
    """Processor, cores and memory on which latencies were measured."""
    version: str = ""
    """Of tuneornot."""
