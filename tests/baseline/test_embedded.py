"""A search that varies everything, on the embedded model, through a study file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec import UNSET

from tests.world import Silence
from tuneornot import baseline, study
from tuneornot.protocol import Protocol
from tuneornot.records import Ledger

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning"),
]
KINDS = {
    "animal": "dog cat horse cow sheep goat pig hen duck goose fox wolf bear deer hare mouse frog",
    "plant": "oak elm rose tulip fern moss wheat barley pine birch ivy daisy lily thyme basil corn",
    "tool": "hammer saw drill rake axe spade chisel wrench file shovel pliers ladder hoe plane",
}
STUDY = """\
study: kinds
task: Name the kind of the thing in one word.
data: {cases: cases.jsonl, split: {eval: 8, dev: 10, seed: 1}}
arms:
  prompted:
    model: local:smollm2-135m
    retrieve: {from: knowledge.jsonl, top: 1}
    search: {calls: 125, by: BY, vary: [difficulty, sampling, retrieval]}
  other: {model: local:smollm2-135m}
metrics: [exact_match]
sampling: {max_tokens: 5}
repeats: 2
decide: {primary: exact_match, worthwhile: 0.1}
"""


def write(folder: Path, by: str) -> Path:
    things = [(thing, kind) for kind, names in KINDS.items() for thing in names.split()]
    rows = [{"id": thing, "input": thing, "expected": kind} for thing, kind in things]
    known = [{"id": thing, "text": f"A {thing} is a kind of {kind}."} for thing, kind in things]
    for name, lines in (("cases", rows), ("knowledge", known)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    file = folder / "study.yaml"
    file.write_text(STUDY.replace("BY", by))
    return file


def searched(file: Path) -> tuple[Ledger, int]:
    """The ledger, and how many questions were asked for it."""
    protocol = Protocol(study.read(file), file.parent, file.parent / "results", listener=Silence())
    try:
        ledger = protocol.search("prompted")
        return ledger, sum(phase.n_asked for phase in protocol.store.phases())
    finally:
        protocol.close()


@pytest.mark.parametrize("by", ["race", "optuna"])
def test_all_levels_are_tried_and_counted_and_nothing_is_asked_twice(
    tmp_path: Path, by: str
) -> None:
    file = write(tmp_path, by)
    ledger, n_asked = searched(file)
    assert ledger.n_calls <= 125
    assert n_asked <= ledger.n_calls
    prompts = [one.prompt for one in ledger.candidates]
    assert any(one.looks_up is False for one in prompts)
    assert any(one.temperature is not UNSET for one in prompts)
    assert {"sampling", "retrieval", "difficulty"} <= {
        note.partition(":")[0] for note in ledger.notes
    }
    assert baseline.winner(ledger) in prompts
    assert searched(file) == (ledger, n_asked)
