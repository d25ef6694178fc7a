"""What one command has open: models, the store, the listener; and what it asked through them.

Every question of a study goes through ``Session.run`` or ``Session.timings``: what the store knows
is not asked again, and every answer is kept before the next one is waited for. It knows no steps
and no order of them.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tuneornot import measure
from tuneornot.listener import Listener
from tuneornot.metrics.base import Metric
from tuneornot.models import registry
from tuneornot.models.base import Model
from tuneornot.records import Arm, Dataset, Phase, Response, Run
from tuneornot.store.store import Store


class Session:
    """Models opened once, answers kept, phases timed."""

    def __init__(
        self,
        store: Store,
        *,
        folder: Path,
        listener: Listener,
        plan: Callable[[], str],
        opened: Mapping[str, Model] | None = None,
    ) -> None:
        """Start with what is open already.

        Args:
            store: where answers and phases are kept.
            folder: where the study's relative paths start.
            listener: told of progress.
            plan: gives the fingerprint of the plan that phases belong to.
            opened: models by name that are there already (for simulations).
        """
        self.store = store
        self.listener = listener
        self._folder = folder
        self._plan = plan
        self._models: dict[str, Model] = dict(opened or {})
        self._n_asked = 0
        self._n_known = 0

    def close(self) -> None:
        """Free the models and the store."""
        for model in self._models.values():
            model.close()
        self.store.close()

    def model(self, name: str) -> Model:
        """The model of that name, opened once."""
        if name not in self._models:
            self._models[name] = registry.open(name, folder=self._folder)
        return self._models[name]

    def run(self, arm: Arm, cases: Dataset, metrics: Sequence[Metric], *, repeats: int) -> Run:
        """Measure an arm on a set of cases; what is known is not asked."""
        return measure.run(
            self.model(arm.model),
            arm,
            cases,
            metrics,
            repeats=repeats,
            known=self._known,
            keep=self._keep,
            on_answer=self.listener.advance,
        )

    def timings(
        self, arms: Sequence[Arm], cases: Dataset, *, n: int
    ) -> dict[str, tuple[Response, ...]]:
        """Time arms side by side on n cases, one request at a time; by arm's name."""
        return measure.timings(
            [measure.Entrant(self.model(arm.model), arm) for arm in arms],
            cases,
            n=n,
            known=self._known,
            keep=self._keep,
            on_answer=self.listener.advance,
        )

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Tell the listener, and keep how long it took and what was asked."""
        self.listener.begin(name, None)
        before, begun = (self._n_asked, self._n_known), time.monotonic()
        finished = False
        try:
            yield
            finished = True
        finally:
            phase = Phase(
                name=name,
                seconds=time.monotonic() - begun,
                n_asked=self._n_asked - before[0],
                n_known=self._n_known - before[1],
                finished=finished,
            )
            self.store.keep_phase(self._plan(), phase)

    def _known(self, keys: Sequence[measure.Key]) -> Mapping[measure.Key, Response]:
        found = self.store.responses(keys)
        self._n_known += len(found)
        return found

    def _keep(self, response: Response) -> None:
        self.store.keep_response(response)
        self._n_asked += 1
