"""Attention in two parts equals attention in one, and what cannot be taken apart is refused."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from tuneornot.models.local.prefix import Parts, Prefix, Slots, attend, attend_plainly, attention

CPU = torch.device("cpu")


def random(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("masked", [True, False])
def test_the_kernel_agrees_with_the_formula(causal: bool, masked: bool) -> None:
    query, key, value = (random(2, n, 5, 8, seed=i) for i, n in enumerate((6, 3, 3)))
    mask = torch.zeros(2, 1, 1, 5)
    mask[1, :, :, 3:] = -torch.inf
    how = {"scale": 0.3, "mask": mask if masked and not causal else None, "causal": causal}
    out, total = attend(query, key, value, **how)  # type: ignore[arg-type]
    plain, plain_total = attend_plainly(query, key, value, **how)  # type: ignore[arg-type]
    torch.testing.assert_close(out, plain, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(total, plain_total, atol=1e-6, rtol=1e-5)


class Layer(torch.nn.Module):
    layer_idx = 0


@settings(deadline=None, max_examples=40)
@given(
    n_prefix=st.integers(0, 12),
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    scale=st.sampled_from([None, 0.05, 3.0]),
)
def test_two_parts_are_one_attention(
    n_prefix: int, lengths: list[int], scale: float | None
) -> None:
    heads, key_heads, size = 4, 2, 8
    shared = [random(1, key_heads, n_prefix, size, seed=i) for i in (1, 2)]
    prefix = Prefix(tuple(range(n_prefix)), shared[:1], shared[1:]) if n_prefix else Prefix()
    slots = Slots(len(lengths), 7, dtype=torch.float32, device=CPU)
    n = sum(lengths)
    query, key, value = (
        random(1, count, n, size, seed=3 + i)
        for i, count in enumerate((heads, key_heads, key_heads))
    )
    slot = torch.tensor([i for i, length in enumerate(lengths) for _ in range(length)])
    place = torch.tensor([place for length in lengths for place in range(length)])
    reading = Parts(prefix, slots, (slot, place), slice(0, len(lengths)), max(lengths), None)
    out, _ = attention(Layer(), query, key, value, None, parts=reading, scaling=scale)
    for row in range(len(lengths)):
        own = slot == row
        whole = _whole(query[:, :, own], key[:, :, own], value[:, :, own], shared, scale)
        torch.testing.assert_close(out[0, own].transpose(0, 1)[None], whole, atol=1e-5, rtol=1e-4)


def _whole(
    query: Tensor, key: Tensor, value: Tensor, shared: list[Tensor], scale: float | None
) -> Tensor:
    """The attention of one row by torch: prefix and own tokens in one causal matrix."""
    keys, values = torch.cat([shared[0], key], 2), torch.cat([shared[1], value], 2)
    n, n_all = query.shape[2], keys.shape[2]
    seen = torch.ones(n, n_all, dtype=torch.bool).tril(n_all - n)
    return scaled_dot_product_attention(
        query, keys, values, attn_mask=seen, scale=scale, enable_gqa=True
    )


@pytest.mark.parametrize("variant", ["sliding_window", "softcap", "s_aux", "position_bias"])
def test_variants_that_change_the_result_are_refused(variant: str) -> None:
    slots = Slots(1, 1, dtype=torch.float32, device=CPU)
    where = (torch.zeros(1, dtype=torch.int64),) * 2
    parts = Parts(Prefix(), slots, where, slice(0, 1), 1, None)
    tokens = random(1, 2, 1, 8, seed=0)
    with pytest.raises(NotImplementedError, match=variant):
        attention(Layer(), tokens, tokens, tokens, None, parts=parts, **{variant: 4})


def test_unwritten_places_are_finite() -> None:
    for dtype in (torch.float32, torch.bfloat16):
        waste = torch.full((64, 2, 64, 8), torch.nan, dtype=dtype)
        del waste
        slots = Slots(64, 64, dtype=dtype, device=CPU)
        token = torch.ones(1, 2, 1, 8, dtype=dtype)
        slots.write(0, token, token, (torch.tensor([3]), torch.tensor([5])))
        assert float(slots.keys[0].sum()) == float(slots.values[0].sum()) == 16


def test_moved_slots_take_everything_along() -> None:
    slots = Slots(3, 2, dtype=torch.float32, device=CPU)
    tokens = random(1, 2, 3, 8, seed=0)
    slots.write(0, tokens, -tokens, (torch.arange(3), torch.zeros(3, dtype=torch.int64)))
    slots.move([2], [0])
    assert torch.equal(slots.keys[0][0, :, 0], tokens[0, :, 2])
    assert torch.equal(slots.values[0][0, :, 0], -tokens[0, :, 2])
    assert torch.equal(slots.keys[0][1, :, 0], tokens[0, :, 1])


def test_the_beginning_of_a_prefix_is_a_view() -> None:
    whole = Prefix((5, 6, 7), [random(1, 2, 3, 8, seed=0)], [random(1, 2, 3, 8, seed=1)])
    first = whole.first(2)
    assert first.tokens == (5, 6)
    assert first.keys[0].data_ptr() == whole.keys[0].data_ptr()
    assert torch.equal(first.values[0], whole.values[0][:, :, :2])
