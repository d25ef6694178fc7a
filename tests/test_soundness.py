from __future__ import annotations

import pytest

from tuneornot import soundness
from tuneornot.models.base import Reply


def replies(*texts: str | None) -> list[Reply]:
    return [
        Reply(error="gone") if text is None else Reply(text=text, finish="stop") for text in texts
    ]


@pytest.mark.parametrize(
    "text", ["the cat sat the cat sat the cat sat the cat sat", "a, a, a, a,", '{"a' + "ab" * 50]
)
def test_a_loop_is_seen(text: str) -> None:
    assert soundness.loops(text)


@pytest.mark.parametrize(
    "text", ["", "no no no", '{"volume": 1000000000, "page": 2}', "as is, as was, as will be"]
)
def test_ordinary_writing_is_no_loop(text: str) -> None:
    assert not soundness.loops(text)


def test_one_loop_is_a_caveat_and_half_of_the_answers_block() -> None:
    fine, bad = "all is well", "so so so so"
    one = soundness.no_loops(replies(bad, fine, fine, fine))
    assert (one.passed, one.blocking) == (False, False)
    half = soundness.no_loops(replies(bad, bad, fine, fine))
    assert (half.passed, half.blocking) == (False, True)
    assert soundness.no_loops(replies(fine, None)).passed
