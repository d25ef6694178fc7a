"""What a study will take before it is run: calls, tokens, money and minutes, step by step.

    ready     one arm as far as it is, and the probe that asks it a few dev cases
    basis     what is known of its model: how it reads, how much it writes, how fast it is
    outlay    what one step is expected to take, and all of them against the budget
    steps     the steps of a study, each with its outlay
    judged    what judges will be asked
    stressed  what the study's perturbations will ask
    attacked  what the red team will ask

What is known already is not counted again, and what was measured comes before what is guessed; each
outlay says what it rests on. Only the probe asks. Comparison and verdict take no calls and are left
out.
"""

from __future__ import annotations

from tuneornot.forecast.outlay import Forecast, Outlay
from tuneornot.forecast.ready import probe
from tuneornot.forecast.steps import of

__all__ = ["Forecast", "Outlay", "of", "probe"]
