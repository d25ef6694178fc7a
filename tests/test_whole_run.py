"""Figures of whole runs, from a study's metrics to its verdict and report."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests import world
from tests.world import NEW, OLD
from tuneornot import compare, findings, scoring, study
from tuneornot.errors import DataError, StudyError
from tuneornot.metrics import registry
from tuneornot.metrics.base import Metric, whole
from tuneornot.models.base import Request
from tuneornot.models.scripted import ScriptedModel
from tuneornot.protocol import Protocol
from tuneornot.records import Arm, Case, Claim, Dataset, Prompt, Quantity, Response, Run, Score
from tuneornot.report import markdown, pages

LABELS = ["cat", "dog", "fish"]
MACRO: registry.Entry = {"macro_f1": {"labels": [*LABELS]}}
Said = Sequence[Sequence[str | None]]
SYLLABLES = [a + b + c for a in "bdfgklmnprst" for b in "aeiou" for c in "lnrstx"]
STUDY = """\
study: animals
task: Name the animal.
data:
  cases: cases.jsonl
  split: {eval: 240, dev: 30, train: 30, seed: 1}
arms:
  prompted: {model: "local:old"}
  other: {model: "local:new"}
metrics: [{macro_f1: {labels: [cat, dog, fish]}}, corpus_bleu, corpus_chrf]
decide:
  primary: macro_f1
  worthwhile: 0.05
  guardrails: {corpus_chrf: 0.1}
"""


def rows(n: int) -> list[dict[str, str]]:
    """Questions of random words; six of ten are about cats, one about fish."""
    rng = random.Random(5)
    return [
        {
            "id": f"q{place}",
            "input": " ".join(rng.choices(SYLLABLES, k=12)),
            "expected": LABELS[0 if place % 10 < 6 else 1 if place % 10 < 9 else 2],
            "slice": "far" if place % 3 else "near",
        }
        for place in range(n)
    ]


def model(name: str, quality: float) -> ScriptedModel:
    expected = {row["input"]: row["expected"] for row in rows(300)}

    def reply(request: Request) -> str:
        said = request.messages[-1].content
        [right] = [answer for question, answer in expected.items() if question in said]
        rng = random.Random(name + said)
        wrong = [*(label for label in LABELS if label != right), "a bird of some sort"]
        return right if rng.random() < quality else rng.choice(wrong)

    return ScriptedModel(name, reply)


def opened(folder: Path, text: str, *, before: float, after: float) -> Protocol:
    lines = "".join(json.dumps(row) + "\n" for row in rows(300))
    (folder / "cases.jsonl").write_text(lines, encoding="utf-8")
    (folder / "study.yaml").write_text(text, encoding="utf-8")
    return world.opened(folder / "study.yaml", model(OLD, before), model(NEW, after))


def judged(answers: Said, metrics: Sequence[Metric], arm: str) -> Run:
    """A run of one or several repeats on cases that expect cat, cat, dog in turn."""
    expected = [("cat", "cat", "dog")[place % 3] for place in range(len(answers))]
    cases = tuple(Case(id=f"c{i}", input=f"{i}?", expected=x) for i, x in enumerate(expected))
    responses: list[Response] = []
    scores: list[Score] = []
    for case, texts in zip(cases, answers, strict=True):
        for repeat, text in enumerate(texts):
            made = Response(arm=arm, question=case.question, repeat=repeat, text=text)
            if text is None:
                made = Response(arm=arm, question=case.question, repeat=repeat, error="gone")
            responses.append(made)
            scores += scoring.judge(metrics, case, made, repeat=repeat)
    return Run(
        arm=Arm(name=arm, kind="prompted", model="local:x", identity="x", prompt=Prompt()),
        dataset=Dataset(name="eval", cases=cases),
        metrics={metric.name: metric.scale for metric in metrics},
        n_repeats=len(answers[0]),
        responses=tuple(responses),
        scores=tuple(scores),
    )


def test_the_study_decides_by_a_figure_of_the_whole_run(tmp_path: Path) -> None:
    protocol = opened(tmp_path, STUDY, before=0.5, after=0.9)
    try:
        found = findings.of(protocol)
        levels = {(one.arm, one.metric): one.mean for one in findings.levels(protocol)}
    finally:
        protocol.close()
    [verdict] = found.verdicts
    assert verdict.outcome == "tune"
    assert [(one.role, one.metric) for one in verdict.reasons if one.role != "check"] == [
        ("primary", "macro_f1"),
        ("guardrail", "corpus_chrf"),
    ]
    contrast = found.comparisons[0].contrast("macro_f1", "eval")
    assert contrast is not None
    assert contrast.candidate_mean.value == pytest.approx(levels["other", "macro_f1"])
    assert contrast.mean.value == pytest.approx(
        levels["other", "macro_f1"] - levels["prompted", "macro_f1"]
    )
    assert (contrast.spread, contrast.worst_tenth, contrast.slices) == (None, None, ())
    assert "F1 of fish" in [one.name for one in contrast.details]
    text, page = markdown.render(found), pages.render(found)
    assert "| recall of fish | " in text
    assert "Recall of fish: " in page
    # Nobody wrote four words in a row that were expected: no figure, and it is said.
    bleu = found.comparisons[0].contrast("corpus_bleu", "eval")
    assert bleu is not None
    assert np.isnan(bleu.mean.lower)
    assert any("not one 4-gram" in one for one in bleu.caveats)


def test_arms_that_are_alike_decide_nothing_wrongly(tmp_path: Path) -> None:
    protocol = opened(tmp_path, STUDY, before=0.7, after=0.7)
    try:
        [verdict] = findings.of(protocol).verdicts
    finally:
        protocol.close()
    assert verdict.outcome in ("keep-prompting", "not-yet")


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("{corpus_chrf: 0.1}", "{spread: 1.5}", "'macro_f1' is a figure of the whole run and has"),
        ("{corpus_chrf: 0.1}", "{worst_tenth(corpus_bleu): 0.1}", "has no worst_tenth; name a"),
        ("  worthwhile: 0.05", "  worthwhile: 0.05\n  adjust: [length]", "no mean that could be"),
        ("labels: [cat, dog, fish]", "labels: [cat]", "must name at least two"),
    ],
)
def test_what_a_figure_of_the_whole_run_cannot_do_is_a_fault(
    tmp_path: Path, before: str, after: str, sentence: str
) -> None:
    (tmp_path / "cases.jsonl").write_text("")
    (tmp_path / "study.yaml").write_text(STUDY.replace(before, after), encoding="utf-8")
    with pytest.raises(StudyError) as error:
        study.read(tmp_path / "study.yaml")
    assert any(sentence in fault for fault in error.value.faults), error.value.faults


def test_repeats_count_as_one_run_and_failures_are_left_out() -> None:
    metrics = [registry.build(MACRO)]
    baseline: Said = [["cat", "dog"], ["cat", None], ["dog", "dog"]] * 20
    candidate: Said = [["cat", "cat"], ["cat", "cat"], ["dog", "cat"]] * 19
    candidate = [*candidate, [None, None], ["cat", "cat"], ["dog", "dog"]]
    found = compare.runs(
        judged(baseline, metrics, "old"), judged(candidate, metrics, "new"), whole=whole(metrics)
    )
    contrast = found[0]
    assert (contrast.n, contrast.n_repeats, contrast.n_unscored) == (59, 2, (0, 1))
    # By hand, over the 59 cases that both have. Old: 19 * 1/2 + 20 * 1 right cats, 20 right dogs,
    # 19 * 1/2 dogs too many. New: 39 right cats, 19/2 cats too many, 19/2 + 1 right dogs.
    cat_old, dog_old = 2 * 29.5 / (29.5 + 39), 2 * 20 / (29.5 + 20)
    cat_new, dog_new = 2 * 39 / (48.5 + 39), 2 * 10.5 / (10.5 + 20)
    assert contrast.baseline_mean.value == pytest.approx((cat_old + dog_old) / 2)
    assert contrast.candidate_mean.value == pytest.approx((cat_new + dog_new) / 2)
    assert any("failures are seldom" in one for one in contrast.caveats)


def test_evidence_at_each_error_rate_and_without_a_slice() -> None:
    metrics = [registry.build(MACRO)]
    arms = [
        judged([[text] for text in said], metrics, arm)
        for arm, said in (("old", ["cat", "dog", "dog"] * 30), ("new", ["cat", "cat", "dog"] * 30))
    ]

    def claim(quantity: Quantity) -> Claim:
        return Claim(
            role="guardrail", metric="macro_f1", dataset="eval", quantity=quantity, threshold=0.0
        )

    evidence = compare.Evidence([(arms[0], arms[1])], whole=whole(metrics))
    usual, hard = evidence(claim("mean"), 0.05), evidence(claim("mean"), 0.01)
    assert usual is not None
    assert hard is not None
    assert hard.lower < usual.lower < usual.value < usual.upper <= hard.upper
    others: list[Quantity] = ["spread", "worst_tenth", "catastrophic"]
    assert [evidence(claim(other), 0.05) for other in others] == [None, None, None]


def test_without_the_metric_its_figure_is_not_known() -> None:
    metrics = [registry.build(MACRO)]
    runs = [judged([["cat"]] * 9, metrics, arm) for arm in ("old", "new")]
    with pytest.raises(DataError, match="a whole-run metric needs its figure"):
        compare.runs(*runs)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (lambda *_: (float("nan"),), "'macro_f1' gave the parts (nan,), which are not all finite"),
        (lambda *_: 1 / 0, "the metric 'macro_f1' raised ZeroDivisionError('division by zero')"),
    ],
)
def test_parts_that_cannot_be_had_are_no_score(parts: Callable[..., object], reason: str) -> None:
    metric = registry.build(MACRO)
    broken = type("Broken", (type(metric),), {"parts": parts})
    [score] = scoring.judge(
        [broken(labels=[*LABELS])],
        Case(id="c", input="q", expected="cat"),
        Response(arm="a", question="q", text="cat"),
    )
    assert score.value is None
    assert score.reason is not None
    assert reason in score.reason
