"""The search by gepa: another model rewrites the task by what failed, the best rewritings live on.

A short first field gives the prompt whose demonstrations, hint and form all later ones have. Then
gepa (Agrawal et al. 2025) evolves the words: it lets a prompt answer a few train cases, has the
writer reflect on them, and races what it wrote where that does better on the same few. Which prompt
is rewritten next is drawn from those that are best on some raced case. Cases kept for the choice
are not known to it. Cases, budget and ledger are the race's; gepa asks no model, prints nothing and
keeps no files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from tuneornot.baseline import demonstrations, phrases
from tuneornot.baseline.effort import LEAST
from tuneornot.baseline.race import FINALISTS, Race, Racer, laid_out
from tuneornot.baseline.space import Proposal, Space
from tuneornot.baseline.writing import Write, cut
from tuneornot.errors import DataError, MissingExtra
from tuneornot.records import Case

if TYPE_CHECKING:
    from gepa.core.adapter import EvaluationBatch, ProposalFn
    from gepa.core.state import GEPAState
    from gepa.strategies.instruction_proposal import InstructionProposalSignature

FIELD = LEAST
"""Prompts of the first field, besides those with what the study wants varied: as many as must be
tried. Only the best of its first block goes on, since gepa's prompts need the budget more."""
REFLECTED = 3
"""Train cases that a prompt answers before it is rewritten: gepa's own number."""
IDLE = 18
"""Rewritings in a row without a new leader after which more of the same is not worth its cost."""

_WORDS = "instructions"


def most_asked(n_calls: int, *, n_dev: int) -> int:
    """The most questions to the writer that a search of so many calls leads to.

    Each takes answers to ``REFLECTED`` train cases.
    """
    return max(0, n_calls - _not_reflected(n_dev)) // REFLECTED


def least_calls(n_dev: int) -> int:
    """Calls with which one prompt that gepa evolves can be raced, with so many dev cases.

    Each answer takes one, and nothing is varied.
    """
    return _not_reflected(n_dev) + 2 * REFLECTED


def _not_reflected(n_dev: int) -> int:
    """Calls that the first field takes, and what is kept for one more prompt and the choice."""
    edges = laid_out(n_dev)
    block, n_raced = edges[1], edges[-1]
    return (FIELD - 1) * block + 2 * n_raced + FINALISTS * (n_dev - n_raced)


def asked(task: str, train: Sequence[Case]) -> str:
    """What the writer is asked about a few cases, as if each were answered rightly.

    Raises:
        MissingExtra: gepa is not installed.
    """
    cases = demonstrations.eligible(train, REFLECTED)[:REFLECTED]
    return _question(task, [_shown(case, case.answer, case.answer) for case in cases])


def run(race: Race, space: Space, write: Write | None) -> None:
    """Race a short first field and then what gepa evolves from its leader, until something ends it.

    Args:
        race: takes the answers; nothing was raced yet.
        space: what the first field is made of; its seed is gepa's.
        write: asks the writer.

    Raises:
        DataError: there is no writer.
        MissingExtra: gepa is not installed.
    """
    if write is None:
        raise DataError("search", ["gepa has no writer"], "Give `write`, or let others propose.")
    _require()
    from gepa.api import optimize

    # Two prompts of the field have each further thing that is varied.
    offers = space.offers
    n_varied = 2 * (len(offers.sampled) + offers.lookup + (offers.steps > 0))
    race.run(space.first()[: FIELD + n_varied], share=0.0)
    if race.ended is not None:
        return
    evolved = _Evolved(race, space, write)
    if len(evolved.train) < REFLECTED:
        race.ended = f"fewer than {REFLECTED} solved train cases are left that are not shown"
        return
    try:
        optimize(
            seed_candidate={_WORDS: space.start.instructions},
            trainset=evolved.train,
            valset=evolved.raced,
            adapter=evolved,
            custom_candidate_proposer=evolved.rewritten,
            reflection_minibatch_size=REFLECTED,
            perfect_score=evolved.best,
            stop_callbacks=evolved.over,
            logger=_Silent(),
            track_best_outputs=False,
            seed=space.seed,
        )
    except _Out as out:
        if out.error is not None:
            raise out.error from None


class _Out(BaseException):
    """Leaves gepa, which would go on after an exception of its writer.

    Args:
        error: what the writer's failure was; ``None`` where the race has ended.
    """

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(error)
        self.error = error


class _Silent:
    """Takes what gepa would print."""

    def log(self, message: str) -> None:
        pass


class _Evolved:
    """What gepa asks for: scores of the task in some words, what went wrong, and other words."""

    propose_new_texts: ProposalFn | None = None

    def __init__(self, race: Race, space: Space, write: Write) -> None:
        self._race = race
        self._space = space
        self._write = write
        self._first = race.leader()
        """Its demonstrations, hint and form are those of all that follow."""
        self._proposals = {space.start.instructions: self._first.proposal}
        self._racers: dict[str, Racer] = {space.start.instructions: self._first}
        self._ahead: Racer | None = None
        self._idle = 0
        prompt = self._first.proposal.prompt
        held = set() if prompt.nearest else {case.id for case in prompt.demonstrations}
        free = [one for one in demonstrations.eligible(space.train, 1) if one.id not in held]
        self.train = free[: len(free) // REFLECTED * REFLECTED]
        """Cases to reflect on, a whole number of batches: gepa would fill the last one up."""
        self.raced = list(race.cases[: race.n_raced])
        best = race.scale.best
        self.best = math.inf if best is None else race.reported(best)
        """Score that none is better than."""

    def over(self, gepa_state: GEPAState[Any, Any]) -> bool:
        """Whether to end before the next rewriting; says why."""
        ahead = self._race.leader()
        self._idle = self._idle + 1 if ahead is self._ahead else 0
        self._ahead = ahead
        if self._race.won():
            self._race.ended = "no dev case is left to win"
        elif self._idle == IDLE:
            self._race.ended = f"{IDLE} rewritings of gepa's in a row brought nothing better"
        return self._race.ended is not None

    def evaluate(
        self, batch: list[Case], candidate: dict[str, str], capture_traces: bool = False
    ) -> EvaluationBatch[dict[str, str], str]:
        """Scores of all raced cases, or of a few train cases with what went wrong."""
        from gepa.core.adapter import EvaluationBatch

        words = candidate[_WORDS]
        if batch == self.raced:
            scores = [float(one) for one in self._raced(words).scores[: len(batch)]]
            return EvaluationBatch(outputs=[""] * len(batch), scores=scores)
        run = self._race.aside(self._proposals[words].prompt, batch)
        if run is None:
            self._race.ended = "what is left of the budget carries no further rewriting"
            raise _Out
        scores = [float(one) for one in self._race.values(run, batch)]
        said = {one.question: one.text or "" for one in run.responses}
        told = [
            _shown(case, said.get(case.question, ""), self._feedback(case, score))
            for case, score in zip(batch, scores, strict=True)
        ]
        outputs = [one["Generated Outputs"] for one in told]
        return EvaluationBatch(outputs=outputs, scores=scores, trajectories=told)

    def make_reflective_dataset(
        self,
        candidate: dict[str, str],
        eval_batch: EvaluationBatch[dict[str, str], str],
        components_to_update: list[str],
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """What the writer is shown of a few train cases."""
        return {_WORDS: eval_batch.trajectories or []}

    def rewritten(
        self,
        candidate: dict[str, str],
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: list[str],
    ) -> dict[str, str]:
        """The words as the writer improves them; nothing where it wrote nothing new."""
        try:
            said = self._write(_question(candidate[_WORDS], reflective_dataset[_WORDS]))
        except Exception as error:
            raise _Out(error) from error
        words = _signature().output_extractor((said or "").strip())["new_instruction"]
        if not words or words in self._racers:
            return {}
        if words not in self._proposals:  # luck on a few cases: what failed may be tried again
            self._proposals[words] = self._proposal(words)
        return {_WORDS: words}

    def _raced(self, words: str) -> Racer:
        if words not in self._racers:
            self._racers[words] = self._race.one(self._proposals[words], lambda _: None)
        if self._race.ended is not None:
            raise _Out
        return self._racers[words]

    def _proposal(self, words: str) -> Proposal:
        """The first field's leader in other words."""
        first = self._first.proposal
        ending = phrases.ended if first.prompt.reasoning is None else phrases.thinking
        prompt = msgspec.structs.replace(first.prompt, instructions=ending(words, self._space.kind))
        return first._replace(frame=f"gepa {len(self._proposals)}", prompt=prompt)

    def _feedback(self, case: Case, score: float) -> str:
        if score == self.best:
            return "This is right."
        graded = f"{self._race.metric}: {self._race.reported(score):g}."
        return f"{graded} The right answer is: {cut(case.answer)}"


def _shown(case: Case, said: str, feedback: str) -> dict[str, str]:
    """A train case as gepa's question tells of it."""
    context = f"Context: {cut(case.context)}\n" if case.context else ""
    return {
        "Inputs": f"{context}{cut(case.text)}",
        "Generated Outputs": cut(said),
        "Feedback": feedback,
    }


def _question(words: str, shown: Sequence[Mapping[str, Any]]) -> str:
    """What gepa asks its writer."""
    asked_for = {
        "current_instruction_doc": words,
        "dataset_with_feedback": shown,
        "prompt_template": None,
    }
    return str(_signature().prompt_renderer(asked_for))


def _signature() -> type[InstructionProposalSignature]:
    _require()
    from gepa.strategies.instruction_proposal import InstructionProposalSignature

    return InstructionProposalSignature


def _require() -> None:
    # Deferred, here and above: it is an extra, and takes half a second to import.
    try:
        import gepa  # noqa: F401
    except ImportError as error:
        raise MissingExtra("The search by gepa", "gepa") from error
