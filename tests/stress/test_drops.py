"""The difference of the drops against closed forms and against what must not matter."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.test_compare import BINARY, GRADE, dataset, run
from tuneornot import compare, decide
from tuneornot.compare import Drops, Pair
from tuneornot.records import Claim, Dataset, Guardrail, Perturbed, Reason, Rule, Scale
from tuneornot.stats import multiplicity, paired

Array = NDArray[np.float64]
LOWER = Scale(better="lower", low=0.0, high=1.0)


def told(name: str, *, main: bool = True) -> Perturbed:
    return Perturbed(
        name=name,
        perturbation=name.split()[0],
        strength=0.3,
        main=main,
        keeps_meaning=True,
        summary="",
        n=0,
        n_same=0,
    )


def pair(b: Array, c: Array, *, scale: Scale = BINARY, on: Dataset | None = None) -> Pair:
    scales = {"m": scale}
    return Pair(run("b", {"m": b}, scales, on=on), (run("c", {"m": c}, scales, on=on),))


def drops(
    plain: tuple[Array, Array], *changed: tuple[Array, Array], scale: Scale = BINARY
) -> Drops:
    made = [(told(f"p{i}"), pair(*arms, scale=scale)) for i, arms in enumerate(changed)]
    return Drops(pair(*plain, scale=scale), made, pooled="stress")


def draws(n: int, *shares: float, seed: int = 0) -> list[Array]:
    rng = np.random.default_rng(seed)
    return [(rng.random(n) < share).astype(np.float64) for share in shares]


def test_the_difference_of_the_drops_is_that_of_the_gains() -> None:
    b0, c0, b1, c1 = draws(80, 0.5, 0.8, 0.45, 0.5)
    [one, pooled] = drops((b0, c0), (b1, c1)).all(alpha=0.05)
    assert one.plain == (b0.mean(), c0.mean())
    assert one.baseline.value == pytest.approx((b1 - b0).mean())
    assert one.candidate.value == pytest.approx((c1 - c0).mean())
    assert one.difference.value == pytest.approx(((c1 - c0) - (b1 - b0)).mean())
    same = paired.difference(b1 - b0, c1 - c0, scale=(-1.0, 1.0), binary=False)
    assert (one.difference.low, one.difference.p_value) == (same.low, same.p_value)
    assert pooled.difference.low == one.difference.low
    assert (one.n, pooled.perturbation, pooled.dataset) == (80, "", "stress")


def test_swapping_the_arms_turns_the_sign() -> None:
    b0, c0, b1, c1 = draws(60, 0.5, 0.8, 0.45, 0.5)
    first = drops((b0, c0), (b1, c1)).all(alpha=0.05)[0].difference
    second = drops((c0, b0), (c1, b1)).all(alpha=0.05)[0].difference
    assert first.value == -second.value
    assert first.low == pytest.approx(-second.high)


def test_the_case_is_the_unit_however_many_ways_it_is_asked_in() -> None:
    b0, c0, b1, c1 = draws(60, 0.5, 0.8, 0.45, 0.5)
    once = drops((b0, c0), (b1, c1)).all(alpha=0.05)[-1].difference
    often = drops((b0, c0), *[(b1, c1)] * 5).all(alpha=0.05)[-1].difference
    assert (often.value, often.low, often.high) == pytest.approx((once.value, once.low, once.high))


def test_a_failure_of_one_arm_leaves_that_way_out_for_both() -> None:
    b0, c0, b1, c1 = draws(60, 0.5, 0.8, 0.45, 0.5)
    b2, c2 = draws(60, 0.1, 0.9, seed=3)
    c2[7] = np.nan
    pooled = drops((b0, c0), (b1, c1), (b2, c2)).all(alpha=0.05)[-1]
    gains = np.stack([(c1 - c0) - (b1 - b0), (c2 - c0) - (b2 - b0)], axis=1)
    assert pooled.n == 60
    assert pooled.difference.value == pytest.approx(np.nanmean(gains, axis=1).mean())
    [_, one, _] = drops((b0, c0), (b1, c1), (b2, c2)).all(alpha=0.05)
    assert one.n == 59
    assert any("lack a score" in caveat for caveat in one.caveats)


def test_where_less_is_better_a_rise_is_a_loss() -> None:
    b0, c0, b1, c1 = draws(60, 0.2, 0.2, 0.2, 0.9)
    [one, _] = drops((b0, c0), (b1, c1), scale=LOWER).all(alpha=0.05)
    assert one.candidate.value == pytest.approx(-(c1 - c0).mean())
    assert one.difference.value == pytest.approx(-((c1 - c0) - (b1 - b0)).mean())
    assert one.plain == (b0.mean(), c0.mean())


def test_repeats_and_seeds_are_averaged_within_a_case() -> None:
    rng = np.random.default_rng(5)
    b0, b1 = rng.random((40, 3)), rng.random((40, 3))
    seeds = [(rng.random((40, 2)), rng.random((40, 2))) for _ in range(2)]
    scales = {"m": GRADE}
    plain = Pair(run("b", {"m": b0}, scales), tuple(run("c", {"m": a}, scales) for a, _ in seeds))
    shifted = Pair(run("b", {"m": b1}, scales), tuple(run("c", {"m": z}, scales) for _, z in seeds))
    [one, _] = Drops(plain, [(told("p"), shifted)], pooled="stress").all(alpha=0.05)
    candidate = np.mean([z.mean(axis=1) - a.mean(axis=1) for a, z in seeds], axis=0)
    assert one.candidate.value == pytest.approx(candidate.mean())
    baseline = b1.mean(axis=1) - b0.mean(axis=1)
    assert one.difference.value == pytest.approx((candidate - baseline).mean())


def test_a_set_may_hold_a_part_of_the_cases_and_groups_count() -> None:
    whole = dataset(80, grouped=True, sliced=True)
    b0, c0, b1, c1 = draws(80, 0.5, 0.8, 0.45, 0.5)
    part = Dataset(name="typos", cases=whole.cases[20:60])
    changed = [(told("typos"), pair(b1[20:60], c1[20:60], on=part))]
    made = Drops(pair(b0, c0, on=whole), changed, pooled="stress")
    [one, _] = made.all(alpha=0.05)
    assert (one.n, one.n_groups) == (40, 10)
    assert one.plain[0] == pytest.approx(b0[20:60].mean())
    left = [i for i in range(20, 60) if i % 3]
    [fewer, _] = made.without("a").all(alpha=0.05)
    assert fewer.n == len(left)
    assert fewer.difference.value == pytest.approx(((c1 - c0) - (b1 - b0))[left].mean())


def test_holm_is_over_the_perturbations_at_the_studys_strength() -> None:
    b0, c0, *rest = draws(60, 0.5, 0.9, 0.5, 0.4, 0.5, 0.7, 0.5, 0.1)
    changed = [
        (told("typos"), pair(*rest[:2])),
        (told("typos 0.6", main=False), pair(*rest[4:])),
        (told("casing"), pair(*rest[2:4])),
    ]
    found = Drops(pair(b0, c0), changed, pooled="stress").all(alpha=0.05)
    typos, steeper, casing, pooled = found
    p_values = [float(one.difference.p_value or 0) for one in (typos, casing)]
    assert [typos.p_holm, casing.p_holm] == list(multiplicity.holm(p_values))
    assert (steeper.p_holm, pooled.p_holm) == (None, None)
    # The further strength is a point of a curve and no part of the pool.
    both = ((rest[1] - c0) - (rest[0] - b0) + (rest[3] - c0) - (rest[2] - b0)) / 2
    assert pooled.difference.value == pytest.approx(both.mean())


def test_a_claim_of_a_drop_is_answered_at_its_own_error_rate() -> None:
    b0, c0, b1, c1 = draws(60, 0.5, 0.8, 0.45, 0.5)
    made = drops((b0, c0), (b1, c1))
    evidence = compare.Evidence([pair(b0, c0)], drops=made)
    claim = Claim(role="guardrail", metric="m", dataset="p0", quantity="drop", threshold=-0.05)
    usual, strict = evidence(claim, 0.05), evidence(claim, 0.01)
    assert usual is not None
    assert strict is not None
    assert strict.lower < usual.lower < usual.value < usual.upper < strict.upper
    assert usual == made.all(alpha=0.05)[0].difference
    assert compare.Evidence([pair(b0, c0)])(claim, 0.05) is None


def test_a_drop_is_held_broken_or_open_with_the_cases_that_it_needs() -> None:
    b0, c0, b1, c1 = draws(90, 0.4, 0.9, 0.4, 0.9)
    plain, made = pair(b0, c0), drops((b0, c0), (b1, c1))
    usual = compare.comparison([(plain.baseline, plain.candidates)])
    usual = msgspec.structs.replace(usual, drops=made.all(alpha=0.05))
    evidence = compare.Evidence([(plain.baseline, plain.candidates)], drops=made)
    found: dict[str, Reason] = {}
    least = made.all(alpha=0.05)[-1].difference.lower
    assert least < 0
    for name, margin in {"held": -1.2 * least, "open": -0.8 * least}.items():
        rail = Guardrail(metric="m", dataset="stress", quantity="drop", margin=margin)
        rule = Rule(primary="m", worthwhile=0.1, guardrails=(rail,))
        verdict = decide.verdict(usual, evidence, rule)
        [found[name]] = [one for one in verdict.reasons if one.quantity == "drop"]
    assert (found["held"].holds, found["held"].n_more) == (True, None)
    assert found["open"].holds is None
    assert found["open"].n_more is not None
    assert found["open"].n_more > 0


def test_on_other_cases_it_is_means_that_are_compared() -> None:
    b0, c0 = draws(90, 0.5, 0.9)
    b1, c1 = draws(70, 0.5, 0.4, seed=4)
    later = dataset(70, name="later")
    made = Drops(pair(b0, c0), others=[pair(b1, c1, on=later)])
    [drop] = made.all(alpha=0.05)
    assert (drop.dataset, drop.n, drop.other_cases, drop.main) == ("later", 70, True, False)
    assert drop.plain == (b0.mean(), c0.mean())
    assert drop.candidate.value == pytest.approx(c1.mean() - c0.mean())
    assert drop.baseline.value == pytest.approx(b1.mean() - b0.mean())
    assert drop.difference.value == pytest.approx((c1 - b1).mean() - (c0 - b0).mean())
    claim = Claim(role="guardrail", metric="m", dataset="later", quantity="drop", threshold=-0.1)
    evidence = compare.Evidence([pair(b0, c0)], drops=made)
    assert evidence(claim, 0.05) == drop.difference
    turned = Drops(pair(b0, c0, scale=LOWER), others=[pair(b1, c1, scale=LOWER, on=later)])
    [worse] = turned.all(alpha=0.05)
    assert worse.difference.value == pytest.approx(-drop.difference.value)
    assert worse.plain == drop.plain


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_the_bound_of_equal_drops_is_wrong_about_as_often_as_it_says(share: float) -> None:
    rng, n, n_wrong, n_draws = np.random.default_rng(11), 80, 0, 600
    for _ in range(n_draws):
        hard = rng.random(n)
        b0, c0, b1, c1 = ((rng.random(n) < share) | (hard > 0.9) for _ in range(4))
        gains = [(after.astype(float) - before) for before, after in ((b0, b1), (c0, c1))]
        made = paired.difference(*gains, scale=(-1.0, 1.0), binary=False)
        n_wrong += made.lower > 0
    # 5% of 600 with a standard error of 0.9%.
    assert n_wrong / n_draws < 0.08
