from __future__ import annotations

import json
import signal
import subprocess
import sys
import types
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from safetensors.torch import load_file

from tests.finetune import small
from tests.training import test_fitting, tiny
from tests.training.test_fitting import state
from tuneornot import fingerprint
from tuneornot.errors import ModelError
from tuneornot.models.local import weights
from tuneornot.models.local.weights import Loaded
from tuneornot.records import CurvePoint
from tuneornot.training import examples, lora, nf4, quiet, twins, verify
from tuneornot.training.batches import collate
from tuneornot.training.fitting import Fitted
from tuneornot.training.recipe import Recipe
from tuneornot.training.trainer import answer_losses, mean_loss
from tuneornot.training.watcher import OnPoint

bitsandbytes = pytest.importorskip("bitsandbytes", reason="the extra qlora is not installed")

RECIPE = Recipe(method="qlora", rank=4, alpha=8, epochs=2, batch_size=4, rate=5e-3, dropout=0.1)


def held(name: str) -> Loaded:
    return weights.load(name, dtype=torch.float32, nf4=True)


def fit(
    folder: Path, base: Loaded, *, recipe: Recipe = RECIPE, on_point: OnPoint | None = None
) -> Fitted:
    return test_fitting.fit(
        folder, base=tiny.Tiny(base.model, base.tokenizer), recipe=recipe, on_point=on_point
    )


def layers(model: torch.nn.Module) -> dict[str, Any]:
    kind = cast(type, bitsandbytes.nn.Linear4bit)
    return {name: one for name, one in model.named_modules() if isinstance(one, kind)}


def test_linear_layers_are_held_in_four_bits_and_the_rest_as_it_is(tmp_path: Path) -> None:
    name = small.model(tmp_path)
    loaded, plain = held(name), weights.load(name, dtype=torch.float32)
    assert loaded.identity == plain.identity
    found = layers(loaded.model)
    assert len(found) == 2 * 7
    for one in found.values():
        told = one.weight.quant_state
        assert (told.quant_type, told.nested, told.blocksize) == ("nf4", True, 64)
        assert one.weight.dtype == torch.uint8
    head = loaded.model.get_output_embeddings().weight
    assert torch.equal(head, plain.model.get_output_embeddings().weight)


def test_gradients_are_those_of_the_expanded_weights_after_an_evaluation(tmp_path: Path) -> None:
    name = small.model(tmp_path)
    loaded, plain = held(name), weights.load(name, dtype=torch.float32)
    modules = dict(plain.model.named_modules())
    for path, one in layers(loaded.model).items():
        told = one.weight.quant_state
        expanded = bitsandbytes.functional.dequantize_4bit(one.weight.data, told)
        modules[path].weight.data = expanded.to(torch.float32)
    rows = examples.build(tiny.cases(6), tiny.PROMPT, loaded.tokenizer, longest=500).kept

    def gradients(model: Any) -> tuple[float, dict[str, torch.Tensor]]:
        torch.manual_seed(0)
        with quiet.libraries():
            adapted = lora.trainable(model, Recipe(rank=4, alpha=8))
        trained = {name: one for name, one in adapted.named_parameters() if one.requires_grad}
        for one in trained.values():
            torch.nn.init.normal_(one, std=0.05)
        loss = mean_loss(adapted, rows)  # in evaluation mode, as before a training
        adapted.train()
        cast(Any, answer_losses(adapted, collate(rows, pad=0)).sum()).backward()
        return loss, {name: cast(torch.Tensor, one.grad) for name, one in trained.items()}

    (loss, found), (expected_loss, expected) = gradients(loaded.model), gradients(plain.model)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert found.keys() == expected.keys()
    for path, gradient in expected.items():
        torch.testing.assert_close(found[path], gradient, rtol=1e-3, atol=1e-4)


def test_training_lowers_the_loss_and_leaves_the_base_as_it_was(tmp_path: Path) -> None:
    base = held(small.model(tmp_path))
    before = state(base.model)
    fitted = fit(tmp_path / "adapter", base)
    dev = [point.dev_loss for point in fitted.curve if point.dev_loss is not None]
    assert dev[-1] < dev[0] - 0.1
    after = state(base.model)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    kept = load_file(tmp_path / "adapter" / verify.WEIGHTS)
    assert {one.dtype for one in kept.values()} == {torch.float32}


def test_the_twin_holds_no_weight_twice(tmp_path: Path) -> None:
    base = held(small.model(tmp_path)).model
    mine, theirs = dict(base.named_parameters()), dict(twins.twin(base).named_parameters())
    assert mine.keys() == theirs.keys()
    assert all(mine[name].data_ptr() == theirs[name].data_ptr() for name in mine)


def test_the_adapter_loads_with_peft_on_weights_that_are_not_quantised(tmp_path: Path) -> None:
    from peft import PeftModel

    name = small.model(tmp_path)
    fit(tmp_path / "adapter", held(name))
    base = weights.load(name, dtype=torch.float32).model
    ids = torch.tensor([[5, 6, 7]])
    plain = base(input_ids=ids).logits
    with quiet.libraries():
        tuned = PeftModel.from_pretrained(base, str(tmp_path / "adapter"))
    assert not torch.equal(tuned(input_ids=ids).logits, plain)


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.training import test_nf4
def stop(point, share):
    if share > 0.6 and point.train_loss is not None:
        os.kill(os.getpid(), signal.SIGKILL)
test_nf4.fit(Path(sys.argv[1]), test_nf4.held(sys.argv[2]), on_point=stop)
"""


def killed_and_resumed(folder: Path, name: str) -> list[CurvePoint]:
    """A training that is killed and goes on; its points after that."""
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), name],
        cwd=root,
        capture_output=True,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert not (folder / verify.WEIGHTS).exists()
    told: list[CurvePoint] = []
    fit(folder, held(name), on_point=lambda point, _: told.append(point))
    return told


def test_a_killed_training_goes_on_to_the_same_result(tmp_path: Path) -> None:
    name = small.model(tmp_path)
    fit(tmp_path / "whole", held(name))
    told = killed_and_resumed(tmp_path / "cut", name)
    assert min(point.step for point in told) > 1, "it began in the middle"
    one, other = (load_file(tmp_path / part / verify.WEIGHTS) for part in ("cut", "whole"))
    for path in one:
        torch.testing.assert_close(one[path], other[path], rtol=1e-5, atol=1e-7)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    base = held(small.model(tmp_path))
    found = []
    for part in ("a", "b"):
        fit(tmp_path / part, base)
        found.append(fingerprint.of_folder(tmp_path / part, "adapter_*"))
    assert found[0] == found[1]


def test_weights_that_are_quantised_already_are_refused_unread(tmp_path: Path) -> None:
    name = small.model(tmp_path)
    path = tmp_path / "model" / "config.json"
    settings = json.loads(path.read_text())
    settings["quantization_config"] = {"quant_method": "gptq", "bits": 4}
    path.write_text(json.dumps(settings))
    (tmp_path / "model" / "model.safetensors").write_bytes(b"not read")
    with pytest.raises(ModelError, match=r"has not: its weights are quantised already\. Train"):
        weights.require_nf4(name)


def test_a_model_without_linear_layers_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nf4, "nn", types.SimpleNamespace(Linear=torch.nn.Bilinear))
    with pytest.raises(ModelError, match="has not: it has no linear layers"):
        weights.require_nf4(small.model(tmp_path))


def test_a_packed_file_that_cannot_be_expanded_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "packed.gguf"
    packed.write_bytes(b"GGUF")
    monkeypatch.setattr(weights, "_dense", lambda place: (place.parent, place.name))
    with pytest.raises(ModelError, match=r"must be expanded first, which .* has no room for"):
        weights.require_nf4(f"local:{packed}")
