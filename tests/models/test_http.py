"""HttpModel against a loopback server that misbehaves: every request ends exactly once."""

from __future__ import annotations

import gc
import itertools
import os
import signal
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.models.misbehaving import NAME, Misbehaving, QuickClock, misbehaving, question
from tuneornot.errors import ModelError, ServerError
from tuneornot.models.base import Reply, Request
from tuneornot.models.http import HttpModel
from tuneornot.records import Adapter, Message, Sampling

pytestmark = pytest.mark.usefixtures("no_keys")


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    with misbehaving() as running:
        yield running


@pytest.fixture
def clock() -> QuickClock:
    return QuickClock()


@pytest.fixture
def model(server: Misbehaving, clock: QuickClock) -> Iterator[HttpModel]:
    opened = HttpModel(server.name, timeout_s=0.3, max_tries=3, clock=clock)
    yield opened
    opened.close()


def ask(model: HttpModel, *texts: str, one_by_one: bool = False) -> list[Reply]:
    """Replies in the order of the questions; fails unless each came exactly once."""
    pairs = list(model.ask(map(question, texts), one_by_one=one_by_one))
    assert sorted(index for index, _ in pairs) == list(range(len(texts)))
    replies = dict(pairs)
    for reply in replies.values():
        assert (reply.text is None) != (reply.error is None)
    return [replies[index] for index in range(len(texts))]


def test_answer_with_everything_known_of_it(model: HttpModel, server: Misbehaving) -> None:
    sampling = Sampling(temperature=0.5, max_tokens=9, stop=("\n",), seed=4)
    chat = (Message(role="system", content="Be brief."), Message(role="user", content="hello"))
    [(index, reply)] = model.ask([Request(messages=chat, sampling=sampling)])
    assert (index, reply.text, reply.finish) == (0, "echo: hello", "stop")
    assert (reply.n_input_tokens, reply.n_output_tokens) == (11, 3)
    assert (reply.n_tries, reply.load) == (1, 1)
    assert reply.latency_s is not None
    assert reply.latency_s > 0
    assert server.bodies == [
        {
            "model": NAME,
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "hello"},
            ],
            "temperature": 0.5,
            "max_tokens": 9,
            "stop": ["\n"],
            "seed": 4,
        }
    ]
    assert server.keys == [None]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("429", "HTTP 429: 'no 429'"),
        ("500", "HTTP 500: 'no 500'"),
        ("408", "HTTP 408"),
        ("never", "no complete answer within 0.3 s"),
        ("drop", "the connection broke"),
        ("cut", "cut off before its end"),
        ("cut-unnoticed", "a body that was cut off: '"),
        ("html-502", "HTTP 502: 'Bad Gateway'"),
        ("wrapped-429", "HTTP 429: 'upstream is busy'"),
        ("wait", "HTTP 429: 'slow down'"),
        ("wait-date", "HTTP 503: (empty)"),
    ],
)
def test_passing_faults_are_tried_again(model: HttpModel, kind: str, said: str) -> None:
    hopeless, cured, fine = ask(model, f"{kind} always", f"{kind} x2 then well", "hello")
    assert hopeless.error is not None
    assert said in hopeless.error
    assert hopeless.error.endswith("(3 tries).")
    assert hopeless.n_tries == 3
    assert (cured.text, cured.n_tries) == (f"echo: {kind} x2 then well", 3)
    assert (fine.text, fine.n_tries) == ("echo: hello", 1)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("400", "HTTP 400: 'no 400'"),
        ("422", "HTTP 422"),
        ("garbage", "invalid JSON: '{\"choices\": nonsense}'"),
        ("binary", "invalid JSON"),
        ("deep", "invalid JSON: '[[[["),
        ("plain", "'text/plain; charset=utf-8' instead of JSON: 'I am a teapot'"),
        ("html", "instead of JSON: 'Bad & Gone'"),
        ("empty", "no choice with a message: '{\"choices\": []}'"),
        ("odd", "no choice with a message: '[1, 2, 3]'"),
        ("null", "no text (content null, finish reason 'length'"),
    ],
)
def test_lasting_faults_are_not(
    model: HttpModel, server: Misbehaving, clock: QuickClock, kind: str, said: str
) -> None:
    fine, reply = ask(model, "hello", f"{kind} always")
    assert fine.text == "echo: hello"
    assert reply.error is not None
    assert said in reply.error
    assert server.seen[f"{kind} always"] == reply.n_tries == 1
    assert clock.slept == []


def test_a_mixed_drill_loses_nothing(server: Misbehaving, clock: QuickClock) -> None:
    kinds = ["429", "500", "wait", "drop", "cut", "html", "garbage", "400", "plain", "null", "fine"]
    texts = [f"{kind} x{n % 3} number {n}" for n, kind in enumerate(kinds * 20)]
    model = HttpModel(server.name, timeout_s=5, max_tries=3, clock=clock)
    replies = ask(model, *texts)
    model.close()
    lasting = {"html", "garbage", "400", "plain", "null"}
    for text, reply in zip(texts, replies, strict=True):
        kind, times = text.split()[:2]
        if kind in lasting and times != "x0":
            assert reply.error is not None, text
        elif kind == "fine":
            assert (reply.text, reply.n_tries) == (f"echo: {text}", 1)
        else:
            assert (reply.text, reply.n_tries) == (f"echo: {text}", 1 + int(times[1:]))


def test_waits_as_long_as_the_server_asks(model: HttpModel, clock: QuickClock) -> None:
    ask(model, "wait x1 a")
    assert clock.slept == [pytest.approx(7, abs=0.01)]
    clock.slept.clear()
    ask(model, "wait-date x1 b")
    assert clock.slept == [pytest.approx(9, abs=0.01)]


def test_backoff_doubles_with_jitter(model: HttpModel, clock: QuickClock) -> None:
    ask(model, "500 x2 a")
    first, second = clock.slept
    assert 0.25 <= first <= 0.5
    assert 0.5 <= second <= 1.0


def test_a_wait_beyond_all_patience_ends_the_run(model: HttpModel) -> None:
    answers = model.ask(map(question, ["a", "b", "wait-long c"]), one_by_one=True)
    assert [next(answers)[0], next(answers)[0]] == [0, 1]
    with pytest.raises(ServerError, match=r"wait 86400 s\. 2 answers were received") as caught:
        next(answers)
    assert "the same command continues from there" in str(caught.value)


def test_one_by_one_sends_alone(model: HttpModel, server: Misbehaving) -> None:
    server.pause_s = 0.002
    assert all(reply.load == 1 for reply in ask(model, *"abcdefgh", one_by_one=True))
    assert server.most_in_flight == 1
    assert max(reply.load for reply in ask(model, *"abcdefgh")) > 1
    assert server.most_in_flight > 1


def test_two_errands_at_once_share_the_line(model: HttpModel) -> None:
    alone = model.ask(map(question, "abcd"), one_by_one=True)
    together = model.ask(map(question, "efgh"))
    merged = list(itertools.chain.from_iterable(zip(alone, together, strict=True)))
    assert sorted(reply.text or "" for _, reply in merged) == [f"echo: {c}" for c in "abcdefgh"]


def test_requests_are_taken_as_needed(model: HttpModel) -> None:
    taken = itertools.count()
    endless = (question(f"number {next(taken)}") for _ in itertools.count())
    answers = model.ask(endless)
    for _ in range(10):
        next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert next(taken) <= 10 + 2 * 16


def test_leaving_early_cancels_what_is_in_flight(model: HttpModel, server: Misbehaving) -> None:
    patient = HttpModel(server.name, timeout_s=60)
    answers = patient.ask(map(question, ["hello", "never a", "never b", "never c"]))
    assert next(answers)[1].text == "echo: hello"
    answers.close()  # type: ignore[attr-defined]
    assert ask(patient, "still there")[0].text == "echo: still there"
    patient.close()
    for _ in range(200):
        if server.n_in_flight == 0:
            break
        threading.Event().wait(0.01)
    assert server.n_in_flight == 0


def test_an_interrupt_leaves_nothing_behind(server: Misbehaving) -> None:
    def interrupted() -> Iterator[Request]:
        yield question("never a")
        raise KeyboardInterrupt

    model = HttpModel(server.name, timeout_s=60)
    with pytest.raises(KeyboardInterrupt):
        list(model.ask(interrupted()))
    model.close()
    assert not [t for t in threading.enumerate() if t.name == "tuneornot-http"]


def test_a_signal_interrupts_the_wait_for_an_answer(server: Misbehaving) -> None:
    model = HttpModel(server.name, timeout_s=60)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        ask(model, "never a", "never b")
    timer.join()
    assert ask(model, "still there")[0].text == "echo: still there"
    model.close()


def test_a_question_that_cannot_be_sent_is_a_reply(model: HttpModel) -> None:
    broken, fine = ask(model, "half a pair: \ud800", "hello")
    assert broken.error == "the question is not valid Unicode (surrogates not allowed)."
    assert fine.text == "echo: hello"


def test_closing_ends_an_open_iterator_and_may_be_repeated(server: Misbehaving) -> None:
    model = HttpModel(server.name, timeout_s=60)
    answers = model.ask(map(question, ["hello", "never a"]))
    next(answers)
    model.close()
    model.close()
    with pytest.raises(ModelError, match="closed while it was asked"):
        next(answers)
    assert ask(model, "again")[0].text == "echo: again"
    model.close()


def test_a_forgotten_model_ends_its_thread(server: Misbehaving) -> None:
    model = HttpModel(server.name)
    ask(model, "hello")
    del model
    gc.collect()
    assert not [t for t in threading.enumerate() if t.name == "tuneornot-http"]


def test_a_fault_of_the_program_reaches_the_caller(
    model: HttpModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise RuntimeError("a bug")

    monkeypatch.setattr("tuneornot.models.chat.body", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        ask(model, "hello")


def test_overload_halves_the_pace_and_answers_raise_it(
    server: Misbehaving, clock: QuickClock
) -> None:
    model = HttpModel(server.name, concurrency=8, clock=clock)
    ask(model, *(f"q{n}" for n in range(30)))
    assert server.most_in_flight <= 8
    assert model._pool.pace.limit == 8
    ask(model, "429 x1 a")
    assert 4 <= model._pool.pace.limit < 5
    ask(model, *(f"r{n}" for n in range(40)))
    assert model._pool.pace.limit == 8
    model.close()


class TestRefusedAltogether:
    @pytest.mark.parametrize("status", ["401", "403", "404"])
    def test_key_or_name_once(self, server: Misbehaving, status: str) -> None:
        model = HttpModel(server.name)
        with pytest.raises(ModelError, match=f"HTTP {status}"):
            ask(model, *(f"{status} number {n}" for n in range(20)))
        assert sum(server.seen.values()) <= 4
        model.close()

    def test_403_and_404_of_one_question_later(self, model: HttpModel) -> None:
        _, moderated, lost = ask(model, "hello", "404 a", "404 b", one_by_one=True)
        assert (moderated.error, lost.error) == (
            "the server answered HTTP 404: 'no 404'.",
            "the server answered HTTP 404: 'no 404'.",
        )

    def test_no_credit(self, model: HttpModel) -> None:
        with pytest.raises(ServerError, match=r"must have credit; .*HTTP 402"):
            ask(model, "402 a")

    def test_redirect_is_not_followed(self, model: HttpModel, server: Misbehaving) -> None:
        with pytest.raises(ModelError, match=r"redirects to 'http://elsewhere.example/v1'"):
            ask(model, "redirect a")

    def test_every_first_request_refused(self, model: HttpModel, server: Misbehaving) -> None:
        with pytest.raises(ServerError, match=r"10 requests in a row failed.*0 answers"):
            ask(model, *(f"400 number {n}" for n in range(100)))
        assert sum(server.seen.values()) < 30

    def test_refusals_among_answers_are_replies(self, model: HttpModel) -> None:
        replies = ask(model, "hello", *(f"400 number {n}" for n in range(40)), one_by_one=True)
        assert sum(reply.error is not None for reply in replies) == 40

    def test_server_down_from_the_start(self, clock: QuickClock) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            name = f"http://127.0.0.1:{free.getsockname()[1]}/v1#m"
        model = HttpModel(name, clock=clock)
        with pytest.raises(
            ServerError, match=r"The server at http://127\S* must be running"
        ) as caught:
            ask(model, *"abcdef")
        assert "no connection could be made" in str(caught.value)
        with pytest.raises(ServerError, match="must be running"):
            model.identity()
        assert clock.slept == []
        model.close()

    def test_server_that_goes_away(self, server: Misbehaving, clock: QuickClock) -> None:
        with misbehaving() as mortal:
            model = HttpModel(mortal.name, clock=clock)
            answers = model.ask(question(f"q{n}") for n in range(100))
            received = [next(answers)[0] for _ in range(3)]
        with pytest.raises(ServerError, match=r"stopped answering: .* 5 times in a row") as caught:
            received.extend(index for index, _ in answers)
        assert f"{len(received)} answers were received" in str(caught.value)
        assert len(set(received)) == len(received) < 100
        model.close()

    def test_an_adapter_cannot_be_sent(self, model: HttpModel) -> None:
        adapter = Adapter(path="some/where", weights="w", model="m", data="d", seed=1)
        with pytest.raises(ModelError, match=r"'some/where'\. Serve the adapter under a name"):
            model.ask([], adapter=adapter)


class TestIdentity:
    def test_is_stable_and_tells_models_apart(self, server: Misbehaving) -> None:
        def identity(card: dict[str, object]) -> str:
            server.offered = [{"id": "other"}, card]
            model = HttpModel(server.name)
            first = model.identity()
            assert model.identity() == first
            model.close()
            return first

        plain = identity({"id": NAME, "owned_by": "a", "created": 1})
        assert plain.startswith(NAME)
        assert identity({"id": NAME, "owned_by": "a", "created": 2}) == plain
        assert identity({"id": NAME, "owned_by": "b", "created": 1}) != plain
        sized = identity({"id": NAME, "owned_by": "a", "meta": {"size": 5, "n_ctx": 1}})
        assert identity({"id": NAME, "owned_by": "a", "meta": {"size": 5, "n_ctx": 2}}) == sized
        assert identity({"id": NAME, "owned_by": "a", "meta": {"size": 6, "n_ctx": 1}}) != sized

    def test_a_name_that_is_not_offered(self, server: Misbehaving) -> None:
        server.offered = [{"id": "well-behaving"}, {"id": "zebra"}]
        model = HttpModel(server.name)
        with pytest.raises(ModelError, match=r"'well-behaved'; .* It offers 'well-behaving' and 1"):
            model.identity()
        model.close()

    @pytest.mark.parametrize("card", [{"id": f"{NAME}:latest"}, {"id": "x", "aliases": [NAME]}])
    def test_a_name_that_is_offered_in_other_words(
        self, server: Misbehaving, card: dict[str, object]
    ) -> None:
        server.offered = [card]
        model = HttpModel(server.name)
        assert model.identity().startswith(NAME)
        model.close()

    @pytest.mark.parametrize("status", [403, 404, 405, 501])
    def test_a_server_without_a_list(
        self, server: Misbehaving, status: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TUNEORNOT_API_KEY", "restricted")
        server.offered = status
        model = HttpModel(server.name)
        assert model.identity() == NAME
        model.close()

    def test_a_server_that_never_says(self, server: Misbehaving, clock: QuickClock) -> None:
        server.offered = 500
        model = HttpModel(server.name, clock=clock, max_tries=4)
        with pytest.raises(ServerError, match="HTTP 500"):
            model.identity()
        assert len(clock.slept) == 3
        model.close()


class TestKey:
    def test_is_sent_and_shown_to_nobody(
        self, server: Misbehaving, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TUNEORNOT_API_KEY", "sesame-1234")
        model = HttpModel(server.name)
        fine, echoed = ask(model, "hello", "echo-key a")
        assert fine.text == "echo: hello"
        assert server.keys == ["Bearer sesame-1234"] * 2
        assert echoed.error == "the server answered HTTP 400: 'bad header Bearer ***'."
        with pytest.raises(ModelError, match=r"TUNEORNOT_API_KEY=\*\*\*") as caught:
            ask(model, "401 a")
        for shown in (repr(model), repr(vars(model)), str(caught.value)):
            assert "sesame" not in shown
        model.close()

    def test_without_one_the_variables_are_named(self, model: HttpModel) -> None:
        with pytest.raises(
            ModelError, match=r"no key was sent\)\. Set TUNEORNOT_API_KEY_127_0_0_1"
        ):
            ask(model, "401 a")


def test_finish_reasons_that_are_neither(model: HttpModel) -> None:
    assert ask(model, "finish a")[0].finish == "other"


def test_settings_that_make_no_sense(server: Misbehaving) -> None:
    with pytest.raises(ModelError, match="concurrency=0"):
        HttpModel(server.name, concurrency=0)
