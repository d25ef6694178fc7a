"""How often a guarded drop is judged right; benchmarks/stress.py has the whole table."""

from __future__ import annotations

import pytest
from benchmarks import stress
from benchmarks.verdicts import simulate

TRUTHS = {truth.name: truth for truth in stress.TRUTHS}


@pytest.mark.parametrize(
    ("name", "n"),
    [
        ("the candidate loses 0.05", 50),
        ("the candidate loses 0.05, asked in one way", 100),
        ("a twentieth of its answers lost, else nothing", 50),
    ],
)
def test_at_the_margin_either_wrong_verdict_is_as_rare_as_promised(name: str, n: int) -> None:
    found = simulate.rates(stress.scenario(TRUTHS[name]), n, 200)
    assert not simulate.broken(found)


@pytest.mark.parametrize(
    ("name", "n", "outcome", "least"),
    [
        ("the candidate loses 0.15", 300, "keep", 0.8),
        ("no answer ever changes", 300, "tune", 0.95),
    ],
)
def test_what_is_clear_is_decided(name: str, n: int, outcome: str, least: float) -> None:
    found = simulate.rates(stress.scenario(TRUTHS[name]), n, 60)
    assert getattr(found, outcome) > least
    assert found.worst == 0
