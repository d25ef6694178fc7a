"""Anthropic's messages against a server on loopback that speaks them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.models.misbehaving import NAME, UNLISTED, Misbehaving, QuickClock, misbehaving, question
from tuneornot import study
from tuneornot.errors import ModelError, StudyError
from tuneornot.models import registry
from tuneornot.models.base import Reply, Request
from tuneornot.models.http import HttpModel
from tuneornot.records import Json, Message, Sampling

KEY = "sesame-1234"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Misbehaving]:
    with misbehaving() as running:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", running.base.removesuffix("/v1"))
        monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
        monkeypatch.setenv("TUNEORNOT_API_KEY", "another")
        yield running


@pytest.fixture
def clock() -> QuickClock:
    return QuickClock()


@pytest.fixture
def model(server: Misbehaving, clock: QuickClock) -> Iterator[HttpModel]:
    opened = HttpModel(f"anthropic:{NAME}", timeout_s=5, max_tries=3, clock=clock)
    yield opened
    opened.close()


def ask(model: HttpModel, *texts: str, alone: bool = False) -> list[Reply]:
    replies = dict(model.ask(map(question, texts), one_by_one=alone))
    return [replies[place] for place in range(len(texts))]


def test_the_question_in_anthropics_words(model: HttpModel, server: Misbehaving) -> None:
    chat = (
        Message(role="system", content="Be brief."),
        Message(role="user", content="two + two?"),
        Message(role="assistant", content="4"),
        Message(role="user", content="three + three?"),
    )
    schema: dict[str, Json] = {"type": "object"}
    sampling = Sampling(temperature=0.5, top_p=0.9, max_tokens=9, stop=("\n",), seed=4, form=schema)
    [(_, reply)] = model.ask([Request(messages=chat, sampling=sampling)])
    assert (reply.text, reply.finish) == ("echo: three + three?", "stop")
    assert (reply.n_input_tokens, reply.n_output_tokens) == (11, 3), "cached tokens are read too"
    assert reply.n_cached_tokens == 7
    assert server.bodies == [
        {
            "model": NAME,
            "max_tokens": 9,
            "messages": [
                {"role": "user", "content": "two + two?"},
                {"role": "assistant", "content": "4"},
                {"role": "user", "content": "three + three?"},
            ],
            "system": "Be brief.",
            "temperature": 0.5,
            "top_p": 0.9,
            "stop_sequences": ["\n"],
            "output_config": {"format": {"type": "json_schema", "schema": schema}},
        }
    ]
    assert server.keys == [KEY]


def test_the_usual_temperature_is_not_sent(model: HttpModel, server: Misbehaving) -> None:
    list(model.ask([Request(messages=question("a").messages, sampling=Sampling(temperature=1))]))
    assert "temperature" not in server.bodies[-1]


def test_a_stream_tells_the_first_token(model: HttpModel, server: Misbehaving) -> None:
    [reply] = ask(model, "one two three", alone=True)
    assert (reply.text, reply.finish) == ("echo: one two three", "stop")
    assert (reply.n_input_tokens, reply.n_output_tokens) == (11, 3)
    assert reply.first_token_s is not None
    assert reply.latency_s is not None
    assert 0 < reply.first_token_s < reply.latency_s
    assert server.bodies[-1]["stream"] is True


def test_overloaded_is_tried_again_with_fewer_at_once(model: HttpModel) -> None:
    ask(model, *(f"q{n}" for n in range(20)))
    hopeless, cured = ask(model, "overloaded always", "overloaded x1 then well")
    assert hopeless.error == "the server answered HTTP 529: 'Overloaded' (3 tries)."
    assert cured.text == "echo: overloaded x1 then well"
    assert model._pool.pace.limit < 16


def test_the_reset_of_a_limit_is_waited_for(model: HttpModel, clock: QuickClock) -> None:
    [reply] = ask(model, "used-up x1 a")
    assert reply.text == "echo: used-up x1 a"
    assert clock.slept == [pytest.approx(21, abs=0.01)]


def test_an_answer_without_a_text_is_an_error(model: HttpModel) -> None:
    fine, reply = ask(model, "hello", "odd a")
    assert fine.text == "echo: hello"
    assert reply.error == "the response holds no content: '[1, 2, 3]'."


def test_a_bad_key_names_its_variable_and_shows_nothing(model: HttpModel) -> None:
    with pytest.raises(ModelError, match=r"ANTHROPIC_API_KEY=\*\*\*.*Set ANTHROPIC_API_KEY in"):
        ask(model, "401 a")
    assert KEY not in repr(model) + repr(vars(model))


def test_identity_is_of_the_model_and_of_where_it_is_asked(
    server: Misbehaving, model: HttpModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = model.identity()
    assert here.startswith(NAME)
    assert server.base in here
    unlisted = HttpModel(f"anthropic:{UNLISTED}")
    assert unlisted.identity().startswith(UNLISTED)
    unlisted.close()
    absent = HttpModel("anthropic:well-behaving")
    with pytest.raises(ModelError, match="It offers 'well-behaved'"):
        absent.identity()
    absent.close()


@pytest.mark.parametrize(
    ("sampling", "said"),
    [
        ("{logprobs: 3}", "tells no log-probabilities, found logprobs=3"),
        ("{form: json}", "to a JSON Schema only"),
        ("{temperature: 1.5}", "end at 1, found 1.5"),
    ],
)
def test_what_the_api_cannot_do_is_told_before_anything_is_asked(sampling: str, said: str) -> None:
    text = f"""
study: s
task: t
data: {{cases: c.jsonl}}
arms:
  one: {{model: "anthropic:m", sampling: {sampling}}}
  other: {{model: local:b}}
metrics: [exact_match]
decide: {{primary: exact_match, worthwhile: 0.1}}
"""
    with pytest.raises(StudyError) as caught:
        study.parse(text)
    assert said in caught.value.faults[0]


def test_the_registry_opens_it(server: Misbehaving) -> None:
    model = registry.open(f"anthropic:{NAME}")
    assert [reply.text for _, reply in model.ask([question("hello")])] == ["echo: hello"]
    model.close()
