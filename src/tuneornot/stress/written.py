"""Perturbations that a model writes: the same question in other words, or in another language.

Here stands what the writer is told and what is kept of what it wrote. A text that lost a number of
the question, or that says nothing new, is no perturbation of the case: it is left out and counted.
Whether a text means the same is not known here; the report shows examples, and a rewriting that
drops in every arm alike tells on the writer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tuneornot.records import Case, Prompt
from tuneornot.stress import wording

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
TOLD: Mapping[str, str] = {
    "paraphrase": (
        "Rewrite the user's message in other words. Keep its meaning, its language, and all "
        "numbers, names, codes and quotations exactly. Do not answer it. Reply with the rewritten "
        "message and nothing else."
    ),
    "translation": (
        "Translate the user's message into {to}. Keep all numbers, names, codes and quotations "
        "exactly. Do not answer it. Reply with the translation and nothing else."
    ),
}


def prompt(kind: str, to: str | None = None) -> Prompt:
    """What the writer is told.

    Args:
        kind: ``paraphrase`` or ``translation``.
        to: the language of a translation, by its name.
    """
    return Prompt(instructions=TOLD[kind].format(to=to))


def kept(case: Case, text: str | None) -> Case | None:
    """The case as the writer put it; ``None`` where that cannot stand for it."""
    said = (text or "").strip()
    before = wording.asked(case)
    numbers = set(_NUMBER.findall(before))
    if not said or said == before or not numbers <= set(_NUMBER.findall(said)):
        return None
    return wording.asking(case, said)
