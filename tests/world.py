"""A small world with a known truth: a study of two scripted arms on questions about prices."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuneornot import study
from tuneornot.models.base import Model
from tuneornot.models.scripted import Script, ScriptedModel, answers
from tuneornot.protocol import Protocol

GOODS = "anvils bolts candles drums eggs flutes gears hats irons jars kites lamps"
TOWNS = "Arles Basel Cork Delft Espoo Faro Ghent Hof Ivrea Jena Kiel Lund Mons Nice"
OLD, NEW = "local:old", "local:new"


class Silence:
    """A listener that remembers the phases."""

    def __init__(self) -> None:
        self.phases: list[str] = []

    def begin(self, phase: str, total: int | None) -> None:
        self.phases.append(phase)

    def advance(self, done: int, total: int | None = None) -> None:
        pass

    def end(self, *, finished: bool) -> None:
        pass

    def say(self, text: str) -> None:
        pass


def questions(n: int, first: int = 0) -> list[dict[str, str]]:
    """Rows of cases: questions that differ in more than a number, so that none repeats another."""
    goods, towns = GOODS.split(), TOWNS.split()
    rows = []
    for i in range(first, first + n):
        good, town, day = goods[i % 12], towns[i // 12 % 14], i // 168
        rows.append(
            {
                "id": f"q{i}",
                "input": f"What do {good} cost in {town} on day {day} of the fair?",
                "expected": f"{good[:2]}{i * 7919 % 10007} {town[:2].lower()}",
                "slice": "near" if i % 3 else "far",
            }
        )
    return rows


def write(folder: Path, *, n_eval: int, decide: str = "", metrics: str = "[exact_match]") -> Path:
    """A study file with its cases in a folder."""
    rows = questions(n_eval + 60)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "cases.jsonl").write_text(lines, encoding="utf-8")
    (folder / "study.yaml").write_text(
        f"""\
study: prices
task: Tell the price.
data:
  cases: cases.jsonl
  split: {{eval: {n_eval}, dev: 30, train: 30, seed: 1}}
arms:
  prompted: {{model: "{OLD}"}}
  other: {{model: "{NEW}"}}
metrics: {metrics}
decide:
  primary: exact_match
  worthwhile: 0.1
{decide}""",
        encoding="utf-8",
    )
    return folder / "study.yaml"


def right(n: int) -> dict[str, str]:
    """The right answer to every question."""
    return {row["input"]: row["expected"] for row in questions(n)}


def model(name: str, quality: float, *, errors: float = 0.0) -> ScriptedModel:
    """A scripted model of known quality."""
    script = Script(quality=quality, spread=0.2 * quality, error_rate=errors, seed=hash_of(name))
    return ScriptedModel(name, answers(right(2000), script))


def hash_of(name: str) -> int:
    return sum(name.encode())


def opened(file: Path, *models: Model) -> Protocol:
    """The protocol of a study file with these models."""
    return Protocol(
        study.read(file),
        file.parent,
        file.parent / "results",
        listener=Silence(),
        opened={model.name: model for model in models},
    )


@contextmanager
def running(file: Path, *models: Model) -> Iterator[Protocol]:
    """The protocol of a study file with these models, closed at the end."""
    protocol = opened(file, *models)
    try:
        yield protocol
    finally:
        protocol.close()
