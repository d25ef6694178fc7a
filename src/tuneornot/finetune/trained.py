"""One adapter: trained from train and dev once, checked, and kept with its manifest.

``train`` never receives the eval set. What it returns carries the curve and the checks. A folder
that holds the finished adapter of the same training is simply read, and an interrupted training
goes on.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

import msgspec

from tuneornot import fingerprint
from tuneornot.errors import MissingExtra, TrainingError
from tuneornot.finetune.checks import check, spaced
from tuneornot.models.base import Model
from tuneornot.records import Adapter, CurvePoint, Dataset, Json, Prompt
from tuneornot.training import examples
from tuneornot.training.examples import Examples
from tuneornot.training.recipe import Recipe

if TYPE_CHECKING:
    from tuneornot.models.local.weights import Loaded

MANIFEST = "manifest.json"
NEEDED = ("torch", "transformers", "peft", "trl", "datasets", "accelerate")
WATCHED = 32
"""Dev cases whose loss is measured at the start and after each epoch."""


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
    shown = spaced(dev.cases, WATCHED)
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
