"""Scorers of other packages: the real autoevals, the real deepeval where it is installed."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.judge import judged
from tests.world import NEW, OLD, model, opened, write
from tuneornot import study
from tuneornot.errors import MissingExtra, ModelError, StudyError
from tuneornot.models import registry, scorers
from tuneornot.models.base import Request
from tuneornot.records import Message, Run


def asked(name: str, settings: dict[str, object], **case: str | None) -> str | None:
    shown = {"input": "q", "output": "", "expected": None, "context": None, **case}
    request = Request(
        messages=(
            Message(role="system", content=json.dumps(settings)),
            Message(role="user", content=json.dumps(shown)),
        )
    )
    [(_, reply)] = registry.open(name).ask([request])
    assert (reply.text is None) != (reply.error is None)
    return reply.text or reply.error


def values(run: Run, metric: str) -> list[float | None]:
    return [score.value for score in run.scores if score.metric == metric]


def test_a_scorer_of_autoevals_scores_a_whole_study(tmp_path: Path) -> None:
    entry = "autoevals:Levenshtein: {name: near}"
    protocol = opened(
        write(tmp_path, n_eval=30, metrics=f"[exact_match, {{{entry}}}]"),
        model(OLD, 0.4),
        model(NEW, 0.8),
    )
    run = protocol.runs["other"][0]
    for exact, near in zip(values(run, "exact_match"), values(run, "near"), strict=True):
        assert near is not None
        assert (near == 1) == (exact == 1)
    assert [*run.judged] == ["near"]
    assert protocol.store.counts()["responses"] > 60
    protocol.close()


def test_a_scorer_that_fails_is_an_error_and_no_score() -> None:
    # No key and no such server: the package's own model cannot be asked.
    said = asked(
        "autoevals:Factuality",
        {"base_url": "http://127.0.0.1:9/v1", "api_key": "none", "model": "m"},
        output="a",
        expected="b",
    )
    assert (said or "").startswith("autoevals:Factuality raised")


def test_the_version_of_the_package_is_part_of_the_judge() -> None:
    assert registry.open("autoevals:Levenshtein").identity().startswith("autoevals 0.")


def test_names_and_settings_are_checked_before_anything_is_asked() -> None:
    with pytest.raises(StudyError, match="did you mean autoevals:Levenshtein"):
        judged("autoevals:Levenstein")
    with pytest.raises(StudyError, match="settings do not fit"):
        judged({"autoevals:NumericDiff": {"colour": "red"}})
    with pytest.raises(StudyError, match="better"):
        judged({"autoevals:Levenshtein": {"better": "sideways"}})
    with pytest.raises(ModelError, match="has no 'Nothing'"):
        registry.open("autoevals:Nothing")


def test_lower_can_be_better() -> None:
    assert judged({"autoevals:Levenshtein": {"better": "lower"}}).scale.better == "lower"


def test_a_missing_package_is_told_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "deepeval", None)
    monkeypatch.setitem(sys.modules, "deepeval.metrics", None)
    file = write(tmp_path, n_eval=30, metrics='[exact_match, "deepeval:GEval"]')
    with pytest.raises(StudyError, match=r"tuneornot\[deepeval\]"):
        study.read(file)
    with pytest.raises(MissingExtra):
        registry.open("deepeval:GEval")


def test_telemetry_is_off() -> None:
    scorers.found("autoevals:Levenshtein")
    assert os.environ["DEEPEVAL_TELEMETRY_OPT_OUT"] == "YES"


def test_an_arm_cannot_answer_with_a_scorer() -> None:
    request = Request(messages=(Message(role="user", content="Hello"),))
    [(_, reply)] = registry.open("autoevals:Levenshtein").ask([request])
    assert reply.text is None


def test_a_metric_of_deepeval() -> None:
    pytest.importorskip("deepeval", reason="needs the extra deepeval")
    said = json.loads(asked("deepeval:ExactMatchMetric", {}, output="a", expected="a") or "")
    assert said["score"] == 1
    assert said["reason"]
    said = json.loads(
        asked("deepeval:PatternMatchMetric", {"pattern": "b+"}, output="a", expected="a") or ""
    )
    assert said["score"] == 0
    params: list[object] = ["actual_output", "expected_output"]
    broken = asked(
        "deepeval:GEval", {"name": "g", "criteria": "c", "evaluation_params": params}, output="a"
    )
    assert (broken or "").startswith("deepeval:GEval raised")
