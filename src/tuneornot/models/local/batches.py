"""A batch of rows behind one shared prefix, and the loop that answers rows in batches.

It refuses to know prompts, and how scores become tokens and tokens an ending (``rows``).
``plain.PlainBatch`` is the other kind of batch, for models that ``prefix`` does not cover.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

from tuneornot.models.base import Reply
from tuneornot.models.local.forms import within
from tuneornot.models.local.prefix import Prefix, Slots
from tuneornot.models.local.prefixed import Forward, answer, read
from tuneornot.models.local.rows import Ending, Row, choose, weigh

READ_AT_ONCE = 512
"""Prompt tokens read in one pass (one row may exceed it): full speed, little memory."""


class Batch(Protocol):
    """Rows that are answered together; the batch's row i is row i of the caller's list."""

    def admit(self, waiting: deque[Row]) -> tuple[list[Row], Tensor] | None:
        """Take rows from the left of the queue behind those present, and read their prompts.

        Returns:
            The rows taken and the scores [rows, vocabulary] of their first tokens, or None where
            no row is welcome now.
        """
        ...

    def answer(self, rows: Sequence[Row]) -> Tensor:
        """Read the newest token of every row; scores [rows, vocabulary] of the next."""
        ...

    def leave(self, sources: list[int], targets: list[int], n_left: int) -> None:
        """Keep n rows: those at the sources take the places of the targets, the rest stay."""
        ...


def decode(batch: Batch, rows: Sequence[Row], ending: Ending) -> Iterator[tuple[int, Reply]]:
    """Answer rows, begun in the order given; yield (position, reply) as each ends."""
    waiting = deque(rows)
    present: list[Row] = []
    while waiting or present:
        started_s = time.perf_counter()
        while waiting and (joined := batch.admit(waiting)) is not None:
            fresh, scores = joined
            for row in fresh:
                row.began_s = started_s
            first = len(present)
            present += fresh
            yield from _advance(batch, present, scores, first, ending)
            started_s = time.perf_counter()
        for row in present:
            row.load = max(row.load, len(present))
        if present:
            yield from _advance(batch, present, batch.answer(present), 0, ending)


def _advance(
    batch: Batch, present: list[Row], scores: Tensor, first: int, ending: Ending
) -> Iterator[tuple[int, Reply]]:
    """Give each row from the first on its next token; those that it ends leave the batch."""
    ended: dict[int, Reply] = {}
    advanced = present[first:]
    chosen = choose(within(scores, [row.held for row in advanced]), advanced)
    weigh(scores, advanced, chosen)
    now_s = time.perf_counter()
    for i, token in enumerate(chosen, start=first):
        if not present[i].answer:
            present[i].first_s = now_s
        present[i].take(token)
        if (reply := ending.of(present[i])) is not None:
            ended[i] = reply
    if not ended:
        return
    replies = [(present[i].position, reply) for i, reply in ended.items()]
    n_left = len(present) - len(ended)
    targets = [i for i in ended if i < n_left]
    sources = [i for i in range(n_left, len(present)) if i not in ended]
    batch.leave(sources, targets, n_left)
    for source, target in zip(sources, targets, strict=True):
        present[target] = present[source]
    del present[n_left:]
    yield from replies


class PartsBatch:
    """Rows behind one shared prefix, each in a slot; free slots are filled again and again."""

    def __init__(self, forward: Forward, prefix: Prefix, slots: Slots) -> None:
        self._forward = forward
        self._prefix = prefix
        self._slots = slots
        self._n_rows = 0
        self._filling = True

    def admit(self, waiting: deque[Row]) -> tuple[list[Row], Tensor] | None:
        """See ``Batch``. Once full, it waits for a quarter of its slots: fewer, fuller passes."""
        n_free = self._slots.n_slots - self._n_rows
        self._filling = n_free > 0 and (self._filling or n_free >= self._slots.n_slots / 4)
        if not self._filling:
            return None
        fresh = [waiting.popleft()]
        n_tokens = len(fresh[0].tokens)
        while waiting and len(fresh) < n_free:
            n_tokens += len(waiting[0].tokens)
            if n_tokens > READ_AT_ONCE:
                break
            fresh.append(waiting.popleft())
        self._filling = bool(waiting)
        return fresh, self._read([row.tokens for row in fresh])

    def _read(self, texts: list[tuple[int, ...]]) -> Tensor:
        first = self._n_rows
        self._n_rows += len(texts)
        return read(self._forward, self._prefix, self._slots, texts, first=first)

    def answer(self, rows: Sequence[Row]) -> Tensor:
        """See ``Batch``."""
        newest = [row.answer[-1] for row in rows]
        places = [len(row.tokens) + len(row.answer) - 1 for row in rows]
        return answer(self._forward, self._prefix, self._slots, newest, places=places)

    @torch.inference_mode()
    def leave(self, sources: list[int], targets: list[int], n_left: int) -> None:
        """See ``Batch``."""
        if sources:
            self._slots.move(sources, targets)
        self._n_rows = n_left
