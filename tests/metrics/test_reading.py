from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneornot.metrics import reading
from tuneornot.records import Json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None)
@given(VALUES)
def test_reads_what_a_json_writer_writes(value: Json) -> None:
    assert reading.same(reading.read(json.dumps(value)), value)
    assert reading.same(reading.read(json.dumps(value, indent=1)), value)


@settings(deadline=None)
@given(VALUES, st.sampled_from(["```json\n{}\n```", "```\n{}\n```", "Here it is:\n```\n{}"]))
def test_lenient_reads_a_fence(value: Json, around: str) -> None:
    text = around.format("\n" + json.dumps(value))
    assert reading.same(reading.read(text, lenient=True), value)
    with pytest.raises(reading.NotJson):
        reading.read(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('The answer is {"a": [1, 2]}, I think.', {"a": [1, 2]}),
        ("Of {these} take [1, 2]", [1, 2]),
        ('{"a": 1} and {"a": 2}', {"a": 1}),
        ('```python\nprint()\n```\n```json\n{"a": 1}\n```', {"a": 1}),
        ("\u00a0 17 \u00a0", 17),
    ],
)
def test_lenient_takes_the_first_value(text: str, value: Json) -> None:
    assert reading.read(text, lenient=True) == value


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ("no braces here", "not JSON"),
        ("NaN", "NaN is not a JSON number"),
        ('{"a": -Infinity}', "-Infinity is not a JSON number"),
        ('{"a": 1, "a": 2}', "'a' stands twice"),
        ("9" * 400, "beyond the range of a double"),
        ("9" * 10_000, "beyond the range of a double"),
        ("-1e999", "beyond the range of a double"),
        ("[" * 61 + "]" * 61, "deeper than 60"),
        ("[" * 100_000 + "]" * 100_000, "deeper than 60"),
        ('{"a":' * 5_000, "not JSON|deeper than 60"),
        ('{"a": tru', "not JSON"),
        ("'single'", "not JSON"),
        ('{"a": {"b": 1}, "c": ', "not JSON"),
        ('{"a": {"b": 1}, "a": 2}', "'a' stands twice"),
        ('[{"b": 1}, NaN]', "NaN is not"),
    ],
)
def test_refuses_what_two_programs_would_read_differently(
    text: str, why: str, lenient: bool
) -> None:
    with pytest.raises(reading.NotJson, match=why):
        reading.read(text, lenient=lenient)


def test_the_deepest_allowed_nesting_is_read() -> None:
    assert reading.read("[" * 60 + "]" * 60) != []


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ([1], [True], False),
        (None, False, False),
        ("1", 1, False),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": None}, {}, False),
        ([1, 2], [2, 1], False),
        ([1], [1, 1], False),
        ([], {}, False),
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 2.0}]}}, True),
    ],
)
def test_sameness_is_that_of_json(a: Json, b: Json, equal: bool) -> None:
    assert reading.same(a, b) is equal
    assert reading.same(b, a) is equal
