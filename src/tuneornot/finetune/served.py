"""Whether the arm that will be measured is the one that was trained.

Three ways in which it is not: the adapter is empty or not used, the prompts are other tokens than
those of training, or the merged weights that serve give other answers than the adapter beside the
base, as it was trained. Each of them blocks: a verdict would be about something else.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tuneornot import soundness
from tuneornot.models.base import Model, Reply, Serving
from tuneornot.records import Case, Check, Prompt
from tuneornot.training import examples
from tuneornot.training.examples import Example

if TYPE_CHECKING:
    from tuneornot.models.local.weights import Loaded

COMPARED = 64
"""Train cases whose prompts are compared with those of serving."""
ALIKE = 0.9
"""Least share of served answers that must be those of the model as it was trained."""
TIE = 0.25
"""A token this close to the likeliest, in nats, may take its place: merging and batching round."""


def adapter_loaded(
    folder: Path, tuned: Sequence[Reply], plain: Sequence[Reply], loaded: Loaded
) -> Check:
    """Whether what was trained differs from the base, and the model that answers uses it.

    Every matrix of an adapter must have learnt something; of whole weights some, since a weight
    that no train case touches rightly stays (and with a bfloat16 one a small step is lost).
    """
    from tuneornot.training import full, verify

    update = verify.update(loaded.model, folder)
    n_changed, n_pairs = soundness.n_changed(tuned, plain)
    n_learnt, whole = update.n_matrices - update.n_zero, full.is_whole(folder)
    what = "weights differ from the base model's" if whole else "B matrices are not zero"
    return Check(
        name="adapter-loaded",
        passed=n_changed > 0 and n_learnt > 0 and (whole or update.n_zero == 0),
        detail=f"{n_changed} of {n_pairs} answers differ from the base model's; "
        f"{n_learnt} of {update.n_matrices} {what} (root mean square {update.norm:.2g}).",
    )


def template_parity(
    model: Model,
    cases: Sequence[Case],
    prompt: Prompt,
    kept: Sequence[Example],
    loaded: Loaded,
) -> Check:
    """Whether serving asks train cases with the tokens that training saw."""
    name = "template-parity"
    if not isinstance(model, Serving):
        detail = f"{model.name} does not show the tokens it is asked with, so nothing was compared."
        return Check(name=name, passed=False, detail=detail, blocking=False)
    step = max(1, len(kept) // COMPARED)
    seen, by_id = kept[::step], {case.id: case for case in cases}
    n_other = n_rendered = 0
    for row in seen:
        case = by_id[row.case_id]
        n_other += tuple(model.prompt_tokens(prompt.messages(case))) != row.prompt
        n_rendered += not examples.agrees_with_template(loaded.tokenizer, case, prompt, row)
    detail = (
        f"the prompts of {len(seen) - n_other} of {len(seen)} train cases are the same tokens in "
        "training and serving"
    )
    if n_rendered:
        detail += (
            f"; the template renders {n_rendered} finished conversations in other tokens, which "
            "neither of the two uses"
        )
    return Check(name=name, passed=n_other == 0, detail=f"{detail}.")


def served_as_trained(
    folder: Path,
    asked: Sequence[Case],
    tuned: Sequence[Reply],
    prompt: Prompt,
    loaded: Loaded,
    quantised: Loaded | None = None,
) -> tuple[Check, ...]:
    """Whether the served answers are those that the adapter beside the base would give.

    Serving merges an adapter into the weights. Here the saved adapter stands beside them, as in
    training, and reads each served answer: greedy decoding gives the same answer if at every place
    the answer's token is the likeliest, up to ``TIE``. Whole weights are read from their folder.
    An adapter that was trained beside quantised weights is served on the weights as they were, so
    what that changes is a check of its own, and a caveat: the served arm is the one that is judged.

    Args:
        folder: of what was trained.
        asked: cases, in the order of ``tuned``.
        tuned: what was answered to them, greedily.
        prompt: what they were asked with.
        loaded: the base model with its tokenizer.
        quantised: the same with the weights of the training, where they were quantised.
    """
    from tuneornot.training import full

    pairs = [
        (_read_back(case, reply, prompt, loaded), reply)
        for case, reply in zip(asked, tuned, strict=True)
        # What is no valid text cannot be turned back into the tokens that were chosen.
        if reply.text is not None and "\ufffd" not in reply.text
    ]
    rows = [row for row, reply in pairs if len(row.answer) in (reply.n_output_tokens, None)]
    how, beside = "with the adapter merged", "the adapter beside the base model"
    if full.is_whole(folder):
        how, beside = "with the weights exchanged", "the whole model as it was saved"
    elif quantised is None:
        beside += ", as it was trained"
    found = _alike("served-as-trained", folder, rows, loaded, (how, beside))
    if quantised is None:
        return (found,)
    told = "on the unquantised weights", "the adapter beside the quantised ones, as it was trained"
    other = _alike("served-as-quantised", folder, rows, quantised, told)
    return found, msgspec.structs.replace(other, blocking=False)


def _alike(
    name: str, folder: Path, rows: Sequence[Example], loaded: Loaded, told: tuple[str, str]
) -> Check:
    """Whether answers are those of what was trained, beside some weights."""
    from tuneornot.training import verify

    if not rows:
        detail = "there is no answer that could be compared."
        return Check(name=name, passed=False, detail=detail, blocking=False)
    gaps = verify.gaps(loaded.model, folder, rows)
    n_alike = sum(gap <= TIE for gap in gaps)
    detail = f"{n_alike} of {len(rows)} served answers, {told[0]}, are those of {told[1]}"
    if n_alike < len(rows):
        detail += f"; of the others a token lies up to {max(gaps):.2g} nats below the likeliest"
    return Check(name=name, passed=n_alike >= ALIKE * len(rows), detail=f"{detail}.")


def _read_back(case: Case, reply: Reply, prompt: Prompt, loaded: Loaded) -> Example:
    """An answer as a training would have seen it."""
    asked = examples.rendered(loaded.tokenizer, prompt.messages(case))
    said = examples.tokens_of(loaded.tokenizer, reply.text or "")
    if reply.finish == "stop":
        said = (*said, examples.end_of_turn(loaded.tokenizer))
    return Example(case.id, examples.tokens_of(loaded.tokenizer, asked), said)
