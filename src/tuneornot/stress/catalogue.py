"""The perturbations that a study can name without writing code or asking a model."""

from __future__ import annotations

from collections.abc import Mapping

from tuneornot.stress import order, register, surface, surroundings
from tuneornot.stress.base import Perturbation, of_text

BUILT_IN: Mapping[str, Perturbation] = {
    "typos": of_text("a slip of the fingers in a share of the words", surface.typos),
    "casing": of_text("a share of the words in capitals, or without them", surface.casing),
    "punctuation": of_text("a share of the marks left out or multiplied", surface.punctuation),
    "filler": of_text("words that say nothing", surface.filler),
    "casual": of_text("short forms of casual English", register.casual),
    "dialect": of_text("American English as British, or the other way", register.dialect),
    "fields": of_text("keys of JSON, or lines with a field, in another order", order.fields),
    "longer": Perturbation("text around it that has nothing to do with it", surroundings.longer),
    "distractors": Perturbation("other cases of the set around it", surroundings.distractors),
}
