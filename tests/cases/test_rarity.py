"""The long tail: counts in train, bands, and both arms in each of them."""

from __future__ import annotations

import itertools
import json
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import world
from tests.cli.test_cli import tuneornot
from tests.stress.test_drops import LOWER, draws, pair
from tests.test_study import PLAN
from tests.test_study import faults as told_of
from tests.world import NEW, OLD
from tuneornot import compare, findings, study
from tuneornot.cases import rarity
from tuneornot.errors import DataError
from tuneornot.models.base import Request
from tuneornot.models.scripted import ScriptedModel
from tuneornot.protocol import Protocol
from tuneornot.records import Case, Json
from tuneornot.report import markdown, pages


def cases(*expected: Json) -> tuple[Case, ...]:
    return tuple(
        Case(id=f"c{i}", input=f"question {i}", expected=each, slice="s" if i % 2 else None)
        for i, each in enumerate(expected)
    )


def test_what_train_shares_is_counted() -> None:
    train = cases({"code": "A", "n": 1}, {"code": "A", "n": 2}, {"code": "B"}, "A")
    judged = cases({"code": "A", "n": 1}, {"code": "B"}, {"code": "C"}, "A")
    by_code = rarity.counts(judged, train, "expected.code")
    assert by_code == {"c0": 2.0, "c1": 1.0, "c2": 0.0}
    assert list(rarity.counts(judged, train, "expected").values()) == [1.0, 1.0, 0.0, 1.0]
    assert rarity.counts(judged, train, "slice") == {"c1": 2.0, "c3": 2.0}


@given(st.lists(st.integers(0, 12), max_size=60))
@settings(deadline=None)
def test_bands_are_in_order_and_part_no_equal_counts(values: list[int]) -> None:
    known = {f"c{i}": float(value) for i, value in enumerate(values)}
    made = rarity.bands(known)
    assert sorted(case_id for ids in made.values() for case_id in ids) == sorted(known)
    assert len(made) == min(3, len(set(values))) or len(made) == 2
    ranges = [[known[case_id] for case_id in made[name]] for name in rarity.NAMES if name in made]
    for rarer, commoner in itertools.pairwise(ranges):
        assert max(rarer) < min(commoner)


def test_different_counts_make_thirds() -> None:
    made = rarity.bands({f"c{i:02}": float(i) for i in range(30)})
    assert {name: len(ids) for name, ids in made.items()} == dict.fromkeys(rarity.NAMES, 10)


def test_a_few_rare_cases_among_many_of_one_count_are_a_band() -> None:
    made = rarity.bands({f"c{i:02}": 9.0 if i >= 5 else 0.0 for i in range(60)})
    assert {name: len(ids) for name, ids in made.items()} == {"rare": 5, "common": 55}
    assert [*rarity.bands({"a": 1.0, "b": 1.0})] == ["middle"]


@pytest.mark.parametrize("turned", [False, True])
def test_each_band_is_compared_by_itself(turned: bool) -> None:
    b, c = draws(90, 0.5, 0.7)
    c[80] = np.nan
    counts = {f"case-{i}": float(i // 30) for i in range(90)}
    arms = pair(b, c, scale=LOWER) if turned else pair(b, c)
    made = compare.bands(arms, ["m", "absent"], rarity.bands(counts), counts, alpha=0.05)
    rare, _, common = made
    assert (rare.name, rare.least, rare.most, rare.n) == ("rare", 0.0, 0.0, 30)
    assert (common.name, common.n) == ("common", 29)
    sign = -1 if turned else 1
    assert rare.difference.value == pytest.approx(sign * (c - b)[:30].mean())
    assert rare.means == (b[:30].mean(), c[:30].mean())
    left = [i for i in range(60, 90) if i != 80]
    assert common.means[0] == pytest.approx(b[left].mean())
    assert rare.p_holm is not None
    assert rare.difference.p_value is not None
    assert rare.p_holm >= rare.difference.p_value


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{}", "facts.count: give either `count` or `column`"),
        ("{count: expected, column: n}", "give either"),
        ("{count: answer}", "found 'answer', expected expected, expected.KEY"),
        ("{count: expected.}", "found 'expected.'"),
        ("{count: expected, metrics: [exactmatch]}", "did you mean 'exact_match'?"),
    ],
)
def test_faults_of_the_plan(written: str, told: str) -> None:
    assert told in told_of(f"{PLAN}facts: {written}\n")


def test_a_figure_of_the_whole_run_has_no_bands() -> None:
    whole_run = PLAN.replace("metrics: [", "metrics: [corpus_bleu, ")
    told = told_of(f"{whole_run}facts: {{count: expected, metrics: [corpus_bleu]}}\n")
    assert "facts.metrics: 'corpus_bleu' is a figure of the whole run" in told


def test_check_tells_the_bands_or_that_there_are_none(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    text = file.read_text()
    file.write_text(text + "facts: {count: slice}\n")
    [rare, common] = lines_of_check(file, "facts ")
    assert rare.startswith("facts     rare: ")
    assert common.startswith("facts     common: ")
    file.write_text(text + "facts: {count: expected}\n")
    assert "all eval cases are equally rare" in lines_of_check(file, "warning ")[-1]
    file.write_text(text + "facts: {count: group}\n")
    assert "no eval case has it" in lines_of_check(file, "warning ")[-1]


def lines_of_check(file: Path, first: str) -> list[str]:
    """What `check` says of the cases; this machine has no such models, which it tells besides."""
    return [line for line in tuneornot("check", file).stdout.splitlines() if line.startswith(first)]


def test_facts_stand_beside_the_verdict_and_change_no_plan() -> None:
    plain, told = study.parse(PLAN), study.parse(PLAN + "facts: {count: expected}\n")
    assert study.text(plain) == study.text(told)


def opened(folder: Path, facts: str) -> Protocol:
    """A study whose candidate knows only the common half, by a column of the file."""
    file = world.write(folder, n_eval=120, decide=f"facts: {facts}\n")
    rows = world.questions(180)
    numbered = [{**row, "meta": {"seen": i % 2 * 10, "name": "x"}} for i, row in enumerate(rows)]
    (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in numbered))
    known = world.right(200)
    common = {row["input"] for i, row in enumerate(rows) if i % 2}

    def tuned(request: Request) -> str:
        said = request.messages[-1].content
        return known[said] if said in common else "wrong"

    models = [
        ScriptedModel(OLD, lambda request: known[request.messages[-1].content]),
        ScriptedModel(NEW, tuned),
    ]
    return world.opened(file, *models)


def test_a_study_shows_where_on_the_tail_the_arms_differ(tmp_path: Path) -> None:
    with closing(opened(tmp_path, "{column: meta.seen}")) as protocol:
        found = findings.of(protocol)
    first, *between, last = found.comparisons[0].bands
    assert (first.name, first.means, first.least) == ("rare", (1.0, 0.0), 0.0)
    assert not between
    assert (last.name, last.means, last.most) == ("common", (1.0, 1.0), 10.0)
    page, text = pages.render(found), markdown.render(found)
    assert "Rare and common" in page
    assert '<a href="#rarity">' in page
    assert f"rare: 0 ({first.n} cases)" in page
    assert f"common: 10 ({last.n} cases) | 100.0% | 100.0% |" in text


@pytest.mark.parametrize(
    ("facts", "told"),
    [("{column: seen}", "no row has the column 'seen'"), ("{column: meta.name}", "has 'x'")],
)
def test_a_column_that_cannot_be_used_is_told(tmp_path: Path, facts: str, told: str) -> None:
    with closing(opened(tmp_path, facts)) as protocol, pytest.raises(DataError, match=told):
        _ = protocol.rarity
