"""Whatever a model writes, every metric ends in a judgement."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given, settings
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
    {"length": {"max": 3, "unit": "sentences"}},
    {"length": {"max": 3, "unit": "paragraphs"}},
    "numeric",
    {"numeric": {"take": "last", "decimal": ","}},
    {"choice": {"labels": ["a", "b c"], "anywhere": True}},
    {"macro_f1": {"labels": ["a", "b c"], "anywhere": True}},
    {"citations": {"kind": "legal"}},
    *({"citations": {"kind": kind, "figure": "f1"}} for kind in ("doi", "pmid", "arxiv", "isbn")),
    "token_f1",
    {"corpus_bleu": {"tokenizer": "intl"}},
    {"corpus_chrf": {"words": 2}},
    {"rouge": {"kind": "1"}},
    {"rouge": {"kind": "2"}},
    {"rouge": {"kind": "L"}},
    "edit_similarity",
    {"edit_similarity": {"unit": "words"}},
    {"field_f1": {"unordered": True, "fold": True, "lenient": True}},
    {"well_formed": {"kind": "csv"}},
    {"well_formed": {"kind": "markdown_table", "lenient": True}},
    {"well_formed": {"kind": "sql", "lenient": True}},
    {"well_formed": {"kind": "xml"}},
    {"well_formed": {"kind": "yaml"}},
    {"one_of": {"values": ["a"]}},
    {"sections": {"sections": ["a", "b"]}},
    {"sections": {"sections": ["a", "b"], "headings": False}},
    {"language": {"language": "en", "letters": 1}},
    "lexical_support",
    "number_support",
    "name_support",
    "declines",
    {"answered": {"of": "token_f1"}},
    {"confident_wrong": {"source": "stated"}},
    "brier",
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
@example(answer="0\n-", expected=None)
@given(answer=ANSWERS, expected=VALUES)
def test_no_metric_raises(answer: str, expected: Json) -> None:
    case = Case(id="c", input="q", expected=expected, context="Some [1, 2] Context.")
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
    # Characters that invite quadratic work; the suite's own time limit is the assertion.
    case = Case(id="c", input="q", expected={"a": 1}, context="a 1")
    long = ("[1,", '{"a"', "```json\n", "[")
    hostile = [piece * (400_000 // len(piece)) for piece in long]
    hostile += [piece * (60_000 // len(piece)) for piece in ("a b ", "|-", "# a\n", "1,", '."')]
    for answer in hostile:
        value, _ = metric.score(case, Response(arm="a", question="q", text=answer))
        assert value is None or 0 <= value <= 1
