"""The cases measured by tuneornot: every response kept in a store before the next is waited for.

python ours.py BASE CASES CONCURRENCY FOLDER
"""

from __future__ import annotations

import gc
import sys
from contextlib import closing
from pathlib import Path

from tuneornot import dataset, measure
from tuneornot.metrics import registry
from tuneornot.models.http import HttpModel
from tuneornot.records import Arm, Sampling
from tuneornot.store.store import Store


def main(base: str, cases: Path, concurrency: int, folder: Path) -> None:
    asked = dataset.read(cases)
    gc.freeze()  # as the command line does
    with (
        closing(HttpModel(f"{base}#new", concurrency=concurrency)) as model,
        Store(folder / "store.db") as store,
    ):
        arm = Arm(
            name="new",
            kind="prompted",
            model=model.name,
            identity=model.identity(),
            sampling=Sampling(max_tokens=64),
        )
        metrics = [registry.build("exact_match")]
        run = measure.run(
            model, arm, asked, metrics, known=store.responses, keep=store.keep_response
        )
        assert store.counts()["responses"] == len(asked)
    print(sum(score.value == 1 for score in run.scores))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
