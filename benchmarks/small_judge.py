"""How far a very small model can be believed as a judge: the embedded one, where truth is known.

    python benchmarks/small_judge.py

Two arms answer 100 questions about prices, one right on two of five, the other on four of five. The
judge is shown question, right answer and answer, and is asked whether they agree. Every answer is
labelled by the truth. Prints what `tuneornot judges` would.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from rich.console import Console
from tests.world import NEW, OLD, Silence, model, write
from tests.world import right as truth

from tuneornot import labelling, study
from tuneornot.metrics.judges.base import Judged
from tuneornot.protocol import Protocol
from tuneornot.records import Label
from tuneornot.report import terminal

METRICS = """
  - exact_match
  - judge:
      name: agrees
      model: local:smollm2-135m
      ask: Does the answer give the same price as the reference?
      levels: ["No, it gives another price.", "Yes, it gives the same price."]
      reference: true
      max_tokens: 60
"""


def main() -> None:
    """Measure, label by the truth, and show the judge."""
    known = truth(2000)
    with tempfile.TemporaryDirectory() as folder:
        file = write(Path(folder), n_eval=100, metrics=METRICS)
        scripted = {one.name: one for one in (model(OLD, 0.4), model(NEW, 0.8))}
        results = file.parent / "results"
        protocol = Protocol(
            study.read(file), file.parent, results, listener=Silence(), opened=scripted
        )
        [metric] = [one for one in protocol.metrics if isinstance(one, Judged)]
        arms = {name: list(runs) for name, runs in protocol.runs.items()}
        for exhibit in labelling.drawn(arms, metric, "prompted", n=100):
            shown = dict(exhibit.material)
            value = float(known[shown["question"]] == shown["answer"])
            protocol.store.keep_label(
                Label(item=exhibit.item, metric=metric.name, who="truth", value=value)
            )
        terminal.show_judges(protocol.calibrations, Console(highlight=False))
        protocol.close()


if __name__ == "__main__":
    main()
