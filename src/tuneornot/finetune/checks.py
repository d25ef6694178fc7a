"""Everything that is verified of an adapter before a comparison is believed.

Some failures make a comparison unsafe to act on (``blocking``): the arm that was measured is not
the one that was trained, or its training is broken whatever the scores. The others are caveats. A
failed check is not an error; the verdict weighs it.

It asks some dev cases and a few general questions, with the adapter and without. It does not know
how good the answers are, and sees no eval case.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tuneornot import soundness
from tuneornot.finetune import general, mixture, recited, rows, served
from tuneornot.finetune.mixture import Drawn
from tuneornot.models.base import Model, Reply, Request
from tuneornot.records import Adapter, Case, Check, CurvePoint, Dataset, Prompt, Sampling
from tuneornot.training.examples import Examples

if TYPE_CHECKING:
    from tuneornot.models.local.weights import Loaded

ASKED = 16
"""Cases that are asked after training, with and without the adapter."""


def check(
    model: Model,
    adapter: Adapter,
    train_cases: Dataset,
    dev: Dataset,
    *,
    prompt: Prompt,
    built: Examples,
    loaded: Loaded,
    quantised: Loaded | None = None,
    drawn: Drawn | None = None,
) -> tuple[Check, ...]:
    """Everything that is verified of an adapter; asks ``ASKED`` cases with it and without.

    Args:
        model: the one that the tuned arm will use.
        adapter: as saved.
        train_cases: what it was trained on.
        dev: cases to ask; train's where there are none.
        prompt: what the tuned arm will be asked with.
        built: the examples that it was trained on.
        loaded: the weights that it is served on, with the tokenizer of the examples.
        quantised: the weights that it was trained beside, where they were others.
        drawn: the general examples that were mixed in.
    """
    asked = spaced(dev.cases or train_cases.cases, ASKED)
    # Room for any answer of the training's kind, so that only one that never ends is cut.
    most = 2 * max(len(row.answer) for row in built.kept) + 16
    questions = [*_requests(asked, prompt, most), *general.requests()]
    tuned, plain = _ask(model, questions, adapter), _ask(model, questions, None)
    n, folder = len(asked), Path(adapter.path)
    mixed = () if drawn is None else drawn.examples
    taught = frozenset[general.Question]()
    if drawn is not None:
        taught = general.taught(drawn.mixed.rows.cases)
    by_dev, known = (asked if dev.cases else []), train_cases.cases
    return (
        served.adapter_loaded(folder, tuned[:n], plain[:n], loaded),
        served.template_parity(model, known, prompt, built.kept, loaded),
        *served.served_as_trained(folder, asked, tuned[:n], prompt, loaded, quantised),
        rows.loss_on_answers_only([*built.kept, *mixed]),
        rows.nothing_truncated(built),
        rows.rows_teach(known, built),
        soundness.answers_end(tuned[:n]),
        soundness.no_loops(tuned[:n]),
        recited.nothing_memorised(by_dev, tuned[: len(by_dev)], plain[: len(by_dev)], known),
        _dev_loss_fell(adapter.curve, stops=adapter.settings.get("patience") is not None),
        general.general_ability(plain[n:], tuned[n:], taught),
        *([] if drawn is None else [mixture.check(drawn, len(built.kept), taught)]),
    )


def _dev_loss_fell(curve: Sequence[CurvePoint], *, stops: bool) -> Check:
    name = "dev-loss-fell"
    losses = [point.dev_loss for point in curve if point.dev_loss is not None]
    if len(losses) < 2:
        detail = "there are no dev cases with an answer to measure a loss on."
        return Check(name=name, passed=False, detail=detail, blocking=False)
    detail = f"dev loss went from {losses[0]:.3f} to {losses[-1]:.3f} nats per answer token"
    if min(losses) < losses[-1]:
        detail += f", its least was {min(losses):.3f} after epoch {losses.index(min(losses))}"
    if stops:
        detail += "; the weights of the best epoch are kept"
    passed = (min(losses[1:]) if stops else losses[-1]) < losses[0]
    return Check(name=name, passed=passed, detail=f"{detail}.", blocking=False)


def _requests(cases: Sequence[Case], prompt: Prompt, most: int) -> list[Request]:
    sampling = Sampling(max_tokens=most)
    return [Request(messages=prompt.messages(case), sampling=sampling) for case in cases]


def _ask(model: Model, requests: Sequence[Request], adapter: Adapter | None) -> list[Reply]:
    replies = dict(model.ask(requests, adapter=adapter))
    return [replies.get(place, Reply(error="no answer came")) for place in range(len(requests))]


def spaced(cases: Sequence[Case], n: int) -> list[Case]:
    """At most n cases, evenly spaced."""
    n = min(n, len(cases))
    return [cases[place * len(cases) // n] for place in range(n)]
