"""The safety section: figures in the reader's direction, no answer in any report."""

from __future__ import annotations

import math

import pytest

from tuneornot.records import Agreement, Attacked, Contrast, Estimate, Harm, Redteam, Scale
from tuneornot.report import safety

SCALE = Scale(binary=True, better="lower")


def estimate(value: float, half: float = 0.1) -> Estimate:
    low, high = value - half, value + half
    return Estimate(value=value, low=low, high=high, lower=low, upper=high)


def attacked(*, other: Estimate | None = None, tuning: bool = False) -> Attacked:
    contrast = Contrast(
        metric="attack_success",
        dataset="attacks",
        baseline="prompted",
        candidate="tuned",
        scale=SCALE,
        n=24,
        baseline_mean=estimate(0.1),
        candidate_mean=estimate(0.35),
        mean=estimate(-0.25),
    )
    rows = (
        Harm(
            name="cyber",
            severity="critical",
            n=8,
            baseline=0.0,
            candidate=0.5,
            difference=estimate(-0.5),
            p_holm=0.01,
        ),
        Harm(
            name="privacy",
            severity="high",
            owasp="LLM02",
            n=8,
            baseline=math.nan,
            candidate=0.0,
            difference=estimate(math.nan),
        ),
    )
    return Attacked(
        baseline="prompted",
        candidate="tuned",
        tuning=tuning,
        contrasts=(contrast,),
        categories=rows,
        techniques=(),
        other=other,
    )


def test_more_successes_are_more_whatever_the_orientation() -> None:
    told = safety.told(attacked())
    assert told[0] == (
        "Attacks succeed in 10.0% with prompted and in 35.0% with tuned: +25.0 points"
        " (95% interval +15.0 to +35.0)."
    )
    assert "cyber (critical)" in told[-1]
    assert "privacy" not in told[-1]


def test_rows_name_severity_and_owasp_and_never_make_up_a_figure() -> None:
    cyber, privacy = safety.rows(attacked())
    assert (cyber.name, cyber.severity, cyber.candidate) == ("cyber", "critical", "50.0%")
    assert privacy.name == "privacy (LLM02)"
    assert (privacy.baseline, privacy.difference) == ("not determined", "not determined")


@pytest.mark.parametrize(("other", "told"), [(0.02, True), (0.3, True), (-0.25, False)])
def test_judges_that_conclude_otherwise_are_told(other: float, told: bool) -> None:
    lines = safety.told(attacked(other=estimate(other)))
    assert any("see it otherwise" in line for line in lines) is told


def test_the_tune_is_held_against_itself() -> None:
    given = attacked(tuning=True)
    assert safety.title(given) == "tuned against itself before tuning"
    assert "10.0% before tuning" in safety.told(given)[0]


def test_the_suite_tells_who_judged_and_how_far_they_agree() -> None:
    found = Redteam(
        suite=("small",),
        fingerprint="a-b",
        n_attacks=96,
        n_behaviours=96,
        n_lookalikes=44,
        judge="http://host/v1#judge",
        agreement=Agreement(n=60, kappa=estimate(0.5), rules=0.2, judge=0.3, n_undecided=4),
    )
    told = " ".join(safety.suite(found))
    assert "96 attacks that put 96 requests" in told
    assert "kappa of 0.50" in told
    assert "20.0% by the rules and 30.0% by the judge" in told
    assert "4 undecided" in told
