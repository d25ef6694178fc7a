"""Streams and log-probabilities: read where they are offered, done without where they are not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.models.misbehaving import Misbehaving, QuickClock, misbehaving, question
from tuneornot.models import address, chat, reading
from tuneornot.models.base import Reply, Request
from tuneornot.models.http import HttpModel
from tuneornot.records import Sampling

pytestmark = pytest.mark.usefixtures("no_keys")


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    with misbehaving() as running:
        yield running


@pytest.fixture
def model(server: Misbehaving) -> Iterator[HttpModel]:
    opened = HttpModel(server.name, timeout_s=5, max_tries=3, clock=QuickClock())
    yield opened
    opened.close()


def ask(
    model: HttpModel, *texts: str, sampling: Sampling | None = None, alone: bool = True
) -> list[Reply]:
    asked = [Request(messages=question(t).messages, sampling=sampling or Sampling()) for t in texts]
    replies = dict(model.ask(asked, one_by_one=alone))
    return [replies[place] for place in range(len(texts))]


def test_alone_a_question_is_streamed_to_see_the_first_token(
    model: HttpModel, server: Misbehaving
) -> None:
    [reply] = ask(model, "one two three")
    assert (reply.text, reply.finish) == ("echo: one two three", "stop")
    assert (reply.n_input_tokens, reply.n_output_tokens) == (11, 3)
    assert reply.latency_s is not None
    assert reply.first_token_s is not None
    assert 0 < reply.first_token_s < reply.latency_s
    assert server.bodies[-1]["stream"] is True
    assert server.bodies[-1]["stream_options"] == {"include_usage": True}


def test_together_nothing_is_streamed(model: HttpModel, server: Misbehaving) -> None:
    [reply] = ask(model, "hello", alone=False)
    assert reply.first_token_s is None
    assert "stream" not in server.bodies[-1]


def test_a_server_that_does_not_stream_is_read_whole(model: HttpModel, server: Misbehaving) -> None:
    server.streams = False
    [reply] = ask(model, "hello")
    assert (reply.text, reply.n_tries, reply.first_token_s) == ("echo: hello", 1, None)


@pytest.mark.parametrize("status", [400, 422, 501])
def test_a_server_that_refuses_streams_is_asked_without_and_only_once(
    model: HttpModel, server: Misbehaving, status: int
) -> None:
    server.streams = status
    replies = ask(model, "a", "b", "c")
    assert [reply.text for reply in replies] == ["echo: a", "echo: b", "echo: c"]
    assert [reply.n_tries for reply in replies] == [1, 1, 1]
    assert ["stream" in body for body in server.bodies] == [True, False, False, False]


def test_a_question_that_is_refused_itself_teaches_nothing(
    model: HttpModel, server: Misbehaving
) -> None:
    bad, good = ask(model, "400 always", "hello")
    assert bad.error == "the server answered HTTP 400: 'no 400'."
    assert good.first_token_s is not None
    ask(model, "422 always")
    assert server.seen["400 always"] == 2
    assert server.seen["422 always"] == 1, "once a stream has come there is nothing to find out"


def test_streams_that_are_odd_but_whole(model: HttpModel) -> None:
    [reply] = ask(model, "stream-bare a")
    assert (reply.text, reply.finish, reply.n_output_tokens) == ("a naïve answer", "stop", None)


@pytest.mark.parametrize(
    ("kind", "said", "n_tries"),
    [
        ("stream-cut", "the stream ended before the answer did", 3),
        ("stream-busy", "HTTP 529: 'too much to do'", 3),
        ("stream-odd", "an event that is none of an answer's: '[1, 2]'", 1),
    ],
)
def test_faults_within_a_stream(model: HttpModel, kind: str, said: str, n_tries: int) -> None:
    hopeless, cured = ask(model, f"{kind} always", f"{kind} x2 then well")
    assert hopeless.error is not None
    assert said in hopeless.error
    assert hopeless.n_tries == n_tries
    if n_tries == 3:
        assert cured.text == f"echo: {kind} x2 then well"


@pytest.mark.parametrize("alone", [False, True])
def test_log_probabilities_are_read(model: HttpModel, server: Misbehaving, alone: bool) -> None:
    [reply] = ask(model, "yes", sampling=Sampling(logprobs=2), alone=alone)
    assert reply.logprobs == (-0.5, -0.5)
    assert reply.alternatives == (
        {"echo:": -0.5, "other": -2.5},
        {" yes": -0.5, "other": -2.5},
    )
    assert (server.bodies[-1]["logprobs"], server.bodies[-1]["top_logprobs"]) == (True, 2)


def test_without_alternatives_none_are_asked_for(model: HttpModel, server: Misbehaving) -> None:
    ask(model, "yes", sampling=Sampling(logprobs=0))
    assert "top_logprobs" not in server.bodies[-1]


@pytest.mark.parametrize("refusal", [False, 400])
@pytest.mark.parametrize("alone", [False, True])
def test_log_probabilities_that_are_not_offered_cost_no_answer(
    model: HttpModel, server: Misbehaving, refusal: bool | int, alone: bool
) -> None:
    server.logprobs = refusal
    replies = ask(model, *"abcd", sampling=Sampling(logprobs=1), alone=alone)
    assert [reply.text for reply in replies] == ["echo: a", "echo: b", "echo: c", "echo: d"]
    assert {reply.logprobs for reply in replies} == {None}
    assert {reply.n_tries for reply in replies} == {1}


def test_without_log_probabilities_it_is_still_streamed(
    model: HttpModel, server: Misbehaving
) -> None:
    server.logprobs = 400
    [reply] = ask(model, "a", sampling=Sampling(logprobs=0))
    assert (reply.text, reply.logprobs) == ("echo: a", None)
    assert reply.first_token_s is not None


@pytest.mark.parametrize(
    ("told", "n"),
    [
        (b'{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":8}}', 8),
        (b'{"prompt_tokens":9,"prompt_tokens_details":null}', None),
        (b'{"prompt_tokens":9,"prompt_tokens_details":{"cached_tokens":"8"}}', None),
    ],
)
def test_what_the_server_had_read_before(told: bytes, n: int | None) -> None:
    raw = b'{"choices":[{"message":{"content":"a"}}],"usage":' + told + b"}"
    reader = reading.Reader(chat.Chat(address.parse("http://127.0.0.1:1/v1#m")), None)
    reply = reader.read(200, {}, raw, latency_s=1.0)
    assert isinstance(reply, Reply)
    assert (reply.n_input_tokens, reply.n_cached_tokens) == (9, n)


@pytest.mark.parametrize(
    "told",
    [
        b'{"content":[{"token":"a"}]}',
        b'{"content":[{"token":"a","logprob":"low"}]}',
        b'{"content":[{"token":"a","logprob":-1,"top_logprobs":[7]}]}',
        b'{"content":[]}',
        b'{"tokens":["a"]}',
        b"[1]",
        b"null",
    ],
)
def test_unreadable_log_probabilities_are_none(told: bytes) -> None:
    reader = reading.Reader(chat.Chat(address.parse("http://127.0.0.1:1/v1#m")), None)
    raw = b'{"choices":[{"message":{"content":"a"},"logprobs":' + told + b"}]}"
    reply = reader.read(200, {}, raw, latency_s=1.0)
    assert isinstance(reply, Reply)
    assert (reply.text, reply.logprobs, reply.alternatives) == ("a", None, None)


@pytest.mark.parametrize(
    ("sampling", "fields"),
    [
        (Sampling(top_p=0.9), {"top_p": 0.9}),
        (Sampling(form="json"), {"response_format": {"type": "json_object"}}),
        (
            Sampling(form={"type": "object"}),
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {
                        "name": "answer",
                        "schema": {"type": "object"},
                        "strict": True,
                    },
                }
            },
        ),
        (Sampling(), {}),
    ],
)
def test_what_determines_the_answer_is_sent(
    model: HttpModel, server: Misbehaving, sampling: Sampling, fields: dict[str, object]
) -> None:
    ask(model, "hello", sampling=sampling, alone=False)
    asked = {"model", "messages", "temperature", "max_tokens", "seed"}
    assert {name: v for name, v in server.bodies[-1].items() if name not in asked} == fields


def test_a_limit_that_is_used_up_pauses_before_it_is_broken(server: Misbehaving) -> None:
    clock = QuickClock()
    model = HttpModel(server.name, clock=clock)
    server.headers = {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "1m3s",
    }
    ask(model, "a", "b")
    assert clock.slept == [pytest.approx(63, abs=0.01)]
    server.headers["x-ratelimit-reset-requests"] = "12h"
    ask(model, "c", "d")
    assert clock.slept[-1] == pytest.approx(300, abs=0.01), "no longer than the server's patience"
    model.close()
