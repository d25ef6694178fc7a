"""Whole-run metrics in words: the further figures that stand beside macro-F1 or corpus BLEU."""

from __future__ import annotations

import math

from tuneornot.records import Contrast, Detail, Scale
from tuneornot.report import amounts


def details(given: Contrast) -> tuple[str, ...]:
    """A sentence for each further figure of a whole-run metric; none for other contrasts."""
    return tuple(_told(each, given.scale) for each in given.details)


def _told(detail: Detail, scale: Scale) -> str:
    name = f"{detail.name[:1].upper()}{detail.name[1:]}"
    levels = [each.value for each in (detail.baseline, detail.candidate)]
    if not all(map(math.isfinite, (*levels, detail.difference.value))):
        return f"{name} is not determined by these data."
    before, after = (amounts.level(value, scale) for value in levels)
    change = amounts.change(detail.difference.value, scale)
    return f"{name}: {before} to {after}, {change} ({amounts.interval(detail.difference, scale)})."
