from __future__ import annotations

import math
from collections.abc import Callable
from typing import cast

import msgspec
import pytest

from tuneornot import finetune
from tuneornot.finetune import trials
from tuneornot.records import Json, Trial
from tuneornot.training.plan import TrialPlan
from tuneornot.training.recipe import Recipe

GIVEN = Recipe(rank=16, alpha=32, rate=1e-3)


def fitting(loss: Callable[[Recipe], float | None], asked: list[Recipe]) -> finetune.trials.Fit:
    def fit(recipe: Recipe) -> Trial:
        asked.append(recipe)
        told = cast(dict[str, Json], msgspec.to_builtins(recipe))
        return Trial(recipe=told, dev_loss=loss(recipe), seconds=1.5)

    return fit


def bowl(recipe: Recipe) -> float:
    """Least at rank 8, rate 0.003 and two epochs."""
    off = abs(math.log2(recipe.rank / 8)) + abs(math.log10(recipe.rate / 3e-3))
    return 1 + off + abs(recipe.epochs - 2)


def test_the_best_pair_and_its_epochs_are_found() -> None:
    asked: list[Recipe] = []
    chosen, ledger = finetune.search(GIVEN, TrialPlan(trials=9), fitting(bowl, asked))
    assert (chosen.rank, chosen.alpha, chosen.rate, chosen.epochs) == (8, 16, 3e-3, 2)
    assert [one.epochs for one in asked] == [1] * 9 + [2] * 4 + [4] * 2
    assert asked[0] == msgspec.structs.replace(GIVEN, epochs=1)
    assert ledger.tried[ledger.best].dev_loss == 1
    assert ledger.seconds == pytest.approx(15 * 1.5)


def test_the_better_half_goes_on() -> None:
    asked: list[Recipe] = []
    finetune.search(GIVEN, TrialPlan(trials=4, epochs=2), fitting(bowl, asked))
    first, second = asked[:4], asked[4:]
    best = sorted(first, key=bowl)[:2]
    assert [one.rank for one in second] == [one.rank for one in best]
    assert [one.rate for one in second] == [one.rate for one in best]


def test_what_diverged_is_never_chosen_and_goes_no_further() -> None:
    asked: list[Recipe] = []

    def loss(recipe: Recipe) -> float | None:
        return None if recipe.rate > 1e-3 else recipe.rate

    chosen, ledger = finetune.search(GIVEN, TrialPlan(trials=9, epochs=8), fitting(loss, asked))
    assert chosen.rate == pytest.approx(3.33e-4)
    assert sum(one.dev_loss is None for one in ledger.tried) == 3
    assert all(one.rate <= 1e-3 for one in asked if one.epochs > 1)


def test_the_given_recipe_stays_if_all_diverge() -> None:
    chosen, ledger = finetune.search(GIVEN, TrialPlan(trials=3), fitting(lambda _: None, []))
    assert chosen == GIVEN
    assert len(ledger.tried) == 3


def test_pairs_differ_and_another_seed_draws_others() -> None:
    drawn = [trials.candidates(GIVEN, TrialPlan(trials=5, seed=seed)) for seed in range(4)]
    for each in drawn:
        assert each[0] == GIVEN
        assert len({(one.rank, one.rate) for one in each}) == 5
        assert all(one.alpha == 2 * one.rank for one in each)
    assert len({tuple(each) for each in map(tuple, drawn)}) > 1
    assert len(trials.candidates(Recipe(rank=1, alpha=1), TrialPlan(trials=9))) == 9
    beside_nf4 = trials.candidates(Recipe(method="qlora"), TrialPlan(trials=9))
    assert {one.rank for one in beside_nf4} == {8, 16, 32}


def test_a_full_training_is_tried_at_other_rates_only() -> None:
    given = Recipe(method="full", rate=1e-4)
    tried = trials.candidates(given, TrialPlan(trials=3))
    assert [one.rank for one in tried] == [given.rank] * 3
    assert sorted(one.rate for one in tried) == pytest.approx([3.33e-5, 1e-4, 3e-4])
