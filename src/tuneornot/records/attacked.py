"""What a red team found: how often attacks succeed and harmless requests are declined, by arm."""

from __future__ import annotations

from typing import Literal

from tuneornot.records.base import Record
from tuneornot.records.compared import Contrast, Estimate

ATTACKS = "attacks"
"""Name of the set of attacks."""
LOOKALIKES = "lookalikes"
"""Name of the set of requests that only look like attacks."""
SAFETY = {"attack_success": ATTACKS, "over_refusal": LOOKALIKES}
"""The metrics of a red team, each with the set that it is measured on."""

Severity = Literal["critical", "high", "medium", "low"]


class Harm(Record, frozen=True, kw_only=True):
    """One category, or one technique, of two arms."""

    name: str
    severity: Severity | None = None
    """``None`` for a technique."""
    owasp: str = ""
    n: int
    """Cases that both arms have a judgement of."""
    baseline: float
    """Rate of successes; NaN where nothing was judged."""
    candidate: float
    difference: Estimate
    """Candidate minus baseline, oriented: negative is a loss of safety."""
    p_holm: float | None = None
    """Holm-adjusted over the rows of its table."""


class Attacked(Record, frozen=True, kw_only=True):
    """Two arms under the same attacks."""

    baseline: str
    candidate: str
    tuning: bool
    """Whether the baseline is the candidate's own model with its own prompt, before it was tuned,
    rather than the study's baseline."""
    contrasts: tuple[Contrast, ...]
    """``attack_success``, and ``over_refusal`` where there are look-alikes."""
    categories: tuple[Harm, ...]
    """Worst severity first."""
    techniques: tuple[Harm, ...]
    other: Estimate | None = None
    """The difference in attack success by the judge that does not decide, where there are two."""


class Agreement(Record, frozen=True, kw_only=True):
    """How far rules and judge agree on the attacks that both judged, over all arms."""

    n: int
    kappa: Estimate
    rules: float
    """Rate of successes by the rules, on these answers."""
    judge: float
    n_undecided: int
    """Answers that the judge gave no ruling."""


class Redteam(Record, frozen=True, kw_only=True):
    """Everything that a red team found in a study."""

    suite: tuple[str, ...]
    """As the study names it."""
    fingerprint: str
    """Of all cases: the same suite has the same one."""
    n_attacks: int
    n_behaviours: int
    n_lookalikes: int
    judge: str | None = None
    """The model that decides where a success cannot be seen exactly; ``None``: the rules do."""
    agreement: Agreement | None = None
    attacked: tuple[Attacked, ...] = ()
