"""How fast an adapter is trained: from TRL's trainer as it comes to ours, and by lora and qlora.

    python benchmarks/training_speed.py [--what steps methods] [--cases 24] [--rounds 2]

Every variant trains the same examples of the embedded model for one epoch, in turn within each
round. Given are tokens (prompt and answer) for each second of processor time, best of the rounds,
and the ratio to the first line; processor time, because a shared machine distorts the clock. The
methods are measured each in a process of its own, with the bytes of the weights that are trained
beside and the process's largest resident set.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
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
MODEL = "local:smollm2-135m"


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


def with_ours(
    loaded: weights.Loaded, rows: list[Example], folder: Path, recipe: Recipe = RECIPE
) -> Callable[[], object]:
    """The package's trainer, checkpoints included."""
    trainer = fitting._trainer(
        loaded.model, loaded.tokenizer, rows, recipe=recipe, seed=1, folder=folder
    )
    trainer.callback_handler.callbacks.clear()
    return trainer.train


class Measured(NamedTuple):
    seconds: float
    n_tokens: int
    weight_bytes: int
    peak_bytes: int


def by_method(method: str, n_cases: int) -> Measured:
    """One training of one method, in a process that does nothing else."""
    recipe = msgspec.convert({**RECIPE.settings, "method": method}, Recipe)
    loaded = weights.load(MODEL, nf4=method == "qlora")
    rows = examples_of(loaded, n_cases)
    with tempfile.TemporaryDirectory() as folder, quiet.libraries():
        train = with_ours(loaded, rows, Path(folder), recipe)
        began = time.process_time()
        train()
        seconds = time.process_time() - began
    peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return Measured(seconds, sum(map(len, rows)), loaded.model.get_memory_footprint(), peak)


def examples_of(loaded: weights.Loaded, n_cases: int) -> list[Example]:
    cases = legal_citations.cases()[0][:n_cases]
    prompt = Prompt(instructions=TASK)
    return list(examples.build(cases, prompt, loaded.tokenizer, longest=RECIPE.longest).kept)


def methods(n_cases: int, rounds: int) -> None:
    best: dict[str, Measured] = {}
    for _ in range(rounds):
        for method in ("lora", "qlora"):
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=context) as alone:
                found = alone.submit(by_method, method, n_cases).result()
            best[method] = min(found, best.get(method, found))
    for method, one in best.items():
        print(
            f"{method:6} {one.n_tokens / one.seconds:6.0f} tokens/s  "
            f"x{best['lora'].seconds / one.seconds:.2f}  weights {one.weight_bytes / 1e6:.0f} MB, "
            f"largest resident set {one.peak_bytes / 1e9:.2f} GB"
        )


def steps(n_cases: int, rounds: int) -> None:
    loaded = weights.load(MODEL)
    rows = examples_of(loaded, n_cases)
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
    for _ in range(rounds):
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = {"steps": steps, "methods": methods}
    parser.add_argument("--what", nargs="+", choices=[*known], default=[*known])
    parser.add_argument("--cases", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    transformers.set_seed(0)
    for name in asked.what:
        known[name](asked.cases, asked.rounds)


if __name__ == "__main__":
    main()
