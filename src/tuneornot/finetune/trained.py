"""One training from train and dev, done once, checked, and kept with its manifest.

What it leaves is an ``Adapter``, also where all weights were trained: ``train`` never receives the
eval set, and what it returns carries the curve and the checks. A folder that holds what the same
training left is simply read, and an interrupted training goes on.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from tuneornot import fingerprint
from tuneornot.errors import Diverged, MissingExtra, TrainingError
from tuneornot.finetune import mixture
from tuneornot.finetune.checks import check, spaced
from tuneornot.finetune.mixture import Drawn, Mixed
from tuneornot.models.base import Model
from tuneornot.records import Adapter, CurvePoint, Dataset, Json, Prompt, Trial
from tuneornot.training import examples
from tuneornot.training.examples import Example, Examples
from tuneornot.training.recipe import LATER, QUANTISER, Recipe

if TYPE_CHECKING:
    from tuneornot.models.local.weights import Loaded
    from tuneornot.training.fitting import Fitted

MANIFEST, TRIAL = "manifest.json", "trial.json"
NEEDED = ("torch", "transformers", "peft", "trl", "datasets", "accelerate")
WATCHED = 32
"""Dev cases whose loss is measured at the start and after each epoch."""

Kept = TypeVar("Kept", Adapter, Trial)


class Job(NamedTuple):
    """One training: what the arm is asked with, how it is trained, and which draw it is."""

    prompt: Prompt
    recipe: Recipe
    seed: int
    mixed: Mixed | None = None


def train(
    model: Model,
    loaded: Loaded,
    train_cases: Dataset,
    dev: Dataset,
    *,
    job: Job,
    folder: Path,
    on_point: Callable[[CurvePoint, float], None] | None = None,
) -> Adapter:
    """Train on cases and check the result.

    Args:
        model: answers the checks' questions with the adapter; the one that the arm will use.
        loaded: the same model's weights and tokenizer, left as they are; in NF4 for ``qlora``.
        train_cases: what is learned from.
        dev: what the loss and the answers are watched on.
        job: how it is trained.
        folder: gets the adapter or the whole model, and ``manifest.json``.
        on_point: told each point of the curve and the share of the training that is done.

    Raises:
        TrainingError: there is nothing to train on, the loss diverged, the folder cannot be
            written or holds something else.
        MissingExtra: torch, trl or peft is not installed, or for ``qlora`` bitsandbytes.
    """
    needed = _required_packages(job.recipe)
    from tuneornot.training import fitting

    held = finished(model, train_cases, dev, job=job, folder=folder)
    if held is not None:
        return held
    _require_same_weights(model, loaded, job.recipe)
    settings = _settings(model, train_cases, dev, job)
    built = _examples(train_cases, loaded, job)
    drawn = _drawn(built, loaded, job)
    curve, seconds = _fitted(
        loaded,
        _all(built, drawn),
        dev,
        job=job,
        settings=settings,
        folder=folder,
        on_point=on_point,
    )
    adapter = Adapter(
        path=str(folder),
        weights=fingerprint.of_folder(folder, job.recipe.weights),
        model=model.name,
        data=train_cases.fingerprint,
        seed=job.seed,
        settings={**settings, "template": examples.template_fingerprint(loaded.tokenizer)},
        versions={name: importlib.metadata.version(name) for name in needed},
        curve=curve,
        seconds=seconds,
    )
    checks = check(
        model,
        adapter,
        train_cases,
        dev,
        prompt=job.prompt,
        built=built,
        loaded=loaded if job.recipe.method != "qlora" else _unquantised(model),
        quantised=loaded if job.recipe.method == "qlora" else None,
        drawn=drawn,
    )
    adapter = msgspec.structs.replace(adapter, checks=checks)
    _keep(adapter, folder / MANIFEST)
    fitting.tidy(folder)
    return adapter


def trial(
    model: Model,
    loaded: Loaded,
    train_cases: Dataset,
    dev: Dataset,
    *,
    job: Job,
    folder: Path,
    on_point: Callable[[CurvePoint, float], None] | None = None,
) -> Trial:
    """Train only to see the loss on dev; the weights are not kept, and nothing is asked.

    An interrupted trial goes on, and a finished one is read (see ``tried``). Arguments and errors
    are those of ``train``, except that a loss that diverged is a trial without a loss.
    """
    _required_packages(job.recipe)
    _require_same_weights(model, loaded, job.recipe)
    settings = _settings(model, train_cases, dev, job)
    built, began = _examples(train_cases, loaded, job), time.monotonic()
    taught, loss = _all(built, _drawn(built, loaded, job)), None
    with contextlib.suppress(Diverged):
        curve, _ = _fitted(
            loaded, taught, dev, job=job, settings=settings, folder=folder, on_point=on_point
        )
        losses = [point.dev_loss for point in curve if point.dev_loss is not None][1:]
        if losses:
            loss = losses[-1] if job.recipe.patience is None else min(losses)
    found = Trial(
        recipe=job.recipe.settings,
        dev_loss=loss,
        seconds=time.monotonic() - began,
    )
    shutil.rmtree(folder, ignore_errors=True)
    _keep(found, folder / TRIAL)
    return found


def tried(folder: Path) -> Trial | None:
    """The trial that a folder holds; ``None`` if it is not finished.

    Raises:
        TrainingError: its file is damaged.
    """
    return _read(folder / TRIAL, Trial)


def finished(
    model: Model, train_cases: Dataset, dev: Dataset, *, job: Job, folder: Path
) -> Adapter | None:
    """The adapter that a folder holds already, without loading a model; ``None`` if none is done.

    Raises:
        TrainingError: the folder holds the adapter of another training, or a damaged one.
    """
    held = _read(folder / MANIFEST, Adapter)
    if held is None:
        return None
    wanted: dict[str, Json] = {
        **_settings(model, train_cases, dev, job),
        "model": model.name,
        "seed": job.seed,
    }
    found = {**held.settings, "model": held.model, "seed": held.seed}
    known = {*wanted, *LATER}
    other = sorted(name for name in known if wanted.get(name) != found.get(name))
    if other:
        raise TrainingError(
            f"A folder holds one training, found another in {str(folder)!r} (other: "
            f"{', '.join(other)}). Choose another folder or remove this one."
        )
    if held.weights != fingerprint.of_folder(folder, job.recipe.weights):
        raise TrainingError(
            f"An adapter's files must be those that its manifest names, found others in "
            f"{str(folder)!r}. Remove the folder and run the same command again."
        )
    return msgspec.structs.replace(held, path=str(folder))


def _settings(model: Model, train_cases: Dataset, dev: Dataset, job: Job) -> dict[str, Json]:
    """What determines the result besides model and seed, which the adapter names itself."""
    return {
        **job.recipe.settings,
        "identity": model.identity(),
        "prompt": job.prompt.fingerprint,
        "train": train_cases.fingerprint,
        "dev": dev.fingerprint,
        **({} if job.mixed is None else {"mix": job.mixed.settings}),
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


def _drawn(built: Examples, loaded: Loaded, job: Job) -> Drawn | None:
    if job.mixed is None:
        return None
    longest = job.recipe.longest
    return mixture.draw(
        job.mixed, len(built.kept), loaded.tokenizer, seed=job.seed, longest=longest
    )


def _all(built: Examples, drawn: Drawn | None) -> list[Example]:
    return [*built.kept, *(() if drawn is None else drawn.examples)]


def _fitted(
    loaded: Loaded,
    taught: Sequence[Example],
    dev: Dataset,
    *,
    job: Job,
    settings: dict[str, Json],
    folder: Path,
    on_point: Callable[[CurvePoint, float], None] | None,
) -> Fitted:
    from tuneornot.training import fitting

    shown = spaced(dev.cases, WATCHED)
    watched = examples.build(shown, job.prompt, loaded.tokenizer, longest=job.recipe.longest)
    return fitting.fit(
        loaded.model,
        loaded.tokenizer,
        taught,
        watched.kept,
        recipe=job.recipe,
        seed=job.seed,
        folder=folder,
        plan=fingerprint.of([settings, job.seed]),
        on_point=on_point,
    )


def _required_packages(recipe: Recipe) -> tuple[str, ...]:
    if any(importlib.util.find_spec(name) is None for name in NEEDED):
        raise MissingExtra("Fine-tuning", "local")
    if recipe.method != "qlora":
        return NEEDED
    if importlib.util.find_spec(QUANTISER) is None:
        raise MissingExtra("The method qlora", "qlora")
    return (*NEEDED, QUANTISER)


def _require_same_weights(model: Model, loaded: Loaded, recipe: Recipe) -> None:
    from tuneornot.training import nf4

    if nf4.is_held(loaded.model) != (recipe.method == "qlora"):
        found = "in NF4" if nf4.is_held(loaded.model) else "as they are"
        raise TrainingError(
            f"The method qlora trains beside weights in NF4, and no other does; found weights "
            f"{found} for {recipe.method!r}. Load the model with `nf4` set for qlora alone."
        )
    if loaded.identity != model.identity():
        raise TrainingError(
            f"An adapter must be trained on the weights that it will be used with, found "
            f"{loaded.identity!r} for training and {model.identity()!r} for {model.name!r}. "
            "Load the model again."
        )


def _unquantised(model: Model) -> Loaded:
    from tuneornot.models.local import weights

    return weights.load(model.name)


def _read(path: Path, kind: type[Kept]) -> Kept | None:
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError) as error:
        raise TrainingError(
            f"A folder's {path.name} must be readable, found {str(path)!r} that is not: {error}. "
            "Remove the folder and run the same command again."
        ) from error


def _keep(result: Adapter | Trial, path: Path) -> None:
    """Write the file last and in one move: a folder that holds it is finished."""
    text = msgspec.json.format(msgspec.json.encode(result), indent=2)
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(text + b"\n")
        partial.replace(path)
    except OSError as error:
        raise TrainingError(
            f"What a training gave must be written to {str(path)!r}, but: {error.strerror}. "
            "Make room and run the same command again; a finished training is not repeated."
        ) from error
