"""The steps in order, each done once; reads like the article.

    1 cases     read, audit, split, refuse overlap
    2 prompt    engineer the baseline's prompt on train and dev
      plan      fingerprint what the verdict will rest on, before the first look at eval
    4 adapters  train on train, choose nothing on eval
    3+5 runs    measure every arm on the same frozen cases, and on changed ones (stress)
    6 compare   pair each candidate with the baseline
    7 decide    the rule that was written down

A ``Protocol`` is one study in one folder of results. Every step asks the earlier ones for what it
needs, and everything measured is in the store before the next thing is asked, so that any command
can be interrupted and repeated: what is known is not asked again. The steps themselves do not know
the store; it is handed to them from here as two functions, one that knows and one that keeps.
"""

from __future__ import annotations

import datetime
import functools
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tuneornot import (
    baseline,
    brought,
    budget,
    dataset,
    fingerprint,
    gather,
    labelling,
    leaks,
    learning,
    prompts,
    shift,
    stages,
    study,
)
from tuneornot.elsewhere import Elsewhere
from tuneornot.errors import BudgetExceeded
from tuneornot.judges import calibrations
from tuneornot.listener import Listener
from tuneornot.metrics.base import Metric, whole
from tuneornot.metrics.judges.base import Judged, Question, judges
from tuneornot.mixing import Mixing
from tuneornot.models import sampling
from tuneornot.models.base import Model
from tuneornot.pairing import Pairing, SoFar
from tuneornot.records import (
    Adapter,
    Arm,
    ArmKind,
    Audit,
    Calibration,
    Case,
    Check,
    Comparison,
    Dataset,
    Json,
    Learning,
    Ledger,
    Look,
    Prices,
    Prompt,
    Redteam,
    Response,
    Run,
    Splits,
    Stage,
    Trials,
    Verdict,
)
from tuneornot.redteam import Team
from tuneornot.retrieval.library import Library
from tuneornot.session import Session
from tuneornot.store.store import Store
from tuneornot.store.turn import Turn
from tuneornot.stress.sets import ChangedSet, sources
from tuneornot.tuning import Pupil, Tuning


class Protocol:
    """One study, its results folder and what has been found so far."""

    def __init__(
        self,
        plan: study.Study,
        folder: Path,
        results: Path,
        *,
        listener: Listener,
        opened: Mapping[str, Model] | None = None,
    ) -> None:
        """Open the results folder.

        Args:
            plan: the study.
            folder: where its relative paths start.
            results: where everything is kept; made if missing.
            listener: told of progress.
            opened: models by name that are there already (for simulations).

        Raises:
            StoreError: the folder cannot be used.
        """
        self.study = plan
        self.folder = folder
        self.results = results
        self.listener = listener
        self.store = Store(results / "store.db")
        self._prompts = prompts.Prompts(plan, folder)
        self.library = Library({name: arm.retrieve for name, arm in plan.arms.items()}, folder)
        self.session = Session(
            self.store,
            folder=folder,
            library=self.library,
            listener=listener,
            plan=lambda: self.plan,
            opened=opened,
            budget=plan.budget,
            prices=self.prices,
            turn=Turn(results),
        )
        self._adapters: dict[str, tuple[Adapter, ...]] = {}
        self.elsewhere = Elsewhere(plan, folder, self.session, self)
        self.mixing = Mixing(plan, folder)

    def close(self) -> None:
        """Free the models and the store."""
        self.session.close()

    # --- 1 cases ---------------------------------------------------------------------------

    @functools.cached_property
    def metrics(self) -> tuple[Metric, ...]:
        """The study's metrics, built."""
        return study.metrics(self.study, self.folder)

    @functools.cached_property
    def splits(self) -> Splits:
        """The frozen split: made once, then read back from its manifest and verified."""
        self.listener.begin("cases: read, split, refuse overlap", None)
        splits = gather.frozen(self.study.data, self.folder, self.results / "splits.json")
        for name, one in self.elsewhere.brought.items():
            learnt = one.taught.cases if one.taught else ()
            gather.refuse_taught(splits, learnt, name, data=self.study.data, folder=self.folder)
        self.mixing.refuse_leaks(splits)
        self.listener.end(finished=True)
        return splits

    @functools.cached_property
    def rarity(self) -> dict[str, float]:
        """By eval case how rare it is; empty where the study does not say what makes it so."""
        facts, data = self.study.facts, self.study.data
        return gather.rarity(facts, data, self.folder, self.splits) if facts else {}

    @functools.cached_property
    def audit(self) -> Audit:
        """What is known of the eval set before anything is spent."""
        rule = study.rule(self.study)
        found = dataset.audit(self.splits.eval, worthwhile=rule.worthwhile, alpha=rule.alpha)
        return leaks.noted(found, self.folder)

    @functools.cached_property
    def plan(self) -> str:
        """Fingerprint of the study and its frozen cases, noted before any look at the eval set."""
        text = study.text(self.study)
        own = [] if self.study.stress is None else sources(self.study.stress, self.folder)
        rests_on = [*self._rates, *self.library.marks(), *self._prompts.marks(), *own]
        rests_on += self.mixing.marks()
        rests_on += self.team.marks if self.team else ()
        mark = fingerprint.of([text, self.splits.fingerprint, *rests_on])
        self.store.keep_plan(mark, text, study=self.study.study)
        return mark

    @functools.cached_property
    def prices(self) -> Prices | None:
        """The study's price file."""
        return budget.prices(self.study.prices, self.folder)

    @property
    def _rates(self) -> list[Json]:
        """The prices that the verdict rests on; they belong to the plan, their date does not."""
        models = [arm.model for arm in self.study.arms.values()]
        return budget.rates(self.prices, models) if study.rests_on_cost(self.study) else []

    # --- 2 the prompt ----------------------------------------------------------------------

    def model(self, name: str) -> Model:
        """The model of that name, opened once."""
        return self.session.model(name)

    def prompt(self, arm: str) -> Prompt:
        """The arm's prompt: searched for if the study gives a budget, else its instructions."""
        if self.study.arms[arm].search is None:
            return self.start(arm)
        return baseline.winner(self.search(arm))

    def search(self, arm: str) -> Ledger:
        """Engineer the arm's prompt on train and dev within its budget; once for each plan."""
        wanted = self.study.arms[arm].search
        assert wanted is not None, f"the study plans no search for {arm}"
        metric, key = self.race(arm, wanted)
        ledger = self.store.ledger(key)
        if ledger is None:
            with self.session.phase(f"engineer the prompt of {arm}"):
                ledger = self._raced(arm, wanted, self.start(arm), metric)
            self.store.keep_ledger(key, ledger)
        tried = [one.prompt for one in ledger.candidates]
        self._prompts.refuse_quotes(arm, tried, self.splits)
        return ledger

    def race(self, arm: str, wanted: study.SearchPlan) -> tuple[Metric, str]:
        """What prompts are raced by, and the key of all that determines the arm's search."""
        name, raced_by = self.study.arms[arm].model, wanted.metric or self.study.decide.primary
        metric = next(one for one in self.metrics if one.name == raced_by)
        sampled = msgspec.to_builtins(study.sampling(self.study, arm))
        determined = [
            [name, self.model(name).identity(), sampled],
            wanted.settings,
            [metric.name, metric.settings(), self.start(arm).fingerprint],
            [self.splits.train.fingerprint, self.splits.dev.fingerprint],
            msgspec.to_builtins(self.library.retrieval(arm)),
            None if wanted.writer is None else self.model(wanted.writer).identity(),
        ]
        return metric, fingerprint.of(determined)

    def _raced(self, arm: str, wanted: study.SearchPlan, start: Prompt, metric: Metric) -> Ledger:
        def answer(prompt: Prompt, cases: Sequence[Case]) -> Run:
            asked = Dataset(name="dev", cases=tuple(cases))
            mine = self.arm(arm, prompt)
            return self.session.run(mine, asked, (metric,), repeats=1, tell=False)

        train, dev = self.splits.train, self.splits.dev
        asked = study.sampling(self.study, arm)
        model = self.study.arms[arm].model
        offered = baseline.offers(
            answer,
            train,
            dev,
            start=start,
            model=model,
            sampling=asked,
            reasoning=wanted.reasoning,
        )
        return baseline.search(
            answer,
            train,
            dev,
            start=start,
            offers=baseline.varied(offered, wanted.vary, start=start, model=model, sampling=asked),
            budget=baseline.Budget(minutes=wanted.minutes, calls=wanted.calls),
            write=self._writer(arm, wanted.writer),
            by=wanted.by,
            seed=wanted.seed,
            on_progress=self.listener.advance,
        )

    def _writer(self, arm: str, name: str | None) -> baseline.Write | None:
        """Asks the model that writes instructions; what quotes a case that judges is not taken."""
        if name is None:
            return None

        def write(text: str) -> str | None:
            [[said]] = self.session.ask([Question(name, Prompt(), baseline.WRITING, text)])
            quoted = said.text is not None and self._prompts.quotes(arm, said.text, self.splits)
            return None if quoted else said.text

        return write

    def _require_engineered_prompts(self) -> None:
        """A search that hardly began ends the work before a look at eval is spent on it."""
        for name, plan in self.study.arms.items():
            if plan.search is not None:
                found = baseline.check(self.search(name))
                if found.blocking and not found.passed:
                    raise BudgetExceeded(f"The prompt search of {name!r}: {found.detail}.")

    def start(self, arm: str) -> Prompt:
        """The prompt that an arm begins with; refused where it quotes a case that judges."""
        start = self._prompts.start(arm)
        self._prompts.refuse_quotes(arm, [start], self.splits)
        return start

    # --- 4 the adapters --------------------------------------------------------------------

    def adapters(self, arm: str) -> tuple[Adapter, ...]:
        """The arm's adapters, one for each seed, trained where they are not there yet."""
        plan, one = self.study.arms[arm], self.elsewhere.brought.get(arm)
        if one is not None and one.adapter is not None:
            return (one.adapter,)
        if plan.tune is None:
            return ()
        if arm not in self._adapters:
            self._adapters[arm] = self.tuning.adapters(self.pupil(arm))
        return self._adapters[arm]

    @functools.cached_property
    def tuning(self) -> Tuning:
        """The trainings of this study."""
        return Tuning(self.session, self.results / "adapters")

    def pupil(self, arm: str) -> Pupil:
        """An arm that is to be trained, with what it is taught."""
        plan = self.study.arms[arm]
        assert plan.tune is not None, f"the study does not tune {arm}"
        train, dev = self.taught(arm)
        mixed = self.mixing.of(arm)
        return Pupil(arm, plan.model, plan.tune, self.start(arm), train, dev, mixed)

    def trials(self, arm: str) -> Trials | None:
        """What was tried to find the arm's recipe; ``None`` where the study gives it."""
        return self.tuning.searched(self.pupil(arm))[1]

    def learning(self, arm: str) -> Learning | None:
        """What more training data would bring to an arm; ``None`` where the study does not ask."""
        plan = self.study.arms[arm].tune
        if plan is None or not plan.curve:
            return None
        pupil, first = self.pupil(arm), self.study.baseline
        rule, dev = study.rule(self.study), self.splits.dev
        metrics = [one for one in self.metrics if one.name == rule.primary]

        def ask(adapter: Adapter | None, against: Run | None) -> Run:
            tuned = None if adapter is None else self.arm(arm, pupil.prompt, adapter)
            asked = self.arms(first)[0] if tuned is None else tuned
            return self.session.run(asked, dev, metrics, repeats=1, against=against)

        trained = [self.tuning.of_share(pupil, share) for share in plan.curve]
        searched = self.study.arms[first].search is not None
        with self.session.phase(f"measure {arm} on dev"):
            return learning.of(ask, self.tuning.sizes(pupil), trained, rule, searched=searched)

    def taught(self, arm: str) -> list[Dataset]:
        """Train and dev as the arm is asked them."""
        return [self.library.grounded(arm, part) for part in (self.splits.train, self.splits.dev)]

    # --- 3 and 5 the runs ------------------------------------------------------------------

    def arms(self, name: str) -> tuple[Arm, ...]:
        """The arms of one plan: one, or one for each training seed."""
        adapters = self.adapters(name)
        if name in self.elsewhere.hosted:
            start = self.start(name)
            return tuple(
                self.arm(name, start, model=one.served) for one in self.elsewhere.orders(name)
            )
        if adapters:
            return tuple(self.arm(name, self.start(name), adapter) for adapter in adapters)
        return (self.arm(name, self.prompt(name)),)

    def arm(
        self,
        name: str,
        prompt: Prompt,
        adapter: Adapter | None = None,
        *,
        model: str | None = None,
    ) -> Arm:
        """An arm of the study under some prompt, with an adapter or another model than it names."""
        plan, retrieval = self.study.arms[name], self.library.retrieval(name)
        retrieval = None if prompt.looks_up is False else retrieval
        untuned: ArmKind = "prompted" if retrieval is None else "retrieval"
        tuned = adapter is not None or model is not None or name in self.elsewhere.brought
        model = model or plan.model
        return Arm(
            name=name,
            kind="tuned" if tuned else untuned,
            model=model,
            identity=self.model(model).identity(),
            prompt=prompt,
            adapter=adapter,
            retrieval=retrieval,
            sampling=sampling.under(prompt, study.sampling(self.study, name)),
        )

    @functools.cached_property
    def runs(self) -> dict[str, tuple[Run, ...]]:
        """By arm its runs: every measured set, and every seed of a tuned arm."""
        self._require_engineered_prompts()
        for name in judges(self.metrics):
            self.model(name).identity()
        ready = {name: self.arms(name) for name in self.study.arms}
        for name in ready:
            self.elsewhere.proof(name)
        timed = self._timed(ready) if self.times else {}
        self._ask_in_turns([arm for arms in ready.values() for arm in arms])
        found: dict[str, tuple[Run, ...]] = {}
        beaten: dict[str, Run] = {}
        # The baseline first: metrics that compare two answers need it.
        for name in (self.study.baseline, *self.study.candidates):
            with self.session.phase(f"measure {name}"):
                found[name] = tuple(
                    self._looked(arm, measured, timed.get(name, ()), beaten.get(measured.name))
                    for measured in self.splits.measured
                    for arm in ready[name]
                )
            if not beaten:
                beaten = {run.dataset.name: run for run in found[name]}
        return {name: found[name] for name in ready}

    @property
    def times(self) -> bool:
        """Whether answers are timed: for latency, or because a machine is paid by the hour."""
        models = [arm.model for arm in self.study.arms.values()]
        metrics = [*self.study.metrics, *(["cost"] if self.study.economics else [])]
        return budget.needs_times(metrics, self.prices, models)

    def _ask_in_turns(self, arms: Sequence[Arm]) -> None:
        """Let arms answer on the sets that the verdict rests on; the looks are noted first."""
        for name, part in itertools.product({arm.name: 0 for arm in arms}, self.splits.measured):
            n = len(part)
            look = Look(dataset=part.name, arm=name, plan=self.plan, at=_now(), n=n)
            self.store.keep_look(look)
        self.session.ask_in_turns(arms, self.splits.measured, repeats=self.study.repeats)

    def _looked(
        self, arm: Arm, measured: Dataset, timings: tuple[Response, ...], against: Run | None
    ) -> Run:
        """Measure an arm on a set that the verdict rests on."""
        run = self.session.run(
            arm, measured, self.metrics, repeats=self.study.repeats, against=against
        )
        judged = [metric for metric in self.metrics if isinstance(metric, Judged)]
        if judged:
            said = labelling.scores(run, judged, self.store.labels(), against=against)
            run = msgspec.structs.replace(run, labels=said)
        if measured is self.splits.eval:
            run = msgspec.structs.replace(run, timings=timings)
        price = self.prices.price(arm.model, _today()) if self.prices is not None else None
        return msgspec.structs.replace(run, price=price)

    def _timed(self, ready: Mapping[str, Sequence[Arm]]) -> dict[str, tuple[Response, ...]]:
        """One arm of each plan (the first seed), side by side, one request at a time."""
        with self.session.phase("time every arm"):
            firsts = [arms[0] for arms in ready.values()]
            return self.session.timings(firsts, self.splits.eval, n=self.study.timed)

    @functools.cached_property
    def calibrations(self) -> tuple[Calibration, ...]:
        """Every judge on the eval set, held against the people who labelled."""
        on_eval = {
            name: [run for run in runs if run.dataset == self.splits.eval]
            for name, runs in self.runs.items()
        }
        labels, ask = self.store.labels(), self.session.ask
        return calibrations(self.metrics, on_eval, labels, ask, baseline=self.study.baseline)

    @functools.cached_property
    def changed(self) -> tuple[ChangedSet, ...]:
        """The eval cases under the study's perturbations; none where it names none."""
        plan = self.study.stress
        if plan is None:
            return ()
        return shift.sets(plan, self.splits.eval, self.folder, self.session)

    @functools.cached_property
    def shifted(self) -> tuple[shift.Measured, ...]:
        """Every arm on the changed cases, after the plain ones."""
        order = (self.study.baseline, *self.study.candidates) if self.runs else ()
        ready = {name: self.arms(name) for name in order}
        metrics = shift.judging(self.metrics, study.rule(self.study))
        repeats = self.study.repeats
        return shift.measured(self.changed, ready, metrics, self.session, repeats=repeats)

    @functools.cached_property
    def team(self) -> Team | None:
        """The red team, where the study plans one; whoever asks it for runs has arms attacked."""
        if self.study.redteam is None:
            return None
        return Team(
            self.study,
            self.folder,
            self.session,
            arms=self.arms,
            untuned=self.untuned,
            labels=self.store.labels,
        )

    def untuned(self, name: str) -> Arm | None:
        """A tuned arm before it was tuned; ``None`` where nothing tells what it came from."""
        plan, one = self.study.arms[name], self.elsewhere.brought.get(name)
        base = plan.model if one is None else one.base
        if base is None or not plan.is_tuned:
            return None
        return brought.before(self.arm(name, self.start(name)), self.model(base))

    @property
    def redteam(self) -> Redteam | None:
        """What the red team found, at the error rate of every comparison."""
        return None if self.team is None else self.team.found(self._level)

    @property
    def _level(self) -> float:
        """What of the study's error rate one candidate may spend at this look."""
        alpha = study.rule(self.study).alpha / len(self.study.candidates)
        return stages.level(alpha, self.stage)

    # --- 6 compare, 7 decide ---------------------------------------------------------------

    @functools.cached_property
    def _pairing(self) -> Pairing:
        first = self.study.baseline
        ledger = self.search(first) if self.study.arms[first].search else None
        checks = {
            name: [*self._knowledge(name), *self.elsewhere.proof(name)] for name in self.study.arms
        }
        quoted = self._prompts.check(self.splits)
        checks[first] = [baseline.check(ledger), quoted, *checks[first]]
        team, candidates = self.team, self.study.candidates
        safety = {name: team.contrasts(name, self._level) for name in candidates} if team else {}
        so_far = SoFar(
            checks,
            self.stage,
            self.store.phases(),
            whole(self.metrics),
            self.shifted,
            team.runs if team else {},
            safety,
            self.rarity,
        )
        return Pairing(self.study, self.splits, self.runs, so_far)

    def _knowledge(self, arm: str) -> list[Check]:
        """What an arm's knowledge gives away of the cases that judge, if it looked anything up."""
        runs = [run.retrieved for run in self.runs[arm] if run.retrieved is not None]
        shown = [passage for each in runs for passage in each.passages]
        check = self.library.check(arm, self.splits.measured, shown=shown) if runs else None
        return [] if check is None else [check]

    @property
    def stage(self) -> Stage:
        """Which look at the eval set this is, by what the store remembers of the study."""
        plans, looks = self.store.plans(self.study.study), self.store.looks()
        return stages.of(self.study, plans, looks, len(self.splits.eval))

    @functools.cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Each candidate against the baseline; together they keep the study's error rate."""
        pairing = self._pairing
        with self.session.phase("compare"):
            return pairing.comparisons()

    @functools.cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """The rule applied to every comparison, with what would change it; kept as history."""
        comparisons = self.comparisons
        with self.session.phase("decide"):
            found = tuple(
                self._pairing.verdict(usual, self.audit, plan=self.plan) for usual in comparisons
            )
        for verdict in found:
            self.store.keep_verdict(verdict)
        return found


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
