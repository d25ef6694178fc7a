"""A study that trains a real model in a second, and models that serve its adapter wrongly.

Every question has the answer "yes", which even a model of two layers can learn to say and to end.
"""

from __future__ import annotations

import functools
import json
import random
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tests import world
from tests.training import tiny
from tuneornot import study
from tuneornot.models.base import Model, Reply, Request
from tuneornot.models.local import LocalModel
from tuneornot.models.scripted import ScriptedModel
from tuneornot.protocol import Protocol
from tuneornot.records import Adapter, Case, Dataset, Message

TUNE = "{rank: 16, alpha: 32, rate: 0.01, epochs: 8, batch_size: 4}"


def model(folder: Path) -> str:
    """Write the tiny model into a folder; its name."""
    made = tiny.tiny()
    # Wider outputs than a fresh model has, so that a small adapter can choose among them.
    made.model.model.embed_tokens.weight.data *= 30
    made.tokenizer.eos_token = tiny.END
    made.model.save_pretrained(folder / "model")
    made.tokenizer.save_pretrained(folder / "model")
    return f"local:{folder / 'model'}"


def rows(n: int, first: int = 0) -> list[dict[str, Any]]:
    """Questions in words of their own, so that none is like another."""
    made = []
    for i in range(first, first + n):
        draw = random.Random(i)
        words = ("".join(draw.choices("abcdefghij", k=4)) for _ in range(4))
        made.append({"id": f"q{i}", "input": f"{' '.join(words)}?", "expected": "yes"})
    return made


def dataset(name: str, n: int, first: int = 0) -> Dataset:
    return Dataset(name=name, cases=tuple(msgspec.convert(row, Case) for row in rows(n, first)))


def write(
    folder: Path,
    *,
    tune: str = TUNE,
    train: Sequence[Mapping[str, Any]] | None = None,
    n_eval: int = 30,
) -> Path:
    """A study of a scripted arm and one that is trained, with its model and its three files."""
    parts = {"train": train or rows(16), "dev": rows(10, 100), "eval": rows(n_eval, 200)}
    for name, part in parts.items():
        text = "".join(json.dumps(row) + "\n" for row in part)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (folder / "study.yaml").write_text(
        f"""\
study: agreeing
task: Agree.
data: {{train: train.jsonl, dev: dev.jsonl, eval: eval.jsonl}}
arms:
  prompted: {{model: "{world.OLD}"}}
  tuned: {{model: "{model(folder)}", tune: {tune}}}
metrics: [exact_match]
sampling: {{max_tokens: 8}}
decide: {{primary: exact_match, worthwhile: 0.1}}
""",
        encoding="utf-8",
    )
    return folder / "study.yaml"


def opened(file: Path, serving: type[LocalModel] = LocalModel) -> Protocol:
    """The protocol of a study with the arm to beat, and the tuned arm served in some way."""
    plan = study.read(file)
    tuned = serving(plan.arms["tuned"].model)
    models: list[Model] = [ScriptedModel(world.OLD, lambda _: "no"), tuned]
    return Protocol(
        plan,
        file.parent,
        file.parent / "results",
        listener=world.Silence(),
        opened={one.name: one for one in models},
    )


class Forgetful(LocalModel):
    """Answers without the adapter that it is given."""

    def ask(
        self,
        requests: Iterable[Request],
        *,
        adapter: Adapter | None = None,
        one_by_one: bool = False,
    ) -> Iterator[tuple[int, Reply]]:
        return super().ask(requests, adapter=None, one_by_one=one_by_one)


class OtherTemplate(LocalModel):
    """Asks in other words than training did."""

    def prompt_text(self, messages: Sequence[Message]) -> str:
        return super().prompt_text(messages).replace("<|assistant|>", "\n<|assistant|>")


class Scribbling(LocalModel):
    """Says something of its own whenever it has an adapter."""

    says = "well"
    finish: Any = "stop"

    def ask(
        self,
        requests: Iterable[Request],
        *,
        adapter: Adapter | None = None,
        one_by_one: bool = False,
    ) -> Iterator[tuple[int, Reply]]:
        for place, reply in super().ask(requests, adapter=adapter, one_by_one=one_by_one):
            said = Reply(text=self.says, finish=self.finish)
            yield place, said if adapter is not None else reply


class Doubled(LocalModel):
    """Adds the adapter to the weights twice."""

    def ask(
        self,
        requests: Iterable[Request],
        *,
        adapter: Adapter | None = None,
        one_by_one: bool = False,
    ) -> Iterator[tuple[int, Reply]]:
        if adapter is not None:
            adapter = msgspec.structs.replace(adapter, path=str(doubled(Path(adapter.path))))
        return super().ask(requests, adapter=adapter, one_by_one=one_by_one)


@functools.cache
def doubled(folder: Path) -> Path:
    """A copy of an adapter that counts twice."""
    other = folder.with_name(f"{folder.name}-twice")
    shutil.copytree(folder, other)
    settings = json.loads((other / "adapter_config.json").read_text())
    settings["lora_alpha"] *= 2
    (other / "adapter_config.json").write_text(json.dumps(settings))
    return other
