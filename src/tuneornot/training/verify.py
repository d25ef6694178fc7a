"""What can be verified of a training without asking the model: its batches, and its weights.

Both look at the very things that were used: the batches as the trainer lays them out, and the file
that was saved. They state counts and judge nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from safetensors import safe_open

from tuneornot.training.batches import collate
from tuneornot.training.examples import IGNORED, Example

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
    """The matrices B of a saved adapter; each is zero before training."""

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


def update(folder: Path) -> Update:
    """Read a saved adapter's matrices B."""
    n_matrices = n_zero = n_entries = 0
    squares = 0.0
    with safe_open(folder / WEIGHTS, framework="pt") as held:
        for name in held.keys():  # noqa: SIM118 - not a mapping
            if "lora_B" not in name:
                continue
            matrix = held.get_tensor(name).float()
            n_matrices += 1
            n_zero += not bool(matrix.any())
            n_entries += matrix.numel()
            squares += float((matrix * matrix).sum())
    return Update(n_matrices, n_zero, (squares / max(1, n_entries)) ** 0.5)
