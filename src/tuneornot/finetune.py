"""Step 4: examples from cases, train an adapter, and check it before anybody believes it.

``train`` receives train and dev, never the eval set. What it returns carries the curve and the
checks: some make a comparison unsafe to act on (``blocking``), the others are caveats. A failed
check is not an error; the verdict weighs it. A folder that holds the finished adapter of the same
training is simply read, and an interrupted training goes on.

It does not choose among recipes or seeds, and does not know how well the adapter does the job.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec

from tuneornot import fingerprint, soundness
from tuneornot.errors import MissingExtra, TrainingError
from tuneornot.models.base import Model, Reply, Request, Serving
from tuneornot.records import (
    Adapter,
    Case,
    Check,
    CurvePoint,
    Dataset,
    Json,
    Prompt,
    Sampling,
)
from tuneornot.training import examples
from tuneornot.training.examples import Example, Examples
from tuneornot.training.recipe import Recipe

if TYPE_CHECKING:
    from tuneornot.models.local.weights import Loaded

MANIFEST = "manifest.json"
NEEDED = ("torch", "transformers", "peft", "trl", "datasets", "accelerate")
ASKED = 16
"""Cases that are asked after training, with and without the adapter."""
WATCHED = 32
"""Dev cases whose loss is measured at the start and after each epoch."""
COMPARED = 64
"""Train cases whose prompts are compared with those of serving."""


class Job(NamedTuple):
    """One training: what the arm is asked with, how it is trained, and which draw it is."""

    prompt: Prompt
    recipe: Recipe
    seed: int


def train(
    model: Model,
    loaded: Loaded,
    train_cases: Dataset,
    dev: Dataset,
    *,
    prompt: Prompt,
    recipe: Recipe,
    seed: int,
    folder: Path,
    on_point: Callable[[CurvePoint, float], None] | None = None,
) -> Adapter:
    """Train an adapter on cases and check it.

    Args:
        model: answers the checks' questions with the adapter; the one that the arm will use.
        loaded: the same model's weights and tokenizer; left as they are.
        train_cases: what is learned from.
        dev: what the loss and the answers are watched on.
        prompt: what the tuned arm will be asked with.
        recipe: the settings.
        seed: of this training; another seed gives another adapter.
        folder: gets the adapter in PEFT's format and ``manifest.json``.
        on_point: told each point of the curve and the share of the training that is done.

    Raises:
        TrainingError: there is nothing to train on, the loss diverged, the folder cannot be
            written or holds something else.
        MissingExtra: torch, trl or peft is not installed.
    """
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        raise MissingExtra("Fine-tuning", "local")
    from tuneornot.training import lora

    job = Job(prompt, recipe, seed)
    held = finished(model, train_cases, dev, job=job, folder=folder)
    if held is not None:
        return held
    if loaded.identity != model.identity():
        raise TrainingError(
            f"An adapter must be trained on the weights that it will be used with, found "
            f"{loaded.identity!r} for training and {model.identity()!r} for {model.name!r}. "
            "Load the model again."
        )
    settings = _settings(model, train_cases, dev, job)
    built = _examples(train_cases, loaded, job)
    shown = _spaced(dev.cases, WATCHED)
    watched = examples.build(shown, prompt, loaded.tokenizer, longest=recipe.longest)
    curve, seconds = lora.fit(
        loaded.model,
        loaded.tokenizer,
        built.kept,
        watched.kept,
        recipe=recipe,
        seed=seed,
        folder=folder,
        plan=fingerprint.of([settings, seed]),
        on_point=on_point,
    )
    adapter = Adapter(
        path=str(folder),
        weights=fingerprint.of_folder(folder, "adapter_*"),
        model=model.name,
        data=train_cases.fingerprint,
        seed=seed,
        settings={**settings, "template": examples.template_fingerprint(loaded.tokenizer)},
        versions={name: importlib.metadata.version(name) for name in NEEDED},
        curve=curve,
        seconds=seconds,
    )
    checks = check(model, adapter, train_cases, dev, prompt=prompt, built=built, loaded=loaded)
    adapter = msgspec.structs.replace(adapter, checks=checks)
    _keep(adapter, folder)
    lora.tidy(folder)
    return adapter


def finished(
    model: Model, train_cases: Dataset, dev: Dataset, *, job: Job, folder: Path
) -> Adapter | None:
    """The adapter that a folder holds already, without loading a model; ``None`` if none is done.

    Raises:
        TrainingError: the folder holds the adapter of another training, or a damaged one.
    """
    path = folder / MANIFEST
    if not path.exists():
        return None
    try:
        held = msgspec.json.decode(path.read_bytes(), type=Adapter)
    except (OSError, msgspec.DecodeError) as error:
        raise TrainingError(
            f"A folder's {MANIFEST} must be readable, found {str(path)!r} that is not: {error}. "
            "Remove the folder and run the same command again."
        ) from error
    wanted: dict[str, Json] = {
        **_settings(model, train_cases, dev, job),
        "model": model.name,
        "seed": job.seed,
    }
    found = {**held.settings, "model": held.model, "seed": held.seed}
    other = sorted(name for name in wanted if wanted[name] != found.get(name))
    if other:
        raise TrainingError(
            f"A folder holds one training, found another in {str(folder)!r} (other: "
            f"{', '.join(other)}). Choose another folder or remove this one."
        )
    if held.weights != fingerprint.of_folder(folder, "adapter_*"):
        raise TrainingError(
            f"An adapter's files must be those that its manifest names, found others in "
            f"{str(folder)!r}. Remove the folder and run the same command again."
        )
    return msgspec.structs.replace(held, path=str(folder))


def check(
    model: Model,
    adapter: Adapter,
    train_cases: Dataset,
    dev: Dataset,
    *,
    prompt: Prompt,
    built: Examples,
    loaded: Loaded,
) -> tuple[Check, ...]:
    """Everything that is verified of an adapter; asks ``ASKED`` cases with it and without.

    Args:
        model: the one that the tuned arm will use.
        adapter: as saved.
        train_cases: what it was trained on.
        dev: cases to ask; train's where there are none.
        prompt: what the tuned arm will be asked with.
        built: the examples that it was trained on.
        loaded: whose tokenizer the examples were made with.
    """
    asked = _spaced(dev.cases or train_cases.cases, ASKED)
    # Room for any answer of the training's kind, so that only one that never ends is cut.
    most = 2 * max(len(row.answer) for row in built.kept) + 16
    tuned = _ask(model, asked, prompt, most, adapter)
    plain = _ask(model, asked, prompt, most, None)
    cases = {case.id: case for case in train_cases.cases}
    return (
        _adapter_loaded(Path(adapter.path), tuned, plain),
        _template_parity(model, cases, prompt, built.kept, loaded),
        _nothing_truncated(built),
        soundness.answers_end(tuned),
        _loss_on_answers_only(built.kept),
        soundness.no_loops(tuned),
        _dev_loss_fell(adapter.curve),
    )


def _adapter_loaded(folder: Path, tuned: Sequence[Reply], plain: Sequence[Reply]) -> Check:
    from tuneornot.training import verify

    update = verify.update(folder)
    n_changed, n_pairs = soundness.n_changed(tuned, plain)
    return Check(
        name="adapter-loaded",
        passed=n_changed > 0 and 0 == update.n_zero < update.n_matrices,
        detail=f"{n_changed} of {n_pairs} answers differ from the base model's; "
        f"{update.n_matrices - update.n_zero} of {update.n_matrices} B matrices are not zero "
        f"(root mean square {update.norm:.2g}).",
    )


def _template_parity(
    model: Model,
    cases: dict[str, Case],
    prompt: Prompt,
    kept: Sequence[Example],
    loaded: Loaded,
) -> Check:
    name = "template-parity"
    if not isinstance(model, Serving):
        detail = f"{model.name} does not show the tokens it is asked with, so nothing was compared."
        return Check(name=name, passed=False, detail=detail, blocking=False)
    step = max(1, len(kept) // COMPARED)
    seen = kept[::step]
    n_other = n_rendered = 0
    for row in seen:
        case = cases[row.case_id]
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


def _nothing_truncated(built: Examples) -> Check:
    longest = max(len(row) for row in built.kept)
    detail = f"{len(built.kept)} examples trained whole, the longest of {longest} tokens"
    if built.too_long:
        detail += f"; {len(built.too_long)} left out as too long ({_some(built.too_long)})"
    if built.unanswered:
        detail += (
            f"; {len(built.unanswered)} left out for want of an answer ({_some(built.unanswered)})"
        )
    passed = not built.too_long and not built.unanswered
    return Check(name="nothing-truncated", passed=passed, detail=f"{detail}.", blocking=False)


def _loss_on_answers_only(kept: Sequence[Example]) -> Check:
    from tuneornot.training import verify

    seen = verify.masked(kept, batch_size=ASKED)
    return Check(
        name="loss-on-answers-only",
        passed=seen.n_wrong == 0 and seen.n_idle == 0,
        detail=f"{seen.n_trained} of {seen.n_tokens} tokens count in the loss; in {seen.n_wrong} "
        f"examples they are not exactly the answer, {seen.n_idle} train nothing.",
    )


def _dev_loss_fell(curve: Sequence[CurvePoint]) -> Check:
    name = "dev-loss-fell"
    losses = [point.dev_loss for point in curve if point.dev_loss is not None]
    if len(losses) < 2:
        detail = "there are no dev cases with an answer to measure a loss on."
        return Check(name=name, passed=False, detail=detail, blocking=False)
    detail = f"dev loss went from {losses[0]:.3f} to {losses[-1]:.3f} nats per answer token"
    if min(losses) < losses[-1]:
        detail += f", its least was {min(losses):.3f} after epoch {losses.index(min(losses))}"
    passed = losses[-1] < losses[0]
    return Check(name=name, passed=passed, detail=f"{detail}.", blocking=False)


def _ask(
    model: Model, cases: Sequence[Case], prompt: Prompt, most: int, adapter: Adapter | None
) -> list[Reply]:
    sampling = Sampling(max_tokens=most)
    requests = [Request(messages=prompt.messages(case), sampling=sampling) for case in cases]
    replies = dict(model.ask(requests, adapter=adapter))
    return [replies.get(place, Reply(error="no answer came")) for place in range(len(requests))]


def _spaced(cases: Sequence[Case], n: int) -> list[Case]:
    n = min(n, len(cases))
    return [cases[place * len(cases) // n] for place in range(n)]


def _some(ids: Sequence[str]) -> str:
    return ", ".join(map(repr, ids[:3])) + (", ..." if len(ids) > 3 else "")


def _settings(model: Model, train_cases: Dataset, dev: Dataset, job: Job) -> dict[str, Json]:
    """What determines the result besides model and seed, which the adapter names itself."""
    return {
        **cast(dict[str, Json], msgspec.to_builtins(job.recipe)),
        "identity": model.identity(),
        "prompt": job.prompt.fingerprint,
        "train": train_cases.fingerprint,
        "dev": dev.fingerprint,
    }


def _examples(train_cases: Dataset, loaded: Loaded, job: Job) -> Examples:
    longest = job.recipe.longest
    built = examples.build(train_cases.cases, job.prompt, loaded.tokenizer, longest=longest)
    if built.kept:
        return built
    found = f"found {len(train_cases)} cases"
    if built.too_long:
        found += f", {len(built.too_long)} of them longer than {longest!r} tokens"
    if built.unanswered:
        found += f", {len(built.unanswered)} of them without an expected answer"
    raise TrainingError(
        f"A training needs at least one case with an answer that fits: {found}. Give the train "
        "split more cases, fill in `expected`, shorten the prompt or raise the recipe's `longest`."
    )


def _keep(adapter: Adapter, folder: Path) -> None:
    """Write the manifest last and in one move: a folder with a manifest is finished."""
    text = msgspec.json.format(msgspec.json.encode(adapter), indent=2)
    partial = folder / f"{MANIFEST}.partial"
    try:
        partial.write_bytes(text + b"\n")
        partial.replace(folder / MANIFEST)
    except OSError as error:
        raise TrainingError(
            f"An adapter's manifest must be written to {str(folder)!r}, but: {error.strerror}. "
            "Make room and run the same command again; the training is not repeated."
        ) from error
