"""What is known of an arm's model: how it reads, how much it writes, how fast it is.

Taken from answers and phases in the store; from a model's own tokenizer where it is in this
process; else from characters. Each figure comes with a sentence that says which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from tuneornot import study
from tuneornot.models.base import Serving
from tuneornot.protocol import Protocol
from tuneornot.records import Arm, Case, Dataset, Message, Prompt, Response, Spent
from tuneornot.spending import Tally
from tuneornot.spending.metered import CHARACTERS_PER_TOKEN

LOOKED_AT = 200
"""Cases of a set whose lengths and known answers are looked at; more would not change a mean."""
TOKENISED = 25
"""Of these, those that a local model's tokenizer reads."""
TIMED = "time every arm"
"""The phase in which questions are asked one at a time: it says little of any other."""


class Guess(NamedTuple):
    """A figure with what it rests on."""

    value: float | None
    basis: str


class Basis:
    """What is known of one arm's model.

    Args:
        protocol: the study.
        name: of the arm.
        arms: by fingerprint those of this model that may have been asked already.
    """

    def __init__(self, protocol: Protocol, name: str, arms: Mapping[str, Arm]) -> None:
        self._protocol = protocol
        self._name = name
        self._plan = protocol.study.arms[name]
        self._sampling = study.sampling(protocol.study, name)
        self._prompts = [arm.prompt for arm in arms.values()]
        self._answered = [pair for arm in arms.values() for pair in self._known(arm)]

    def read(self, prompts: Sequence[Prompt], cases: Sequence[Case]) -> Guess:
        """Tokens of a call, on average over prompts and cases."""
        model = self._protocol.model(self._plan.model)
        if isinstance(model, Serving):
            chats = self._chats(prompts, spaced(cases, TOKENISED))
            value = fmean(len(model.prompt_tokens(chat)) for chat in chats)
            return Guess(value, "tokens read: the model's own tokenizer")
        characters = fmean(map(_length, self._chats(prompts, spaced(cases, LOOKED_AT))))
        told = [
            (sum(map(_length, calls)), response.n_input_tokens)
            for calls, response in self._answered
            if response.n_input_tokens
        ]
        if not told:
            basis = f"tokens read: {CHARACTERS_PER_TOKEN:g} characters each, a rule of thumb"
            return Guess(characters / CHARACTERS_PER_TOKEN, basis)
        ratio = sum(length for length, _ in told) / sum(n for _, n in told)
        basis = f"tokens read: {ratio:.2f} characters each, as in {len(told)} known answers"
        return Guess(characters / ratio, basis)

    def written(self, cases: Sequence[Case]) -> Guess:
        """Tokens that a call gives, on average."""
        counts = [
            one.n_output_tokens / len(calls) for calls, one in self._answered if one.n_output_tokens
        ]
        if counts:
            return Guess(fmean(counts), f"tokens written: as in {len(counts)} known answers")
        most = self._sampling.max_tokens
        lengths = [len(one.answer) for one in spaced(cases, LOOKED_AT) if one.expected is not None]
        value, basis = float(most), "the longest allowed, no answer is expected"
        if lengths:
            value = min(value, 1 + fmean(lengths) / CHARACTERS_PER_TOKEN)
            basis = f"the expected answers at {CHARACTERS_PER_TOKEN:g} characters each"
        if any(prompt.steps for prompt in self._prompts):
            value = fmean(_with_steps(prompt, value) for prompt in self._prompts)
            basis += ", steps as long as they may be"
        return Guess(value, f"tokens written: {basis}")

    def seconds(self, *, alone: bool = False) -> Guess:
        """Of one call, many at a time; or each asked alone."""
        spent = spent_of(self._protocol, self._plan.model, alone=alone)
        if spent.n_calls:
            how = "asked alone" if alone else "many at a time"
            basis = f"minutes: {spent.n_calls} earlier questions, {how}"
            return Guess(spent.seconds / spent.n_calls, basis)
        timed = [
            (one.latency_s / len(calls), one.load)
            for calls, one in self._answered
            if one.latency_s is not None
        ]
        if alone and timed:
            least = min(load for _, load in timed)
            latencies = [latency for latency, load in timed if load == least]
            basis = f"minutes: the latency of {len(latencies)} known answers"
            if least > 1:
                basis += f", at most: {least} or more were asked at a time, alone each takes less"
            return Guess(fmean(latencies), basis)
        return Guess(None, "minutes: no question was timed yet; --probe asks a few dev cases")

    def _chats(self, prompts: Sequence[Prompt], cases: Sequence[Case]) -> list[tuple[Message, ...]]:
        return [
            chat
            for prompt in prompts
            for case in self._shown(cases, prompt)
            for chat in _calls(prompt, case)
        ]

    def _shown(self, cases: Sequence[Case], prompt: Prompt) -> tuple[Case, ...]:
        """The cases as they are asked under a prompt: with passages, where it looks them up."""
        if prompt.looks_up is False:
            return tuple(cases)
        asked = Dataset(name="asked", cases=tuple(cases))
        return self._protocol.library.grounded(self._name, asked).cases

    def _known(self, arm: Arm) -> Iterator[tuple[list[tuple[Message, ...]], Response]]:
        """What was asked, call by call, with the answer."""
        splits = self._protocol.splits
        for part in (splits.dev, *splits.measured):
            looked_at = spaced(part.cases, LOOKED_AT)
            shown = self._shown(looked_at, arm.prompt)
            cases = {plain.question: case for plain, case in zip(looked_at, shown, strict=True)}
            keys = [(arm.fingerprint, question, 0, "answer") for question in cases]
            for key, response in self._protocol.store.responses(keys).items():
                if response.text is not None:
                    yield _calls(arm.prompt, cases[key[1]]), response


def spent_of(
    protocol: Protocol, model: str, phase: str | None = None, *, alone: bool = False
) -> Spent:
    """What a model's questions used in earlier phases (of one name); training left out."""
    tally = Tally(
        spent
        for one in protocol.store.phases()
        if (one.name == phase if phase is not None else (one.name == TIMED) == alone)
        for spent in one.spent
        if spent.n_calls and not one.name.startswith("train ")
    )
    return tally.of(model)


def spaced(cases: Sequence[Case], n: int) -> list[Case]:
    """At most n cases, evenly from all."""
    n = min(n, len(cases))
    return [cases[place * len(cases) // n] for place in range(n)]


def _calls(prompt: Prompt, case: Case) -> list[tuple[Message, ...]]:
    """The chat of each call, but for what the model noted in those before."""
    before = prompt.before
    return [*([] if before is None else _calls(before, case)), prompt.messages(case)]


def _with_steps(prompt: Prompt, answer: float) -> float:
    """Tokens that a call gives, of those for the steps and the one for the answer."""
    return (answer + sum(step.max_tokens for step in prompt.steps or ())) / prompt.n_calls


def _length(messages: Sequence[Message]) -> int:
    return sum(len(message.content) for message in messages)
