"""Batches of examples in which the tokens that all rows share stand once.

Rows of one training mostly begin with the same system prompt. It is laid out once for the batch
(``prefix``), computed once, and its keys and values are shared by all rows: the same loss and the
same gradients as full rows, for less work. Rows are padded on the left, so that all answers end in
the last column and the output head runs on the last ``keep`` columns only.

Order: batches are of like length but come in random order, so that little is padded and the lengths
do not rise or fall through an epoch. This file knows no model and no trainer.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import TypedDict

import torch
from torch.utils.data import Sampler

from tuneornot.training.examples import IGNORED, Example

SHORTEST_PREFIX = 8
"""A shorter common beginning is not worth a pass of its own."""
POOL = 8
"""Batches among which examples are sorted by length."""


class Batch(TypedDict):
    """Tensors of one batch: B rows, P shared tokens, S columns."""

    prefix: torch.Tensor
    """[1, P] tokens that all rows begin with; P may be 0."""
    input_ids: torch.Tensor
    """[B, S] each row's own tokens, padded on the left."""
    attention_mask: torch.Tensor
    """[B, P + S] 0 on padding."""
    position_ids: torch.Tensor
    """[B, S] places in the whole row, from P on."""
    labels: torch.Tensor
    """[B, S] answer tokens, else ``IGNORED``."""


def collate(rows: Sequence[Example], *, pad: int, share: bool = True) -> Batch:
    """Lay out examples as one batch.

    Args:
        rows: at least one example.
        pad: token for the empty places; any valid one, it is masked.
        share: whether the model can compute a common beginning apart.
    """
    n_shared = shared(rows) if share else 0
    width = max(len(row) for row in rows) - n_shared
    ids = torch.full((len(rows), width), pad)
    labels = torch.full((len(rows), width), IGNORED)
    mask = torch.ones((len(rows), n_shared + width), dtype=torch.long)
    for place, row in enumerate(rows):
        n_own = len(row) - n_shared
        ids[place, width - n_own :] = torch.tensor(row.tokens[n_shared:])
        labels[place, width - n_own :] = torch.tensor(row.labels[n_shared:])
        mask[place, n_shared : n_shared + width - n_own] = 0
    return Batch(
        prefix=torch.tensor([rows[0].tokens[:n_shared]], dtype=torch.long).reshape(1, n_shared),
        input_ids=ids,
        attention_mask=mask,
        position_ids=(mask.cumsum(1) - 1)[:, n_shared:].clamp(min=0),
        labels=labels,
    )


def shared(rows: Sequence[Example]) -> int:
    """Number of tokens that all prompts begin with, 0 if too few to be worth it.

    At least one prompt token stays in every row, since its output predicts the answer's first.
    """
    columns = zip(*(row.prompt for row in rows), strict=False)
    n = sum(1 for _ in itertools.takewhile(lambda column: len(set(column)) == 1, columns))
    n = min(n, min(len(row.prompt) for row in rows) - 1)
    return n if n >= SHORTEST_PREFIX and len(rows) > 1 else 0


class LikeLengths(Sampler[int]):
    """Indices in batches of like length, in an order that depends on seed and epoch only."""

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self.lengths = lengths
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order is drawn; called by the training loop."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        draw = random.Random(f"{self.seed} {self.epoch}")
        order = draw.sample(range(len(self.lengths)), len(self.lengths))
        pool = POOL * self.batch_size
        batches: list[list[int]] = []
        for start in range(0, len(order), pool):
            near = sorted(order[start : start + pool], key=lambda index: self.lengths[index])
            batches += [
                near[at : at + self.batch_size] for at in range(0, len(near), self.batch_size)
            ]
        # The one short batch must come last: the loop cuts the flat order into equal pieces.
        full = [batch for batch in batches if len(batch) == self.batch_size]
        draw.shuffle(full)
        rest = [batch for batch in batches if len(batch) < self.batch_size]
        for batch in full + rest:
            yield from batch
