"""Tiny models with random weights and a tokenizer trained on the spot: fast, exact in float32."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from tuneornot.models.base import Reply, Request
from tuneornot.models.local import LocalModel
from tuneornot.records import Message, Sampling

TEMPLATE = (
    "{% for message in messages %}<|turn|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}"
)
CONTEXT = 256
SHAPE = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": CONTEXT,
    "initializer_range": 0.3,
    "tie_word_embeddings": True,
}
"""A wide initialisation, so that the likeliest token leads by far more than rounding."""

TEXTS = (
    "Answer in one word.",
    "What is the capital of France?",
    "12 U. S. 345 (1999)",
    "red, blue",
)


def tokenizer() -> Any:
    """Byte-level, so that every text can be written."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = cast(Any, pre_tokenizers.ByteLevel(add_prefix_space=False))
    core.decoder = cast(Any, decoders.ByteLevel())
    special = ["<|end|>", "<|turn|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(
        list(TEXTS) * 3,
        trainers.BpeTrainer(
            vocab_size=300, special_tokens=special, initial_alphabet=alphabet, show_progress=False
        ),
    )
    return cast(Any, transformers.PreTrainedTokenizerFast)(
        tokenizer_object=core, eos_token="<|end|>", pad_token="<|end|>", chat_template=TEMPLATE
    )


def save(folder: Path, kind: str = "llama", seed: int = 0, **changes: Any) -> Path:
    """Write a model of a kind that transformers knows, with the tokenizer, into a folder."""
    words = tokenizer()
    shape = {**SHAPE, **changes, "vocab_size": len(words), "eos_token_id": 0, "pad_token_id": 0}
    config = transformers.AutoConfig.for_model(kind, **shape)
    torch.manual_seed(seed)
    model = cast(Any, transformers.AutoModelForCausalLM).from_config(config)
    model.generation_config.eos_token_id = 0
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


def requests(n: int, **sampling: Any) -> list[Request]:
    """Requests with a shared beginning, of different lengths."""
    system = Message(role="system", content="Answer in one word. " * 3)
    asked = [f"{i} " + TEXTS[i % len(TEXTS)] * (1 + i % 3) for i in range(n)]
    how = Sampling(**{"max_tokens": 20, **sampling})
    return [
        Request(messages=(system, Message(role="user", content=text)), sampling=how)
        for text in asked
    ]


def generated(folder: Path, prompts: Sequence[list[int]], n_most: int = 20) -> Iterator[list[int]]:
    """What ``generate`` of transformers makes of each prompt by itself, greedily."""
    loaded = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    model = cast(Any, loaded).eval()
    for prompt in prompts:
        tokens = torch.tensor([prompt])
        out = model.generate(
            tokens,
            attention_mask=torch.ones_like(tokens),
            max_new_tokens=n_most,
            do_sample=False,
            pad_token_id=0,
        )
        yield out[0, len(prompt) :].tolist()


def answers(model: LocalModel, requests: list[Request], *, alone: bool = False) -> list[Reply]:
    """The replies in the order of the requests."""
    replies = dict(model.ask(requests, one_by_one=alone))
    return [replies[place] for place in range(len(requests))]
