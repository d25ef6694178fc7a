"""Faults planted in training or serving, and the verdict of the whole study."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.finetune import small
from tuneornot import findings
from tuneornot.models.local import LocalModel
from tuneornot.records import Check, Findings, Verdict


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEORNOT_CACHE", str(tmp_path / "cache"))


def judged(file: Path, serving: type[LocalModel] = LocalModel) -> tuple[Verdict, dict[str, Check]]:
    """The study's verdict, and the checks of its adapter that failed."""
    with closing(small.opened(file, serving)) as protocol:
        found: Findings = findings.of(protocol)
    [verdict], [adapter] = found.verdicts, found.adapters["tuned"]
    return verdict, {check.name: check for check in adapter.checks if not check.passed}


def test_a_sound_training_is_believed(tmp_path: Path) -> None:
    verdict, failed = judged(small.write(tmp_path))
    assert failed == {}
    assert verdict.outcome == "tune"


def planted(**said: Any) -> type[LocalModel]:
    return type("Planted", (small.Scribbling,), said)


@pytest.mark.parametrize(
    ("serving", "name"),
    [
        (small.Forgetful, "adapter-loaded"),
        (small.OtherTemplate, "template-parity"),
        (small.Doubled, "served-as-trained"),
        (planted(says="no no no no no no", finish="length"), "no-loops"),
        (planted(says="a story without end", finish="length"), "answers-end"),
    ],
    ids=["unloaded", "template", "other weights", "loops", "endless"],
)
def test_a_fault_in_serving_blocks_the_verdict(
    tmp_path: Path, serving: type[LocalModel], name: str
) -> None:
    verdict, failed = judged(small.write(tmp_path), serving)
    assert failed[name].blocking
    assert verdict.outcome == "blocked"
    assert name in {reason.metric for reason in verdict.reasons if reason.holds is False}


def test_train_answers_by_heart_block_the_verdict(tmp_path: Path) -> None:
    train = [{**row, "expected": f"number {n}"} for n, row in enumerate(small.rows(16))]
    verdict, failed = judged(small.write(tmp_path, train=train), planted(says="number 7"))
    assert failed["nothing-memorised"].blocking
    assert "10 of 10 answers" in failed["nothing-memorised"].detail
    assert verdict.outcome == "blocked"


def test_rows_that_train_nothing_block_the_verdict(tmp_path: Path) -> None:
    rows = small.rows(16)
    for row in rows[:9]:
        row["expected"] = "" if row["id"] == "q0" else " "
    verdict, failed = judged(small.write(tmp_path, train=rows))
    assert failed["rows-teach"].blocking
    assert "1 were left out; 8 have a blank answer" in failed["rows-teach"].detail
    assert verdict.outcome == "blocked"
