"""Step 2: engineer the prompted baseline, within a budget, on cases that do not judge.

ledger = baseline.search(answer, train, dev, start=prompt, budget=Budget(minutes=5))
prompt = baseline.winner(ledger)

phrases          instructions and format hints by the kind of answer
demonstrations   which solved cases to show
space            the prompts that can be made of these, and variations of one
writing          instructions by another model
tried            how a prompt does on train: failures, and which cases are hard
race             the same dev cases for all, the hopeless dropped on paired evidence
tpe              optuna's proposals in place of a field and its variations
evolving         a short field, then instructions that gepa evolves with another model
search           first field, rounds of variations, ledger
offers           what the model can be asked besides words: a form, thinking first
effort           whether it was enough to believe a comparison
"""

from __future__ import annotations

from tuneornot.baseline.effort import check
from tuneornot.baseline.offers import offers, varied
from tuneornot.baseline.race import Answer, Budget
from tuneornot.baseline.search import search, winner
from tuneornot.baseline.space import Offers
from tuneornot.baseline.writing import WRITING, Write

__all__ = [
    "WRITING",
    "Answer",
    "Budget",
    "Offers",
    "Write",
    "check",
    "offers",
    "search",
    "varied",
    "winner",
]
