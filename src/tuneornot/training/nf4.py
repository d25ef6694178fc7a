"""Base weights in four bits: NF4 with double quantisation, as QLoRA holds them.

Only linear layers are quantised, and the output head is not. bitsandbytes computes with them on a
GPU or a CPU: each product expands its weights anew, which saves memory and costs time. It loads no
model and trains nothing. Method: Dettmers et al. 2023, arXiv:2305.14314.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel
from transformers.pytorch_utils import Conv1D


def settings(dtype: torch.dtype) -> BitsAndBytesConfig:
    """How a model is to be loaded, and the type that products are computed in."""
    how = {"bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True}
    made = cast(Any, BitsAndBytesConfig)(load_in_4bit=True, bnb_4bit_compute_dtype=dtype, **how)
    return cast(BitsAndBytesConfig, made)


def fault(folder: Path) -> str | None:
    """Why the weights of a model cannot be quantised, as far as its settings tell.

    Args:
        folder: in the Hugging Face layout; no weights are read.
    """
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    if getattr(config, "quantization_config", None) is not None:
        return "its weights are quantised already"
    with torch.device("meta"):
        model = cast(Any, AutoModelForCausalLM).from_config(config)
    head = model.get_output_embeddings()
    linear = (one for one in model.modules() if isinstance(one, nn.Linear | Conv1D))
    return None if any(one is not head for one in linear) else "it has no linear layers"


def is_held(model: PreTrainedModel) -> bool:
    """Whether a model's weights are held in four bits."""
    return bool(getattr(model, "is_loaded_in_4bit", False))


def differentiable(model: PreTrainedModel) -> PreTrainedModel:
    """The model, kept from a layout of its weights that computes no gradients.

    On CPUs with bfloat16 instructions a layer repacks its weights at the first pass in evaluation
    mode, for a product without a derivative: in training all layers below would then learn from
    wrong gradients, without an error (bitsandbytes 0.50.2; a test compares the gradients).
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            cast(Any, module).support_avx512bf16_for_cpu = False
    return model
