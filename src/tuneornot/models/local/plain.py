"""Plain batched answering, for models whose attention cannot be taken in two parts.

Prompts are padded on the left and read whole, with the model's own cache; rows that have ended are
carried along until all have, because not every cache can drop them. It is the reference that
``prefix`` must agree with. It does not share prefixes.
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from tuneornot.models.local.rows import Row


class PlainBatch:
    """At most ``n_most`` rows at a time, begun together and never joined by others."""

    def __init__(self, forward: Callable[..., Any], model: Any, *, pad: int, n_most: int) -> None:
        self._forward = forward
        self._accepted = frozenset(inspect.signature(model.forward).parameters)
        self._device = model.device
        self._pad = pad
        self._n_most = n_most
        self._alive: list[int] = []
        self._seen = torch.empty(0)
        self._cache: dict[str, Any] = {}

    def admit(self, waiting: deque[Row]) -> tuple[list[Row], Tensor] | None:
        """See ``batches.Batch``."""
        if self._alive:
            return None
        fresh = [waiting.popleft() for _ in range(min(self._n_most, len(waiting)))]
        self._alive = list(range(len(fresh)))
        longest = max(len(row.tokens) for row in fresh)
        tokens = torch.full((len(fresh), longest), self._pad)
        self._seen = torch.zeros((len(fresh), longest), dtype=torch.int64, device=self._device)
        for i, row in enumerate(fresh):
            tokens[i, longest - len(row.tokens) :] = torch.tensor(row.tokens)
            self._seen[i, longest - len(row.tokens) :] = 1
        self._cache = {}
        return fresh, self._scores(tokens.to(self._device))

    def answer(self, rows: Sequence[Row]) -> Tensor:
        """See ``batches.Batch``."""
        tokens = torch.full((len(self._seen), 1), self._pad)
        tokens[self._alive, 0] = torch.tensor([row.answer[-1] for row in rows])
        self._seen = torch.cat([self._seen, self._seen.new_ones(len(self._seen), 1)], 1)
        return self._scores(tokens.to(self._device))

    def leave(self, sources: list[int], targets: list[int], n_left: int) -> None:
        """See ``batches.Batch``."""
        for source, target in zip(sources, targets, strict=True):
            self._alive[target] = self._alive[source]
        del self._alive[n_left:]

    @torch.inference_mode()
    def _scores(self, tokens: Tensor) -> Tensor:
        places = (self._seen.cumsum(1) - 1).clamp(min=0)[:, -tokens.shape[1] :]
        offered = {"attention_mask": self._seen, "position_ids": places, "logits_to_keep": 1}
        taken = {name: value for name, value in offered.items() if name in self._accepted}
        out = self._forward(input_ids=tokens, use_cache=True, **taken, **self._cache)
        # The output names its cache as the next call wants it back; the name varies by model.
        self._cache = {
            name: out[name]
            for name in ("cache", "past_key_values", "cache_params")
            if name in self._accepted and out.get(name) is not None
        }
        scores: Tensor = out.logits[self._alive, -1]
        return scores
