"""Overlap: cases on two sides of a border that are, in effect, the same case.

``find`` looks for exact repeats, repeats after normalisation, near-duplicates, questions that
stand word for word inside a longer text of the other side, long quotes, shared groups and, where
the study names an embedding, paraphrases. The left side is gone through in blocks, so that a
million rows need no more memory than some thousands beyond themselves.

Not covered: a paraphrase without an embedding, and short answers that stand in the other side's
texts without their question.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from tuneornot.cases import nearness, searches
from tuneornot.cases.likeness import Hashes
from tuneornot.cases.nearness import Labels, Rule, Text
from tuneornot.cases.searches import Search, Terms
from tuneornot.records import Case, Overlap

RULES = 2
"""Counts up when the same cases could be judged otherwise than before."""
BLOCK = 4000
"""Cases of the left side that are held as arrays at a time."""
SPAN_LIMIT = 2000
"""Words of each text in which the span to show is looked for."""
SHOWN = 160
"""Characters of a span that are shown."""


def find(
    left: Sequence[Case],
    right: Sequence[Case],
    *,
    names: tuple[str, str] = ("train", "eval"),
    terms: Terms = Terms(),  # noqa: B008 - immutable
) -> tuple[Overlap, ...]:
    """Cases of the left side that repeat one of the right side.

    Args:
        left: the side that teaches (train, dev, demonstrations).
        right: the side that judges.
        names: of the two sides, as the records name them.
        terms: bounds of the rule, the pairs that a person let pass, the embedding.

    Returns:
        For each offending case of the left side its strongest overlap (exact, normalised, near,
        span, quote, paraphrase, group, in this order), in the order of the left side. Removing the
        cases named on the left therefore removes every overlap.

    Raises:
        ModelError: the embedding failed.
    """
    if not left or not right:
        return ()
    theirs = [nearness.text(case) for case in right]
    labels, frame = Labels(theirs, left), nearness.frame([*left, *right])
    kinds = _searches(theirs, labels, frame, terms)
    told: list[Overlap] = []
    for start in range(0, len(left), BLOCK):
        ours = [nearness.text(case) for case in left[start : start + BLOCK]]
        found: dict[int, Overlap] = {}
        for kind, search in kinds.items():
            rest = [position for position in range(len(ours)) if position not in found]
            for place, other, similarity in search([ours[position] for position in rest]):
                one, two = ours[rest[place]], theirs[other]
                span = one.case.group if kind == "group" else _span(one, two)
                found[rest[place]] = Overlap(
                    kind=kind,  # type: ignore[arg-type]
                    eval_id=two.case.id,
                    eval_set=names[1],
                    other_id=one.case.id,
                    other_set=names[0],
                    similarity=round(similarity, 4),
                    span=span or "",
                    pair=searches.pair(one.case, two.case),
                )
        told += [found[position] for position in sorted(found)]
    return tuple(told)


def _searches(
    theirs: Sequence[Text], labels: Labels, frame: Hashes, terms: Terms
) -> dict[str, Search]:
    """By kind the search for it, in the order of their strength."""
    rule, passed = Rule(labels, frame, terms.near), terms.passed
    found: dict[str, Search] = {
        "exact": searches.Same(theirs, lambda one: (one.case.input, one.case.context), passed),
        "normalised": searches.Same(theirs, _normalised, passed),
        "near": searches.NearRepeats(theirs, labels, rule, terms),
        "span": searches.Spans(theirs, passed),
        "quote": searches.Quotes(theirs, labels, frame, passed),
    }
    if terms.meaning is not None:
        found["paraphrase"] = searches.Paraphrases(theirs, labels, terms)
    found["group"] = searches.Same(theirs, lambda one: one.case.group or None, passed)
    return found


def _normalised(one: Text) -> tuple[str, str] | None:
    return (one.asked, one.context) if one.whole else None


def _span(one: Text, two: Text) -> str:
    """The longest run of words that both have, cut to a readable length."""
    ours, theirs = (text.whole.split()[:SPAN_LIMIT] for text in (one, two))
    blocks = SequenceMatcher(None, ours, theirs, autojunk=False)
    longest = blocks.find_longest_match(0, len(ours), 0, len(theirs))
    span = " ".join(ours[longest.a : longest.a + longest.size])
    return span if len(span) <= SHOWN else span[: SHOWN - 3] + "..."
