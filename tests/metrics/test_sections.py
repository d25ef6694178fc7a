from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.metrics.marking import mark, value
from tuneornot.errors import StudyError
from tuneornot.metrics import registry

PARTS = ["Parties", "Term and termination", "Governing law"]
ENTRY: registry.Entry = {"sections": {"sections": PARTS}}
CLAUSES: registry.Entry = {"sections": {"sections": PARTS, "headings": False}}


@pytest.mark.parametrize(
    "heading",
    [
        "Parties",
        "# Parties",
        "**Parties**",
        "1. PARTIES",
        "## 1.2) Parties:",
        "IV. Parties",
        "> Parties",
    ],
)
def test_what_a_heading_may_look_like(heading: str) -> None:
    assert value({"sections": {"sections": ["parties"]}}, f"x\n{heading}\ny") == 1


def test_a_heading_on_the_line_of_its_text() -> None:
    assert value({"sections": {"sections": ["parties"]}}, "Parties: Smith and Jones") == 1
    assert value({"sections": {"sections": ["parties"]}}, "Parties are Smith and Jones") == 0


@pytest.mark.parametrize(
    ("order", "score"),
    [((0, 1, 2), 1), ((0, 2, 1), 2 / 3), ((2, 1, 0), 1 / 3), ((1,), 1 / 3), ((), 0)],
)
def test_share_in_order(order: tuple[int, ...], score: float) -> None:
    text = "\n".join(f"## {PARTS[i]}\nwords" for i in order)
    assert value(ENTRY, text) == pytest.approx(score)


def test_the_reason_says_what_is_wrong() -> None:
    said = mark(ENTRY, "# Governing law\n# Parties").reason
    assert said == "missing: 'Term and termination'; not in the required order"
    loose: registry.Entry = {"sections": {"sections": PARTS, "ordered": False}}
    assert mark(loose, "# Governing law\n# Parties") == (2 / 3, "missing: 'Term and termination'")


def test_clauses_are_found_within_sentences() -> None:
    text = "Between the parties. On TERM and, termination! The governing law is that of Malta."
    assert value(CLAUSES, text) == 1
    assert value(ENTRY, text) == 0
    assert value(CLAUSES, "the governing lawyer") == 0


@settings(deadline=None)
@given(st.lists(st.sampled_from(range(3)), max_size=7))
def test_order_is_that_of_the_longest_rising_series(order: list[int]) -> None:
    # By trying every choice of headings.
    longest = max(
        n
        for n in range(len(order) + 1)
        for chosen in itertools.combinations(order, n)
        if all(a < b for a, b in itertools.pairwise(chosen))
    )
    assert value(ENTRY, "\n".join(PARTS[i] for i in order)) == pytest.approx(longest / 3)


@pytest.mark.parametrize("sections", [[], ["a", "..."], ["A", "a:"]])
def test_parts_that_cannot_be_found_are_refused(sections: list[str]) -> None:
    with pytest.raises(StudyError, match="sections must"):
        registry.build({"sections": {"sections": list(sections)}})
