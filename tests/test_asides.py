"""Figures beside the verdict, from made-up runs and through the whole protocol."""

from __future__ import annotations

import math
from pathlib import Path
from statistics import fmean

import pytest

from tests.retrieval import fair
from tests.retrieval.test_arm import opened, reader
from tuneornot import asides, findings, study
from tuneornot.errors import StudyError
from tuneornot.metrics import registry
from tuneornot.records import Arm, Aside, Case, Dataset, Response, Retrieved, Run
from tuneornot.report import export, markdown, pages

BRIER = registry.build("brier")


def run(arm: str, given: list[tuple[str, float | None]], *, groups: bool = False) -> Run:
    """Answers with their confidences to cases that all expect ``yes``; two repeats of each."""
    cases = tuple(
        Case(id=f"c{i}", input=f"q{i}", expected="yes", group=f"g{i // 2}" if groups else None)
        for i in range(len(given) // 2)
    )
    responses = tuple(
        Response(
            arm="a",
            question=cases[i // 2].question,
            repeat=i % 2,
            text=text or None,
            error=None if text else "it failed",
            logprobs=None if sure is None else (math.log(sure),),
        )
        for i, (text, sure) in enumerate(given)
    )
    return Run(
        arm=Arm(name=arm, kind="prompted", model="m"),
        dataset=Dataset(name="eval", cases=cases),
        metrics={"brier": BRIER.scale},
        n_repeats=2,
        responses=responses,
        scores=(),
    )


def by_figure(found: tuple[Aside, ...], arm: str) -> dict[str, Aside]:
    return {one.figure: one for one in found if one.arm == arm}


GIVEN: list[tuple[str, float | None]] = [
    ("yes", 0.9),
    ("no", 0.7),
    ("yes", 0.8),
    ("yes", 0.6),
    ("no", 0.5),
    ("I don't know", 0.9),
    ("", None),
    ("yes", None),
]


def test_readings_become_figures() -> None:
    found = by_figure(asides.of({"a": [run("a", GIVEN)]}, [BRIER], baseline="a"), "a")
    assert set(found) == {"overconfidence", "calibration", "risk_area"}
    # The failed answer and the one without confidence are left out, a declined one claims nothing.
    assert found["overconfidence"].n == 5
    excess = [fmean([0.9 - 1, 0.7]), fmean([0.8 - 1, 0.6 - 1]), 0.5]
    assert found["overconfidence"].value == pytest.approx(fmean(excess))
    assert found["calibration"].n == 5
    assert found["calibration"].value == pytest.approx(abs(0.7 - 0.6))
    # In the risk area it is taken last, and wrong.
    assert found["risk_area"].n == 6
    assert found["risk_area"].difference is None


def test_repeats_of_a_case_and_cases_of_a_group_are_one_unit() -> None:
    alone = by_figure(asides.of({"a": [run("a", GIVEN * 4)]}, [BRIER], baseline="a"), "a")
    grouped = run("a", GIVEN * 4, groups=True)
    together = by_figure(asides.of({"a": [grouped]}, [BRIER], baseline="a"), "a")
    for figure in ("overconfidence", "risk_area"):
        first, second = alone[figure].estimate, together[figure].estimate
        assert first is not None
        assert second is not None
        assert first.value == pytest.approx(second.value)
        assert first.low != second.low


def test_an_arm_is_compared_with_the_baseline() -> None:
    better: list[tuple[str, float | None]] = [("yes", 0.9), ("no", 0.1)] * 20
    worse: list[tuple[str, float | None]] = [("yes", 0.1), ("no", 0.9)] * 20
    runs = {"old": [run("old", worse)], "new": [run("new", better)]}
    found = by_figure(asides.of(runs, [BRIER], baseline="old"), "new")
    area = found["risk_area"]
    assert area.difference is not None
    assert area.difference.high < 0
    assert found["overconfidence"].difference is not None
    assert found["calibration"].difference is None


def test_against_a_baseline_that_claims_nothing_there_is_no_difference() -> None:
    silent: list[tuple[str, float | None]] = [("I don't know", 0.9)] * len(GIVEN)
    runs = {"old": [run("old", silent)], "new": [run("new", GIVEN)]}
    found = asides.of(runs, [BRIER], baseline="old")
    assert [one.figure for one in found if one.arm == "old"] == ["risk_area"]
    excess = by_figure(found, "new")["overconfidence"].difference
    assert excess is not None
    assert math.isnan(excess.value)


def test_metrics_that_read_alike_are_told_once() -> None:
    metrics = [registry.build("confident_wrong"), BRIER, registry.build("exact_match")]
    found = asides.of({"a": [run("a", GIVEN)]}, metrics, baseline="a")
    assert {one.metric for one in found} == {"confident_wrong"}
    other = registry.build({"brier": {"by": "sum", "name": "whole"}})
    found = asides.of({"a": [run("a", GIVEN)]}, [*metrics, other], baseline="a")
    assert {one.metric for one in found} == {"confident_wrong", "whole"}


def test_recall_counts_cases_whose_passages_hold_the_answer() -> None:
    made = run("a", GIVEN)
    answered = {"c0": True, "c1": False, "c2": True}
    retrieved = Retrieved(passages=(), shown={}, answered=answered)
    made = Run(**{**{n: getattr(made, n) for n in made.__struct_fields__}, "retrieved": retrieved})
    [recall] = asides.of({"a": [made]}, [], baseline="a")
    assert recall.figure == "recall"
    assert recall.n == 3
    assert recall.value == pytest.approx(2 / 3)
    assert recall.estimate is not None
    assert 0 <= recall.estimate.low < 2 / 3 < recall.estimate.high <= 1


def test_from_a_study_to_its_report(tmp_path: Path) -> None:
    file = fair.write(tmp_path)
    metrics = "metrics: [exact_match, confident_wrong, brier]"
    text = file.read_text().replace("metrics: [exact_match]", metrics)
    file.write_text(text)
    with pytest.raises(StudyError, match=r"'brier' reads log-prob.* \['bare', 'looked"):
        study.read(file)
    file.write_text(text + "sampling: {logprobs: 0}\n")
    protocol = opened(file, reader())
    found = findings.of(protocol)
    looked = by_figure(found.asides, "looked-up")
    bare = by_figure(found.asides, "bare")
    assert set(looked) - set(bare) == {"recall"}
    assert looked["recall"].value == 1
    # The model makes prices up as surely as it reads them.
    assert bare["overconfidence"].value > 0.6
    assert abs(looked["overconfidence"].value) < 0.15
    wrong = found.comparisons[0].contrast("confident_wrong", "eval")
    assert wrong is not None
    assert wrong.baseline_mean.value > 0.5
    assert wrong.candidate_mean.value == 0
    page, short = pages.render(found), markdown.render(found)
    for said in ("Beside the verdict", "100.0% of 60 cases", "the expected calibration error is"):
        assert said in page
        assert said in short
    assert "Risk against coverage on eval. bare: 100% wrong among the surest" in page
    export.write(found, tmp_path / "report.json")
    assert export.read(tmp_path / "report.json") == found
    protocol.close()
