from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from tests.training import tiny
from tests.training.test_fitting import fit, no_file_above, state
from tuneornot.errors import TrainingError
from tuneornot.models.local import adapters
from tuneornot.records import CurvePoint
from tuneornot.training import examples, full, verify
from tuneornot.training.recipe import Recipe
from tuneornot.training.trainer import mean_loss

RECIPE = Recipe(method="full", rate=3e-3, epochs=2, batch_size=4)


def test_all_weights_learn_and_the_base_stays_as_it_was(tmp_path: Path) -> None:
    base = tiny.tiny()
    before = state(base.model)
    fitted = fit(tmp_path, base=base, recipe=RECIPE)
    dev = [point.dev_loss for point in fitted.curve if point.dev_loss is not None]
    assert dev[-1] < dev[0] - 0.1
    assert all(torch.equal(before[name], held) for name, held in base.model.state_dict().items())
    assert not any(one.requires_grad and one.grad is not None for one in base.model.parameters())
    update = verify.update(base.model, tmp_path)
    assert update.n_matrices == len(list(base.model.parameters()))
    assert update.n_zero == 0
    assert update.norm > 0


def test_the_folder_is_a_whole_model_that_names_no_place(tmp_path: Path) -> None:
    base = tiny.tiny()
    fitted = fit(tmp_path, base=base, recipe=RECIPE)
    saved = full.load(tmp_path, base.model)
    dev = examples.build(tiny.cases(6, first=50), tiny.PROMPT, base.tokenizer, longest=500).kept
    losses = [point.dev_loss for point in fitted.curve if point.dev_loss is not None]
    assert mean_loss(saved, dev) == pytest.approx(losses[-1], rel=1e-5)
    assert (tmp_path / "tokenizer.json").is_file()
    texts = [path.read_text() for path in tmp_path.glob("*.json")]
    assert not [text for text in texts if str(tmp_path.parent) in text]
    assert json.loads((tmp_path / "config.json").read_text())["model_type"] == "llama"


def test_a_killed_training_of_all_weights_goes_on_to_the_same_result(tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    fit(tmp_path / "whole", recipe=RECIPE)

    def kill(_: CurvePoint, share: float) -> None:
        if share > 0.6:
            raise Killed

    with pytest.raises(Killed):
        fit(tmp_path / "cut", recipe=RECIPE, on_point=kill)
    told: list[CurvePoint] = []
    fit(tmp_path / "cut", recipe=RECIPE, on_point=lambda point, _: told.append(point))
    assert min(point.step for point in told) > 1, "it began in the middle"
    like = tiny.tiny().model
    one, other = (state(full.load(tmp_path / name, like)) for name in ("cut", "whole"))
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-5, atol=1e-7)


def test_patience_keeps_the_best_whole_weights(tmp_path: Path) -> None:
    base = tiny.tiny()
    recipe = Recipe(method="full", rate=0.5, epochs=8, batch_size=6, warmup=0.0, patience=2)
    fitted = fit(tmp_path, base=base, recipe=recipe)
    losses = [point.dev_loss for point in fitted.curve if point.dev_loss is not None][1:]
    assert losses[-1] > min(losses), "the rate is so high that the last epoch is not the best"
    dev = examples.build(tiny.cases(6, first=50), tiny.PROMPT, base.tokenizer, longest=500).kept
    assert mean_loss(full.load(tmp_path, base.model), dev) == pytest.approx(min(losses), rel=1e-4)


def test_weights_of_another_model_are_not_exchanged(tmp_path: Path) -> None:
    fit(tmp_path, recipe=RECIPE)
    wider = tiny.tiny().model
    wider.resize_token_embeddings(300)
    with pytest.raises(ValueError, match="other names or shapes"):
        adapters.exchanged(wider, tmp_path)


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    with (
        no_file_above(40_000),
        pytest.raises(TrainingError, match=r"must be able to save .* Make room"),
    ):
        fit(tmp_path, recipe=RECIPE)
