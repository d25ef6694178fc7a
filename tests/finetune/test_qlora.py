"""A training beside weights in NF4, from the study to the verdict, and faults planted in it."""

from __future__ import annotations

import importlib.util
import json
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
import torch
from safetensors.torch import load_file

from tests.finetune import small
from tests.training.test_fitting import state
from tuneornot import feasible, findings, finetune, study
from tuneornot.errors import MissingExtra, StudyError, TrainingError
from tuneornot.models.base import Request
from tuneornot.models.local import LocalModel, weights
from tuneornot.records import Adapter, CurvePoint, Findings, Message, Prompt, Sampling
from tuneornot.training.recipe import Recipe

TUNE = "{method: qlora, rank: 16, alpha: 32, rate: 0.01, epochs: 8, batch_size: 4}"
RECIPE = Recipe(method="qlora", rate=1e-3, epochs=2, batch_size=4)

needs_bitsandbytes = pytest.mark.skipif(
    importlib.util.find_spec("bitsandbytes") is None, reason="the extra qlora is not installed"
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEORNOT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def without_bitsandbytes(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "bitsandbytes" else found(name)
    )


def found(file: Path, serving: type[LocalModel] = LocalModel) -> Findings:
    with closing(small.opened(file, serving)) as protocol:
        return findings.of(protocol)


def ask(model: LocalModel, adapter: Adapter | None = None) -> list[str | None]:
    requests = [
        Request(
            messages=(Message(role="user", content=row["input"]),), sampling=Sampling(max_tokens=8)
        )
        for row in small.rows(6, 300)
    ]
    return [reply.text for _, reply in sorted(model.ask(requests, adapter=adapter))]


@needs_bitsandbytes
def test_an_adapter_of_four_bits_is_trained_checked_served_and_judged(tmp_path: Path) -> None:
    file = small.write(tmp_path, tune=TUNE)
    first = found(file)
    [verdict], [adapter] = first.verdicts, first.adapters["tuned"]
    assert [check.name for check in adapter.checks if not check.passed] == []
    assert verdict.outcome == "tune"
    assert adapter.settings["method"] == "qlora"
    assert "bitsandbytes" in adapter.versions
    details = {check.name: check.detail for check in adapter.checks}
    assert details["served-as-trained"].endswith("are those of the adapter beside the base model.")
    assert "on the unquantised weights" in details["served-as-quantised"]
    model = LocalModel(f"local:{tmp_path / 'model'}")
    assert ask(model, adapter) != ask(model)
    # And nothing is trained or asked again.
    assert found(file).comparisons == first.comparisons


@needs_bitsandbytes
def test_an_adapter_that_serves_twice_blocks_and_the_caveat_does_not(tmp_path: Path) -> None:
    judged = found(small.write(tmp_path, tune=TUNE), small.Doubled)
    failed = {one.name: one for one in judged.adapters["tuned"][0].checks if not one.passed}
    assert failed["served-as-trained"].blocking
    assert not failed["served-as-quantised"].blocking
    assert judged.verdicts[0].outcome == "blocked"


@needs_bitsandbytes
@pytest.mark.parametrize(("method", "nf4"), [("qlora", False), ("lora", True)])
def test_weights_of_the_other_kind_are_refused(tmp_path: Path, method: str, nf4: bool) -> None:
    name = small.model(tmp_path)
    with pytest.raises(TrainingError, match=f"qlora trains beside weights in NF4.*{method!r}"):
        finetune.train(
            LocalModel(name),
            weights.load(name, nf4=nf4),
            small.dataset("train", 8),
            small.dataset("dev", 4, 100),
            job=finetune.Job(
                Prompt(instructions="Agree."), msgspec.convert({"method": method}, Recipe), 1
            ),
            folder=tmp_path / "adapter",
        )


@needs_bitsandbytes
def test_a_model_that_cannot_be_quantised_is_told_before_anything_is_spent(tmp_path: Path) -> None:
    file = small.write(tmp_path, tune=TUNE)
    path = tmp_path / "model" / "config.json"
    settings = json.loads(path.read_text()) | {"quantization_config": {"quant_method": "gptq"}}
    with closing(small.opened(file)) as protocol:
        assert feasible.faults(protocol) == []
        path.write_text(json.dumps(settings))
        [fault] = feasible.faults(protocol)
    assert fault.startswith("arms.tuned.tune.method: A model that is trained by qlora must have")
    assert "quantised already" in fault


@pytest.mark.usefixtures("without_bitsandbytes")
def test_a_missing_package_is_told_when_the_study_is_read(tmp_path: Path) -> None:
    text = small.write(tmp_path, tune=TUNE).read_text()
    with pytest.raises(StudyError, match=r"tuned\.tune\.method: .*'tuneornot\[qlora\]'"):
        study.parse(text)
    with pytest.raises(MissingExtra, match=r"pip install 'tuneornot\[qlora\]'"):
        weights.load(f"local:{tmp_path / 'model'}", nf4=True)


@needs_bitsandbytes
@pytest.mark.slow
def test_the_embedded_model_learns_and_goes_on_to_the_same_adapter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The expanded weights of the embedded model are worth keeping from one run to the next.
    monkeypatch.delenv("TUNEORNOT_CACHE")
    model = LocalModel("local:smollm2-135m")
    loaded = weights.load(model.name, nf4=True)
    before = state(loaded.model)

    class Killed(Exception):
        pass

    def kill(_: CurvePoint, share: float) -> None:
        if share > 0.6:
            raise Killed

    def trained(part: str, on_point: object = None) -> Adapter:
        return finetune.train(
            model,
            loaded,
            small.dataset("train", 12),
            small.dataset("dev", 6, 100),
            job=finetune.Job(Prompt(instructions="Agree."), RECIPE, 1),
            folder=tmp_path / part,
            on_point=on_point,  # type: ignore[arg-type]
        )

    adapter = trained("whole")
    losses = [point.dev_loss for point in adapter.curve if point.dev_loss is not None]
    assert losses[-1] < losses[0] / 2
    failed = {check.name for check in adapter.checks if not check.passed}
    assert failed.isdisjoint({"adapter-loaded", "template-parity", "served-as-trained"})
    assert ask(model, adapter) != ask(model)
    with pytest.raises(Killed):
        trained("cut", kill)
    trained("cut")
    one, other = (load_file(tmp_path / p / "adapter_model.safetensors") for p in ("cut", "whole"))
    for path in one:
        torch.testing.assert_close(one[path], other[path], rtol=1e-5, atol=1e-7)
    assert all(torch.equal(before[path], held) for path, held in loaded.model.state_dict().items())
