"""Passes of a model over packed tokens behind a prefix: reading prompts, and one token a row.

Everything here is computed with ``prefix.attention``; ``cover`` finds out whether a model can be.
It refuses to know prompts and answers as texts, and how tokens are chosen.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from tuneornot.models.local import prefix as two_parts
from tuneornot.models.local.prefix import Parts, Prefix, Slots

Forward = Callable[..., Any]
"""Calls the model, with the adapter in force that the call to ``ask`` named."""


@torch.inference_mode()
def read(
    forward: Forward, prefix: Prefix, slots: Slots, texts: Sequence[tuple[int, ...]], *, first: int
) -> Tensor:
    """Read the tokens of new rows behind a prefix, into the slots from the first on.

    Returns:
        The scores [rows, vocabulary] of the token that follows each row's last.
    """
    lengths = [len(text) for text in texts]
    slot = torch.tensor([i for i, n in enumerate(lengths, first) for _ in range(n)])
    place = torch.tensor([place for n in lengths for place in range(n)])
    where = (slot.to(slots.device), place.to(slots.device))
    parts = Parts(prefix, slots, where, slice(first, first + len(texts)), max(lengths), None)
    last = torch.tensor(lengths).cumsum(0) - 1
    return _scores(forward, [token for text in texts for token in text], parts, last)


@torch.inference_mode()
def answer(
    forward: Forward, prefix: Prefix, slots: Slots, tokens: list[int], *, places: list[int]
) -> Tensor:
    """Read one more token for each of the rows in the first slots, at these places.

    Returns:
        The scores [rows, vocabulary] of the next.
    """
    longest = max(places) + 1
    place = torch.tensor(places, device=slots.device)
    empty = torch.arange(longest, device=slots.device) > place[:, None]
    mask = torch.zeros(empty.shape, dtype=slots.dtype, device=slots.device)
    mask.masked_fill_(empty, -torch.inf)
    rows = torch.arange(len(tokens))
    where = (rows.to(slots.device), place)
    parts = Parts(prefix, slots, where, slice(0, len(tokens)), longest, mask[:, None, None])
    return _scores(forward, tokens, parts, rows)


def _scores(forward: Forward, tokens: list[int], parts: Parts, wanted: Tensor) -> Tensor:
    """One pass over packed tokens; the logits [wanted, vocabulary] at the wanted ones."""
    device = parts.slots.device
    out = forward(
        input_ids=torch.tensor(tokens, device=device)[None],
        position_ids=(parts.where[1] + len(parts.prefix))[None],
        use_cache=False,
        logits_to_keep=wanted.to(device),
        parts=parts,
    )
    scores: Tensor = out.logits[0]
    return scores


@torch.inference_mode()
def extended(forward: Forward, prefix: Prefix, tokens: tuple[int, ...], slots: Slots) -> Prefix:
    """A prefix with more tokens behind it, read into one slot that is exactly as long."""
    read(forward, prefix, slots, [tokens], first=0)
    if not len(prefix):
        return Prefix(tokens, slots.keys, slots.values)
    keys = [torch.cat(pair, 2) for pair in zip(prefix.keys, slots.keys, strict=True)]
    values = [torch.cat(pair, 2) for pair in zip(prefix.values, slots.values, strict=True)]
    return Prefix(prefix.tokens + tokens, keys, values)


def cover(model: Any) -> bool:
    """Give a model the attention in two parts if its scores stay the same, else leave it as it is.

    What its configuration cannot tell is tried: a prefix and two rows of different lengths, read
    and answered in parts, against the model's own scores of the whole.
    """
    config = model.config.get_text_config()
    rope = getattr(config, "rope_parameters", None) or {}
    windowed = getattr(config, "sliding_window", None) or "sliding" in str(
        getattr(config, "layer_types", None)
    )
    # These stretch positions by the longest text in sight, so rows would depend on each other.
    stretched = rope.get("rope_type") in ("dynamic", "longrope")
    if windowed or stretched or not getattr(model, "_supports_attention_backend", False):
        return False
    original = config._attn_implementation
    # Ordinary tokens: after a row of special ones, the first of a vocabulary, bfloat16 is chaotic.
    whole = 7919 * torch.arange(1, 12, device=model.device) % config.vocab_size
    with torch.inference_mode():
        wanted = model(input_ids=whole[None], use_cache=False).logits[0, [7, 9, 8, 10]].float()
    try:
        model.set_attn_implementation(two_parts.NAME)
        found = _tried(model, whole.tolist()).float()
        apart = (found - wanted).abs() / wanted.std()
        if model.dtype == torch.float32:
            agrees = bool(apart.max() <= 0.01)
        else:
            # By the root mean square two ways of the embedded model's own are 0.02 apart in
            # bfloat16, and 0.35 without the prefix; single scores stray much further.
            agrees = bool(apart.square().mean().sqrt() <= 0.1)
    # Whatever fails inside a foreign model, it only means that it is answered the plain way.
    except Exception:
        agrees = False
    if not agrees:
        model.set_attn_implementation(original)
    return agrees


def _tried(model: Any, whole: list[int]) -> Tensor:
    device, dtype = model.device, model.dtype
    prefix = extended(model, Prefix(), tuple(whole[:4]), Slots(1, 4, dtype=dtype, device=device))
    slots = Slots(2, 7, dtype=dtype, device=device)
    texts = [tuple(whole[4:8]), tuple(whole[4:10])]
    first = read(model, prefix, slots, texts, first=0)
    second = answer(model, prefix, slots, [whole[8], whole[10]], places=[4, 6])
    return torch.cat([first, second])


class PrefixShelf:
    """The prefixes used last, by the adapter with which they were computed."""

    def __init__(self, n_kept: int = 4) -> None:
        self._kept: OrderedDict[tuple[str, tuple[int, ...]], Prefix] = OrderedDict()
        self._n_kept = n_kept

    def nearest(self, adapter: str, tokens: tuple[int, ...]) -> Prefix:
        """The longest known beginning of some tokens; an empty prefix where none is known."""
        best: tuple[str, tuple[int, ...]] | None = None
        n_best = 0
        for key in self._kept:
            if key[0] == adapter and (n := n_common(key[1], tokens)) > n_best:
                best, n_best = key, n
        if best is None:
            return Prefix()
        self._kept.move_to_end(best)
        return self._kept[best].first(n_best)

    def keep(self, adapter: str, prefix: Prefix) -> None:
        """Remember a prefix, and forget the one that was not used for longest."""
        self._kept[adapter, prefix.tokens] = prefix
        if len(self._kept) > self._n_kept:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()


def n_common(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Length of the longest common beginning."""
    n = min(len(one), len(other))
    if one[:n] == other[:n]:
        return n
    return next(i for i in range(n) if one[i] != other[i])
