"""What a model offers to a search besides words: a form of its answers, and thinking before them.

A form is offered where the answers are JSON, the study holds them to none, the kind of model can be
held to one, and one dev case is answered under it: servers differ in what they can do, and say so
only when they are asked. Thinking is worth its tokens where a model is large enough to think and
answers are short; a form would leave no room for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tuneornot.baseline import phrases
from tuneornot.baseline.race import Answer
from tuneornot.baseline.space import Drawing, Offers
from tuneornot.models import registry
from tuneornot.models.sampling import under
from tuneornot.records import Dataset, Prompt, Sampling
from tuneornot.study import Vary

DRAWINGS = (Drawing(0.0, 1.0), Drawing(0.3, 1.0), Drawing(0.7, 0.9))
"""Greedy, and two ways of letting less likely tokens in."""
ROOM = 300
"""Tokens for thinking: a few short steps."""
NOTED = 120
"""Tokens for what is noted in a call before the answer: a few lines."""


def offers(
    answer: Answer,
    train: Dataset,
    dev: Dataset,
    *,
    start: Prompt,
    model: str,
    sampling: Sampling,
    reasoning: int | None,
) -> Offers:
    """Find out what a model offers; asks at most one dev case, twice.

    Args:
        answer: as of ``search``.
        train: the cases whose answers tell what is wanted.
        dev: where the case is taken from.
        start: the user's own prompt.
        model: its name.
        sampling: the arm's.
        reasoning: tokens that the study allows; ``None``: it does not say.
    """
    kind = phrases.kind(train.cases)
    if any(one is not None for one in (sampling.form, start.form, start.reasoning)):
        return Offers()
    room = reasoning if reasoning is not None else 0 if model.startswith("local:") else ROOM
    room = 0 if kind == "text" else room
    if kind != "json" or not dev.cases:
        return Offers(reasoning=room)
    form = phrases.schema(train.cases)
    if registry.faults(model, msgspec.structs.replace(sampling, form=form)):
        return Offers(reasoning=room)
    held = msgspec.structs.replace(start, form=form)
    # First without the form: a server that never answered anything is another trouble.
    for prompt in (start, held):
        [said] = answer(prompt, dev.cases[:1]).responses
    return Offers(form=None if said.text is None else form, reasoning=room)


def varied(
    offered: Offers, vary: Sequence[Vary], *, start: Prompt, model: str, sampling: Sampling
) -> Offers:
    """What is offered, with what the study wants varied besides; the arguments as of ``offers``."""
    return offered._replace(
        difficulty="difficulty" in vary,
        sampled=_sampled(start, model, sampling) if "sampling" in vary else (),
        lookup="retrieval" in vary,
        steps=NOTED if "steps" in vary else 0,
    )


def _sampled(start: Prompt, model: str, sampling: Sampling) -> tuple[Drawing, ...]:
    """Other ways of drawing tokens than the arm's, as far as the kind of model can do them."""
    now = under(start, sampling)
    return tuple(
        one
        for one in DRAWINGS
        if one != (now.temperature, now.top_p)
        and not registry.faults(model, msgspec.structs.replace(now, **one._asdict()))
    )
