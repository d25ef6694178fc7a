"""One question to an arm: what identifies it, what is asked, what is kept of the reply.

A prompt that takes steps asks several times about a case. Each step is asked as an arm of its own
(``Arm.before``), so its answers are kept like all others, and prompts that begin with the same
steps share them; what the steps took counts as the answer's own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from tuneornot.models.base import Model, Reply, Request
from tuneornot.records import Arm, Case, Dataset, Prompt, Purpose, Response
from tuneornot.retrieval.lookup import Lookup

Key = tuple[str, str, int, str]
"""What identifies a response: ``Response.key``."""

Known = Callable[[Sequence[Key]], Mapping[Key, Response]] | Mapping[Key, Response]
"""The responses that exist already, as a mapping or as a function that looks keys up."""

Keep = Callable[[Response], None]
"""What is called with each response as soon as it exists, before the next one is waited for."""

OnAnswer = Callable[[int, int], None]
"""What is told after each answer: how many of the asked ones are there, and of how many."""


class Entrant(NamedTuple):
    """An arm with the opened model that answers for it."""

    model: Model
    arm: Arm
    lookup: Lookup | None = None
    """Where its passages come from."""

    def shown(self, dataset: Dataset) -> Dataset:
        """The cases as they are asked: with their passages."""
        return dataset if self.lookup is None else self.lookup.grounded(dataset)

    @property
    def before(self) -> Entrant | None:
        """As what it answers the last step before its answer; ``None`` where it takes none."""
        arm = self.arm.before
        return None if arm is None else self._replace(arm=arm)


def key_of(arm: Arm, case: Case, repeat: int, purpose: Purpose = "answer") -> Key:
    """The key of what an arm answers to a case."""
    return (arm.fingerprint, case.question, repeat, purpose)


def looked_up(known: Known, keys: Sequence[Key]) -> tuple[dict[Key, Response], dict[Key, Response]]:
    """The known answers, which need not be asked for again, and the known failures."""
    found = known(keys) if callable(known) else known
    answers: dict[Key, Response] = {}
    failures: dict[Key, Response] = {}
    for key in keys:
        if (response := found.get(key)) is not None:
            (failures if response.text is None else answers)[key] = response
    return answers, failures


def request_of(arm: Arm, case: Case, before: Response | None, repeat: int) -> Request:
    """What an arm is asked about a case, after what it answered to the last step before."""
    sampling = arm.sampling
    if repeat:
        sampling = msgspec.structs.replace(sampling, seed=sampling.seed + repeat)
    notes = "" if before is None else _notes(before.reasoning, before.text)
    return Request(messages=arm.prompt.messages(case, notes), sampling=sampling)


def unanswered(key: Key, before: Response) -> Response:
    """The failure of a question whose step failed, so that it was not asked."""
    return response_of(key, Reply(error=f"a step before it failed: {before.error}"), Prompt())


def response_of(key: Key, reply: Reply, prompt: Prompt, before: Response | None = None) -> Response:
    """What is kept of a reply: its answer apart from the thinking, here and for every arm.

    What the steps before it found and took counts as its own.
    """
    arm, question, repeat, purpose = key
    said = msgspec.structs.asdict(reply)
    said |= {name: _writable(said[name]) for name in ("text", "error")}
    if reply.text is not None and prompt.reasoning is not None:
        said["reasoning"], said["text"] = prompt.read(said["text"])
        said |= {"logprobs": None, "alternatives": None}
    if before is not None:
        said["reasoning"] = _notes(before.reasoning, before.text, said.get("reasoning"))
        said["n_tries"] = max(before.n_tries, reply.n_tries)
        said |= {name: plus(getattr(before, name), said[name]) for name in _TAKEN}
        said["first_token_s"] = plus(before.latency_s, reply.first_token_s)
    why: Purpose = "latency" if purpose == "latency" else "answer"
    return Response(arm=arm, question=question, repeat=repeat, purpose=why, **said)


def plus(one: float | None, other: float | None) -> float | None:
    """The sum; ``None`` where a part is not known."""
    return None if one is None or other is None else one + other


_TAKEN = ("n_input_tokens", "n_cached_tokens", "n_output_tokens", "latency_s")


def _notes(*parts: str | None) -> str:
    """What was found in one step after the other."""
    return "\n\n".join(part for part in parts if part)


def _writable(text: str | None) -> str | None:
    """The text with each half of a surrogate pair as U+FFFD.

    JSON can carry such halves, UTF-8 cannot: no file, database or report could hold the answer.
    """
    if text is None or text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
