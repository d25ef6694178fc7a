from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.marking import mark, value
from tuneornot.metrics.numbers import numbers
from tuneornot.records import Json


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1,234.5", [1234.5]),
        ("1'234'567", [1234567]),
        ("1\u202f234\u202f567", [1234567]),
        ("10 100 200", [10, 100, 200]),
        ("3-5", [3, 5]),
        ("-5 and \u22122.5e3", [-5, -2500]),
        ("(-3)", [-3]),
        (".5, $5.", [0.5, 5]),
        ("5kg or 7%", [5, 7]),
        ("v1.2.3, x9 and 12.05.2024", []),
        ("1,5", []),
        ("1e999", []),
        ("", []),
    ],
)
def test_what_a_number_is(text: str, found: list[float]) -> None:
    assert numbers(text) == found


def test_a_decimal_comma() -> None:
    assert numbers("1.234,5 und 1,5", decimal=",") == [1234.5, 1.5]


@settings(deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_reads_what_python_writes(number: float) -> None:
    assert numbers(f"It is {number!r}.") == [number]
    if abs(number) < 1e15:
        assert numbers(f"{number:,.2f}") == [float(f"{number:.2f}")]


@pytest.mark.parametrize(
    ("settings", "answer", "expected", "score"),
    [
        ({}, "42", 42, 1),
        ({}, "42.0", "42", 1),
        ({}, "41.9", 42, 0),
        ({"absolute": 0.5}, "41.5", 42, 1),
        ({"absolute": 0.5}, "41.4", 42, 0),
        ({"relative": 0.1}, "-90", -100, 1),
        ({"relative": 0.1}, "90", -100, 0),
        ({"relative": 0.1, "absolute": 20}, "85", 100, 1),
        ({"relative": 0.1}, "0.01", 0, 0),
        ({}, "2 or 3", 3, 0),
        ({"take": "last"}, "2 or 3", 3, 1),
        ({"take": "first"}, "2 or 3", 3, 0),
        ({"take": "last"}, "none", 3, 0),
    ],
)
def test_tolerance(settings: dict[str, Json], answer: str, expected: Json, score: float) -> None:
    assert value({"numeric": settings}, answer, expected) == score


@pytest.mark.parametrize("expected", [None, True, "1 or 2", "none", [1]])
def test_without_one_expected_number_there_is_no_score(expected: Json) -> None:
    found = mark("numeric", "1", expected)
    assert found.value is None
    assert found.reason == "the expected answer is not one number"
