"""A model beside itself: modules and settings of its own, on the same weights or on copies.

Whatever a library does to the twin, the model that answers is not touched; on the same weights none
is held twice.
"""

from __future__ import annotations

import copy

import torch
from transformers import PreTrainedModel


def twin(model: PreTrainedModel) -> PreTrainedModel:
    """A copy of a model with modules and settings of its own, but the same tensors, frozen."""
    return _copied(model, {id(held): _frozen(held) for held in model.parameters()})


def independent(model: PreTrainedModel) -> PreTrainedModel:
    """A copy of a model with weights of its own, in float32, all of them to be trained."""
    memo: dict[int, object] = {
        id(held): torch.nn.Parameter(held.data.float().clone()) for held in model.parameters()
    }
    return _copied(model, memo)


def _frozen(held: torch.nn.Parameter) -> torch.nn.Parameter:
    if hasattr(held, "quant_state"):
        # Bytes mean nothing without what tells how they were quantised; its own copy shares both.
        return copy.copy(held)
    return torch.nn.Parameter(held.data, requires_grad=False)


def _copied(model: PreTrainedModel, memo: dict[int, object]) -> PreTrainedModel:
    memo |= {id(held): held for held in model.buffers()}
    copied = copy.deepcopy(model, memo)
    # Only these give gradients; a model that serves may use an attention of its own.
    if copied.config._attn_implementation not in ("sdpa", "eager"):
        copied.set_attn_implementation("sdpa")
    return copied
