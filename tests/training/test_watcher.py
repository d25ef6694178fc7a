from __future__ import annotations

from pathlib import Path

import pytest
from peft import PeftModel

from tests.training import tiny
from tests.training.test_fitting import fit
from tuneornot.records import CurvePoint
from tuneornot.training import examples, fitting, quiet, twins, verify
from tuneornot.training.fitting import Fitted
from tuneornot.training.recipe import Recipe
from tuneornot.training.trainer import mean_loss
from tuneornot.training.watcher import Watcher


class Killed(Exception):
    """Stands for a kill at a chosen moment."""


def dev_losses(fitted: Fitted) -> list[float]:
    return [point.dev_loss for point in fitted.curve if point.dev_loss is not None]


PATIENT = Recipe(rank=4, alpha=8, epochs=12, batch_size=6, rate=0.2, warmup=0.0, patience=2)


def kept_loss(folder: Path) -> float:
    """Dev loss of the weights that a training saved."""
    base = tiny.tiny()
    dev = examples.build(tiny.cases(6, first=50), tiny.PROMPT, base.tokenizer, longest=500).kept
    with quiet.libraries():
        saved = PeftModel.from_pretrained(twins.twin(base.model), str(folder))
    return mean_loss(saved, dev)


def test_a_training_without_progress_ends_with_its_best_weights(tmp_path: Path) -> None:
    losses = dev_losses(fit(tmp_path, recipe=PATIENT))[1:]
    assert losses.index(min(losses)) == len(losses) - 1 - 2
    assert len(losses) < PATIENT.epochs
    assert kept_loss(tmp_path) == pytest.approx(min(losses), rel=1e-4)


def test_the_best_weights_outlive_a_kill(tmp_path: Path) -> None:
    whole = fit(tmp_path / "whole", recipe=PATIENT)
    worse = [point.step for point in whole.curve if point.dev_loss is not None][-2]

    def kill(point: CurvePoint, _: float) -> None:
        if point.step == worse:
            raise Killed

    with pytest.raises(Killed):
        fit(tmp_path / "cut", recipe=PATIENT, on_point=kill)
    losses = dev_losses(fit(tmp_path / "cut", recipe=PATIENT))[1:]
    assert losses.index(min(losses)) == len(losses) - 1 - 2
    assert kept_loss(tmp_path / "cut") == pytest.approx(min(losses), rel=1e-4)


def test_no_epoch_is_lost_where_a_checkpoint_ends_it(tmp_path: Path) -> None:
    # Twelve updates, saved after each: the kill falls behind the checkpoint of the first epoch.
    recipe = Recipe(rank=4, alpha=8, epochs=4, batch_size=6, rate=5e-3)
    whole = fit(tmp_path / "whole", recipe=recipe)

    def kill(point: CurvePoint, _: float) -> None:
        if point.step == 4:
            raise Killed

    with pytest.raises(Killed):
        fit(tmp_path / "cut", recipe=recipe, on_point=kill)
    resumed = fit(tmp_path / "cut", recipe=recipe)
    assert len(dev_losses(resumed)) == 5
    assert dev_losses(resumed) == pytest.approx(dev_losses(whole), rel=1e-4)


def test_a_kill_after_the_last_checkpoint_trains_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A checkpoint of every update, so that the last one is of the one that ended the training.
    monkeypatch.setattr(fitting, "N_CHECKPOINTS", 1000)
    before: list[CurvePoint] = []

    def kill(_: Watcher) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Watcher, "restore_best", kill)
        with pytest.raises(Killed):
            fit(tmp_path, recipe=PATIENT, on_point=lambda point, _: before.append(point))
    assert not (tmp_path / verify.WEIGHTS).exists()
    after: list[CurvePoint] = []
    resumed = fit(tmp_path, recipe=PATIENT, on_point=lambda point, _: after.append(point))
    assert after == []
    assert resumed.curve == tuple(before)
    assert kept_loss(tmp_path) == pytest.approx(min(dev_losses(resumed)[1:]), rel=1e-4)
