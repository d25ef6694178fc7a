"""What the headers of servers say of waiting."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tuneornot.models import waiting

NOW = {"Date": "Wed, 01 Jan 2020 00:00:00 GMT"}
SINCE_1970 = datetime(2020, 1, 1, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3), ("0.5", 0.5), ("-4", 0), ("soon", None), ("nan", None), ("inf", None), ("", None)],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert waiting.asked_s({"Retry-After": value}) == seconds


def test_retry_after_a_date() -> None:
    assert waiting.asked_s({"Retry-After": "Wed, 01 Jan 2020 00:00:00 GMT"}) == 0
    assert waiting.asked_s({"Retry-After": "Wed, 01 Jan 2020 00:00:09 GMT", **NOW}) == 9


def test_milliseconds_are_finer_than_seconds() -> None:
    assert waiting.asked_s({"Retry-After-Ms": "1250", "Retry-After": "2"}) == 1.25
    assert waiting.asked_s({"Retry-After-Ms": "soon", "Retry-After": "2"}) == 2


@pytest.mark.parametrize(
    ("reset", "seconds"),
    [
        ("8.64s", 8.64),
        ("1m30.5s", 90.5),
        ("6m0s", 360),
        ("120ms", 0.12),
        ("1h2m", 3720),
        ("2d", 172800),
        ("7", 7),
        (f"{SINCE_1970 + 12:.0f}", 12),
        (f"{1000 * (SINCE_1970 + 12):.0f}", 12),
        ("2020-01-01T00:00:21Z", 21),
        ("Wed, 01 Jan 2020 00:00:09 GMT", 9),
        ("2019-12-31T00:00:00Z", None),
        ("whenever", None),
        ("", None),
    ],
)
def test_a_limit_that_is_used_up_tells_until_when(reset: str, seconds: float | None) -> None:
    for left, until in (
        ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
        ("x-ratelimit-remaining", "x-ratelimit-reset"),
        ("anthropic-ratelimit-input-tokens-remaining", "anthropic-ratelimit-input-tokens-reset"),
    ):
        found = waiting.used_up_s({left: "0", until: reset, **NOW})
        assert found == (None if seconds is None else pytest.approx(seconds))
        assert waiting.used_up_s({left: "1", until: reset, **NOW}) is None


def test_of_several_limits_the_longest_counts() -> None:
    headers = {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": "2s",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "5s",
    }
    assert waiting.used_up_s(headers) == waiting.asked_s(headers) == 5
    assert waiting.asked_s({**headers, "Retry-After": "1"}) == 1, "what it says outright goes first"
