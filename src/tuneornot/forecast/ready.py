"""One arm of a study as far as it is: its prompt, its adapters, and what is known of its model."""

from __future__ import annotations

from dataclasses import dataclass

from tuneornot import baseline
from tuneornot.baseline.space import Space
from tuneornot.forecast.basis import Basis
from tuneornot.protocol import Protocol
from tuneornot.records import Arm, Case, Dataset, Prompt, Splits
from tuneornot.study import ArmPlan


@dataclass(frozen=True)
class Ready:
    """What is there of one arm."""

    name: str
    model: str
    arms: tuple[Arm, ...]
    """Those that can be asked already."""
    n_arms: int
    """Those that there will be: one, or one for each training seed."""
    prompts: tuple[Prompt, ...]
    """Its prompt; before it is engineered, those that the search begins with."""
    n_each: int
    """Calls for an answer; before the prompt is engineered, the most that it may take."""
    splits: Splits
    basis: Basis

    @property
    def eval(self) -> tuple[Case, ...]:
        """The different questions of the eval set."""
        return _different(self.splits.eval)

    @property
    def judging(self) -> tuple[Case, ...]:
        """The different questions of all measured sets."""
        together = tuple(case for part in self.splits.measured for case in part.cases)
        return _different(Dataset(name="all", cases=together))


def of(protocol: Protocol, name: str) -> Ready:
    """What is there of an arm; engineers, trains and asks nothing.

    Raises:
        ModelError: its model cannot be opened.
    """
    plan, held = protocol.study.arms[name], _held(protocol, name)
    prompts = (held[0].prompt,) if held else _prompts(protocol, name)
    asked = [*held, *(protocol.arm(name, prompt) for prompt in prompts)]
    return Ready(
        name=name,
        model=plan.model,
        arms=held,
        n_arms=_n_trainings(plan),
        prompts=prompts,
        n_each=max(prompts[0].n_calls, 2 if _may_split(plan) and not held else 1),
        splits=protocol.splits,
        basis=Basis(protocol, name, {one.fingerprint: one for one in asked}),
    )


def probe(protocol: Protocol, name: str, n: int) -> None:
    """Ask an arm its first n dev cases, to see what answers take; never an eval case.

    An arm that is not ready is asked under a prompt of middling length, without an adapter.
    """
    held = _held(protocol, name)
    prompts = sorted(_prompts(protocol, name), key=lambda prompt: len(prompt.demonstrations))
    arm = held[0] if held else protocol.arm(name, prompts[len(prompts) // 2])
    cases = Dataset(name="dev", cases=protocol.splits.dev.cases[:n])
    with protocol.session.phase(f"probe {name}"):
        protocol.session.run(arm, cases, (), repeats=1)


def _held(protocol: Protocol, name: str) -> tuple[Arm, ...]:
    """Those of ``Protocol.arms`` that are there already."""
    plan, start = protocol.study.arms[name], protocol.start(name)
    if plan.search is not None:
        ledger = protocol.store.ledger(protocol.race(name, plan.search)[1])
        return () if ledger is None else (protocol.arm(name, baseline.winner(ledger)),)
    if plan.hosted is not None and not protocol.elsewhere.hosted[name].is_done(
        protocol.elsewhere.books
    ):
        return ()
    if plan.tune is None:
        return protocol.arms(name)
    trainings = protocol.tuning.names(protocol.pupil(name))
    adapters = [one for training in trainings for one in protocol.store.adapters(training)]
    return tuple(protocol.arm(name, start, adapter) for adapter in adapters)


def _prompts(protocol: Protocol, name: str) -> tuple[Prompt, ...]:
    """The prompts that an arm's search begins with; without a search the one it has."""
    plan, start = protocol.study.arms[name].search, protocol.start(name)
    if plan is None:
        return (start,)
    space = Space(start, protocol.splits.train.cases, plan.seed)
    return tuple(proposal.prompt for proposal in space.first())


def _may_split(plan: ArmPlan) -> bool:
    return plan.search is not None and "steps" in plan.search.vary


def _n_trainings(plan: ArmPlan) -> int:
    trained = plan.tune or plan.hosted
    return 1 if trained is None else len(trained.seeds)


def _different(cases: Dataset) -> tuple[Case, ...]:
    return tuple({case.question: case for case in cases.cases}.values())
