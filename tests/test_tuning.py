"""Recipes that are tried and shares of train, in whole studies that train a real model."""

from __future__ import annotations

import itertools
import json
from contextlib import closing
from pathlib import Path

import pytest

from tests.finetune import small
from tuneornot import findings, forecast, study, tuning
from tuneornot.errors import StudyError
from tuneornot.report import markdown, pages

RECIPE = "rank: 16, alpha: 32, rate: 0.01, epochs: 8, batch_size: 4"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEORNOT_CACHE", str(tmp_path / "cache"))


def test_the_recipe_of_least_dev_loss_is_trained_and_shown(tmp_path: Path) -> None:
    # As given it hardly learns; the pair with the higher rate does.
    tune = "{rank: 16, rate: 0.002, batch_size: 4, search: {trials: 4, epochs: 2}}"
    file = small.write(tmp_path, tune=tune)
    with closing(small.opened(file)) as protocol:
        plan = forecast.of(protocol)
        [adapter] = protocol.adapters("tuned")
        ledger = protocol.trials("tuned")
        assert ledger is not None
        found = findings.of(protocol)
    assert any(one.step == "train tuned" for one in plan.outlays)
    assert [one.recipe["epochs"] for one in ledger.tried] == [1] * 4 + [2] * 2
    losses = [one.dev_loss for one in ledger.tried if one.dev_loss is not None]
    best = ledger.tried[ledger.best]
    assert best.dev_loss == min(losses) < losses[0]
    chosen = {name: adapter.settings[name] for name in ("rank", "rate", "epochs")}
    assert chosen == {name: best.recipe[name] for name in chosen}
    said = f"Chosen was rank {best.recipe['rank']}, rate {best.recipe['rate']}"
    assert said in markdown.render(found)
    assert said in pages.render(found)


def test_a_search_is_done_once_and_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    tune = "{rank: 8, batch_size: 8, search: {trials: 3, epochs: 2}}"
    file = small.write(tmp_path, tune=tune)
    with closing(small.opened(file)) as protocol:
        first = protocol.trials("tuned")
    kept = sorted((tmp_path / "results" / "adapters").glob("*/trial.json"))
    assert len(kept) == 4
    assert not list((tmp_path / "results").glob("**/*.safetensors")), "weights of trials go"
    kept[0].unlink()
    told = [json.loads(path.read_text())["seconds"] for path in kept[1:]]
    with closing(small.opened(file)) as protocol:
        assert protocol.tuning.names(protocol.pupil("tuned")) == ()
        again = protocol.trials("tuned")
        assert protocol.tuning.names(protocol.pupil("tuned"))
    assert first is not None
    assert again is not None
    assert [one.dev_loss for one in again.tried] == pytest.approx(
        [one.dev_loss for one in first.tried]
    )
    assert set(told) <= {one.seconds for one in again.tried}


def test_shares_of_train_are_measured_on_dev_and_told(tmp_path: Path) -> None:
    tune = f"{{{RECIPE}, curve: [0.25, 0.5, 1.0]}}"
    file = small.write(tmp_path, tune=tune)
    with closing(small.opened(file)) as protocol:
        assert protocol.tuning.n_left(protocol.pupil("tuned")) == 2
        found = findings.of(protocol)
        assert protocol.tuning.n_left(protocol.pupil("tuned")) == 0
    learnt = found.learning["tuned"]
    assert [(point.share, point.n) for point in learnt.points] == [(0.25, 4), (0.5, 8), (1.0, 16)]
    assert (learnt.n_dev, learnt.n_seeds, learnt.baseline_mean) == (10, 1, 0)
    assert learnt.points[-1].mean == learnt.points[-1].gain == 1
    assert learnt.twice.high <= 1
    assert learnt.answer == "enough"
    assert "only 10 dev cases" in learnt.caveats[0]
    assert "one training for each size" in learnt.caveats[1]
    assert {look.dataset for look in found.looks} == {"eval"}
    for text in (markdown.render(found), pages.render(found)):
        assert "The gain is worthwhile with the data that is there" in text


def test_a_smaller_share_lies_within_a_larger_one() -> None:
    train = small.dataset("train", 40)
    for seed in (1, 2):
        parts = [{case.id for case in tuning.part(train, share, seed).cases} for share in SHARES]
        assert [len(part) for part in parts] == [4, 10, 20, 40]
        assert parts == sorted(parts, key=len)
        assert all(a < b for a, b in itertools.pairwise(parts))
    assert tuning.part(train, 0.5, 1) != tuning.part(train, 0.5, 2)
    assert tuning.part(train, 1, 1) is train
    assert len(tuning.part(train, 0.001, 1)) == 1


SHARES = (0.1, 0.25, 0.5, 1.0)


@pytest.mark.parametrize(
    ("tune", "fault"),
    [
        ("{curve: [0.5, 1.0]}", "tune.curve: found [0.5, 1.0], expected 3 or more shares"),
        ("{curve: [0.5, 0.25, 1.0]}", "tune.curve"),
        ("{curve: [0.25, 0.5, 0.9]}", "tune.curve"),
        ("{curve: [0.0, 0.5, 1.0]}", "tune.curve"),
        ("{search: {trials: 1}}", "tune.search.trials: found 1, expected 2 to 9"),
        ("{search: {trials: 10}}", "tune.search.trials"),
        ("{search: {epochs: 0}}", "tune.search.epochs: found 0"),
        ("{seeds: [1, 1]}", "tune.seeds: found [1, 1]"),
    ],
)
def test_wrong_plans_are_told_before_anything_is_trained(
    tmp_path: Path, tune: str, fault: str
) -> None:
    file = small.write(tmp_path, tune=tune)
    with pytest.raises(StudyError) as caught:
        study.read(file)
    assert fault in str(caught.value)
