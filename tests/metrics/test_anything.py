"""Whatever a model writes, every metric ends in a judgement."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.test_form import CITATION_SCHEMA
from tests.metrics.test_reading import VALUES
from tuneornot.metrics import registry
from tuneornot.metrics.base import Metric
from tuneornot.records import Case, Json, Response

ENTRIES: list[registry.Entry] = [
    "exact_match",
    {"exact_match": {"name": "lenient", "lenient": True}},
    "normalised_match",
    "contains",
    {"field_match": {"count_extra": True, "lenient": True}},
    {"field_match": {"name": "paths", "fields": ["a.b", "0.1"]}},
    "json_valid",
    {"json_valid": {"lenient": True}},
    "json_schema",
    {"json_schema": {"schema": CITATION_SCHEMA, "lenient": True}},
    {"json_schema": {"schema": {"multipleOf": 0.1, "uniqueItems": True, "pattern": "^a*$"}}},
    {"regex": {"pattern": r"\bword\b"}},
    {"length": {"max": 3}},
]
METRICS: list[Metric] = [registry.build(entry) for entry in ENTRIES]

PIECES = st.sampled_from(
    [
        *["{", "}", "[", "]", '"', ":", ",", "\\", "\\u", "\\ud800", "\ud800", "NaN", "-Infinity"],
        *["1e999", "9" * 5000, "[" * 2000, '{"a":' * 2000, "```json\n", "```", "null", "-", "0x1"],
        *['{"a": 1, "a": 2}', "\x00", "\ufeff", "\u202e", "é", "e\u0301", " ", "\n", "²", "١"],
    ]
)
ANSWERS = st.text(alphabet=st.characters()) | st.lists(PIECES, max_size=12).map("".join)


@settings(deadline=None)
@given(answer=ANSWERS, expected=VALUES)
def test_no_metric_raises(answer: str, expected: Json) -> None:
    case = Case(id="c", input="q", expected=expected)
    response = Response(arm="a", question="q", text=answer)
    for metric in METRICS:
        value, reason = metric.score(case, response)
        if value is None:
            assert reason
        else:
            assert 0 <= value <= 1
            assert math.isfinite(value)
            assert not metric.scale.binary or value in {0, 1}
        if reason is not None:
            reason.encode("utf-8")


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: str(metric.settings()))
def test_a_long_hostile_answer_takes_no_longer_than_its_length_warrants(metric: Metric) -> None:
    # 400,000 characters that invite quadratic work; the suite's own time limit is the assertion.
    case = Case(id="c", input="q", expected={"a": 1})
    for answer in ("[1," * 130_000, '{"a"' * 100_000, "```json\n" * 50_000, "[" * 400_000):
        value, _ = metric.score(case, Response(arm="a", question="q", text=answer))
        assert value in {0.0, 1.0, None}
