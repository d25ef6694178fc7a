"""Server-sent events, however the bytes arrive."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tuneornot.models.events import Events

STREAM = (
    "event: a\r\ndata: {1}\r\n\r\n: a remark\n\ndata:two\ndata: lines\n\nid: 7\n\ndata: é\r\r"
    "data: last"
).encode()
WANTED = [b"{1}", b"two\nlines", "é".encode(), b"last"]


def read(parts: list[bytes]) -> list[bytes]:
    events = Events()
    return [data for part in parts for data in events.feed(part)] + events.end()


def test_whole_and_byte_by_byte() -> None:
    assert read([STREAM]) == WANTED
    assert read([STREAM[i : i + 1] for i in range(len(STREAM))]) == WANTED


@given(st.lists(st.integers(0, len(STREAM))))
def test_the_cuts_do_not_matter(cuts: list[int]) -> None:
    ends = sorted({0, *cuts, len(STREAM)})
    assert read([STREAM[a:b] for a, b in itertools.pairwise(ends)]) == WANTED
