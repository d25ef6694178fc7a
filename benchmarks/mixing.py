"""What general data in a training do to the task and to what the model knew before.

    python benchmarks/mixing.py [--cases 120] [--shares 0 0.2 0.4] [--seeds 1] [--results FOLDER]

Adapters of the embedded model are trained on legal citations of the example, alone and with the
program's own general data mixed in, two epochs each. For each training: the loss on 32 dev cases,
the answers to the 30 questions of the check ``general-ability``, and the time. A training that is
done is read from the folder of results, so that the command can be stopped and repeated.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tuneornot import finetune
from tuneornot.examples import legal_citations
from tuneornot.finetune import mixture
from tuneornot.models.local import LocalModel, weights
from tuneornot.records import Adapter, Case, Dataset, Prompt
from tuneornot.training.recipe import Recipe

MODEL = "local:smollm2-135m"
TASK = Prompt(
    instructions="Convert a legal citation to JSON with the keys volume, reporter, page and year. "
    "Write the reporter in its standard abbreviation."
)


def told(adapter: Adapter) -> str:
    """The figures of one training in a line."""
    losses = [point.dev_loss for point in adapter.curve if point.dev_loss is not None]
    [general] = [check for check in adapter.checks if check.name == "general-ability"]
    return (
        f"dev loss {losses[0]:.3f} to {losses[-1]:.3f}, {adapter.seconds:.0f} s; {general.detail}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=120)
    parser.add_argument("--shares", type=float, nargs="+", default=[0.0, 0.2, 0.4])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--results", type=Path, default=None)
    asked = parser.parse_args()
    results = asked.results or Path(tempfile.mkdtemp())
    known, _ = legal_citations.cases()
    loaded, model = weights.load(MODEL), LocalModel(MODEL)
    for seed in asked.seeds:
        for share in asked.shares:
            mixed = mixture.Mixed(mixture.own(), share, "the program's own") if share else None
            adapter = finetune.train(
                model,
                loaded,
                part("train", known[: asked.cases]),
                part("dev", known[-100:]),
                job=finetune.Job(TASK, Recipe(epochs=2), seed, mixed),
                folder=results / f"{asked.cases}-{share:g}-{seed}",
            )
            print(f"share {share:.0%}, seed {seed}: {told(adapter)}", flush=True)


def part(name: str, cases: list[Case]) -> Dataset:
    """A set of cases."""
    return Dataset(name=name, cases=tuple(cases))


if __name__ == "__main__":
    main()
