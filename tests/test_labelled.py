"""What labels make of a judged contrast, and of the verdict that rests on it."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from tuneornot import compare, decide
from tuneornot.records import (
    Arm,
    Case,
    Claim,
    Contrast,
    Dataset,
    Response,
    Rule,
    Run,
    Scale,
    Score,
)

N = 300
RATES = (0.5, 0.7)


def cases(per_group: int = 1) -> Dataset:
    return Dataset(
        name="eval",
        cases=tuple(
            Case(
                id=f"c{i}",
                input=f"q{i}",
                group=None if per_group == 1 else f"g{i // per_group}",
                slice="a" if i % 2 else "b",
            )
            for i in range(N)
        ),
    )


def arm(name: str, said: np.ndarray, labels: dict[int, float], dataset: Dataset) -> Run:
    return Run(
        arm=Arm(name=name, kind="prompted", model=f"local:{name}"),
        dataset=dataset,
        metrics={"told": Scale(binary=True)},
        n_repeats=1,
        responses=tuple(
            Response(arm=name, question=case.question, text="x") for case in dataset.cases
        ),
        scores=tuple(
            Score(metric="told", case_id=f"c{i}", value=float(value), reason="r")
            for i, value in enumerate(said)
        ),
        judged={"told": ("local:judge",)},
        labels=tuple(
            Score(metric="told", case_id=f"c{i}", value=value, reason="by 1")
            for i, value in labels.items()
        ),
    )


def pair(seed: int, n_labels: int, *, blind_to: int = 0, per_group: int = 1) -> tuple[Run, Run]:
    """Arms right at RATES and judged at 0.8 and 0.7; the first ``blind_to`` labels of one arm."""
    rng = np.random.default_rng(seed)
    truth = rng.random((2, N)) < np.array(RATES)[:, np.newaxis]
    said = rng.random((2, N)) < np.where(truth, 0.8, 0.3)
    drawn = rng.permutation(N)[:n_labels].tolist()
    dataset = cases(per_group)
    first = {i: float(truth[0, i]) for i in drawn[blind_to:]}
    second = {i: float(truth[1, i]) for i in drawn}
    return arm("old", said[0], first, dataset), arm("new", said[1], second, dataset)


def contrast(runs: tuple[Run, Run]) -> Contrast:
    [found] = [one for one in compare.runs(*runs) if one.metric == "told"]
    return found


def test_enough_labels_correct_the_means_and_leave_the_rest() -> None:
    plain = contrast(pair(1, 0))
    found = contrast(pair(1, 150))
    assert found.correction is not None
    assert found.correction.used
    assert found.correction.raw == plain.mean
    assert found.mean == found.correction.corrected != plain.mean
    assert found.mean.low <= 0.2 <= found.mean.high
    assert found.baseline_mean.value < plain.baseline_mean.value + 0.1
    assert found.correction.pooled is not None
    assert found.wins == plain.wins
    assert (found.detectable or 0) > (plain.detectable or 1) / 2
    assert any("corrected by labels of 150 cases" in said for said in found.caveats)


@pytest.mark.parametrize(
    ("n_labels", "blind_to", "said"),
    [
        (0, 0, "nobody labelled"),
        (30, 0, "30 independent cases are labelled, 50 are needed"),
        (150, 60, "of 150 labelled cases only 90 have labels of both arms"),
    ],
)
def test_without_enough_labels_the_judge_stays_and_the_verdict_says_so(
    n_labels: int, blind_to: int, said: str
) -> None:
    runs = pair(2, n_labels, blind_to=blind_to)
    found = contrast(runs)
    assert found.correction is None or not found.correction.used
    assert found.mean == contrast(pair(2, 0)).mean
    rule = Rule(primary="told", worthwhile=0.05)
    verdict = decide.verdict(compare.comparison([runs]), compare.Evidence([runs]), rule)
    [caveat] = [one for one in verdict.caveats if "not calibrated" in one]
    assert f"the judge 'local:judge', which was not calibrated: {said}" in caveat
    assert caveat.endswith("`tuneornot label STUDY` lets people judge some")


@pytest.mark.parametrize("better", ["higher", "lower"])
def test_what_no_label_has_shown_moves_the_bound_of_the_arm_that_it_hurts(better: str) -> None:
    """Every label is 0.9: 60 labels leave 4.9% open, which may lie 0.9 below or 0.1 above."""
    dataset, labels = cases(), dict.fromkeys(range(60), 0.9)
    scale = Scale(better="higher" if better == "higher" else "lower")
    runs = [
        msgspec.structs.replace(
            arm(name, np.full(N, 0.9), labels, dataset), metrics={"told": scale}
        )
        for name in ("old", "new")
    ]
    [found] = [one for one in compare.runs(runs[0], runs[1]) if one.metric == "told"]
    assert found.correction is not None
    assert found.correction.used
    open_share = 1 - 0.05 ** (1 / 60)
    assert found.mean.lower <= -0.9 * open_share + 1e-9
    assert found.candidate_mean.lower <= 0.9 - 0.9 * open_share + 1e-9


def test_evidence_is_corrected_as_the_comparison_is() -> None:
    runs = pair(1, 150)
    gain = Claim(role="primary", metric="told", dataset="eval", quantity="mean", threshold=0.0)
    found = compare.Evidence([runs])
    assert found(gain, 0.05) == contrast(runs).mean
    strict = found(gain, 0.01)
    assert strict is not None
    assert strict.level == pytest.approx(0.99)
    assert strict.value == contrast(runs).mean.value


def test_groups_count_as_one_label_each() -> None:
    found = contrast(pair(3, 150, per_group=10))
    assert found.correction is not None
    assert not found.correction.used  # at most 30 groups


def test_the_verdict_rests_on_the_corrected_difference() -> None:
    rule = Rule(primary="told", worthwhile=0.1)
    # The judge shows half of the gain of 0.2: alone it keeps the prompt for good.
    outcomes = {n: [_outcome(pair(seed, n), rule) for seed in range(10)] for n in (0, 290)}
    assert outcomes[0].count("tune") < outcomes[290].count("tune")


def _outcome(runs: tuple[Run, Run], rule: Rule) -> str:
    made = compare.comparison([runs])
    return decide.verdict(made, compare.Evidence([runs]), rule).outcome


def test_a_run_without_a_slice_loses_its_labels() -> None:
    run = compare.without(pair(4, 100)[0], "a")
    kept = {case.id for case in run.dataset.cases}
    assert 0 < len(run.labels) < 100
    assert {label.case_id for label in run.labels} <= kept


def test_a_preference_needs_labels_of_the_candidate_only() -> None:
    runs = [msgspec.structs.replace(run, paired=("told",)) for run in pair(5, 120)]
    halves = tuple(msgspec.structs.replace(score, value=0.5) for score in runs[0].scores)
    first = msgspec.structs.replace(runs[0], scores=halves, labels=(), metrics={"told": Scale()})
    second = msgspec.structs.replace(runs[1], metrics={"told": Scale()})
    found = contrast((first, second))
    assert found.correction is not None
    assert found.correction.used
    assert found.baseline_mean.value == 0.5
    assert found.mean.value == pytest.approx(found.candidate_mean.value - 0.5)


def test_coverage_through_the_whole_comparison() -> None:
    found = [contrast(pair(seed, 100)) for seed in range(40)]
    held = [one.mean.low <= 0.2 <= one.mean.high for one in found]
    raw = [one.correction.raw.high >= 0.2 for one in found if one.correction]
    assert sum(held) >= 35
    assert sum(raw) < 32
