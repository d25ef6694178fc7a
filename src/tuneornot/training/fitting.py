"""Training with TRL, on a CPU or one GPU: an adapter (``lora``, ``qlora``) or all weights.

``fit`` trains what the method makes of the model, never the one that answers. Training goes on from
its last checkpoint after an interruption, with the result that it would have had (on one machine
with the same number of threads).

It knows examples, not cases; it does not know what the result is for, how it is served, or whether
it is any good. Training on several GPUs or machines is not covered.
"""

from __future__ import annotations

import contextlib
import json
import math
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import torch
import transformers
from datasets import Dataset as Table
from peft import PeftModel
from safetensors import SafetensorError
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from transformers.trainer_callback import PrinterCallback
from trl.trainer.sft_config import SFTConfig

from tuneornot.errors import TrainingError
from tuneornot.records import CurvePoint
from tuneornot.training import full, lora, quiet
from tuneornot.training.batches import collate
from tuneornot.training.examples import IGNORED, Example
from tuneornot.training.recipe import Recipe
from tuneornot.training.trainer import AnswerTrainer, can_share
from tuneornot.training.watcher import STATE, OnPoint, Watcher

CHECKPOINTS = "checkpoints"
N_CHECKPOINTS = 8
"""Times that a training is saved on its way, about evenly."""
N_POINTS = 50
"""Points of the training loss that are kept, about evenly."""
LOGIT_BYTES = 512 * 2**20
"""Memory that the output head of one batch may take; larger batches are done in parts."""


class Fitted(NamedTuple):
    """What a training left."""

    curve: tuple[CurvePoint, ...]
    seconds: float
    """Time spent in training, of interrupted attempts only what their last checkpoint kept."""


def fit(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    train: Sequence[Example],
    dev: Sequence[Example],
    *,
    recipe: Recipe,
    seed: int,
    folder: Path,
    plan: str,
    on_point: OnPoint | None = None,
) -> Fitted:
    """Train and write the result to a folder: an adapter in PEFT's format, or a whole model.

    Args:
        model: the base, in NF4 for ``qlora``; not changed.
        tokenizer: for its padding token; saved beside whole weights.
        train: examples to learn from, at least one.
        dev: examples whose loss is measured at the start and after each epoch; may be empty.
        recipe: the settings.
        seed: of the adapter's first values, of the order and of dropout.
        folder: gets what ``lora.save`` or ``full.save`` writes, and ``checkpoints``, from which an
            interrupted training goes on; ``tidy`` removes them.
        plan: names everything that determines the result; checkpoints of another plan are removed.
        on_point: told of each point of the curve.

    Raises:
        Diverged: the loss is not a number.
        TrainingError: the folder cannot be written.
    """
    checkpoints = folder / CHECKPOINTS / plan
    with quiet.libraries(), _told():
        _remove_others(checkpoints)
        trainer = _trainer(model, tokenizer, train, recipe=recipe, seed=seed, folder=checkpoints)
        trainer.remove_callback(PrinterCallback)
        watcher = Watcher(trainer, dev, on_point, patience=recipe.patience)
        trainer.add_callback(watcher)
        last = _last_checkpoint(checkpoints)
        if last is None or not watcher.had_ended(last):
            trainer.train(resume_from_checkpoint=last)
        watcher.restore_best()
        if recipe.method == "full":
            full.save(cast(PreTrainedModel, trainer.model), tokenizer, folder)
        else:
            lora.save(cast(PeftModel, trainer.model), folder)
    return Fitted(watcher.curve(), watcher.seconds())


def tidy(folder: Path) -> None:
    """Remove the checkpoints of a training whose result is safe."""
    shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)


def _trainer(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    train: Sequence[Example],
    *,
    recipe: Recipe,
    seed: int,
    folder: Path,
) -> AnswerTrainer:
    transformers.set_seed(seed)
    method = full if recipe.method == "full" else lora
    share = can_share(model)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
    table = Table.from_dict(
        {"input_ids": [row.tokens for row in train], "labels": [row.labels for row in train]}
    )
    trainer = AnswerTrainer(
        model=method.trainable(model, recipe),
        args=_arguments(model, train, recipe=recipe, seed=seed, folder=folder),
        train_dataset=table,
        processing_class=tokenizer,
        data_collator=lambda rows: dict(
            collate([_example(row) for row in rows], pad=pad, share=share)
        ),
    )
    if recipe.method == "qlora":
        # TRL makes it bfloat16, which loses small steps; an adapter of lora is trained in float32.
        for one in cast(torch.nn.Module, trainer.model).parameters():
            one.data = one.data.float() if one.requires_grad else one.data
    return trainer


def _arguments(
    model: PreTrainedModel, train: Sequence[Example], *, recipe: Recipe, seed: int, folder: Path
) -> SFTConfig:
    n_parts = _parts(model, train, recipe.batch_size)
    n_updates = recipe.epochs * math.ceil(len(train) / recipe.batch_size)
    on_cpu = model.device.type == "cpu"
    arguments = SFTConfig(
        output_dir=str(folder),
        per_device_train_batch_size=recipe.batch_size // n_parts,
        gradient_accumulation_steps=n_parts,
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.rate,
        lr_scheduler_type="cosine",
        warmup_steps=recipe.warmup,
        weight_decay=recipe.weight_decay,
        seed=seed,
        use_cpu=on_cpu,
        bf16=model.dtype == torch.bfloat16,
        gradient_checkpointing=False,
        dataloader_pin_memory=not on_cpu,
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        logging_steps=max(1, n_updates // N_POINTS),
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=max(1, n_updates // N_CHECKPOINTS),
        save_total_limit=1,
        report_to="none",
        disable_tqdm=True,
    )
    # The trainer would spread over all GPUs that it sees, which TRL's forward pass cannot.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments


def _parts(model: PreTrainedModel, train: Sequence[Example], batch_size: int) -> int:
    """Into how many equal parts a batch is cut so that the output head fits its memory."""
    longest = max(len(row.answer) for row in train) + 1
    row_bytes = longest * model.config.get_text_config().vocab_size * 4
    divisors = [n for n in range(1, batch_size + 1) if batch_size % n == 0]
    return next((n for n in divisors if batch_size // n * row_bytes <= LOGIT_BYTES), batch_size)


def _example(row: dict[str, list[int]]) -> Example:
    n_prompt = row["labels"].count(IGNORED)
    ids = tuple(row["input_ids"])
    return Example("", ids[:n_prompt], ids[n_prompt:])


def _remove_others(checkpoints: Path) -> None:
    for other in checkpoints.parent.glob("*"):
        if other != checkpoints:
            shutil.rmtree(other)


def _last_checkpoint(folder: Path) -> str | None:
    """The newest checkpoint that was written to its end: its state file comes last."""
    for found in sorted(folder.glob("checkpoint-*"), key=lambda path: -int(path.name[11:])):
        with contextlib.suppress(OSError, ValueError):
            json.loads((found / STATE).read_text(encoding="utf-8"))
            return str(found)
    return None


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turn a failure to write into a sentence."""
    try:
        yield
    except OSError as error:
        raise _unwritable(error.strerror or str(error)) from error
    except SafetensorError as error:
        raise _unwritable(str(error)) from error
    except RuntimeError as error:
        # What torch raises when a file ends too early under its writer.
        if "PytorchStreamWriter" not in str(error) and "write" not in str(error):
            raise
        raise _unwritable(str(error).splitlines()[0]) from error


def _unwritable(reason: str) -> TrainingError:
    return TrainingError(
        f"A training must be able to save its result and checkpoints, but: {reason}. "
        "Make room or choose another folder, and run the same command again: it goes on from the "
        "last checkpoint."
    )
