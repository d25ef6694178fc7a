"""The local model on a tiny Llama: the same answers as transformers, in any company."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from tests.models import tiny
from tuneornot.errors import ModelError
from tuneornot.models.base import Reply, Request
from tuneornot.models.local import LocalModel
from tuneornot.models.local import model as local
from tuneornot.records import Message, Sampling

pytestmark = pytest.mark.usefixtures("exact")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def model(folder: Path) -> LocalModel:
    return LocalModel(f"local:{folder}")


def answers(model: LocalModel, requests: list[Request], **how: bool) -> list[Reply]:
    replies = dict(model.ask(requests, **how))  # type: ignore[arg-type]
    assert sorted(replies) == list(range(len(requests)))
    return [replies[i] for i in range(len(requests))]


def expected(folder: Path, model: LocalModel, requests: list[Request]) -> list[str]:
    words = tiny.tokenizer()
    prompts = [model.prompt_tokens(request.messages) for request in requests]
    return [
        words.decode(tokens, skip_special_tokens=True)
        for tokens in tiny.generated(folder, prompts, requests[0].sampling.max_tokens)
    ]


def test_answers_equal_those_of_generate(folder: Path, model: LocalModel) -> None:
    requests = tiny.requests(8)
    replies = answers(model, requests)
    assert [reply.text for reply in replies] == expected(folder, model, requests)
    assert all(reply.error is None and reply.load == 8 for reply in replies)
    lengths = [len(model.prompt_tokens(request.messages)) for request in requests]
    assert [reply.n_input_tokens for reply in replies] == lengths


def test_answers_do_not_depend_on_the_company(model: LocalModel) -> None:
    requests = tiny.requests(8)
    together = [reply.text for reply in answers(model, requests)]
    alone = answers(model, requests, one_by_one=True)
    assert [reply.text for reply in alone] == together
    assert all(reply.load == 1 for reply in alone)
    backwards = answers(model, requests[::-1])
    assert [reply.text for reply in backwards[::-1]] == together
    assert [answers(model, [request])[0].text for request in requests] == together


def test_free_slots_are_filled_again(
    folder: Path, model: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "MOST_ROWS", 3)
    requests = tiny.requests(11)
    replies = answers(model, requests)
    assert [reply.text for reply in replies] == expected(folder, model, requests)
    assert max(reply.load for reply in replies) == 3


def test_rows_without_anything_in_common(folder: Path, model: LocalModel) -> None:
    chats = [
        Message(role="user", content="red"),
        Message(role="assistant", content="blue"),
        Message(role="system", content="12"),
    ]
    requests = [Request(messages=(one,), sampling=Sampling(max_tokens=9)) for one in chats]
    assert [reply.text for reply in answers(model, requests)] == expected(folder, model, requests)


def test_prompts_that_repeat_are_all_answered(folder: Path, model: LocalModel) -> None:
    requests = tiny.requests(1) * 3
    assert [reply.text for reply in answers(model, requests)] == expected(folder, model, requests)


def test_memory_bounds_the_batch(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    before = [reply.text for reply in answers(model, tiny.requests(6))]
    monkeypatch.setattr(local, "MEMORY", 1)
    replies = answers(model, tiny.requests(6))
    assert [reply.text for reply in replies] == before
    assert {reply.load for reply in replies} == {1}


def test_an_answer_ends_before_a_stop_string(model: LocalModel) -> None:
    [free] = answers(model, tiny.requests(1))
    assert free.text is not None
    assert free.n_output_tokens is not None
    stop = free.text[6:9]
    [stopped] = answers(model, tiny.requests(1, stop=("never seen", stop)))
    assert stopped.text == free.text[: free.text.index(stop)]
    assert stopped.finish == "stop"
    assert stopped.n_output_tokens is not None
    assert stopped.n_output_tokens < free.n_output_tokens


def test_an_answer_is_cut_at_its_limit(model: LocalModel) -> None:
    requests = tiny.requests(1, max_tokens=200) + tiny.requests(1, max_tokens=4)
    long, short = answers(model, requests)
    assert (short.finish, short.n_output_tokens) == ("length", 4)
    assert long.text is not None
    assert short.text is not None
    assert long.text.startswith(short.text)


def test_an_answer_ends_with_the_context(model: LocalModel) -> None:
    [reply] = answers(model, tiny.requests(1, max_tokens=10_000))
    assert reply.n_input_tokens is not None
    assert reply.n_output_tokens is not None
    if reply.finish == "length":
        assert reply.n_input_tokens + reply.n_output_tokens == tiny.CONTEXT
    else:
        assert reply.n_input_tokens + reply.n_output_tokens <= tiny.CONTEXT


def test_a_prompt_longer_than_the_context_is_told(model: LocalModel) -> None:
    long = Request(messages=(Message(role="user", content="red " * tiny.CONTEXT),))
    good, bad = answers(model, [*tiny.requests(1), long])
    assert good.text is not None
    assert bad.text is None
    assert bad.error is not None
    assert str(tiny.CONTEXT) in bad.error
    assert bad.error.endswith("Shorten the input or the demonstrations.")


def test_requests_are_taken_in_windows(model: LocalModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "WINDOW", 4)
    taken = 0

    def endless() -> Iterator[Request]:
        nonlocal taken
        while True:
            taken += 1
            yield tiny.requests(taken)[-1]

    replies = model.ask(endless())
    seen = {next(replies)[0] for _ in range(8)}
    assert seen == set(range(8))
    assert taken == 8


def test_a_shared_prefix_is_read_once(model: LocalModel) -> None:
    n_read: list[int] = []
    loaded = model._open._model  # the only place where tokens can be counted
    handle = loaded.register_forward_pre_hook(
        lambda module, args, inputs: n_read.append(inputs["input_ids"].numel()), with_kwargs=True
    )
    requests = tiny.requests(6, max_tokens=1)
    lengths = [len(model.prompt_tokens(request.messages)) for request in requests]
    answers(model, requests)
    first = sum(n_read)
    n_read.clear()
    answers(model, requests)
    handle.remove()
    again = sum(n_read)
    n_shared = first - again
    assert n_shared > 20
    assert first == sum(lengths) - 5 * n_shared
    assert again == sum(lengths) - 6 * n_shared


def test_sampling_depends_on_seed_and_prompt_only(model: LocalModel) -> None:
    requests = tiny.requests(6, temperature=1.0, seed=3)
    together = [reply.text for reply in answers(model, requests)]
    assert together == [reply.text for reply in answers(model, requests, one_by_one=True)]
    assert together[2:4] == [reply.text for reply in answers(model, requests[2:4])]
    other = [reply.text for reply in answers(model, tiny.requests(6, temperature=1.0, seed=4))]
    assert all(one != two for one, two in zip(together, other, strict=True))
    greedy = [reply.text for reply in answers(model, tiny.requests(6))]
    assert together != greedy


def test_a_low_temperature_is_nearly_greedy(model: LocalModel) -> None:
    cold = answers(model, tiny.requests(4, temperature=1e-4))
    assert [reply.text for reply in cold] == [
        reply.text for reply in answers(model, tiny.requests(4))
    ]


def test_the_prompt_is_what_the_template_makes(folder: Path, model: LocalModel) -> None:
    messages = (Message(role="user", content="red"), Message(role="assistant", content="blue"))
    text = "<|turn|>user\nred<|end|>\n<|turn|>assistant\nblue<|end|>\n<|turn|>assistant\n"
    assert model.prompt_text(messages) == text
    assert model.prompt_tokens(messages) == tiny.tokenizer()(text)["input_ids"]


def test_the_system_message_moves_where_a_template_has_none(tmp_path: Path) -> None:
    folder = tiny.save(tmp_path)
    refusing = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    )
    (folder / "chat_template.jinja").write_text(refusing + tiny.TEMPLATE)
    model = LocalModel(f"local:{folder}")
    messages = (Message(role="system", content="Be brief."), Message(role="user", content="red"))
    assert model.prompt_text(messages).startswith("<|turn|>user\nBe brief.\n\nred<|end|>")
    [reply] = answers(model, [Request(messages=messages[:1])])
    assert reply.error is not None
    assert "no system" in reply.error


def test_the_identity_is_that_of_the_files(folder: Path, tmp_path: Path) -> None:
    same = tiny.save(tmp_path / "same")
    other = tiny.save(tmp_path / "other", seed=1)
    identity = LocalModel(f"local:{folder}").identity()
    assert LocalModel(f"local:{same}").identity() == identity
    assert LocalModel(f"local:{other}").identity() != identity


def test_a_missing_model_is_told_when_it_is_named() -> None:
    with pytest.raises(ModelError, match=r"'nowhere' is none of these.*Correct the name"):
        LocalModel("local:nowhere")


def test_closing_twice_and_asking_again(model: LocalModel) -> None:
    before = answers(model, tiny.requests(2))
    model.close()
    model.close()
    after = answers(model, tiny.requests(2))
    assert [reply.text for reply in after] == [reply.text for reply in before]


def test_asking_leaves_gradients_as_they_were(model: LocalModel) -> None:
    for _ in model.ask(tiny.requests(2)):
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()
