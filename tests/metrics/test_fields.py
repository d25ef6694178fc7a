from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.marking import mark, value
from tuneornot.records import Json

CITATION: Json = {"volume": 410, "reporter": "U.S.", "page": 113, "year": 1973}


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ('{"volume": 410, "reporter": "U.S.", "page": 113, "year": 1973}', 1),
        ('{"volume": 410, "reporter": "U. S.", "page": 113, "year": 1973}', 3 / 4),
        ('{"volume": "410", "reporter": "U.S."}', 1 / 4),
        ('{"volume": 410, "reporter": "U.S.", "page": 113, "year": 1973, "court": 1}', 1),
        ("{}", 0),
        ("[410]", 0),
        ("410 U.S. 113", 0),
    ],
)
def test_share_of_the_fields(answer: str, score: float) -> None:
    assert value("field_match", answer, CITATION) == pytest.approx(score, abs=1e-12)


def test_the_reason_names_every_kind_of_fault() -> None:
    said = mark("field_match", '{"volume": 1, "reporter": "U.S.", "court": 2}', CITATION).reason
    assert said == "wrong: 'volume'; missing: 'page', 'year'; additional: 'court'"
    assert mark("field_match", json.dumps(CITATION), CITATION).reason is None


def test_extra_fields_can_count() -> None:
    entry = {"field_match": {"count_extra": True}}
    assert value(entry, '{"a": 1, "b": 2, "c": 3}', {"a": 1}) == pytest.approx(1 / 3)
    assert value(entry, '{"a": 1}', {"a": 1}) == 1


def test_listed_fields_and_paths_inwards() -> None:
    expected: Json = {"name": "x", "address": {"city": "Bonn"}, "items": [{"code": 1}], "a.b": 5}
    entry = {"field_match": {"fields": ["address.city", "items.0.code", "a.b", "absent.here"]}}
    answer = {"address": {"city": "Bonn", "zip": 1}, "items": [{"code": 2}], "a.b": 5}
    assert value(entry, json.dumps(answer), expected) == pytest.approx(2 / 3)
    assert value(entry, json.dumps({"address": "Bonn", "items": []}), expected) == 0


def test_a_null_that_is_expected_must_be_there() -> None:
    assert value("field_match", '{"a": null}', {"a": None}) == 1
    assert value("field_match", "{}", {"a": None}) == 0


@pytest.mark.parametrize("expected", [None, "text", [1], 7, {}])
def test_without_expected_fields_there_is_no_score(expected: Json) -> None:
    found = mark("field_match", '{"a": 1}', expected)
    assert found.value is None
    assert found.reason


def test_expected_json_may_come_as_a_text() -> None:
    assert value("field_match", '{"a": 1}', '{"a": 1, "b": 2}') == 0.5


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.integers() | st.text(), min_size=1, max_size=6), st.data())
def test_score_is_the_number_of_right_fields(wanted: dict[str, Json], data: st.DataObject) -> None:
    spoiled = data.draw(st.sets(st.sampled_from(sorted(wanted))))
    answer = {name: [] if name in spoiled else item for name, item in wanted.items()}
    found = value("field_match", json.dumps(answer), wanted)
    assert found == pytest.approx(1 - len(spoiled) / len(wanted))


LINES: list[Json] = [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}]
ORDER: dict[str, Json] = {"id": 7, "lines": LINES, "note": None}


@pytest.mark.parametrize(
    ("answer", "precision", "recall"),
    [
        (ORDER, 1, 1),
        ({"id": 7}, 1, 1 / 6),
        ({"id": 8}, 0, 0),
        ({"id": 7, "extra": [1, 2, 3]}, 1 / 4, 1 / 6),
        ({"lines": [{"sku": "b", "n": 2}, {"sku": "a", "n": 1}]}, 0, 0),
        ({"note": {}}, 0, 0),
    ],
)
def test_values_at_every_depth(answer: Json, precision: float, recall: float) -> None:
    text = json.dumps(answer)
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    figures = {"precision": precision, "recall": recall, "f1": f1}
    for figure, wanted in figures.items():
        assert value({"field_f1": {"figure": figure}}, text, ORDER) == pytest.approx(wanted)


def test_the_order_of_items_can_be_free() -> None:
    turned = json.dumps({**ORDER, "lines": LINES[::-1]})
    assert value({"field_f1": {"unordered": True}}, turned, ORDER) == 1
    assert value("field_f1", turned, ORDER) == pytest.approx(2 * 2 / 12)
    # The price of it: which values stood together is not seen.
    swapped = json.dumps({**ORDER, "lines": [{"sku": "a", "n": 2}, {"sku": "b", "n": 1}]})
    assert value({"field_f1": {"unordered": True}}, swapped, ORDER) == 1


def test_values_are_compared_as_json() -> None:
    assert value("field_f1", '{"a": 1.0}', {"a": 1}) == 1
    assert value("field_f1", '{"a": true}', {"a": 1}) == 0
    assert value("field_f1", '{"a": "1"}', {"a": 1}) == 0
    assert value("field_f1", '{"a": []}', {"a": {}}) == 0
    assert value({"field_f1": {"fold": True}}, '{"a": "BONN."}', {"a": "Bonn"}) == 1


def test_the_reason_names_the_paths() -> None:
    found = mark("field_f1", '{"a": {"b": 1}, "c": 2}', {"a": {"b": 3}})
    assert found.reason == "not as expected: 'a.b'; too many: 'a.b', 'c'"
    assert mark("field_f1", "no JSON", {"a": 1}).value == 0
    assert mark("field_f1", "{}", None).value is None
