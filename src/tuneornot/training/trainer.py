"""TRL's trainer with a loss that works only where an answer stands.

``SFTTrainer`` on a CPU computes the output head on every position; here it is computed on answer
positions only, and the beginning that a batch shares once for all rows. Everything else (optimiser,
schedule, clipping, checkpoints, resuming, devices) is the trainer's own. ``mean_loss`` uses the
same forward pass, so training and dev loss are one quantity: nats per answer token.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch
from datasets import Dataset as Table
from torch.nn import functional
from transformers import DynamicCache
from trl.trainer.sft_trainer import SFTTrainer

from tuneornot.training.batches import Batch, LikeLengths, collate
from tuneornot.training.examples import IGNORED, Example

DEV_ROWS = 16
"""Rows of a batch where no gradients are kept."""


class AnswerTrainer(SFTTrainer):
    """Trains on answers only, in batches of like length."""

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        """Sum over the batch's answer tokens, divided by the count over all accumulated batches."""
        losses = answer_losses(model, cast(Batch, inputs))
        count = losses.numel() if num_items_in_batch is None else num_items_in_batch
        return losses.sum() / count

    def _get_train_sampler(self, train_dataset: object = None) -> LikeLengths:
        lengths = [len(tokens) for tokens in cast(Table, self.train_dataset)["input_ids"]]
        return LikeLengths(
            lengths,
            self.args.train_batch_size * self.args.gradient_accumulation_steps,
            self.args.seed,
        )


def answer_losses(model: torch.nn.Module, batch: Batch) -> torch.Tensor:
    """Negative log likelihood of every answer token of a batch, in nats: [N] float32."""
    logits, labels = answer_logits(model, batch)
    return functional.cross_entropy(logits, labels, reduction="none")


def answer_logits(model: torch.nn.Module, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """For every answer token, row by row, the logits [N, V] in float32, and the tokens [N]."""
    past = _prefix_cache(model, batch["prefix"], len(batch["labels"]))
    # The output at a place predicts the token of the next one.
    asked = functional.pad(batch["labels"][:, 1:], (0, 1), value=IGNORED)
    with _head_only_at(model, asked != IGNORED):
        logits = model(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            position_ids=batch["position_ids"],
            use_cache=bool(past),
            **past,
        ).logits
    return logits.float(), asked[asked != IGNORED]


def can_share(model: torch.nn.Module) -> bool:
    """Whether rows may see keys and values that were computed apart: plain attention in all layers.

    Layers with a sliding window forget the beginning, and recurrent ones keep no keys at all.
    """
    config = cast(Any, model).config.get_text_config()
    kinds = getattr(config, "layer_types", None)
    windowed = kinds is None and getattr(config, "sliding_window", None) is not None
    plain = set(kinds or ()) <= {"full_attention"} and not windowed
    return plain and not getattr(model, "_is_stateful", False)


@contextlib.contextmanager
def _head_only_at(model: torch.nn.Module, places: torch.Tensor) -> Iterator[None]:
    """Let the output head see only the chosen places: [B, S, H] becomes [N, H].

    A hook on the head, so that whatever the model does to its logits afterwards (scaling, a soft
    cap) is done all the same.
    """
    head = cast(torch.nn.Module, cast(Any, model).get_output_embeddings())
    hook = head.register_forward_pre_hook(lambda _, inputs: (inputs[0][places],))
    try:
        yield
    finally:
        hook.remove()


def _prefix_cache(
    model: torch.nn.Module, prefix: torch.Tensor, n_rows: int
) -> dict[str, DynamicCache]:
    """Keys and values of the shared beginning, computed once and seen by every row.

    Gradients flow back through the expansion: they are summed over the rows, as if each row had
    computed the beginning itself.

    Returns:
        Under the name by which the model takes it (newer releases say ``cache``); empty where
        nothing is shared.
    """
    if prefix.shape[1] == 0:
        return {}
    out = model(input_ids=prefix, use_cache=True, logits_to_keep=1)
    name = "cache" if out.get("cache") is not None else "past_key_values"
    past = DynamicCache()
    for layer, held in enumerate(out[name].layers):
        past.update(
            held.keys.expand(n_rows, -1, -1, -1), held.values.expand(n_rows, -1, -1, -1), layer
        )
    return {name: past}


def placed(batch: Batch, device: torch.device) -> Batch:
    """The batch on a device."""
    return cast(Batch, {name: cast(torch.Tensor, held).to(device) for name, held in batch.items()})


@torch.no_grad()
def mean_loss(model: torch.nn.Module, examples: Sequence[Example]) -> float:
    """Mean negative log likelihood per answer token over examples, in nats."""
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    share = can_share(model)
    total, count = 0.0, 0
    ordered = sorted(examples, key=len)
    for start in range(0, len(ordered), DEV_ROWS):
        batch = collate(ordered[start : start + DEV_ROWS], pad=0, share=share)
        losses = answer_losses(model, placed(batch, device))
        total, count = total + float(losses.sum()), count + losses.numel()
    model.train(was_training)
    return total / count
