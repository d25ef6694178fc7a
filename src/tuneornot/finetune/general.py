"""Whether a model still knows what it knew before training: thirty questions of everyday knowledge.

Training on one task can cost what the task does not ask for. Every question is asked with the
adapter and without, as a chat without instructions; an answer is right if one of the accepted words
stands in it. Only losing answers that the model had counts, so that a weak model is not blamed for
what it never knew; a loss is told as a caveat where an exact test of the pairs shows it.

Thirty questions show a large loss only, and say nothing of languages, safety or long texts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from tuneornot.models.base import Reply, Request
from tuneornot.records import Case, Check, Message, Sampling

MOST = 32
"""Tokens of an answer."""
ALPHA = 0.05
"""Error rate of telling a loss where there is none."""


class Question(NamedTuple):
    """One question, and the words of which one must stand in the answer."""

    text: str
    accepted: tuple[str, ...]


PROBE = tuple(
    Question(text, tuple(accepted.split("|")))
    for text, accepted in (
        ("What is the capital of France?", "Paris"),
        ("What is the capital of Italy?", "Rome"),
        ("What is the capital of Japan?", "Tokyo"),
        ("What is the capital of Germany?", "Berlin"),
        ("Which country has Madrid as its capital?", "Spain"),
        ("On which continent is Egypt?", "Africa"),
        ("Which ocean lies between Europe and North America?", "Atlantic"),
        ("What is 2 plus 2?", "4|four"),
        ("What is 10 minus 3?", "7|seven"),
        ("How many days are there in a week?", "7|seven"),
        ("How many months are there in a year?", "12|twelve"),
        ("How many minutes are there in an hour?", "60|sixty"),
        ("How many legs does a spider have?", "8|eight"),
        ("How many sides does a triangle have?", "3|three"),
        ("Which day comes after Monday?", "Tuesday"),
        ("Which month comes after March?", "April"),
        ("What is the opposite of hot?", "cold"),
        ("What is the opposite of up?", "down"),
        ("What is the plural of the word child?", "children"),
        ("What is the past tense of the verb go?", "went"),
        ("What do bees make?", "honey"),
        ("Which animal says meow?", "cat"),
        ("What is frozen water called?", "ice"),
        ("Which gas do people need to breathe?", "oxygen"),
        ("What is the chemical formula of water?", "H2O"),
        ("Which planet do we live on?", "Earth"),
        ("Which star is nearest to the Earth?", "Sun"),
        ("Which organ pumps blood through the body?", "heart"),
        ("What colour do blue and yellow make when they are mixed?", "green"),
        ("Who wrote the play Romeo and Juliet?", "Shakespeare"),
    )
)


def requests() -> list[Request]:
    """The questions as a model is asked them."""
    sampling = Sampling(max_tokens=MOST)
    return [
        Request(messages=(Message(role="user", content=one.text),), sampling=sampling)
        for one in PROBE
    ]


def knows(question: Question, reply: Reply) -> bool:
    """Whether an answer holds one of the accepted words, in any case of letters."""
    words = "|".join(re.escape(word) for word in question.accepted)
    return re.search(rf"(?<!\w)(?:{words})(?!\w)", reply.text or "", re.IGNORECASE) is not None


def taught(rows: Sequence[Case]) -> frozenset[Question]:
    """The questions of ``PROBE`` that stand, word for word, in what is trained on."""
    texts = [_words(row.text) for row in rows]
    return frozenset(one for one in PROBE if any(_words(one.text) in text for text in texts))


def _words(text: str) -> str:
    """The words alone, in lower case."""
    return " ".join(re.findall(r"\w+", text.lower()))


def general_ability(
    plain: Sequence[Reply], tuned: Sequence[Reply], taught: frozenset[Question] = frozenset()
) -> Check:
    """Compare the answers to ``PROBE`` before and after, question by question.

    Args:
        plain: the base model's answers.
        tuned: those after training.
        taught: questions that stood in the training, which show nothing.
    """
    asked = [one for one in zip(PROBE, plain, tuned, strict=True) if one[0] not in taught]
    before = [knows(question, reply) for question, reply, _ in asked]
    after = [knows(question, reply) for question, _, reply in asked]
    n_lost = sum(had and not has for had, has in zip(before, after, strict=True))
    n_won = sum(has and not had for had, has in zip(before, after, strict=True))
    p = p_lost(n_lost, n_won)
    detail = (
        f"of {len(asked)} questions of general knowledge the base model answers {sum(before)}, "
        f"the tuned one {sum(after)} (lost {n_lost}, won {n_won}; p = {p:.2g} for so great a loss "
        "by chance)"
    )
    if p_lost(sum(before), 0) > ALPHA:
        detail += "; the base model knows too few of them to show a loss"
    return Check(name="general-ability", passed=p > ALPHA, detail=f"{detail}.", blocking=False)


def p_lost(n_lost: int, n_won: int) -> float:
    """Chance of so many losses or more among the changes, if either were as likely.

    The exact sign test, one-sided (McNemar's for pairs of right and wrong).
    """
    n = n_lost + n_won
    return math.fsum(math.comb(n, k) / 2**n for k in range(n_lost, n + 1))
