"""How fast an adapter is trained, step by step from TRL's trainer as it comes to ours.

    python benchmarks/training_speed.py [--cases 24] [--rounds 2]

Every variant trains the same examples of the embedded model for one epoch, in turn within each
round. Given are tokens (prompt and answer) for each second of processor time, best of the rounds,
and the ratio to the first line; processor time, because a shared machine distorts the clock.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from datasets import Dataset as Table
from peft import LoraConfig, get_peft_model
from trl import SFTConfig, SFTTrainer

from tuneornot.examples import legal_citations
from tuneornot.models.local import weights
from tuneornot.records import Prompt
from tuneornot.training import batches, examples, fitting, quiet, twins
from tuneornot.training.examples import Example
from tuneornot.training.recipe import Recipe

TASK = (
    "Convert a legal citation to JSON with the keys volume, reporter, page and year. "
    "Write the reporter in its standard abbreviation."
)
RECIPE = Recipe(epochs=1)


def with_trl(
    loaded: weights.Loaded, rows: list[Example], folder: Path, **settings: Any
) -> Callable[[], object]:
    """TRL's own trainer on the same tokens and labels."""
    adapted = get_peft_model(
        twins.twin(loaded.model),
        LoraConfig(
            task_type="CAUSAL_LM",
            r=RECIPE.rank,
            lora_alpha=RECIPE.alpha,
            target_modules="all-linear",
        ),
    )
    table = Table.from_dict(
        {"input_ids": [row.tokens for row in rows], "labels": [row.labels for row in rows]}
    )
    trainer = SFTTrainer(
        model=adapted,
        args=SFTConfig(
            output_dir=str(folder),
            per_device_train_batch_size=RECIPE.batch_size,
            num_train_epochs=1,
            use_cpu=loaded.model.device.type == "cpu",
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            logging_steps=10_000,
            **settings,
        ),
        train_dataset=table,
        processing_class=loaded.tokenizer,
    )
    trainer.callback_handler.callbacks.clear()
    return trainer.train


def with_ours(loaded: weights.Loaded, rows: list[Example], folder: Path) -> Callable[[], object]:
    """The package's trainer, checkpoints included."""
    trainer = fitting._trainer(
        loaded.model, loaded.tokenizer, rows, recipe=RECIPE, seed=1, folder=folder
    )
    trainer.callback_handler.callbacks.clear()
    return trainer.train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    transformers.set_seed(0)
    loaded = weights.load("local:smollm2-135m")
    cases = legal_citations.cases()[0][: asked.cases]
    rows = list(
        examples.build(
            cases, Prompt(instructions=TASK), loaded.tokenizer, longest=RECIPE.longest
        ).kept
    )
    shortest = batches.SHORTEST_PREFIX
    plain = {"bf16": False, "gradient_checkpointing": False}
    variants: dict[str, tuple[Callable[..., Callable[[], object]], dict[str, Any], int]] = {
        "TRL as it comes": (with_trl, {}, shortest),
        "TRL, no autocast": (with_trl, {"bf16": False}, shortest),
        "TRL, nor checkpointing": (with_trl, plain, shortest),
        "head on answers, like lengths": (with_ours, {}, 10**9),
        "and shared beginnings (ours)": (with_ours, {}, shortest),
    }
    best: dict[str, float] = {}
    for _ in range(asked.rounds):
        for name, (make, settings, least) in variants.items():
            with tempfile.TemporaryDirectory() as folder, quiet.libraries():
                batches.SHORTEST_PREFIX = least
                train = make(loaded, rows, Path(folder), **settings)
                began = time.process_time()
                train()
                seconds = time.process_time() - began
            best[name] = min(seconds, best.get(name, seconds))
    n_tokens, first = sum(map(len, rows)), next(iter(best.values()))
    print(f"{len(rows)} cases, {n_tokens} tokens, {loaded.model.dtype}, {torch.get_num_threads()}")
    for name, seconds in best.items():
        print(f"{name:32} {n_tokens / seconds:6.0f} tokens/s  x{first / seconds:.2f}")


if __name__ == "__main__":
    main()
