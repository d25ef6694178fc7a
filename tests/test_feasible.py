"""What a study asks for and its cases do not allow, found before anything is spent."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from tests import world
from tests.cli.test_cli import ROOT, refused
from tuneornot import baseline, feasible
from tuneornot.baseline.effort import LEAST
from tuneornot.metrics import registry
from tuneornot.records import Arm, Case, Dataset, Prompt, Response, Run, Scale, Score, Step
from tuneornot.study import SearchPlan, Vary


def cases(n: int, name: str) -> Dataset:
    rows = world.questions(n)
    return Dataset(
        name=name,
        cases=tuple(Case(id=r["id"], input=r["input"], expected=r["expected"]) for r in rows),
    )


def tried(dev: Dataset, calls: int, vary: tuple[Vary, ...], start: Prompt) -> int:
    """How many prompts a search with these calls really tries."""

    def answer(prompt: Prompt, asked: Sequence[Case]) -> Run:
        arm = Arm(name="a", kind="prompted", model="m", identity="m", prompt=prompt)
        part = Dataset(name="dev", cases=tuple(asked))
        scores = [
            Score(metric="right", case_id=case.id, value=float(len(case.id) % 2)) for case in asked
        ]
        replies = [Response(arm="a", question=case.question, text="x") for case in asked]
        return Run(
            arm=arm,
            dataset=part,
            metrics={"right": Scale()},
            n_repeats=1,
            responses=tuple(replies),
            scores=tuple(scores),
        )

    ledger = baseline.search(
        answer,
        cases(100, "train"),
        dev,
        start=start,
        offers=baseline.Offers(difficulty="difficulty" in vary, steps=9 * ("steps" in vary)),
        budget=baseline.Budget(calls=calls),
    )
    return len(ledger.candidates)


PLAIN = Prompt(instructions="Tell the price.")
STEPPED = msgspec.structs.replace(PLAIN, steps=(Step(ask="Note it."),))


@pytest.mark.parametrize("start", [PLAIN, STEPPED])
@pytest.mark.parametrize("vary", [(), ("difficulty",), ("steps",), ("difficulty", "steps")])
@pytest.mark.parametrize("n_dev", [10, 20, 35, 40, 60, 100])
def test_the_least_number_of_calls_is_what_a_search_really_takes(
    n_dev: int, vary: tuple[Vary, ...], start: Prompt
) -> None:
    dev = cases(n_dev, "dev")
    plan = SearchPlan(calls=1, vary=vary)
    least = feasible.least_calls(plan, dev, 100, n_each=start.n_calls)
    assert tried(dev, least, vary, start) >= LEAST
    assert tried(dev, least - 1, vary, start) < LEAST


@pytest.mark.parametrize(
    ("plan", "row"),
    [
        (SearchPlan(calls=1), "least calls"),
        (SearchPlan(calls=1, vary=("steps",)), r"with `vary: \[steps\]`"),
        (SearchPlan(calls=1, by="gepa"), "by gepa"),
    ],
)
def test_the_numbers_in_the_reference_are_these(plan: SearchPlan, row: str) -> None:
    page = (ROOT / "docs" / "reference" / "study.md").read_text()
    [sizes] = re.findall(r"^\| dev cases \|(.*)\|$", page, re.M)
    [calls] = re.findall(rf"^\| {row} \|(.*)\|$", page, re.M)
    found = [feasible.least_calls(plan, cases(int(n), "dev"), 100) for n in sizes.split("|")]
    assert found == [int(n) for n in calls.split("|")]


@pytest.mark.parametrize(
    ("name", "needs"),
    [("exact_match", True), ("json_valid", False), ("field_match", True), ("chrf", True)],
)
def test_which_metrics_need_answers(name: str, needs: bool) -> None:
    metric = registry.build(name)
    bare = [Case(id="1", input="a"), Case(id="2", input="b")]
    assert feasible.needs_answers(metric, bare) is needs
    assert not feasible.needs_answers(metric, [*bare, Case(id="3", input="c", expected="d")])


def without_answers(folder: Path, arms: str, metrics: str = "[exact_match]") -> Path:
    file = world.write(folder, n_eval=60, metrics=metrics)
    marks = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(120)]
    rows = [{"id": mark, "input": " ".join(re.findall("....", mark))} for mark in marks]
    (folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = file.read_text()
    file.write_text(text.replace(f'other: {{model: "{world.NEW}"}}', arms))
    return file


def test_answers_that_are_needed_and_missing_are_faults(tmp_path: Path) -> None:
    tuned = "other: {model: local:smollm2-135m, tune: {}}"
    file = without_answers(
        tmp_path, f"searched: {{model: local:x, search: {{calls: 40}}}}\n  {tuned}"
    )
    with closing(world.opened(file)) as opened:
        found = feasible.faults(opened)
    assert [fault.split(":")[0] for fault in found] == [
        "metrics",
        "arms.searched.search",
        "arms.searched.search.calls",
        "arms.other.tune",
    ]
    assert "found 40, expected 135 or more" in found[2]


def test_a_study_without_references_needs_none(tmp_path: Path) -> None:
    file = without_answers(tmp_path, 'other: {model: "local:new"}', "[json_valid]")
    file.write_text(file.read_text().replace("primary: exact_match", "primary: json_valid"))
    with closing(world.opened(file)) as opened:
        assert feasible.faults(opened) == []


def test_run_refuses_before_it_asks(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    text = file.read_text()
    searched = f'prompted: {{model: "{world.OLD}", search: {{calls: 40}}}}'
    file.write_text(text.replace(f'prompted: {{model: "{world.OLD}"}}', searched))
    said = refused(2, "run", file)
    assert "arms.prompted.search.calls: found 40, expected 135 or more" in said
    assert "Nothing was spent" in said
