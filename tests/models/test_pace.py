"""The arithmetic of patience."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tuneornot.models.pace import Pace, Policy


def test_the_limit_doubles_per_round_trip_until_the_first_overload() -> None:
    pace = Pace(most=64, start=4)
    for _ in range(4):
        pace.went_well()
    assert pace.limit == 8
    pace.overloaded(sent_at=1.0, now=2.0)
    assert pace.limit == 4
    for _ in range(4):
        pace.went_well()
    assert 4.8 < pace.limit < 5


def test_one_burst_of_refusals_halves_once() -> None:
    pace = Pace(most=16, start=16)
    for _ in range(10):
        pace.overloaded(sent_at=1.0, now=2.0)
    assert pace.limit == 8
    pace.overloaded(sent_at=2.5, now=3.0)
    assert pace.limit == 4


@given(st.lists(st.booleans(), max_size=200), st.integers(1, 40))
def test_the_limit_stays_between_one_and_the_most(events: list[bool], most: int) -> None:
    pace = Pace(most=most)
    for time, well in enumerate(events):
        if well:
            pace.went_well()
        else:
            pace.overloaded(sent_at=time, now=time + 0.5)
        assert 1 <= pace.limit <= most


@given(st.integers(1, 2000), st.integers(0, 2**32))
def test_backoff_is_between_half_and_all_of_a_capped_doubling(n_tries: int, seed: int) -> None:
    policy = Policy()
    whole = min(30.0, 0.5 * 2.0 ** min(n_tries - 1, 60))
    assert whole / 2 <= policy.backoff_s(n_tries, random.Random(seed)) <= whole
