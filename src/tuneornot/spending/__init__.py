"""What was spent, and where it ends: a purse for a command, and models that pay into its count.

    purse     the study's budget against what was spent: may one question more be asked?
    metered   a model whose questions are counted and that hands on no more than may be asked

It keeps nothing (``session`` does) and estimates nothing (``forecast`` does).
"""

from __future__ import annotations

from tuneornot.spending.metered import Metered, metered
from tuneornot.spending.purse import Purse, Tally

__all__ = ["Metered", "Purse", "Tally", "metered"]
