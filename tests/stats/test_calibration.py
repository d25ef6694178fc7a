"""Calibration error and risk against coverage: closed forms, enumeration, simulation."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from tuneornot.stats import calibration
from tuneornot.stats.calibration import Answers
from tuneornot.stats.cases import Floats


def answers(confidence: object, right: object, units: object = None) -> Answers:
    values = np.asarray(confidence, dtype=np.float64)
    own = np.arange(len(values)) if units is None else np.asarray(units)
    return Answers(values, np.asarray(right, dtype=np.float64), own.astype(np.intp))


def test_one_bin_is_the_distance_of_the_means() -> None:
    given = answers([0.9, 0.8, 0.7, 0.6], [1, 0, 0, 1])
    assert calibration.expected_error(given) == pytest.approx(0.75 - 0.5)


def test_bins_of_equal_mass_by_hand() -> None:
    # 40 answers: four bins of ten, with accuracies 0.2, 0.4, 0.6 and 1.
    confidence = np.repeat([0.1, 0.4, 0.7, 0.9], 10)
    right = np.concatenate([np.arange(10) < k for k in (2, 4, 6, 10)])
    given = answers(confidence, right)
    assert calibration.expected_error(given) == pytest.approx((0.1 + 0 + 0.1 + 0.1) / 4)
    squares = [(0.1, 0.2), (0.0, 0.4), (0.1, 0.6), (0.1, 1.0)]
    wanted = sum(gap**2 - p * (1 - p) / 9 for gap, p in squares) / 4
    assert wanted < 0
    assert calibration.debiased_error(given) == 0
    wrong = answers(np.repeat(0.9, 20), np.arange(20) < 4)
    assert calibration.debiased_error(wrong) == pytest.approx((0.7**2 - 0.2 * 0.8 / 19) ** 0.5)


def test_equal_confidences_share_a_bin() -> None:
    # Cut apart by order, the first half would be wrong and the second right.
    given = answers(np.repeat(0.5, 60), np.arange(60) < 30)
    assert calibration.expected_error(given) == pytest.approx(0)


def test_the_debiased_square_has_no_bias() -> None:
    rng = np.random.default_rng(0)
    confidence = np.repeat([0.3, 0.8], 20)
    squares, plain = [], []
    for _ in range(4000):
        right = (rng.random(40) < np.repeat([0.4, 0.6], 20)).astype(float)
        given = answers(confidence, right)
        gaps, sizes = calibration._by_bin(given)
        accuracy = right.reshape(2, 20).mean(axis=1)
        squares.append(np.mean((gaps / sizes) ** 2 - accuracy * (1 - accuracy) / 19))
        plain.append(np.mean((gaps / sizes) ** 2))
    truth = (0.1**2 + 0.2**2) / 2
    assert np.mean(squares) == pytest.approx(truth, abs=4 * np.std(squares) / 4000**0.5)
    assert np.mean(plain) > truth + 0.008


def test_what_chance_shows_is_what_true_confidences_show() -> None:
    rng = np.random.default_rng(1)
    confidence = rng.random(80)
    errors = [
        calibration.expected_error(answers(confidence, rng.random(80) < confidence))
        for _ in range(1500)
    ]
    mean, most = calibration.by_chance(answers(confidence, np.zeros(80)))
    assert mean == pytest.approx(np.mean(errors), abs=0.003)
    assert most == pytest.approx(np.quantile(errors, 0.95), abs=0.006)
    assert mean > 0.05


def discrete(confidence: list[float], right: list[int]) -> float:
    """Mean over k of the error rate of the first k, over all orders of equal confidences."""
    n = len(right)
    total, count = Fraction(0), 0
    for order in itertools.permutations(range(n)):
        if all(confidence[a] >= confidence[b] for a, b in itertools.pairwise(order)):
            wrong = list(itertools.accumulate(1 - right[i] for i in order))
            total += sum((Fraction(w, k) for k, w in enumerate(wrong, start=1)), Fraction(0)) / n
            count += 1
    return float(total / count)


@pytest.mark.parametrize(
    ("confidence", "right"),
    [
        ([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 1]),
        ([0.9, 0.9, 0.5, 0.5, 0.1], [0, 1, 1, 0, 0]),
        ([0.5, 0.5, 0.5], [0, 1, 1]),
    ],
)
def test_the_risk_area_is_the_limit_of_the_discrete_one(
    confidence: list[float], right: list[int]
) -> None:
    # Each answer 2,000 times, equal ones in random order: the discrete area nears the continuous.
    rng = np.random.default_rng(2)
    many = np.repeat(confidence, 2000)
    order = np.lexsort([rng.random(len(many)), -many])
    wrong = np.cumsum(1 - np.repeat(right, 2000)[order])
    limit = float(np.mean(wrong / np.arange(1, len(many) + 1)))
    given = answers(confidence, right)
    assert calibration.risk_area(given) == pytest.approx(limit, abs=0.01)
    assert abs(calibration.risk_area(given) - discrete(confidence, right)) < 0.12


def test_the_curve_takes_equal_confidences_together() -> None:
    given = answers([0.5, 0.9, 0.5, 0.9], [0, 1, 1, 1])
    assert calibration.risk_curve(given) == [(0.5, 0.0), (1.0, 0.25)]
    rng = np.random.default_rng(7)
    many = answers(rng.random(1000), rng.random(1000) < 0.7)
    curve = calibration.risk_curve(many, most=50)
    assert len(curve) == 50
    assert curve[-1][0] == 1
    assert curve[-1][1] == pytest.approx(1 - many.right.mean())
    assert calibration.risk_curve(answers([], [])) == []


def test_closed_forms_of_the_risk_area() -> None:
    assert calibration.risk_area(answers([0.9, 0.1], [1, 1])) == 0
    assert calibration.risk_area(answers([0.9, 0.1], [0, 0])) == pytest.approx(1)
    # Without any use of confidence it is the error rate.
    assert calibration.risk_area(answers([0.5] * 10, [1] * 7 + [0] * 3)) == pytest.approx(0.3)
    # The surest half right, the other half wrong: the integral of (c - 1/2) / c over (1/2, 1).
    ideal = calibration.risk_area(answers([0.9, 0.1], [1, 0]))
    assert ideal == pytest.approx(0.5 + 0.5 * np.log(0.5))


def test_the_area_depends_on_order_alone_and_repeats_change_nothing() -> None:
    rng = np.random.default_rng(3)
    confidence, right = rng.random(30), rng.random(30) < 0.6
    area = calibration.risk_area(answers(confidence, right))
    assert calibration.risk_area(answers(confidence**3, right)) == pytest.approx(area)
    turn = rng.permutation(30)
    assert calibration.risk_area(answers(confidence[turn], right[turn])) == pytest.approx(area)
    doubled = answers(np.tile(confidence, 2), np.tile(right, 2), np.tile(np.arange(30), 2))
    assert calibration.risk_area(doubled) == pytest.approx(area)
    # Two answers of one case are not two cases: the interval stays as wide.
    once = calibration.area(answers(confidence, right))
    twice = calibration.area(doubled)
    assert (twice.low, twice.high) == pytest.approx((once.low, once.high))


def test_swapping_the_arms_flips_the_sign() -> None:
    rng = np.random.default_rng(4)
    a = answers(rng.random(200), rng.random(200) < 0.5)
    b = answers(rng.random(200), rng.random(200) < 0.8)
    forth = calibration.area_difference(a, b)
    back = calibration.area_difference(b, a)
    assert back.value == pytest.approx(-forth.value)
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low))
    assert forth.high < 0


def test_too_little_is_not_determined() -> None:
    nothing = answers([], [])
    assert np.isnan(calibration.expected_error(nothing))
    assert np.isnan(calibration.debiased_error(nothing))
    assert np.isnan(calibration.risk_area(nothing))
    assert np.isnan(calibration.by_chance(nothing)[0])
    assert np.isnan(calibration.area_difference(nothing, nothing).low)
    assert np.isnan(calibration.area(answers([0.5], [1])).low)


def world(n: int, rng: np.random.Generator) -> tuple[Answers, Answers]:
    """Two arms on the same cases; the second is sharper, and more sure than it may be."""

    def arm(sharp: float, turned: float, hard: Floats) -> Answers:
        odds = sharp * hard + 0.6 + 0.8 * rng.standard_normal(n)
        right = rng.random(n) < 1 / (1 + np.exp(-odds))
        return answers(1 / (1 + np.exp(-turned * odds)), right)

    hard = rng.standard_normal(n)
    return arm(0.5, 2.0, hard), arm(1.5, 2.5, hard)


@pytest.mark.slow
@pytest.mark.parametrize("n", [50, 100, 300])
def test_the_interval_of_the_difference_covers(n: int) -> None:
    truth = np.mean(
        [
            calibration.risk_area(b) - calibration.risk_area(a)
            for a, b in (world(200_000, np.random.default_rng(i)) for i in range(3))
        ]
    )
    rng = np.random.default_rng(5)
    found = [calibration.area_difference(*world(n, rng), rng=i) for i in range(300)]
    covered = np.mean([one.low <= truth <= one.high for one in found])
    # Three standard errors of 300 draws at 95% are 3.8 points.
    assert 0.912 <= covered <= 0.988
