"""Judges whose error rates are known, and one answer put before a judged metric."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence

from tuneornot.metrics import registry
from tuneornot.metrics.judges.base import Judged, Question, Ruling
from tuneornot.metrics.registry import Entry
from tuneornot.models.base import Request
from tuneornot.models.scripted import ScriptedModel
from tuneornot.records import Case, Response

HELPFUL: Entry = {
    "judge": {
        "name": "helpful",
        "model": "local:judge",
        "ask": "Does the answer tell the price?",
        "levels": ["no", "yes"],
    }
}


def part(text: str, tag: str) -> str:
    """What stands under a tag of a question to a judge."""
    found = re.search(rf"<{tag}>\n(.*?)\n</{tag}>", text, re.S)
    return found[1] if found else ""


def fallible(
    right: Mapping[str, str], *, sensitivity: float, specificity: float, name: str = "local:judge"
) -> ScriptedModel:
    """A judge that sees whether an answer is right, and errs at these rates."""

    def answer(request: Request) -> str:
        said = request.messages[-1].content
        question, given = part(said, "question"), part(said, "answer")
        chance = sensitivity if right.get(question) == given else 1 - specificity
        return json.dumps({"reason": "seen", "level": 1 + (uniform(name + said) < chance)})

    return ScriptedModel(name, answer)


def uniform(text: str) -> float:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest()) / 2**48


def said(*texts: str | None) -> tuple[Response, ...]:
    """Replies of a judge; ``None`` is a failed call."""
    return tuple(
        Response(arm="j", question=str(n), text=text, error=None if text is not None else "no line")
        for n, text in enumerate(texts)
    )


def judged(entry: Entry) -> Judged:
    metric = registry.build(entry)
    assert isinstance(metric, Judged)
    return metric


def rule(
    entry: Entry,
    reply: Callable[[Question], Sequence[Response]],
    *,
    answer: str = "42",
    other: str | None = None,
    case: Case | None = None,
) -> Ruling:
    """The ruling on one answer by judges that reply like this."""
    shown = case or Case(id="c", input="What is it?", expected="42", context="It is 42.")
    asking = judged(entry).judging(shown, answer, other)
    try:
        questions = next(asking)
        while True:
            questions = asking.send(tuple(tuple(reply(each)) for each in questions))
    except StopIteration as end:
        found: Ruling = end.value
        return found
