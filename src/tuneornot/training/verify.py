"""What can be verified of a training: its batches, its weights, and the answers that they serve.

All look at the very things that were used: the batches as the trainer lays them out, the file that
was saved, the answers that came. They state counts and judge nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from peft import PeftModel
from safetensors import safe_open
from transformers import PreTrainedModel

from tuneornot.training import full, quiet
from tuneornot.training.batches import collate
from tuneornot.training.examples import IGNORED, Example
from tuneornot.training.trainer import answer_logits, can_share, placed
from tuneornot.training.twins import twin

WEIGHTS = "adapter_model.safetensors"


class Masked(NamedTuple):
    """What the loss sees of a set of examples."""

    n_trained: int
    """Positions that count in the loss."""
    n_tokens: int
    """All tokens of the examples."""
    n_wrong: int
    """Examples whose positions in the loss are not their answers, in order."""
    n_idle: int
    """Examples without any position in the loss."""


class Update(NamedTuple):
    """What a training changed: the matrices B of an adapter, or what was added to each weight.

    Either is zero before training.
    """

    n_matrices: int
    n_zero: int
    norm: float
    """Root mean square over all of their entries."""


def masked(examples: Sequence[Example], *, batch_size: int) -> Masked:
    """Lay examples out as batches and compare what is trained on with what should be."""
    n_trained = n_wrong = n_idle = 0
    for start in range(0, len(examples), batch_size):
        rows = examples[start : start + batch_size]
        batch = collate(rows, pad=0)
        for row, ids, labels in zip(rows, batch["input_ids"], batch["labels"], strict=True):
            counted = labels != IGNORED
            n_trained += int(counted.sum())
            n_idle += not bool(counted.any())
            seen = tuple(ids[counted].tolist())
            n_wrong += seen != row.answer or tuple(labels[counted].tolist()) != row.answer
    return Masked(n_trained, sum(len(row) for row in examples), n_wrong, n_idle)


def update(base: PreTrainedModel, folder: Path) -> Update:
    """Read what a training left: a saved adapter, or whole weights beside those of the base."""
    n_matrices = n_zero = n_entries = 0
    squares = 0.0
    for change in _added(base, folder) if full.is_whole(folder) else _matrices_b(folder):
        n_matrices += 1
        n_zero += not bool(change.any())
        n_entries += change.numel()
        squares += float((change * change).sum())
    return Update(n_matrices, n_zero, (squares / max(1, n_entries)) ** 0.5)


def _matrices_b(folder: Path) -> Iterator[torch.Tensor]:
    with safe_open(folder / WEIGHTS, framework="pt") as held:
        for name in held.keys():  # noqa: SIM118 - not a mapping
            if "lora_B" in name:
                yield held.get_tensor(name).float()


def _added(base: PreTrainedModel, folder: Path) -> Iterator[torch.Tensor]:
    before = dict(base.named_parameters())
    for name, weight in full.load(folder, base).named_parameters():
        yield weight.detach().float() - before[name].detach().float()


@torch.no_grad()
def gaps(base: PreTrainedModel, folder: Path, rows: Sequence[Example]) -> list[float]:
    """How far each answer is from the greedy one of what was saved.

    Args:
        base: the model that was trained; not changed.
        folder: of an adapter, which is read beside the base model, or of a whole model.
        rows: questions with the answers to be read, each of at least one token.

    Returns:
        For each row the largest distance, in nats, from the likeliest token at a place to the one
        that stands there: 0 where the answer is the greedy one.
    """
    with quiet.libraries():
        model: torch.nn.Module = (
            full.load(folder, base)
            if full.is_whole(folder)
            else PeftModel.from_pretrained(twin(base), str(folder)).eval()
        )
    found = []
    for row in rows:
        batch = placed(collate([row], pad=0, share=can_share(base)), base.device)
        logits, labels = answer_logits(model, batch)
        chosen = logits.gather(1, labels[:, None])[:, 0]
        found.append(float((logits.max(dim=1).values - chosen).max()))
    return found
