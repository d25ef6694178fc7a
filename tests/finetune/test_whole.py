"""A training of all weights, from the study to the verdict, and faults planted in serving it."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from tests.finetune import small
from tuneornot import findings, finetune
from tuneornot.errors import ModelError
from tuneornot.models.base import Request
from tuneornot.models.local import LocalModel, weights
from tuneornot.records import Findings, Message, Prompt, Sampling
from tuneornot.report import remarks
from tuneornot.training.recipe import Recipe

TUNE = "{method: full, rate: 0.003, epochs: 8, batch_size: 4}"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEORNOT_CACHE", str(tmp_path / "cache"))


def found(file: Path, serving: type[LocalModel] = LocalModel) -> Findings:
    with closing(small.opened(file, serving)) as protocol:
        return findings.of(protocol)


def ask(model: LocalModel, **how: object) -> list[str | None]:
    requests = [
        Request(
            messages=(Message(role="user", content=row["input"]),),
            sampling=Sampling(max_tokens=8),
        )
        for row in small.rows(6, 300)
    ]
    return [reply.text for _, reply in sorted(model.ask(requests, **how))]  # type: ignore[arg-type]


def test_whole_weights_are_trained_checked_served_and_judged(tmp_path: Path) -> None:
    file = small.write(tmp_path, tune=TUNE)
    first = found(file)
    [verdict], [adapter] = first.verdicts, first.adapters["tuned"]
    assert [check.name for check in adapter.checks if not check.passed] == []
    assert verdict.outcome == "tune"
    details = {check.name: check.detail for check in adapter.checks}
    assert "weights differ from the base model's" in details["adapter-loaded"]
    assert "are those of the whole model as it was saved" in details["served-as-trained"]
    told = remarks.adapter(adapter)
    assert told.startswith("All weights of ")
    assert "rank" not in told
    # The folder is a model by itself, with the template that it was trained with.
    alone, base = LocalModel(f"local:{adapter.path}"), LocalModel(small_model(file))
    assert ask(alone) == ask(base, adapter=adapter)
    assert ask(alone) != ask(base)
    # And nothing is trained or asked again.
    assert found(file).comparisons == first.comparisons


def small_model(file: Path) -> str:
    return f"local:{file.parent / 'model'}"


def test_whole_weights_that_are_not_used_block_the_verdict(tmp_path: Path) -> None:
    judged = found(small.write(tmp_path, tune=TUNE), small.Forgetful)
    failed = {check.name for check in judged.adapters["tuned"][0].checks if not check.passed}
    assert "adapter-loaded" in failed
    assert judged.verdicts[0].outcome == "blocked"


def test_whole_weights_of_another_model_are_one_sentence(tmp_path: Path) -> None:
    file = small.write(tmp_path, tune=TUNE)
    with closing(small.opened(file)) as protocol:
        [adapter] = protocol.adapters("tuned")
    settings = json.loads((Path(adapter.path) / "config.json").read_text())
    settings["num_hidden_layers"] = 1
    (Path(adapter.path) / "config.json").write_text(json.dumps(settings))
    other = msgspec.structs.replace(adapter, weights="other")
    with pytest.raises(ModelError, match="must fit the model that it is attached to"):
        ask(LocalModel(small_model(file)), adapter=other)


@pytest.mark.slow
def test_all_weights_of_the_embedded_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The expanded weights of the embedded model are worth keeping from one run to the next.
    monkeypatch.delenv("TUNEORNOT_CACHE")
    name = "local:smollm2-135m"
    adapter = finetune.train(
        LocalModel(name),
        weights.load(name),
        small.dataset("train", 12),
        small.dataset("dev", 6, 100),
        job=finetune.Job(
            Prompt(instructions="Agree."),
            Recipe(method="full", rate=1e-4, epochs=2, batch_size=4),
            1,
        ),
        folder=tmp_path / "whole",
    )
    failed = {check.name for check in adapter.checks if not check.passed}
    assert failed.isdisjoint({"adapter-loaded", "template-parity", "served-as-trained"})
    losses = [point.dev_loss for point in adapter.curve if point.dev_loss is not None]
    assert losses[-1] < losses[0] / 2
    assert not (tmp_path / "whole" / "checkpoints").exists()
