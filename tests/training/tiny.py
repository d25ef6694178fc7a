"""A model small enough to train in a second: bytes for tokens, two layers, random weights."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from tuneornot.records import Case, Dataset, Prompt

END = "<|end|>"
TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
SPECIAL = ["<pad>", "<eos>", END, "<|system|>", "<|user|>", "<|assistant|>"]
SHAPE: dict[str, Any] = {
    "vocab_size": 256 + len(SPECIAL),
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}
PROMPT = Prompt(instructions="Say it back in JSON.")


class Tiny(NamedTuple):
    model: LlamaForCausalLM
    tokenizer: PreTrainedTokenizerFast
    identity: str = "tiny"


def tokenizer() -> PreTrainedTokenizerFast:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    bare = Tokenizer(BPE({letter: place for place, letter in enumerate(letters)}, []))
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    bare.decoder = decoders.ByteLevel()
    bare.add_special_tokens(SPECIAL)
    how = {"pad_token": "<pad>", "eos_token": "<eos>", "chat_template": TEMPLATE}
    made = cast(Any, PreTrainedTokenizerFast)(tokenizer_object=bare, **how)
    return cast(PreTrainedTokenizerFast, made)


def tiny(seed: int = 0) -> Tiny:
    torch.manual_seed(seed)
    words = tokenizer()
    config = LlamaConfig(**SHAPE, tie_word_embeddings=True)
    return Tiny(cast(Any, LlamaForCausalLM(config)).eval(), words)


def cases(n: int, *, first: int = 0) -> tuple[Case, ...]:
    return tuple(
        Case(id=f"c{i}", input=f"{i * 37 % 101} {'x' * (i % 5)}", expected={"n": i * 37 % 101})
        for i in range(first, first + n)
    )


def dataset(name: str, n: int, *, first: int = 0) -> Dataset:
    return Dataset(name=name, cases=cases(n, first=first))
