"""The posterior beside the test: against closed forms and its symmetries."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from tuneornot.stats import bayes


def test_binary_wins_and_losses_follow_a_beta() -> None:
    """Without ties the share of wins is Beta(wins + 1, losses + 1) under the stated prior."""
    b, c = np.repeat([0.0, 1.0], [14, 6]), np.repeat([1.0, 0.0], [14, 6])
    found = bayes.gain_probability(b, c, margin=0.2)
    assert found == pytest.approx(float(stats.beta.sf(0.6, 15, 7)), abs=0.025)


def test_many_cases_meet_the_normal_posterior() -> None:
    d = np.random.default_rng(1).normal(0.1, 1, 2000)
    error = d.std() / math.sqrt(2000)
    expected = float(stats.norm.sf((0.08 - d.mean()) / error))
    assert bayes.gain_probability(np.zeros(2000), d, margin=0.08) == pytest.approx(
        expected, abs=0.03
    )


def test_few_wins_are_not_certainty() -> None:
    assert 0.7 < bayes.gain_probability(np.zeros(5), np.r_[1.0, 1, 1, 0, 0], margin=0.0) < 0.99


def test_equal_arms_say_nothing() -> None:
    same = np.linspace(0, 1, 30)
    assert bayes.gain_probability(same, same, margin=0.0) == 0.0
    assert bayes.gain_probability(same, same, margin=-0.1) == 1.0


def test_groups_make_it_less_certain() -> None:
    d = np.repeat(np.random.default_rng(3).normal(0.3, 1, 12), 10)
    apart = bayes.gain_probability(np.zeros(120), d, margin=0.0)
    together = bayes.gain_probability(np.zeros(120), d, margin=0.0, groups=np.arange(120) // 10)
    assert abs(together - 0.5) < abs(apart - 0.5)


def test_one_seed_one_answer_and_no_cases_no_answer() -> None:
    b, c = np.random.default_rng(4).random((2, 40))
    assert bayes.gain_probability(b, c, margin=0.0, rng=5) == bayes.gain_probability(
        b, c, margin=0.0, rng=5
    )
    assert math.isnan(bayes.gain_probability([np.nan], [1.0], margin=0.0))
