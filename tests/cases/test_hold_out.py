"""Held-out cases: by slice, by a range of a column, in no other part."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from tests import world
from tests.test_study import PLAN
from tests.test_study import faults as told_of
from tuneornot import study
from tuneornot.cases.hold_out import HoldOut, drawn
from tuneornot.errors import DataError
from tuneornot.records import Case, Json, Splits

CASE = Case(id="a", input="Who?", slice="far")


@pytest.mark.parametrize(
    ("plan", "value", "held"),
    [
        (HoldOut(slice="far"), None, True),
        (HoldOut(slice="near"), None, False),
        (HoldOut(column="day", start="2026-01-01"), "2026-03-05", True),
        (HoldOut(column="day", start="2026-01-01"), "2025-12-31", False),
        (HoldOut(column="day", start="2026-01-01"), "2026-01-01", True),
        (HoldOut(column="day", until="2026-01-01"), "2026-01-01", False),
        (HoldOut(column="day", until="2026-01-01"), None, False),
        (HoldOut(column="day", start="2026-01-01"), None, False),
        (HoldOut(column="n", start=9, until=11), "10", True),
        (HoldOut(column="n", start=9, until=11), 11.5, False),
        (HoldOut(column="n", start=9), "many", False),
        (HoldOut(column="n", start=9, slice="near"), 10, False),
    ],
)
def test_what_is_held_out(plan: HoldOut, value: Json, held: bool) -> None:
    assert plan.holds(CASE, value) is held


def test_some_are_drawn_whatever_the_order() -> None:
    cases = [Case(id=str(i), input=f"question {i}") for i in range(20)]
    some = drawn(cases, 5, 1)
    assert len(some) == 5
    assert set(drawn(cases[::-1], 5, 1)) == set(some)
    assert set(drawn(cases, 5, 2)) != set(some)
    assert drawn(cases, None, 1) == tuple(cases)


def frozen(folder: Path, hold_out: str) -> Splits:
    """The splits of a study of 300 questions, of which a third is far, by day of the fair."""
    file = world.write(folder, n_eval=240)
    rows = world.questions(300)
    dated = [{**row, "meta": {"day": f"2026-0{1 + i // 100}-01"}} for i, row in enumerate(rows)]
    (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in dated))
    split = f"split: {{eval: 60, dev: 20, seed: 1, hold_out: {hold_out}}}"
    text = file.read_text().replace("split: {eval: 240, dev: 30, train: 30, seed: 1}", split)
    file.write_text(text)
    with closing(world.opened(file)) as opened:
        first = opened.splits
    with closing(world.opened(file)) as again:
        assert again.splits == first
    return first


def test_a_slice_and_a_range_stand_in_no_other_part(tmp_path: Path) -> None:
    later = "{column: meta.day, from: '2026-03-01'}"
    splits = frozen(tmp_path, f"{{far: {{slice: far, cases: 50}}, later: {later}}}")
    far, late = splits.extra
    assert (far.name, len(far), late.name) == ("far", 50, "later")
    assert {case.slice for case in far.cases} == {"far"}
    days = {case.id: int(case.id[1:]) for case in splits.drawn}
    assert max(days.values()) < 200
    assert {case.slice for case in splits.drawn} == {"near"}
    assert min(int(case.id[1:]) for case in late.cases) >= 200
    assert len(splits.eval) == 60


def test_what_cannot_be_held_out_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="0 cases are of it"):
        frozen(tmp_path, "{west: {slice: west}}")
    with pytest.raises(DataError, match="no row has the column 'decided'"):
        frozen(tmp_path, "{later: {column: decided, from: '2026'}}")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{a: {}}", "data.split.hold_out.a.slice: missing"),
        ("{a: {column: day}}", "data.split.hold_out.a.from: missing"),
        ("{a: {slice: x, from: 3}}", "data.split.hold_out.a.column: missing"),
        ("{a: {column: d, from: 3, until: x}}", "expected the same kind as `from`"),
        ("{a: {slice: x, cases: 1}}", "found 1, expected 2 or more"),
        ("{later: {slice: x}}", "'later' is in data.extra too"),
        ("{eval: {slice: x}}", "'eval' is the name of a split"),
        ("{a: {slices: x}}", "did you mean 'slice'?"),
    ],
)
def test_faults_of_the_plan(written: str, told: str) -> None:
    text = PLAN.replace("  extra:", f"  split: {{hold_out: {written}}}\n  extra:")
    assert told in told_of(text)


def test_a_held_out_set_can_be_guarded_and_older_plans_keep_their_fingerprints() -> None:
    assert "hold_out" not in study.text(study.parse(PLAN))
    text = PLAN.replace("  extra:", "  split: {hold_out: {far: {slice: far}}}\n  extra:")
    text = text.replace("latency: 2}", "latency: 2, exact_match@far: 0.1, drop@far: 0.1}")
    found = study.parse(text)
    assert [rail.dataset for rail in study.rule(found).guardrails[-2:]] == ["far", "far"]
    assert "hold_out" in study.text(found)
