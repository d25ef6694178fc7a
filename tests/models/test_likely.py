"""How likely a local model finds its tokens, when the first came, and drawing from a part."""

from __future__ import annotations

import math
import random
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest
import torch
import transformers

from tests.models import tiny
from tuneornot.models.base import Request
from tuneornot.models.local import LocalModel
from tuneornot.models.local.rows import Row, choose
from tuneornot.records import Message, Sampling

pytestmark = pytest.mark.usefixtures("exact")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def model(folder: Path) -> LocalModel:
    return LocalModel(f"local:{folder}")


def scored(folder: Path, prompt: list[int], answer: list[int]) -> torch.Tensor:
    """The log-probabilities [tokens of the answer, vocabulary] of one pass of transformers."""
    loaded = cast(Any, transformers.AutoModelForCausalLM.from_pretrained(folder)).float().eval()
    with torch.inference_mode():
        logits = loaded(torch.tensor([prompt + answer])).logits[0]
    found: torch.Tensor = torch.log_softmax(logits[len(prompt) - 1 : -1], -1)
    return found


@pytest.mark.parametrize("alone", [False, True])
def test_log_probabilities_are_those_of_the_model(
    folder: Path, model: LocalModel, alone: bool
) -> None:
    words = tiny.tokenizer()
    requests = tiny.requests(5, logprobs=3)
    for request, reply in zip(requests, tiny.answers(model, requests, alone=alone), strict=True):
        prompt = model.prompt_tokens(request.messages)
        answer = next(tiny.generated(folder, [prompt]))
        said = [token for token in answer if token != 0]
        wanted = scored(folder, prompt, said)
        assert reply.logprobs == pytest.approx(
            [float(row[token]) for row, token in zip(wanted, said, strict=True)], abs=1e-4
        )
        assert reply.alternatives is not None
        assert len(reply.alternatives) == len(said)
        for told, row in zip(reply.alternatives, wanted, strict=True):
            values, tokens = row.topk(3)
            expected = dict(
                reversed(
                    [
                        (words.decode([token]), value)
                        for token, value in zip(tokens.tolist(), values.tolist(), strict=True)
                    ]
                )
            )
            assert told == pytest.approx(expected, abs=1e-4)


def test_they_change_no_answer_and_are_told_only_where_wanted(model: LocalModel) -> None:
    plain = tiny.answers(model, tiny.requests(4))
    mixed = tiny.requests(2) + tiny.requests(4, logprobs=0)[2:]
    told = tiny.answers(model, mixed)
    assert [reply.text for reply in told] == [reply.text for reply in plain]
    assert [reply.logprobs is None for reply in told] == [True, True, False, False]
    assert {reply.alternatives for reply in told} == {None}


def test_an_answer_cut_by_a_stop_string_tells_the_tokens_that_were_computed(
    model: LocalModel,
) -> None:
    [free] = tiny.answers(model, tiny.requests(1, logprobs=0))
    assert free.text is not None
    [stopped] = tiny.answers(model, tiny.requests(1, logprobs=0, stop=(free.text[6:9],)))
    assert stopped.logprobs is not None
    assert free.logprobs is not None
    assert stopped.n_output_tokens == len(stopped.logprobs) < len(free.logprobs)
    assert stopped.logprobs == pytest.approx(free.logprobs[: len(stopped.logprobs)], abs=1e-5)


def test_the_first_token_comes_before_the_last(model: LocalModel) -> None:
    for reply in tiny.answers(model, tiny.requests(3), alone=True):
        assert reply.first_token_s is not None
        assert reply.latency_s is not None
        assert 0 < reply.first_token_s < reply.latency_s
    [short] = tiny.answers(model, tiny.requests(1, max_tokens=1), alone=True)
    assert short.first_token_s == pytest.approx(short.latency_s, abs=0.05)


def row(seed: int, sampling: Sampling) -> Row:
    return Row(
        position=0,
        tokens=(1,),
        n_prompt=1,
        n_room=1,
        sampling=sampling,
        chance=random.Random(seed),
    )


def drawn(shares: list[float], n: int = 4000, **sampling: float) -> Counter[int]:
    scores = torch.tensor([[math.log(share) for share in shares]])
    how = Sampling(**{"temperature": 1.0, **sampling})  # type: ignore[arg-type]
    return Counter(choose(scores, [row(seed, how)])[0] for seed in range(n))


def test_the_likeliest_part_is_drawn_from_in_proportion() -> None:
    # 0.5 and 0.2 make up 0.7; the token that reaches 0.6 still belongs to the part.
    found = drawn([0.2, 0.5, 0.18, 0.12], top_p=0.6)
    assert set(found) == {0, 1}
    # Five standard errors around 5/7.
    assert found[1] / 4000 == pytest.approx(5 / 7, abs=0.036)
    assert set(drawn([0.2, 0.5, 0.18, 0.12], top_p=0.4)) == {1}
    assert set(drawn([0.2, 0.5, 0.18, 0.12])) == {0, 1, 2, 3}


def test_a_row_without_the_limit_is_not_changed_by_its_company() -> None:
    scores = torch.log(torch.tensor([[0.2, 0.5, 0.18, 0.12]])).repeat(2, 1)
    free, narrow = Sampling(temperature=1.0), Sampling(temperature=1.0, top_p=0.4)
    for seed in range(200):
        [alone] = choose(scores[:1], [row(seed, free)])
        assert choose(scores, [row(seed, free), row(seed, narrow)]) == [alone, 1]


def test_a_judge_can_read_the_weights_of_its_grades(model: LocalModel) -> None:
    asked = Request(
        messages=(Message(role="user", content="red"),),
        sampling=Sampling(max_tokens=2, logprobs=20),
    )
    [reply] = tiny.answers(model, [asked])
    assert reply.alternatives is not None
    assert 0.3 < sum(math.exp(value) for value in reply.alternatives[0].values()) <= 1 + 1e-6
