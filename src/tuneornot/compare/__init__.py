"""Step 6: pair two arms case by case, and say how they differ with what is known of the error.

    runs         two runs on one dataset: a contrast for each metric, latency, tokens, cost
    comparison   all contrasts of a candidate, over several datasets, with its checks
    scores       scores alone, from anywhere
    without      a run without one slice
    adjust       a contrast with the luck of the draw taken out
    bands        both arms by rarity
    Drops        what each arm loses on changed cases, and the difference
    seeds_agree  whether trainings that differ in the seed only say the same
    Evidence     the few statistics that a verdict asks for, each at its own error rate
    level        the figure of one run by a whole-run metric

Differences are candidate minus baseline, oriented so that positive is better. Two runs on
different cases, or judged on different scales, are refused. It decides nothing and phrases nothing:
``decide`` and ``report`` do. More than two arms are several comparisons.
"""

from __future__ import annotations

from tuneornot.compare.banded import bands
from tuneornot.compare.bare import scores
from tuneornot.compare.drops import Drops, Pair
from tuneornot.compare.evidence import Evidence
from tuneornot.compare.known import adjust
from tuneornot.compare.pairs import comparison, runs
from tuneornot.compare.parts import without
from tuneornot.compare.seeds import agree as seeds_agree
from tuneornot.compare.whole import level

__all__ = [
    "Drops",
    "Evidence",
    "Pair",
    "adjust",
    "bands",
    "comparison",
    "level",
    "runs",
    "scores",
    "seeds_agree",
    "without",
]
