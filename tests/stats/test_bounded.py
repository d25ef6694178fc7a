"""Betting bounds: the guarantee by simulation at every look, and what must hold of any bound."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tuneornot.stats import bounded, paired
from tuneornot.stats.bounded import Betting


def test_capital_is_the_product_of_the_bets() -> None:
    """Two cases by hand: the first bet from the prior variance, the second from one case."""
    found = Betting(values=np.array([0.9, 0.8]), low=0.0, high=1.0)
    size = 2 * math.log(20)
    first = min(math.sqrt(size / (0.25 * 1 * math.log(2))), 0.5 / 0.4)
    mean = (0.5 + 0.9) / 2
    before = (0.25 + (0.9 - mean) ** 2) / 2
    second = min(math.sqrt(size / (before * 2 * math.log(3))), 0.5 / 0.4)
    capital = (1 + first * 0.5) * (1 + second * 0.4)
    assert found.p_above(0.4) == pytest.approx(1 / capital)


def test_rare_total_losses_do_not_break_it() -> None:
    """The scenario in which a t interval errs by more than 10% in place of 5%."""
    rng = np.random.default_rng(1)
    truth = 0.95 * 0.08 - 0.05
    errors = []
    for _ in range(400):
        d = np.where(rng.random(60) < 0.05, -1.0, 0.08)
        errors.append(Betting(values=d, low=-1.0, high=1.0).lower(0.05) > truth)
    assert np.mean(errors) <= 0.05


@pytest.mark.slow
def test_looking_after_every_tenth_case_does_not_raise_the_error() -> None:
    rng = np.random.default_rng(2)
    wrong = 0
    for _ in range(400):
        d = rng.integers(-4, 5, 300) / 4
        looks = [Betting(values=d[:n], low=-1.0, high=1.0) for n in range(10, 301, 10)]
        wrong += any(look.p_above(0.0) < 0.05 for look in looks)
    assert wrong / 400 <= 0.05


def test_it_narrows_around_the_mean_and_is_wider_than_one_look() -> None:
    rng = np.random.default_rng(3)
    b, c = rng.beta(4, 2, 400), rng.beta(5, 2, 400)
    found = bounded.difference(b, c, scale=(0.0, 1.0))
    once = paired.difference(b, c, scale=(0.0, 1.0))
    assert found.low < found.lower < found.value < found.upper < found.high
    assert 1 < (found.high - found.low) / (once.high - once.low) < 2.5


@given(st.lists(st.integers(-4, 4).map(lambda k: k / 4), min_size=1, max_size=40))
@settings(deadline=None)
def test_mirrored_scores_mirror_the_bounds_and_bounds_invert_the_tests(values: list[float]) -> None:
    found = Betting(values=np.array(values), low=-1.0, high=1.0)
    mirrored = Betting(values=-np.array(values), low=-1.0, high=1.0)
    assert mirrored.lower(0.05) == pytest.approx(-found.upper(0.05), abs=1e-7)
    if found.lower(0.05) > -1:
        assert found.p_above(found.lower(0.05)) == pytest.approx(0.05, rel=1e-3)


def test_scores_off_the_scale_are_refused_and_none_determine_nothing() -> None:
    with pytest.raises(ValueError, match="within the scale"):
        bounded.difference([0.0, 2.0], [1.0, 1.0], scale=(0.0, 1.0))
    assert math.isnan(bounded.difference([math.nan], [1.0], scale=(0.0, 1.0)).value)
