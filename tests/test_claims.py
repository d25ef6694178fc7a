"""The examples that are asked more of (benchmarks/claims) are studies that a user could run."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.claims import run

from tuneornot import study


@pytest.mark.parametrize("name", run.ASKED)
def test_an_example_that_is_asked_more_of_is_a_study(name: str, tmp_path: Path) -> None:
    pytest.importorskip("simple_icd_10_cm")
    file = run.write(name, tmp_path / name)
    first = file.read_bytes()
    plan = study.read(file)
    assert plan.stress is not None
    assert plan.redteam is not None
    assert set(plan.claims) >= {"terminology", "facts"}
    assert run.write(name, tmp_path / name).read_bytes() == first
