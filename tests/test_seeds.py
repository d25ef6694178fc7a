"""Whether trainings that differ in the seed only are told apart when they differ, and only then."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from tests.test_compare import BINARY, Array, adapter, run
from tuneornot import compare, decide
from tuneornot.records import Check, Rule, Run

RULE = Rule(primary="m", worthwhile=0.1)


def marks(n_right: int, n: int = 100) -> Array:
    """Right on the first cases, wrong on the others."""
    return (np.arange(n) < n_right).astype(float)


def trained(*scores: Array) -> list[Run]:
    return [
        run("t", {"m": one}, {"m": BINARY}, adapter=adapter(seed))
        for seed, one in enumerate(scores, start=1)
    ]


def base(scores: Array) -> Run:
    return run("p", {"m": scores}, {"m": BINARY})


def check(baseline: Array, *scores: Array, alpha: float = 0.05) -> Check | None:
    return compare.seeds_agree(base(baseline), trained(*scores), RULE, alpha=alpha)


def test_a_seed_that_wins_and_one_that_loses_are_told_with_figures() -> None:
    found = check(marks(50), marks(80), marks(35))
    assert found is not None
    assert not found.passed
    assert not found.blocking
    assert "seed 1 +30.0 points, seed 2 \u221215.0 points; worthwhile is 10 points" in found.detail
    assert "would not be decided alike: seed 1 and seed 2." in found.detail


def test_the_verdict_carries_it() -> None:
    pair = (base(marks(150, 300)), trained(marks(250, 300), marks(130, 300)))
    made = compare.comparison([pair])
    told = compare.seeds_agree(*pair, RULE, alpha=0.05)
    assert told is not None
    made = msgspec.structs.replace(made, checks=(told,))
    found = decide.verdict(made, compare.Evidence([pair]), RULE)
    assert found.outcome == "tune", "the average hides it"
    assert any(text.startswith("check seeds-agree failed: ") for text in found.caveats)


@pytest.mark.parametrize(
    ("scores", "why"),
    [
        ((marks(80), marks(65)), "they differ, but both are worthwhile"),
        ((marks(61), marks(59)), "either side of what is worthwhile, by a few cases"),
        ((marks(40), marks(20)), "they differ, but both lose"),
    ],
)
def test_seeds_that_would_be_decided_alike_agree(scores: tuple[Array, ...], why: str) -> None:
    found = check(marks(50), *scores)
    assert found is not None
    assert found.passed, why


def test_one_training_has_nothing_to_agree_with() -> None:
    assert check(marks(50), marks(80)) is None


def test_seeds_that_are_equally_good_rarely_disagree() -> None:
    """At the worst place: every true gain is what is worthwhile, so pairs often lie astride."""
    rng, n_studies, n = np.random.default_rng(7), 150, 100
    n_told = 0
    for _ in range(n_studies):
        hard = rng.random(n)
        draws = [
            (hard + rng.normal(0, 0.3, n) < level).astype(float) for level in (0.4, *[0.5] * 3)
        ]
        found = check(*draws, alpha=0.05)
        n_told += found is not None and not found.passed
    # Three pairs share alpha; 3.1 standard errors above it.
    assert n_told / n_studies <= 0.05 + 3.1 * (0.05 * 0.95 / n_studies) ** 0.5


def test_a_true_difference_between_seeds_is_found() -> None:
    rng, n_studies = np.random.default_rng(8), 20
    n_told = 0
    for _ in range(n_studies):
        draws = [(rng.random(200) < level).astype(float) for level in (0.4, 0.65, 0.35)]
        found = check(*draws)
        n_told += found is not None and not found.passed
    assert n_told >= 18
