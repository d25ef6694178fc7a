"""Models that are Python functions of the study's folder."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.models.misbehaving import question
from tuneornot.errors import ModelError, ServerError
from tuneornot.models import registry
from tuneornot.models.base import Reply, Request
from tuneornot.models.function import MOST, FunctionModel
from tuneornot.records import Adapter, Message, Sampling

MODULE = """
import asyncio, sys, threading, time
from tuneornot.errors import ModelError
from tuneornot.models.base import Reply

n_now = most = 0
lock = threading.Lock()


def echo(messages, sampling):
    return f"{[m['role'] for m in messages]} {messages[-1]['content']} {sampling.temperature}"


async def aecho(messages, sampling):
    await asyncio.sleep(0.001)
    return "async " + messages[-1]["content"]


def counting(messages, sampling):
    global n_now, most
    with lock:
        n_now += 1
        most = max(most, n_now)
    time.sleep(0.005)
    with lock:
        n_now -= 1
    return str(most)


def told(messages, sampling):
    return Reply(text="x", n_output_tokens=7, latency_s=0.25, first_token_s=0.125)


def picky(messages, sampling):
    said = messages[-1]["content"]
    if said == "raise":
        raise ValueError("I do not like this")
    if said == "exit":
        sys.exit(3)
    if said == "stop iteration":
        raise StopIteration
    if said == "timeout of its own":
        raise TimeoutError("elsewhere")
    if said == "none":
        return None
    if said == "error":
        return Reply(error="it was refused.")
    if said == "both":
        return Reply(text="a", error="b")
    if said == "over":
        raise ModelError("The licence has ended; renew it.")
    if said == "hang":
        time.sleep(30)
    return "fine"


async def ahang(messages, sampling):
    await asyncio.sleep(30)


def wrong(messages):
    return "x"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own.py").write_text(MODULE)
    return tmp_path


def ask(model: FunctionModel, *texts: str, alone: bool = False) -> list[Reply]:
    replies = dict(model.ask(map(question, texts), one_by_one=alone))
    model.close()
    return [replies[place] for place in range(len(texts))]


def test_the_function_is_told_everything(folder: Path) -> None:
    model = registry.open("python:own:echo", folder=folder)
    chat = (Message(role="system", content="Be brief."), Message(role="user", content="hello"))
    [(position, reply)] = model.ask([Request(messages=chat, sampling=Sampling(temperature=0.5))])
    model.close()
    assert (position, reply.text) == (0, "['system', 'user'] hello 0.5")
    assert reply.latency_s is not None
    assert reply.latency_s > 0
    assert (reply.n_tries, reply.first_token_s, reply.n_output_tokens) == (1, None, None)


def test_an_async_function(folder: Path) -> None:
    replies = ask(FunctionModel("python:own:aecho", folder), *"abcdef")
    assert [reply.text for reply in replies] == [f"async {letter}" for letter in "abcdef"]


def test_threads_are_bounded_and_alone_is_alone(folder: Path) -> None:
    many = ask(FunctionModel("python:own:counting", folder), *map(str, range(60)))
    most = max(int(reply.text or 0) for reply in many)
    assert 4 <= most <= MOST
    single = ask(FunctionModel("python:own:counting", folder), *map(str, range(5)), alone=True)
    assert {reply.text for reply in single} == {"1"}, "each model has a module of its own"
    assert {reply.load for reply in single} == {1}


def test_what_a_function_knows_of_its_answer_is_kept(folder: Path) -> None:
    [reply] = ask(FunctionModel("python:own:told", folder), "a")
    assert (reply.n_output_tokens, reply.latency_s, reply.first_token_s) == (7, 0.25, 0.125)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("raise", "own:picky raised ValueError('I do not like this')."),
        ("exit", "own:picky raised RuntimeError('SystemExit(3)')."),
        ("stop iteration", "own:picky raised RuntimeError("),
        ("timeout of its own", "own:picky raised TimeoutError('elsewhere')."),
        ("none", "own:picky must return a text or a Reply with a text or an error; it returned"),
        ("both", "own:picky must return a text or a Reply with a text or an error; it returned"),
        ("error", "it was refused."),
    ],
)
def test_a_failure_is_the_reason_of_one_answer(folder: Path, text: str, error: str) -> None:
    before, failed, after = ask(FunctionModel("python:own:picky", folder), "a", text, "b")
    assert failed.text is None
    assert failed.error is not None
    assert failed.error.startswith(error)
    assert (before.text, after.text) == ("fine", "fine")


@pytest.mark.parametrize("function", ["picky", "ahang"])
def test_a_call_that_takes_too_long_is_given_up(folder: Path, function: str) -> None:
    model = FunctionModel(f"python:own:{function}", folder, timeout_s=0.1)
    [reply] = ask(model, "hang")
    assert reply.error == "no answer within 0.1 s."


def test_calls_that_hang_do_not_heap_up_threads(folder: Path) -> None:
    model = FunctionModel("python:own:picky", folder, timeout_s=0.05)
    before = threading.active_count()
    replies = model.ask(question("hang") for _ in range(200))
    with pytest.raises(ServerError, match="The function own:picky stopped answering") as caught:
        list(replies)
    model.close()
    assert "10 requests in a row failed, the last: no answer within 0.05 s" in str(caught.value)
    assert threading.active_count() - before <= MOST


def test_a_function_may_end_the_run(folder: Path) -> None:
    model = FunctionModel("python:own:picky", folder)
    with pytest.raises(ModelError, match="The licence has ended; renew it"):
        ask(model, "a", "over", "b")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("python:absent:f", "must be importable, got 'absent:f'"),
        ("python:own:absent", "own has no function 'absent'"),
        ("python:own", "own has no function ''"),
        ("python:own:wrong", r"must take \(messages, sampling\), got 'own:wrong'"),
    ],
)
def test_what_is_no_such_function(folder: Path, name: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        registry.open(name, folder=folder)


def test_an_edit_is_another_model(folder: Path) -> None:
    first = FunctionModel("python:own:echo", folder).identity()
    assert FunctionModel("python:own:echo", folder).identity() == first
    (folder / "own.py").write_text(MODULE + "# edited\n")
    assert FunctionModel("python:own:echo", folder).identity() != first


def test_an_adapter_is_refused(folder: Path) -> None:
    adapter = Adapter(path="some/where", weights="w", model="m", data="d", seed=1)
    with pytest.raises(ModelError, match=r"Only local models take an adapter.*'some/where'"):
        FunctionModel("python:own:echo", folder).ask([], adapter=adapter)
