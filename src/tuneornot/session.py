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

import msgspec

from tuneornot import asking, judging, latency, measure
from tuneornot.budget import Budget
from tuneornot.listener import Listener
from tuneornot.metrics.base import Metric
from tuneornot.metrics.judges.base import Answers, Judged, Question
from tuneornot.models import registry
from tuneornot.models.base import Model
from tuneornot.records import Arm, Case, Dataset, Phase, Prices, Response, Run, Spent
from tuneornot.retrieval.library import Library
from tuneornot.retrieval.lookup import Lookup
from tuneornot.spending import Purse, Tally, metered
from tuneornot.store.store import Store
from tuneornot.store.turn import Turn

PAUSE_S = 1.0
"""So often a phase under way is kept, or after so many answers: what a kill may leave uncounted."""
PAUSE_N = 64


class Session:
    """Models opened once, answers kept, phases timed, spending counted."""

    def __init__(
        self,
        store: Store,
        *,
        folder: Path,
        library: Library,
        listener: Listener,
        plan: Callable[[], str],
        opened: Mapping[str, Model] | None = None,
        budget: Budget | None = None,
        prices: Prices | None = None,
        turn: Turn,
    ) -> None:
        """Start with what is open already.

        Args:
            store: where answers and phases are kept.
            folder: where the study's relative paths start.
            library: where arms find their passages.
            listener: told of progress.
            plan: gives the fingerprint of the plan that phases belong to.
            opened: models by name that are there already (for simulations).
            budget: what may be spent, with what the store says was spent before.
            prices: of the models, for a budget of money.
            turn: of the results folder, taken by the first phase.
        """
        self.store = store
        self.library = library
        self.listener = listener
        self._turn = turn
        self._folder = folder
        self._plan = plan
        self._purse = Purse(budget or Budget(), prices, _spent_before(store))
        self._models = {name: self._metered(model) for name, model in (opened or {}).items()}
        self._under_way = _UnderWay("")
        self._n_known = 0
        self.begun = time.monotonic()
        """Since when time belongs to this command, in seconds of the monotonic clock."""
        self._in_phases = 0.0
        self._failed: dict[asking.Key, Response] = {}

    def close(self) -> None:
        """Free the models and the store."""
        for model in self._models.values():
            model.close()
        self.store.close()
        self._turn.release()

    def model(self, name: str) -> Model:
        """The model of that name, opened once; whatever it is asked is counted."""
        if name not in self._models:
            self._models[name] = self._metered(registry.open(name, folder=self._folder))
        return self._models[name]

    def run(
        self,
        arm: Arm,
        cases: Dataset,
        metrics: Sequence[Metric],
        *,
        repeats: int,
        against: Run | None = None,
        tell: bool = True,
    ) -> Run:
        """Measure an arm on a set of cases and ask the judges; what is known is not asked.

        ``against`` is the baseline's run on the same cases, for metrics that compare with it.
        Without ``tell`` the listener is not told: the caller's own count says more.
        """
        plain = [metric for metric in metrics if not isinstance(metric, Judged)]
        judged = [metric for metric in metrics if isinstance(metric, Judged)]
        measured = self._measured(arm, cases, plain, repeats, tell=tell)
        return judging.run(measured, judged, self.ask, against=against) if judged else measured

    def ask_in_turns(self, arms: Sequence[Arm], sets: Sequence[Dataset], *, repeats: int) -> None:
        """Let the arms that are not in this process answer in turns; ``run`` finds the answers.

        A local model's answers do not hang on what else the machine does, and half-read rows of
        two arms would take twice the memory: it is asked when its arm is measured.
        """
        turning = [arm for arm in arms if not arm.model.startswith("local:")]
        if len(turning) < 2:
            return
        with self.phase("ask the arms in turns"):
            self._failed |= measure.in_turns(
                [self._entrant(arm) for arm in turning],
                sets,
                repeats=repeats,
                known=self._known,
                keep=self.store.keep_response,
                on_answer=self.listener.advance,
            )

    def ask(self, questions: Sequence[Question]) -> Answers:
        """Put questions to judges, each a question to an arm like any other."""
        groups: dict[str, list[int]] = {}
        arms: list[Arm] = []
        for position, question in enumerate(questions):
            arms.append(self._judge(question))
            mark = f"{arms[-1].fingerprint} {question.repeats}"
            groups.setdefault(mark, []).append(position)
        answers: dict[int, tuple[Response, ...]] = {}
        for places in groups.values():
            repeats = questions[places[0]].repeats
            cases = Dataset(
                name="judged",
                cases=tuple(Case(id=str(place), input=questions[place].text) for place in places),
            )
            replied = self._measured(arms[places[0]], cases, (), repeats, tell=True).responses
            for n, place in enumerate(places):
                answers[place] = replied[n * repeats : (n + 1) * repeats]
        return tuple(answers[place] for place in range(len(questions)))

    def _judge(self, question: Question) -> Arm:
        """The judge as an arm; its reply is held to the form where its kind of model can be."""
        sampling = question.sampling
        if sampling.form is not None and registry.faults(question.model, sampling):
            sampling = msgspec.structs.replace(sampling, form=None)
        return Arm(
            name="judge",
            kind="prompted",
            model=question.model,
            identity=self.model(question.model).identity(),
            prompt=question.prompt,
            sampling=sampling,
        )

    def _measured(
        self, arm: Arm, cases: Dataset, metrics: Sequence[Metric], repeats: int, *, tell: bool
    ) -> Run:
        return measure.run(
            self.model(arm.model),
            arm,
            cases,
            metrics,
            repeats=repeats,
            lookup=self._lookup(arm),
            failed=self._failed,
            known=self._known,
            keep=self.store.keep_response,
            on_answer=self.listener.advance if tell else None,
        )

    def _entrant(self, arm: Arm) -> asking.Entrant:
        return asking.Entrant(self.model(arm.model), arm, self._lookup(arm))

    def _lookup(self, arm: Arm) -> Lookup | None:
        """Where a study's arm finds its passages; a judge has none, whatever its name."""
        return None if arm.retrieval is None else self.library.of(arm.name)

    def timings(
        self, arms: Sequence[Arm], cases: Dataset, *, n: int
    ) -> dict[str, tuple[Response, ...]]:
        """Time arms side by side on n cases, one request at a time; by arm's name."""
        return latency.timings(
            [self._entrant(arm) for arm in arms],
            cases,
            n=n,
            known=self._known,
            keep=self.store.keep_response,
            on_answer=self.listener.advance,
        )

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Tell the listener, and keep how long it took and what it used, also on the way.

        Raises:
            StoreError: another process works in the results folder.
        """
        self._turn.take()
        self.listener.begin(name, None)
        outer, known = self._under_way, self._n_known
        self._under_way = _UnderWay(name)
        finished = False
        self._keep_phase(n_known=0, finished=False)  # for whoever asks what is under way
        try:
            yield
            finished = True
        finally:
            self._keep_phase(n_known=self._n_known - known, finished=finished)
            if not outer.name:
                self._in_phases += time.monotonic() - self._under_way.begun
            self._under_way = outer
            self.listener.end(finished=finished)

    def rest(self, name: str) -> None:
        """Keep under a name the time of this command that belongs to no phase so far."""
        now = time.monotonic()
        phase = Phase(name=name, seconds=max(0.0, now - self.begun - self._in_phases))
        self.store.keep_phase(self._plan(), phase)
        self.begun, self._in_phases = now, 0.0

    @contextlib.contextmanager
    def training(self, model: str, what: str) -> Iterator[None]:
        """Work of a model that asks nothing; refused where the budget is used up, then counted.

        Raises:
            BudgetExceeded: a limit of the budget is used up.
        """
        ended = self._purse.ended()
        if ended is not None:
            raise self._purse.exceeded(ended, what)
        begun, asked = time.monotonic(), self._under_way.tally.of(model).seconds
        try:
            yield
        finally:
            waited = self._under_way.tally.of(model).seconds - asked
            spent = Spent(model=model, seconds=time.monotonic() - begun - waited)
            self._purse.pay(spent)
            self._under_way.tally.add(spent)

    @contextlib.contextmanager
    def ordering(self, expected: Spent, what: str) -> Iterator[Callable[[Spent], None]]:
        """Work of a host that is paid as a whole; gives what is told of its use when it is known.

        Raises:
            BudgetExceeded: a limit of the budget is used up, or it would cost more than is left.
        """
        limit = self._purse.too_dear(expected)
        if limit is not None:
            raise self._purse.exceeded(limit, what)

        def pay(spent: Spent) -> None:
            self._purse.pay(spent)
            self._under_way.tally.add(spent)

        yield pay

    def _metered(self, model: Model) -> Model:
        return metered(model, self._purse, self._count)

    def _count(self, spent: Spent) -> None:
        now = self._under_way
        now.tally.add(spent)
        now.n_asked += spent.n_calls
        if now.name and now.is_due(now.n_asked):
            self._keep_phase(n_known=0, finished=False)

    def _keep_phase(self, *, n_known: int, finished: bool) -> None:
        now = self._under_way
        phase = Phase(
            name=now.name,
            seconds=time.monotonic() - now.begun,
            n_asked=now.n_asked,
            n_known=n_known,
            finished=finished,
            spent=now.tally.spent,
        )
        now.kept_as = self.store.keep_phase(self._plan(), phase, at=now.kept_as)

    def _known(self, keys: Sequence[asking.Key]) -> Mapping[asking.Key, Response]:
        found = self.store.responses(keys)
        self._n_known += len(found)
        return found


class _UnderWay:
    """The phase that is under way; without a name the time between phases."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.begun = time.monotonic()
        self.tally = Tally()
        self.n_asked = 0
        self.kept_as: str | None = None
        self._due = (PAUSE_N, self.begun + PAUSE_S)

    def is_due(self, n_asked: int) -> bool:
        """Whether it should be kept on the way; if so, not again for a while."""
        now = time.monotonic()
        if n_asked < self._due[0] and now < self._due[1]:
            return False
        self._due = (n_asked + PAUSE_N, now + PAUSE_S)
        return True


def _spent_before(store: Store) -> Iterator[Spent]:
    """What every earlier command used, under whatever plan."""
    for phase in store.phases():
        # Phases of versions that did not tell models still tell calls.
        yield from phase.spent or (Spent(model="", n_calls=phase.n_asked),)
