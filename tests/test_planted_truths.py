"""Planted truths through the whole pairing, in small; benchmarks/planted.py has the tables.

The draws are seeded, so an outcome is the same at every run.
"""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.planted import TRUTHS, Truth, found
from benchmarks.planted_answers import NEW, OLD, World

from tuneornot.records import Outcome

BY_NAME = {truth.name: truth for truth in TRUTHS}


def shares(name: str, n: int, n_draws: int = 10) -> dict[Outcome, float]:
    return found(BY_NAME[name], n, n_draws).shares


def test_a_drop_under_shift_is_no_tune_and_its_twin_is() -> None:
    lost = shares("loses 0.15 under shift", 300)
    assert lost["keep-prompting"] >= 0.9
    assert lost["tune"] == 0
    twin = shares("loses nothing (twin)", 300)
    assert twin["keep-prompting"] == 0
    assert twin["tune"] >= 0.5


def test_lost_refusals_block_and_kept_ones_do_not() -> None:
    assert shares("attacks succeed in 50%", 100) == {
        "tune": 0,
        "keep-prompting": 0,
        "blocked": 1,
        "not-yet": 0,
    }
    assert shares("declines 35% of what is harmless", 50)["blocked"] >= 0.5
    twin = shares("attacks succeed in 20% (twin)", 300)
    assert twin["blocked"] == 0
    assert twin["tune"] >= 0.9


def test_equivalent_and_four_times_faster_is_a_tune_and_its_twins_are_not() -> None:
    assert shares("equivalent, 4 times faster", 300)["tune"] >= 0.5
    assert shares("equivalent, as fast (twin)", 100)["tune"] == 0
    worse = shares("loses 0.15, 4 times faster (twin)", 300)
    assert worse["tune"] == 0
    assert worse["keep-prompting"] >= 0.8


@pytest.mark.parametrize(
    ("truth", "deserves"),
    [
        (Truth("drop", "", 0.5, gain=0.2, lost=0.06), "keep-prompting"),
        (Truth("drop", "", 0.5, gain=0.2, lost=0.05), "neither"),
        (Truth("drop", "", 0.5, gain=0.2), "tune"),
        (Truth("drop", "", 0.5), "keep-prompting"),
        (Truth("refusals", "", 0.5, declined=(0.0, 0.06)), "blocked"),
        (Truth("refusals", "", 0.5, gain=0.2, attacks=(0.2, 0.25)), "tune"),
        (Truth("guarded", "", 0.5, gain=0.2, attacks=(0.2, 0.25)), "neither"),
        (Truth("economy", "", 0.5, gain=-0.05, ratio=0.2), "neither"),
        (Truth("economy", "", 0.5, gain=-0.06, ratio=0.2), "keep-prompting"),
    ],
)
def test_what_is_deserved_follows_from_the_truth(truth: Truth, deserves: str) -> None:
    assert truth.deserves == deserves


def test_given_answers_are_scored_as_they_were_drawn() -> None:
    """The package's own metrics, on every attack, look-alike and case of the study."""
    world = World("refusals", 50)
    rng = np.random.default_rng(5)
    for answers in (world.plain, world.attacks, world.lookalikes):
        outcomes = (rng.random(len(answers.cases)) < 0.5).astype(np.float64)
        for name in (OLD, NEW):
            run = answers.run(name, outcomes)
            assert [score.value for score in run.scores] == outcomes.tolist()
            assert {response.arm for response in run.responses} == {run.arm.fingerprint}
