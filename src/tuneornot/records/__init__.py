"""The nouns, in the order in which they flow; frozen, one definition each.

    Case Dataset Splits  >  Prompt Arm Adapter  >  Response Score Run  >
    Estimate Contrast Comparison  >  Reason Verdict

Records hold what was measured and nothing else: no store, no model, no arithmetic beyond counting.
All are msgspec structs, so the definition below is also the validation and the JSON. Differences
are candidate minus baseline, oriented so that positive is better. A failure is ``None`` with a
reason, never 0.
"""

from __future__ import annotations

from tuneornot.records.arms import (
    Adapter,
    Arm,
    ArmKind,
    Candidate,
    Check,
    CurvePoint,
    Ledger,
    Progress,
    Retrieval,
    Sampling,
)
from tuneornot.records.attacked import (
    ATTACKS,
    LOOKALIKES,
    SAFETY,
    Agreement,
    Attacked,
    Harm,
    Redteam,
    Severity,
)
from tuneornot.records.base import Json, Record
from tuneornot.records.cases import Audit, Case, Dataset, Message, Overlap, Passage, Splits
from tuneornot.records.compared import (
    POOLED,
    Aside,
    Band,
    BandName,
    Comparison,
    Contrast,
    Correction,
    Detail,
    Drop,
    Estimate,
    Flip,
    QuantileShift,
    SliceContrast,
)
from tuneornot.records.costed import (
    ArmCosts,
    ArmTotal,
    Balance,
    Economics,
    EconomicsPlan,
    Pace,
    Range,
    Standing,
    Swing,
)
from tuneornot.records.decided import (
    Claim,
    Covariate,
    Economy,
    Findings,
    Further,
    Guardrail,
    Look,
    Outcome,
    Phase,
    Quantity,
    Reason,
    Role,
    Rule,
    Sensitivity,
    Stage,
    Verdict,
)
from tuneornot.records.expected import ClaimName, Expectation, Pointed, State
from tuneornot.records.labelled import Calibration, JudgedArm, Label, OrderBias, Retest
from tuneornot.records.learned import Learning, LearningPoint, Trial, Trials
from tuneornot.records.measured import Purpose, Response, Retrieved, Run, Scale, Score
from tuneornot.records.ordered import Order
from tuneornot.records.priced import Price, Prices, Rates, Spent
from tuneornot.records.prompts import MARKER, Prompt
from tuneornot.records.stressed import Perturbed

__all__ = [
    "ATTACKS",
    "LOOKALIKES",
    "MARKER",
    "POOLED",
    "SAFETY",
    "Adapter",
    "Agreement",
    "Arm",
    "ArmCosts",
    "ArmKind",
    "ArmTotal",
    "Aside",
    "Attacked",
    "Audit",
    "Balance",
    "Band",
    "BandName",
    "Calibration",
    "Candidate",
    "Case",
    "Check",
    "Claim",
    "ClaimName",
    "Comparison",
    "Contrast",
    "Correction",
    "Covariate",
    "CurvePoint",
    "Dataset",
    "Detail",
    "Drop",
    "Economics",
    "EconomicsPlan",
    "Economy",
    "Estimate",
    "Expectation",
    "Findings",
    "Flip",
    "Further",
    "Guardrail",
    "Harm",
    "Json",
    "JudgedArm",
    "Label",
    "Learning",
    "LearningPoint",
    "Ledger",
    "Look",
    "Message",
    "Order",
    "OrderBias",
    "Outcome",
    "Overlap",
    "Pace",
    "Passage",
    "Perturbed",
    "Phase",
    "Pointed",
    "Price",
    "Prices",
    "Progress",
    "Prompt",
    "Purpose",
    "QuantileShift",
    "Quantity",
    "Range",
    "Rates",
    "Reason",
    "Record",
    "Redteam",
    "Response",
    "Retest",
    "Retrieval",
    "Retrieved",
    "Role",
    "Rule",
    "Run",
    "Sampling",
    "Scale",
    "Score",
    "Sensitivity",
    "Severity",
    "SliceContrast",
    "Spent",
    "Splits",
    "Stage",
    "Standing",
    "State",
    "Swing",
    "Trial",
    "Trials",
    "Verdict",
]
