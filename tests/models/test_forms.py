"""Local models held to a form: a model of random weights, which by itself writes no JSON at all."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.models import tiny
from tuneornot.errors import MissingExtra
from tuneornot.models.base import Request
from tuneornot.models.local import LocalModel
from tuneornot.records import Json, Sampling

SCHEMA: dict[str, Json] = {
    "type": "object",
    "properties": {
        "year": {"type": "integer", "minimum": 0, "maximum": 9999},
        "court": {"enum": ["high", "low"]},
        "judges": {"type": "array", "items": {"enum": ["A", "B"]}, "maxItems": 2},
    },
    "required": ["year", "court"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def model(folder: Path) -> LocalModel:
    return LocalModel(f"local:{folder}")


def no_white_space(schema: dict[str, Json]) -> dict[str, Json]:
    """The schema for compact JSON: random weights would write spaces up to the limit."""
    return {**schema, "x-guidance": {"whitespace_flexible": False}}


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_every_answer_is_of_the_form(model: LocalModel, temperature: float) -> None:
    form = no_white_space(SCHEMA)
    how = Sampling(form=form, max_tokens=100, temperature=temperature)
    requests = [Request(messages=one.messages, sampling=how) for one in tiny.requests(8)]
    together = tiny.answers(model, requests)
    for reply in together:
        jsonschema.validate(json.loads(reply.text or ""), SCHEMA)
        assert reply.finish == "stop"
    assert [reply.text for reply in tiny.answers(model, requests, alone=True)] == [
        reply.text for reply in together
    ]


def test_rows_without_a_form_are_as_ever(model: LocalModel) -> None:
    plain = tiny.requests(4)
    before = [reply.text for reply in tiny.answers(model, plain)]
    mixed = [*plain, *tiny.requests(2, form=no_white_space(SCHEMA), max_tokens=100)]
    after = tiny.answers(model, mixed)
    assert [reply.text for reply in after[:4]] == before
    for text in before:
        with pytest.raises(ValueError, match=r"Expecting|Extra"):
            json.loads(text or "")


def test_any_object_begins_as_one(model: LocalModel) -> None:
    [reply] = tiny.answers(model, tiny.requests(1, form="json", max_tokens=30))
    assert (reply.text or "").lstrip().startswith("{")


def test_log_probabilities_are_the_models_own(model: LocalModel) -> None:
    form = no_white_space({"enum": ["high"]})
    [reply] = tiny.answers(model, tiny.requests(1, form=form, logprobs=0))
    assert reply.text == '"high"'
    assert reply.logprobs is not None
    # The only text that is allowed is certain under the form; the model itself finds it unlikely.
    assert math.exp(sum(reply.logprobs)) < 0.01


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "object", "uniqueItems": 3, "not": {"type": "string"}}, "not"),
        ({"$ref": "http://elsewhere.example/schema.json"}, "elsewhere"),
    ],
)
def test_what_no_answer_can_be_held_to_is_told(
    model: LocalModel, schema: dict[str, Json], said: str
) -> None:
    bad, good = tiny.answers(model, [*tiny.requests(1, form=schema), *tiny.requests(1)])
    assert bad.error is not None
    assert bad.error.startswith("A local model must be able to hold its answer to the form")
    assert said in bad.error
    assert good.text is not None


def test_the_library_is_part_of_the_extra(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "llguidance", None)
    with pytest.raises(MissingExtra, match=r"Holding a local model to a form .*tuneornot\[local\]"):
        tiny.answers(model, tiny.requests(1, form="json"))
    assert tiny.answers(model, tiny.requests(1))[0].text is not None
