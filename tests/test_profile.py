"""Common claims of fine-tuning against figures whose truth is known."""

from __future__ import annotations

import math
from pathlib import Path

import msgspec
import pytest
from scipy import stats

from tests import world
from tests.report import fixture
from tuneornot import profile, study
from tuneornot.errors import StudyError
from tuneornot.records import (
    POOLED,
    Band,
    BandName,
    ClaimName,
    Comparison,
    Contrast,
    Drop,
    Estimate,
    Expectation,
    Scale,
    SliceContrast,
)
from tuneornot.report import markdown, pages
from tuneornot.report import profile as shown

KINDS = {"exact_match": "exact_match", "shape": "json_schema", "size": "length"}


def sure(value: float, half: float, *, p_value: float | None = None) -> Estimate:
    return Estimate(
        value=value,
        low=value - half,
        high=value + half,
        lower=value - half,
        upper=value + half,
        p_value=p_value,
    )


def contrast(
    metric: str,
    gain: Estimate,
    *,
    dataset: str = "eval",
    ratio: Estimate | None = None,
    slices: tuple[SliceContrast, ...] = (),
) -> Contrast:
    level = sure(0.5, 0.1)
    return Contrast(
        metric=metric,
        dataset=dataset,
        baseline="prompted",
        candidate="tuned",
        scale=Scale(),
        n=100,
        baseline_mean=level,
        candidate_mean=level,
        mean=gain,
        ratio=ratio,
        slices=slices,
    )


def drop(difference: Estimate, dataset: str = POOLED) -> Drop:
    return Drop(
        metric="exact_match",
        dataset=dataset,
        perturbation="",
        strength=None,
        main=dataset == POOLED,
        other_cases=dataset != POOLED,
        scale=Scale(),
        n=100,
        plain=(0.5, 0.6),
        baseline=sure(-0.02, 0.02),
        candidate=sure(-0.2, 0.05),
        difference=difference,
    )


def told(
    *contrasts: Contrast,
    named: dict[ClaimName, tuple[str, ...]] | None = None,
    drops: tuple[Drop, ...] = (),
    bands: tuple[Band, ...] = (),
) -> dict[str, Expectation]:
    made = Comparison(
        baseline="prompted",
        candidate="tuned",
        alpha=0.05,
        contrasts=contrasts,
        drops=drops,
        bands=bands,
    )
    found = profile.of([made], kinds=KINDS, named=named or {}, primary="exact_match")
    return {each.claim: each for each in found}


def test_what_was_not_measured_is_said_to_be_so() -> None:
    found = told(contrast("exact_match", sure(0.1, 0.05, p_value=0.001)))
    assert {each.state for each in found.values()} == {"unmeasured"}
    assert list(found) == ["format", "terminology", "latency", "facts", "shift", "safety"]


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [
        ((0.2, 0.001), (0.0, 0.9), "confirmed"),
        ((0.2, 0.04), (0.0, 0.9), "open"),  # 0.04 of two figures is 0.08
        ((-0.2, 0.001), (0.0, 0.9), "contradicted"),
        ((0.2, 0.001), (-0.2, 0.001), "open"),
        ((0.0, math.nan), (0.0, math.nan), "open"),
    ],
)
def test_a_claim_rests_on_all_of_its_figures(
    first: tuple[float, float], second: tuple[float, float], state: str
) -> None:
    found = told(
        contrast("shape", sure(first[0], 0.1, p_value=first[1])),
        contrast("size", sure(second[0], 0.1, p_value=second[1])),
        contrast("shape", sure(-0.9, 0.1, p_value=0.0), dataset="elsewhere"),
    )
    assert found["format"].state == state
    assert len(found["format"].figures) == 2


@pytest.mark.parametrize(
    ("ratio", "half", "state"),
    [(0.25, 0.05, "confirmed"), (0.9, 0.1, "contradicted"), (0.33, 0.05, "open")],
)
def test_latency_is_held_against_a_third(ratio: float, half: float, state: str) -> None:
    found = told(contrast("latency", sure(1.0, 0.1), ratio=sure(ratio, half)))
    assert found["latency"].state == state


@pytest.mark.parametrize(
    ("there", "state"), [(-0.15, "confirmed"), (0.1, "open"), (0.5, "contradicted")]
)
def test_shift_is_the_gain_there_less_the_gain_here(there: float, state: str) -> None:
    gap = there - 0.1
    p_value = 2 * stats.norm.sf(abs(gap) / 0.1 * stats.norm.isf(0.025))
    found = told(
        contrast("exact_match", sure(0.1, 0.06)),
        contrast("exact_match", sure(there, 0.08), dataset="later"),
        drops=(drop(sure(gap, 0.1, p_value=p_value), "later"),),
    )
    assert found["shift"].state == state
    (figure,) = found["shift"].figures
    assert figure.estimate.value == pytest.approx(there - 0.1)
    assert figure.estimate.high - figure.estimate.value == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("gain", "state"), [(-0.3, "confirmed"), (0.3, "contradicted"), (0.0, "open")]
)
def test_rare_cases_speak_of_facts(gain: float, state: str) -> None:
    def band(name: BandName, gain: float) -> Band:
        p_value = 0.001 if gain else 1.0
        return Band(
            metric="exact_match",
            name=name,
            least=0.0,
            most=1.0,
            n=40,
            scale=Scale(),
            means=(0.5, 0.5 + gain),
            difference=sure(gain, 0.1, p_value=p_value),
        )

    found = told(bands=(band("rare", gain), band("common", 0.4)))
    assert found["facts"].state == state
    (figure,) = found["facts"].figures
    assert (figure.slice, figure.estimate.value) == ("rare cases", gain)


def test_a_study_names_what_speaks_of_a_claim() -> None:
    rare = SliceContrast(
        slice="rare", n=40, raw=sure(-0.3, 0.1, p_value=0.001), pooled=sure(-0.2, 0.1)
    )
    found = told(
        contrast("exact_match", sure(0.1, 0.05, p_value=0.001), slices=(rare,)),
        named={"facts": ("exact_match/rare", "nothing"), "terminology": ("exact_match@eval",)},
    )
    assert found["facts"].state == "confirmed"
    assert found["facts"].figures[0].slice == "rare"
    assert found["terminology"].state == "confirmed"


def test_faults_of_the_field(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    file.write_text(f"{file.read_text()}claims: {{format: [exact_mtch], shift: [exact_match@x]}}\n")
    with pytest.raises(StudyError) as caught:
        study.read(file)
    assert len(caught.value.faults) == 2
    assert "did you mean 'exact_match'?" in caught.value.faults[0]


def test_it_is_no_part_of_the_plan_and_knows_names_and_kinds(tmp_path: Path) -> None:
    file = world.write(
        tmp_path, n_eval=60, metrics="[exact_match, {length: {name: short, max: 3}}]"
    )
    before = study.read(file)
    assert study.kinds(before) == {"exact_match": "exact_match", "short": "length"}
    file.write_text(f"{file.read_text()}claims: {{facts: [exact_match/far]}}\n")
    assert study.text(study.read(file)) == study.text(before)


def test_report_tells_every_claim() -> None:
    found = fixture.findings()
    made = profile.of(
        found.comparisons,
        kinds={"json_schema": "json_schema"},
        named={},
        primary=found.rule.primary,
    )
    found = msgspec.structs.replace(found, profile=made)
    lines = shown.told(found)
    assert len(lines) == 6 * len(found.comparisons)
    assert any(": not measured." in line for line in lines)
    page, text = pages.render(found), markdown.render(found)
    assert "What is said of fine-tuning, here" in page
    assert shown.SAID["shift"] in text


def test_drops_under_stress_speak_of_shift() -> None:
    found = told(
        contrast("exact_match", sure(0.1, 0.06)), drops=(drop(sure(-0.18, 0.06, p_value=0.0001)),)
    )
    shift = found["shift"]
    assert (shift.state, shift.figures[0].what) == ("confirmed", "drop")
