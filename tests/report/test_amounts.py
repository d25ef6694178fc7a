from __future__ import annotations

import math
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneornot.records import Estimate, Scale
from tuneornot.report import amounts

SHARE = Scale()
SECONDS = Scale(better="lower", high=None, unit="s")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"),
        (0.4123, "0.412"),
        (38.24, "38.2"),
        (1240.4, "1,240"),
        (-2.5, "−2.50"),
        (0.00123, "0.00123"),
        (1e-12, "0.00000000"),
        (-1e-12, "0.00000000"),
        (math.nan, "not determined"),
        (math.inf, "not determined"),
    ],
)
def test_numbers_have_three_significant_digits(value: float, written: str) -> None:
    assert amounts.number(value) == written


def test_shares_are_percent_and_points_and_units_stay() -> None:
    assert amounts.level(0.33, SHARE) == "33.0%"
    assert amounts.difference(0.22, SHARE) == "+22.0 points"
    assert amounts.difference(-0.001, SHARE) == "−0.1 points"
    assert amounts.difference(-0.0001, SHARE) == "0.0 points"
    assert amounts.level(0.4123, SECONDS) == "0.412 s"
    assert amounts.difference(1.15, SECONDS) == "+1.15 s"
    assert amounts.margin(0.05, SHARE) == "5 points"
    assert amounts.margin(-0.01, SHARE) == "1 point"
    assert amounts.margin(0.025, SHARE) == "2.5 points"


def test_a_change_of_a_quantity_that_should_be_low_says_which_way_it_went() -> None:
    assert amounts.change(1.15, SECONDS) == "a gain of 1.15 s"
    assert amounts.change(-1.15, SECONDS) == "a loss of 1.15 s"
    assert amounts.change(0.22, SHARE) == "+22.0 points"
    assert amounts.change(0.0, SECONDS) == "no difference"


def test_a_table_shows_candidate_minus_baseline_and_what_it_means() -> None:
    faster = Estimate(value=7.78, low=-1.0, high=9.2, lower=0.0, upper=9.0)
    assert amounts.apart(7.78, SECONDS) == "\u22127.78 s, better"
    assert amounts.apart(-7.78, SECONDS) == "+7.78 s, worse"
    assert amounts.apart(0.0, SECONDS) == "0 s"
    assert amounts.apart(0.22, SHARE) == "+22.0 points"
    assert amounts.apart_span(faster, SECONDS) == "\u22129.20 to +1.00"
    assert amounts.apart_span(faster, SHARE) == amounts.span(faster, SHARE)


def test_a_ratio_of_nearly_nothing_is_not_written_in_nine_digits() -> None:
    wild = Estimate(value=1.5, low=0.72, high=2.8e8, lower=0.8, upper=3.0)
    assert amounts.factor_span(wild) == "0.72 to over 1,000"


@pytest.mark.parametrize(
    ("name", "written"),
    [("exact_match", "Exact match"), ("json_schema", "JSON schema"), ("F1", "F1"), ("", "")],
)
def test_metric_names_become_words(name: str, written: str) -> None:
    assert amounts.title(name) == written


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.42, "0.4 s"),
        (9.97, "10 s"),
        (59.6, "1 min"),
        (312.0, "5 min 12 s"),
        (7439.0, "2 h 4 min"),
        (3599.9, "1 h"),
        (math.nan, "not determined"),
    ],
)
def test_durations(seconds: float, written: str) -> None:
    assert amounts.duration(seconds) == written


@given(st.integers(0, 10**9))
def test_a_forecast_of_cases_is_rounded_up_never_down_and_by_less_than_a_tenth(n: int) -> None:
    shown = int(amounts.about(n).replace(",", ""))
    assert n <= shown <= max(n * 1.1, n)


@given(st.floats(-1e300, 1e300) | st.sampled_from([math.nan, math.inf, -math.inf]))
def test_every_float_can_be_written(value: float) -> None:
    for text in (
        amounts.level(value, SHARE),
        amounts.difference(value, SECONDS),
        amounts.duration(abs(value)),
        amounts.factor(abs(value)),
    ):
        assert "nan" not in text
        assert "inf" not in text


@given(st.floats(-1e6, 1e6))
def test_signs_are_those_of_the_value(value: float) -> None:
    written = amounts.signed(value)
    digits = float(written.lstrip("+−").replace(",", ""))
    if digits:
        assert written[0] == ("+" if value > 0 else "−")
    else:
        assert written[0] in string.digits


def test_p_values() -> None:
    assert amounts.p_value(0.0004) == "p < 0.001"
    assert amounts.p_value(0.034) == "p = 0.034"
    assert amounts.p_value(None) == ""
    assert amounts.p_value(math.nan) == ""
    assert amounts.bare_p(0.0004) == "< 0.001"
    assert amounts.bare_p(0.034) == "0.034"
    assert amounts.bare_p(None) == ""
