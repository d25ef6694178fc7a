"""Attention in two parts: a prefix that all rows share, and what each row has of its own.

Prompts with the same instructions and demonstrations differ only at their ends. The prefix's keys
and values are computed once and kept once; the queries of all rows meet them in one product, as if
they were one long row. Each row's own tokens are a second, small attention. Both are softmaxes over
disjoint keys, so with their log-sum-exps a and b the whole is exactly

    out = out_prefix * sigmoid(a - b) + out_own * (1 - sigmoid(a - b))

Tokens are packed: a forward pass sees one sequence of N tokens that belong to many rows, so that no
product is spent on padding. Everything is handed to the model's layers by keyword (``parts``), no
cache class of transformers is involved.

It refuses to know prompts, sampling and when an answer ends. It does not cover layers whose
attention is windowed, capped or has sinks (``prefixed.cover`` finds out).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import AttentionInterface

NAME = "tuneornot_parts"
"""The attention's name in the registry of transformers."""


@dataclass
class Prefix:
    """Keys and values of the tokens that all rows begin with; empty for rows that share nothing."""

    tokens: tuple[int, ...] = ()
    keys: list[Tensor] = field(default_factory=list)
    """For each layer [1, key heads, tokens, head size]."""
    values: list[Tensor] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.tokens)

    def first(self, n: int) -> Prefix:
        """Its first n tokens, without copying."""
        if n == len(self):
            return self
        keys = [key[:, :, :n] for key in self.keys]
        return Prefix(self.tokens[:n], keys, [value[:, :, :n] for value in self.values])


class Slots:
    """Keys and values of the rows' own tokens, one slot for a row, filled from the left.

    Room is reserved for every slot at full length.
    """

    def __init__(
        self, n_slots: int, length: int, *, dtype: torch.dtype, device: torch.device
    ) -> None:
        self.n_slots = n_slots
        self.length = length
        self.dtype = dtype
        self.device = device
        self.keys: list[Tensor] = []
        """For each layer [slots, key heads, length, head size]."""
        self.values: list[Tensor] = []

    def write(self, layer: int, key: Tensor, value: Tensor, where: tuple[Tensor, Tensor]) -> None:
        """Keep the keys and values [1, heads, N, size] of N tokens at (slots, places) of each N."""
        if layer == len(self.keys):
            self.keys.append(self._zeros(key))
            self.values.append(self._zeros(value))
        slots, places = where
        self.keys[layer][slots, :, places] = key[0].transpose(0, 1)
        self.values[layer][slots, :, places] = value[0].transpose(0, 1)

    def _zeros(self, like: Tensor) -> Tensor:
        """Room for all slots. It must be finite: a masked place has weight 0, and 0 * nan is nan.

        On a CPU numpy asks the system for zero pages, which exist only once they are written to;
        torch would write them all.
        """
        shape = (self.n_slots, like.shape[1], self.length, like.shape[3])
        if self.device.type != "cpu":
            return like.new_zeros(shape)
        zeros = np.zeros(math.prod(shape) * like.dtype.itemsize, dtype=np.uint8)
        return torch.from_numpy(zeros).view(like.dtype).view(shape)

    def move(self, sources: list[int], targets: list[int]) -> None:
        """Overwrite the target slots by the source slots."""
        for kept in (*self.keys, *self.values):
            kept[targets] = kept[sources]


@dataclass
class Parts:
    """What the layers need to know of one forward pass over N packed tokens."""

    prefix: Prefix
    slots: Slots
    where: tuple[Tensor, Tensor]
    """Slot and place within the slot of each token; two int64 tensors [N]."""
    rows: slice
    """The slots that take part: all of their tokens are among the N."""
    longest: int
    """Places in use in the fullest of these slots, after this pass."""
    mask: Tensor | None
    """Answering, one token a row: [rows, 1, 1, longest], 0 where a slot is filled, else -inf.
    ``None``: the rows' first tokens are read, N tokens in all."""


def attend(
    query: Tensor, key: Tensor, value: Tensor, *, scale: float, mask: Tensor | None, causal: bool
) -> tuple[Tensor, Tensor]:
    """Softmax attention together with the log of its denominator.

    Args:
        query: [batch, heads, N, size].
        key: [batch, key heads, M, size]; heads are a multiple of key heads.
        value: like key.
        scale: factor of the products.
        mask: added to the scaled products, broadcast to [batch, heads, N, M].
        causal: query i sees keys 0..i only.

    Returns:
        The output [batch, heads, N, size] and the log-sum-exp [batch, heads, N] in float32.
    """
    if query.device.type == "cpu":
        flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
        out, total = flash(query, key, value, 0.0, causal, attn_mask=mask, scale=scale)
        return out, total.float()
    return attend_plainly(query, key, value, scale=scale, mask=mask, causal=causal)


def attend_plainly(
    query: Tensor, key: Tensor, value: Tensor, *, scale: float, mask: Tensor | None, causal: bool
) -> tuple[Tensor, Tensor]:
    """``attend`` written out in matrix products, for devices without a kernel that tells both."""
    n_times = query.shape[1] // key.shape[1]
    key, value = (kept.repeat_interleave(n_times, 1) for kept in (key, value))
    weights = torch.matmul(query, key.transpose(-1, -2)).float() * scale
    if mask is not None:
        weights = weights + mask
    if causal:
        later = torch.ones(weights.shape[-2:], dtype=torch.bool, device=weights.device).triu(1)
        weights = weights.masked_fill(later, -torch.inf)
    total = weights.logsumexp(-1)
    shares = torch.exp(weights - total[..., None]).to(value.dtype)
    return torch.matmul(shares, value), total


def attention(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    parts: Parts,
    scaling: float | None = None,
    **others: Any,
) -> tuple[Tensor, None]:
    """The attention function of a layer, as transformers calls it.

    Args:
        module: the layer's attention; only its number ``layer_idx`` is used.
        query: [1, heads, N, size] of the N packed tokens, positions already applied.
        key: [1, key heads, N, size].
        value: like key.
        attention_mask: not used, ``parts`` says what is seen.
        parts: the rows that the tokens belong to, and their shared prefix.
        scaling: factor of the products; by default size ** -0.5.
        others: variants that the model's layers ask for; any that changes the result is refused.

    Returns:
        The output [1, N, heads, size], and None in place of the weights.

    Raises:
        NotImplementedError: the layer asks for a window, a cap, sinks or a bias.
    """
    for variant in ("sliding_window", "softcap", "s_aux", "position_bias"):
        if others.get(variant) is not None:
            raise NotImplementedError(f"attention in two parts does not cover {variant!r}")
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    layer = int(module.layer_idx)  # type: ignore[arg-type]
    parts.slots.write(layer, key, value, parts.where)
    reading = parts.mask is None
    out, total = (_read if reading else _answer)(parts, layer, query, (key, value), scale)
    if len(parts.prefix):
        out = _with_prefix(parts.prefix, layer, query, (out, total), scale)
    return out.transpose(1, 2).contiguous(), None


def _with_prefix(
    prefix: Prefix, layer: int, query: Tensor, own: tuple[Tensor, Tensor], scale: float
) -> Tensor:
    """Add what the tokens see of the prefix to what they see of their own rows."""
    out, total = own
    _, heads, n, size = query.shape
    key, value = prefix.keys[layer], prefix.values[layer]
    # Heads that share a key head are laid one after another: one product instead of several.
    stacked = query.reshape(1, key.shape[1], -1, size)
    seen, seen_total = attend(stacked, key, value, scale=scale, mask=None, causal=False)
    share = torch.sigmoid(seen_total.reshape(1, heads, n, 1) - total[..., None])
    return torch.lerp(out, seen.reshape(1, heads, n, size), share.to(out.dtype))


def _answer(
    parts: Parts, layer: int, query: Tensor, fresh: tuple[Tensor, Tensor], scale: float
) -> tuple[Tensor, Tensor]:
    """One token for each row against the row's slot: [1, heads, rows, size], [1, heads, rows]."""
    key = parts.slots.keys[layer][parts.rows, :, : parts.longest]
    value = parts.slots.values[layer][parts.rows, :, : parts.longest]
    _, heads, n, size = query.shape
    grouped = query[0].transpose(0, 1).reshape(n, key.shape[1], -1, size)
    out, total = attend(grouped, key, value, scale=scale, mask=parts.mask, causal=False)
    return (
        out.reshape(1, n, heads, size).transpose(1, 2),
        total.reshape(1, n, heads).transpose(1, 2),
    )


def _read(
    parts: Parts, layer: int, query: Tensor, fresh: tuple[Tensor, Tensor], scale: float
) -> tuple[Tensor, Tensor]:
    """The first tokens of rows, each row for itself and causal: shapes as in ``_answer``.

    Rows are padded on the right only here, where that costs little; the padding sees and is seen
    by nothing that is kept.
    """
    slots, places = parts.where
    n_rows = parts.rows.stop - parts.rows.start
    if n_rows == 1:
        return attend(query, *fresh, scale=scale, mask=None, causal=True)
    spot = (slots - parts.rows.start, places)
    padded = []
    for tokens in (query, *fresh):
        room = tokens.new_zeros(n_rows, parts.longest, tokens.shape[1], tokens.shape[3])
        room[spot] = tokens[0].transpose(0, 1)
        padded.append(room.transpose(1, 2))
    out, total = attend(*padded, scale=scale, mask=None, causal=True)
    own = out.transpose(1, 2)[spot], total.transpose(1, 2)[spot]
    return own[0].transpose(0, 1)[None], own[1].transpose(0, 1)[None]


AttentionInterface.register(NAME, attention)
