"""The general data of a study's trainings: its rows are read, and held against what judges.

What is mixed into a training teaches, so no eval case and no dev case may stand in it. How it is
mixed is for ``finetune.mixture``.
"""

from __future__ import annotations

import functools
from pathlib import Path

from tuneornot import dataset, leaks
from tuneornot.cases import overlap
from tuneornot.errors import DataError, LeakageError
from tuneornot.finetune import mixture
from tuneornot.finetune.mixture import Mixed
from tuneornot.formats import taught
from tuneornot.records import Dataset, Overlap, Splits
from tuneornot.study import Study
from tuneornot.training.plan import MixPlan


class Mixing:
    """What a study mixes into its trainings.

    Args:
        plan: the study.
        folder: where its relative paths start.
    """

    def __init__(self, plan: Study, folder: Path) -> None:
        self._study = plan
        self._folder = folder

    def of(self, arm: str) -> Mixed | None:
        """What is mixed into an arm's trainings; ``None`` for nothing.

        Raises:
            DataError: every fault of a file.
        """
        return self._mixed.get(arm)

    def marks(self) -> list[str]:
        """What the plan rests on beside the study's text: the rows themselves."""
        return [one.rows.fingerprint for one in self._mixed.values()]

    def refuse_leaks(self, splits: Splits) -> None:
        """Pass only rows of which none is, in effect, a case of eval, of another set, or of dev.

        Raises:
            LeakageError: such rows, each with what it repeats.
        """
        terms = leaks.terms(self._study.data, self._folder)
        hits: list[Overlap] = []
        for arm, one in self._mixed.items():
            for part in (*splits.measured, splits.dev):
                names = (f"arms.{arm}.tune.mix", part.name)
                hits += overlap.find(one.rows.cases, part.cases, names=names, terms=terms)
        if hits:
            advice = "Take these rows out of the general data; they would teach what is judged."
            raise LeakageError("overlap", [dataset.told(hit) for hit in hits], advice)

    @functools.cached_property
    def _mixed(self) -> dict[str, Mixed]:
        plans = {name: arm.tune.mix for name, arm in self._study.arms.items() if arm.tune}
        return {name: self._read(mix) for name, mix in plans.items() if mix is not None}

    def _read(self, mix: MixPlan) -> Mixed:
        if mix.file is None:
            return Mixed(mixture.own(), mix.share, "the program's own")
        cases = taught.read(self._folder / mix.file, {}).cases
        if all(case.expected is None for case in cases):
            fault = f"found {len(cases)} rows and no answer, expected questions with answers"
            raise DataError(mix.file, [fault], taught.SHAPES)
        return Mixed(Dataset(name="general", cases=cases), mix.share, mix.file)
