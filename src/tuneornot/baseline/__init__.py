"""Step 2: engineer the prompted baseline, within a budget, on cases that do not judge.

ledger = baseline.search(answer, train, dev, start=prompt, budget=Budget(minutes=5))
prompt = baseline.winner(ledger)

phrases          instructions and format hints by the kind of answer
demonstrations   which solved cases to show
space            the prompts that can be made of these, and variations of one
race             the same dev cases for all, the hopeless dropped on paired evidence
search           first field, rounds of variations, ledger
effort           whether it was enough to believe a comparison
"""

from __future__ import annotations

from tuneornot.baseline.effort import check
from tuneornot.baseline.race import Answer, Budget
from tuneornot.baseline.search import search, winner

__all__ = ["Answer", "Budget", "check", "search", "winner"]
