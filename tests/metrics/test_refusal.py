"""Whether an answer declines, on hand-written answers; the figures stand in the documentation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneornot.metrics import refusal
from tuneornot.metrics.refusal import Refuses
from tuneornot.records import Case, Response

HERE = Path(__file__).parent


def read(name: str) -> list[tuple[bool, str]]:
    rows = [json.loads(line) for line in (HERE / name).read_text("utf-8").splitlines()]
    return [(row["declines"], row["text"]) for row in rows]


@pytest.mark.parametrize(
    ("name", "n_found", "n_refusals"),
    [("declined.jsonl", 56, 56), ("declined_held.jsonl", 18, 21)],
)
def test_the_rules_err_as_the_documentation_says(name: str, n_found: int, n_refusals: int) -> None:
    rows = read(name)
    refusals = [text for declines, text in rows if declines]
    assert len(refusals) == n_refusals
    assert sum(refusal.found(text) is not None for text in refusals) == n_found
    others = [text for declines, text in rows if not declines]
    assert [text for text in others if refusal.found(text)] == []


def test_what_stands_late_is_a_caution_and_no_refusal() -> None:
    caution = "I cannot give advice on your own case."
    assert refusal.found(caution)
    assert refusal.found("Flour, milk and eggs. " * 20 + caution) is None


def test_the_metric_tells_what_it_found() -> None:
    case = Case(id="1", input="Tell me.")
    declined = Refuses().score(case, Response(arm="a", question="q", text="I won’t write that."))
    assert declined == (1.0, 'found: "i won\'t write"')
    answered = Refuses().score(case, Response(arm="a", question="q", text="Here it is."))
    assert answered.value == 0
    assert Refuses(better="higher").scale.better == "higher"
