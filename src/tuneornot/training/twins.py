"""A model beside itself: modules and settings of its own on the same weights.

So no weight is held twice, and whatever a library does to the twin, the model that answers is not
touched.
"""

from __future__ import annotations

import copy

import torch
from transformers import PreTrainedModel


def twin(model: PreTrainedModel) -> PreTrainedModel:
    """A copy of a model with modules and settings of its own, but the same tensors, frozen."""
    memo: dict[int, object] = {
        id(held): torch.nn.Parameter(held.data, requires_grad=False) for held in model.parameters()
    }
    memo |= {id(held): held for held in model.buffers()}
    copied = copy.deepcopy(model, memo)
    # Only these give gradients; a model that serves may use an attention of its own.
    if copied.config._attn_implementation not in ("sdpa", "eager"):
        copied.set_attn_implementation("sdpa")
    return copied
