"""Corrected means: closed forms, what must not matter, and coverage where the truth is known."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats

from tuneornot.stats import judged, paired

Floats = NDArray[np.float64]
N_SETS = 800
NOISE = 2.5 * math.sqrt(0.05 * 0.95 / N_SETS)


class Judge(NamedTuple):
    """Error rates of a judge, by arm."""

    sensitivity: tuple[float, float]
    specificity: tuple[float, float]


ALIKE = Judge((0.8, 0.8), (0.7, 0.7))
APART = Judge((0.8, 0.95), (0.7, 0.5))
RATES = (0.65, 0.8)
GAIN = RATES[1] - RATES[0]


class Drawn(NamedTuple):
    """One simulated study: (2, n) of both arms."""

    judged: Floats
    labels: Floats
    groups: NDArray[np.int_]


def draw(rng: np.random.Generator, judge: Judge, *, n: int, labels: int, per_group: int) -> Drawn:
    """Two arms whose answers to a case succeed together more often than not."""
    groups = np.arange(n) // per_group
    ease = rng.standard_normal(int(groups[-1]) + 1)[groups]
    latent = math.sqrt(0.5) * (ease + rng.standard_normal((2, n)))
    truth = (latent < special.ndtri(np.array(RATES))[:, np.newaxis]).astype(float)
    chance = np.where(
        truth == 1,
        np.array(judge.sensitivity)[:, np.newaxis],
        1 - np.array(judge.specificity)[:, np.newaxis],
    )
    said = (rng.random((2, n)) < chance).astype(float)
    known = np.full((2, n), np.nan)
    picked = rng.permutation(n)[:labels]
    known[:, picked] = truth[:, picked]
    return Drawn(said, known, groups)


def coverage(judge: Judge, *, labels: int = 100, per_group: int = 1) -> dict[str, float]:
    """Share of 95% intervals of the difference that hold the truth, by method."""
    rng = np.random.default_rng(7)
    held = dict.fromkeys(("powered", "rogan-gladen", "uncorrected"), 0)
    for _ in range(N_SETS):
        one = draw(rng, judge, n=400, labels=labels, per_group=per_group)
        groups = None if per_group == 1 else one.groups
        made = {
            "powered": judged.powered(
                one.judged[1] - one.judged[0],
                one.labels[1] - one.labels[0],
                groups=groups,
                span=1.0,
            ),
            "rogan-gladen": judged.rogan_gladen_difference(
                (one.judged[0], one.judged[1]), (one.labels[0], one.labels[1]), groups=groups
            ),
            "uncorrected": paired.difference(
                one.judged[0], one.judged[1], groups=groups, binary=False
            ),
        }
        for name, estimate in made.items():
            held[name] += estimate.low <= GAIN <= estimate.high
    return {name: n / N_SETS for name, n in held.items()}


def test_a_judge_of_08_and_07_with_100_labels_is_put_right() -> None:
    found = coverage(ALIKE)
    assert 0.935 - NOISE <= found["powered"] <= 0.975 + NOISE
    assert 0.935 - NOISE <= found["rogan-gladen"] <= 0.98 + NOISE
    assert found["uncorrected"] < 0.6


def test_errors_that_differ_between_arms_break_pooled_rates_only() -> None:
    found = coverage(APART)
    assert 0.935 - NOISE <= found["powered"] <= 0.975 + NOISE
    assert found["rogan-gladen"] < 0.5
    assert found["uncorrected"] < 0.5


@pytest.mark.parametrize(("labels", "per_group"), [(50, 1), (30, 1), (100, 5)])
def test_few_labels_and_groups_keep_the_level(labels: int, per_group: int) -> None:
    found = coverage(ALIKE, labels=labels, per_group=per_group)
    assert 0.93 - NOISE <= found["powered"] <= 0.985 + NOISE


@pytest.mark.parametrize("judge", [ALIKE, APART])
def test_one_sided_bounds_err_no_more_than_they_say(judge: Judge) -> None:
    rng = np.random.default_rng(12)
    above = below = 0
    for _ in range(N_SETS):
        one = draw(rng, judge, n=400, labels=50, per_group=1)
        gains, labels = one.judged[1] - one.judged[0], one.labels[1] - one.labels[0]
        made = judged.powered(gains, labels, span=1.0)
        above += made.lower > GAIN
        below += made.upper < GAIN
    assert max(above, below) / N_SETS <= 0.05 + NOISE


def lost(rng: np.random.Generator, share: float, n_labels: int) -> tuple[Floats, Floats]:
    """(2, n) of judge and labels: the candidate loses a share, which the judge takes for usual."""
    n = 400
    level = special.ndtr(0.84 * rng.standard_normal(n) + 0.55 * rng.standard_normal((2, n)))
    usual = 0.6 + 0.3 * (level - 0.5)
    usual[1] += GAIN
    said = np.clip(usual + 0.05 * rng.standard_normal((2, n)), 0, 1)
    truth = usual.copy()
    truth[1] = np.where(rng.random(n) < share, 0.0, usual[1])
    known = np.full((2, n), np.nan)
    picked = rng.permutation(n)[:n_labels]
    known[:, picked] = truth[:, picked]
    return said, known


def escaped(share: float, n_labels: int, n_sets: int = N_SETS) -> tuple[float, float]:
    """How often the lower bound lies above the truth: from what was labelled alone, and shipped."""
    truth = (1 - share) * (0.6 + GAIN) - 0.6
    rng = np.random.default_rng(21)
    rates = []
    for _ in range(n_sets):
        said, known = lost(rng, share, n_labels)
        gains, labels = said[1] - said[0], known[1] - known[0]
        made = (
            judged.powered(gains, labels, span=1.0, reach=reach)
            for reach in (None, (0.6 + GAIN, 0.6))
        )
        rates.append([one.lower > truth for one in made])
    alone, shipped = np.mean(rates, axis=0).tolist()
    return alone, shipped


def test_losses_that_no_label_has_shown_do_not_escape() -> None:
    """3% lost in 50 labels: none shows in 22% of draws, and the judge sees none at all."""
    alone, shipped = escaped(0.03, 50, n_sets=400)
    assert shipped <= 0.05 + NOISE
    # The instrument itself: what was labelled alone lets them escape.
    assert alone > 0.1


def test_a_perfect_judge_of_few_labels_keeps_what_they_leave_open() -> None:
    """Rates of 0/1 whose labels the judge never missed: no bound nearer than 1 - 0.05^(1/n)."""
    rng = np.random.default_rng(31)
    said = (rng.random(4000) < 0.7).astype(float)
    known = np.full(4000, np.nan)
    known[:40] = said[:40]
    made = judged.rogan_gladen(said, known)
    open_share = 1 - 0.05 ** (1 / 40)
    assert made.lower <= made.value * (1 - open_share) + 1e-12
    assert made.upper >= made.value + (1 - made.value) * open_share - 1e-12


def test_a_perfect_judge_leaves_its_own_mean_and_is_still_not_certain() -> None:
    rng = np.random.default_rng(3)
    truth = (rng.random(400) < 0.7).astype(float)
    labels = truth.copy()
    labels[100:] = np.nan
    made = judged.powered(truth, labels, span=1.0)
    assert made.value == pytest.approx(truth.mean())
    # Not narrower than all 400 labels would be.
    assert made.high - made.low > 2 * 1.96 * truth.std() / 20


def test_a_judge_that_says_nothing_leaves_the_labels() -> None:
    rng = np.random.default_rng(4)
    labels = np.full(300, np.nan)
    labels[:80] = rng.random(80)
    made = judged.powered(np.full(300, 0.5), labels)
    assert made.value == pytest.approx(np.nanmean(labels))
    error = stats.sem(labels[:80]) * stats.t.ppf(0.975, 79)
    assert made.high - made.low == pytest.approx(2 * error, rel=0.15)


def test_with_every_case_labelled_the_judge_does_not_matter() -> None:
    rng = np.random.default_rng(5)
    truth = rng.random(60)
    for said in (rng.random(60), truth, np.zeros(60)):
        assert judged.powered(said, truth).value == pytest.approx(truth.mean())


def test_the_slope_is_the_tuned_one() -> None:
    # The regression estimator of double sampling, computed the long way.
    rng = np.random.default_rng(6)
    f = rng.random(200)
    y = np.where(np.arange(200) < 50, 0.6 * f + 0.2 * rng.random(200), np.nan)
    slope = stats.linregress(f[:50], y[:50]).slope
    wanted = y[:50].mean() + slope * (f.mean() - f[:50].mean())
    assert judged.powered(f, y).value == pytest.approx(wanted)


def test_undecided_cases_count_as_the_judges_mean_and_keep_their_labels() -> None:
    rng = np.random.default_rng(8)
    f, y = rng.random(100), np.full(100, np.nan)
    y[:40] = rng.random(40)
    f[[3, 70]] = np.nan
    filled = np.where(np.isnan(f), np.nanmean(f), f)
    assert judged.powered(f, y) == judged.powered(filled, y)


def test_order_of_cases_does_not_matter_and_swapping_arms_turns_the_sign() -> None:
    one = draw(np.random.default_rng(9), ALIKE, n=200, labels=80, per_group=4)
    gains, labels = one.judged[1] - one.judged[0], one.labels[1] - one.labels[0]
    made = judged.powered(gains, labels, groups=one.groups)
    order = np.random.default_rng(1).permutation(200)
    moved = judged.powered(gains[order], labels[order], groups=one.groups[order])
    turned = judged.powered(-gains, -labels, groups=one.groups)
    assert moved.low == pytest.approx(made.low)
    assert (turned.value, turned.low) == pytest.approx((-made.value, -made.high))


def test_rogan_gladen_is_its_formula() -> None:
    # 100 labels: 40 of 50 ones found, 35 of 50 zeros; 55% judged positive.
    f = np.concatenate([np.repeat([1, 0, 0, 1], [40, 10, 35, 15]), np.zeros(300)]).astype(float)
    f[100 : 100 + 165] = 1
    y = np.concatenate([np.repeat([1.0, 0.0], 50), np.full(300, np.nan)])
    made = judged.rogan_gladen(f, y)
    assert made.value == pytest.approx((0.55 + 0.7 - 1) / (0.8 + 0.7 - 1))
    both = judged.rogan_gladen_difference((f, f), (y, y))
    assert both.value == pytest.approx(0.0)


def test_rogan_gladen_of_one_rate_covers() -> None:
    rng = np.random.default_rng(10)
    held = 0
    for _ in range(N_SETS):
        one = draw(rng, ALIKE, n=400, labels=100, per_group=1)
        made = judged.rogan_gladen(one.judged[0], one.labels[0])
        held += made.low <= RATES[0] <= made.high
    assert 0.935 - NOISE <= held / N_SETS <= 0.985 + NOISE


def test_a_judge_no_better_than_chance_determines_nothing() -> None:
    rng = np.random.default_rng(11)
    y = np.tile([0.0, 1.0], 100)
    said = (rng.random(200) < 0.5).astype(float)
    assert math.isnan(judged.rogan_gladen(said, y).value)
    assert not math.isnan(judged.powered(said, y).value)


def test_too_few_labels_determine_nothing() -> None:
    f, y = np.ones(50), np.full(50, np.nan)
    y[:2] = 1.0
    assert math.isnan(judged.powered(f, y).value)
    assert math.isnan(judged.powered(np.full(50, np.nan), np.ones(50)).value)
    with pytest.raises(ValueError, match="NaN for undecided"):
        judged.powered(f, y[:10])
