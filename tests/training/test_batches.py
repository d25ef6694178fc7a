from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
import torch
from torch.nn import functional
from transformers import MistralConfig, MistralForCausalLM

from tests.training import tiny
from tuneornot.training import examples, quiet
from tuneornot.training.batches import LikeLengths, collate, shared
from tuneornot.training.examples import IGNORED, Example
from tuneornot.training.trainer import answer_losses, can_share, mean_loss


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with quiet.libraries():
        yield


def rows(n: int = 5) -> tuple[Example, ...]:
    return examples.build(tiny.cases(n), tiny.PROMPT, tiny.tokenizer(), longest=500).kept


def plain_losses(model: torch.nn.Module, row: Example) -> torch.Tensor:
    """Losses of one example by an ordinary pass over the whole of it."""
    ids = torch.tensor([row.tokens])
    logits = model(input_ids=ids).logits[0, :-1]
    losses = functional.cross_entropy(logits, ids[0, 1:], reduction="none")
    return losses[len(row.prompt) - 1 :]


def test_shared_beginnings_and_padding_change_neither_loss_nor_gradient() -> None:
    model = tiny.tiny().model
    batch = collate(rows(), pad=0)
    assert batch["prefix"].shape[1] > 8
    assert (batch["attention_mask"] == 0).any()
    torch.autograd.backward(answer_losses(model, batch).sum())
    found = [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]
    model.zero_grad()
    expected = torch.cat([plain_losses(model, row) for row in rows()])
    torch.autograd.backward(expected.sum())
    with torch.no_grad():
        torch.testing.assert_close(answer_losses(model, batch), expected)
    wanted = [weight.grad for weight in model.parameters() if weight.grad is not None]
    for mine, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-4)


def test_dev_loss_is_the_mean_over_answer_tokens_not_over_cases() -> None:
    model = tiny.tiny().model
    many = rows(20)
    with torch.no_grad():
        expected = torch.cat([plain_losses(model, row) for row in many]).mean()
    assert mean_loss(model, many) == pytest.approx(float(expected), rel=1e-5)


def test_a_model_that_forgets_the_beginning_computes_it_in_every_row() -> None:
    config = MistralConfig(**tiny.SHAPE, sliding_window=16)
    torch.manual_seed(0)
    model = MistralForCausalLM(config)
    assert can_share(tiny.tiny().model)
    assert not can_share(model)
    with torch.no_grad():
        expected = torch.cat([plain_losses(model, row) for row in rows()]).mean()
    assert mean_loss(model, rows()) == pytest.approx(float(expected), rel=1e-5)


def test_a_row_keeps_a_prompt_token_of_its_own() -> None:
    twice = Example("a", tuple(range(20)), (1, 2))
    assert shared([twice, twice]) == 19
    assert shared([twice, Example("b", tuple(range(12)), (3,))]) == 11


def test_a_short_common_beginning_and_a_single_row_share_nothing() -> None:
    one = Example("a", (1, 2, 3, 4), (5,))
    assert shared([one, one]) == 0
    assert shared([Example("a", tuple(range(20)), (1,))]) == 0
    assert collate([one, one], pad=0)["prefix"].shape == (1, 0)


def test_the_loss_stands_on_answers_only() -> None:
    batch = collate(rows(), pad=0)
    for row, labels in zip(rows(), batch["labels"], strict=True):
        assert tuple(labels[labels != IGNORED].tolist()) == row.answer


def test_order_is_a_permutation_that_depends_on_seed_and_epoch_only() -> None:
    lengths = [7 * i % 50 for i in range(103)]
    one, two = LikeLengths(lengths, 8, seed=1), LikeLengths(lengths, 8, seed=1)
    assert sorted(one) == list(range(103))
    assert list(one) == list(two)
    two.set_epoch(1)
    assert list(one) != list(two)
    assert list(one) != list(LikeLengths(lengths, 8, seed=2))


def test_rows_of_a_batch_have_like_lengths_and_batches_come_in_no_order() -> None:
    lengths = [13 * i % 256 for i in range(256)]
    order = [lengths[place] for place in LikeLengths(lengths, 8, seed=1)]
    batches = [order[at : at + 8] for at in range(0, 256, 8)]
    spread = sum(max(batch) - min(batch) for batch in batches) / len(batches)
    assert spread < 60, "eight random rows of 256 lengths span about 200"
    means = [sum(batch) / 8 for batch in batches]
    rises = sum(a < b for a, b in itertools.pairwise(means))
    assert 8 <= rises <= 23
