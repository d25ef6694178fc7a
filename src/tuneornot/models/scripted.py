"""A model without a model: it answers from a script whose truth is known.

For tests and simulations. A ``Script`` states an arm's true quality, how much cases differ, how
often it refuses or fails, and how long it takes; ``answers`` turns scripts and right answers into
replies. Everything is drawn from hashes of what is asked, never from a running generator, so the
same question has the same answer in any order, in any process, on any machine.

How cases differ: every case has one difficulty, the same for all scripts, and a script's chance of
a right answer on it is the quantile of a beta distribution with mean ``quality`` and standard
deviation ``spread`` at that difficulty. So two scripts find the same cases hard, as real arms do.

It does not imitate language: a wrong answer is the right answer to another question.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping

from scipy.stats import beta

from tuneornot.errors import ModelError
from tuneornot.models.base import Reply, Request
from tuneornot.records import Adapter, Record

REFUSAL = "I am sorry, but I cannot help with that."

Answers = Callable[[Request], Reply | str]
"""A text, or a whole reply where tokens, latency or failure matter."""


class Script(Record, frozen=True, kw_only=True):
    """The truth about an arm."""

    quality: float
    """Chance of a right answer, over all cases that get a text and no refusal."""
    spread: float = 0.0
    """Standard deviation of that chance between cases; at most sqrt(quality (1 - quality)), where
    every case is always right or always wrong."""
    refusal_rate: float = 0.0
    """Chance that a text is ``REFUSAL``."""
    error_rate: float = 0.0
    """Chance that there is no text but an error."""
    latency_s: float = 0.1
    """Median latency."""
    latency_spread: float = 0.0
    """Standard deviation of the latency's natural logarithm (log-normal)."""
    seed: int = 0
    """Scripts with different seeds draw independently, on the same difficulties."""

    def __post_init__(self) -> None:
        shares = (self.quality, self.refusal_rate, self.error_rate)
        most = math.sqrt(self.quality * (1 - self.quality)) if 0 <= self.quality <= 1 else 0.0
        if not all(0 <= share <= 1 for share in shares) or not 0 <= self.spread <= most + 1e-12:
            raise ValueError(
                "A script's rates lie between 0 and 1 and its spread between 0 and "
                f"sqrt(quality (1 - quality)) = {most:.3f}; found {self!r}. Correct them."
            )

    def chance(self, difficulty: float) -> float:
        """Chance of a right answer on a case; ``difficulty`` is uniform between 0 and 1."""
        variance, most = self.spread**2, self.quality * (1 - self.quality)
        if variance <= 0:
            return self.quality
        concentration = most / variance - 1
        if concentration < 1e-9:
            return float(difficulty < self.quality)
        a, b = self.quality * concentration, (1 - self.quality) * concentration
        return float(beta.ppf(1 - difficulty, a, b))


def answers(right: Mapping[str, str], script: Script) -> Answers:
    """Answers that follow a script.

    Args:
        right: the right answer to each question, by the text of a request's last message.
        script: the truth to follow.

    Raises (when asked):
        ModelError: a question without a right answer.
    """
    others = sorted(set(right.values()))

    def answer(request: Request) -> Reply:
        question = request.messages[-1].content
        if question not in right:
            raise ModelError(
                f"A scripted model knows the right answer to every question; found {question!r} "
                "without one. Add it to the script's answers."
            )
        draw = _Draw(script, request)
        latency_s = script.latency_s * math.exp(script.latency_spread * draw.normal("latency"))
        if draw.uniform("error") < script.error_rate:
            return Reply(error="the script says that this request fails.", latency_s=None)
        if draw.uniform("refusal") < script.refusal_rate:
            text = REFUSAL
        elif draw.uniform("right") < script.chance(_uniform("difficulty", question)):
            text = right[question]
        else:
            text = _wrong(right[question], others, draw.uniform("wrong"))
        return _reply(request, text, latency_s)

    return answer


class ScriptedModel:
    """Answers from a function.

    Args:
        name: as arms name it.
        answers: what it answers.
        tuned: what it answers when an adapter is attached.
        pause: called with each reply's latency before the reply, for example ``time.sleep`` where
            a test needs answers that really take time.
    """

    def __init__(
        self,
        name: str,
        answers: Answers,
        *,
        tuned: Answers | None = None,
        pause: Callable[[float], None] | None = None,
    ) -> None:
        self.name = name
        self.n_asked = 0
        """Requests answered so far."""
        self._answers = answers
        self._tuned = tuned
        self._pause = pause

    def identity(self) -> str:
        """Always the same: a script has no weights."""
        return "scripted"

    def ask(
        self,
        requests: Iterable[Request],
        *,
        adapter: Adapter | None = None,
        one_by_one: bool = False,
    ) -> Iterator[tuple[int, Reply]]:
        """Answer requests in their order, each alone.

        Raises:
            ModelError: an adapter was given and there are no answers for the tuned model.
        """
        chosen = self._answers if adapter is None else self._tuned
        if chosen is None:
            raise ModelError(
                f"A scripted model needs answers for its tuned form; {self.name!r} was asked with "
                "an adapter and has none. Give it tuned=."
            )
        return self._replies(requests, chosen)

    def close(self) -> None:
        """Nothing is held."""

    def _replies(self, requests: Iterable[Request], chosen: Answers) -> Iterator[tuple[int, Reply]]:
        for index, request in enumerate(requests):
            answered = chosen(request)
            reply = answered if isinstance(answered, Reply) else _reply(request, answered, 0.0)
            if self._pause is not None:
                self._pause(reply.latency_s or 0.0)
            self.n_asked += 1
            yield index, reply


class _Draw:
    """Random numbers that belong to one request under one script."""

    def __init__(self, script: Script, request: Request) -> None:
        # A greedy model repeats itself: the request's seed matters only above temperature 0.
        sampling = request.sampling
        repeat = sampling.seed if sampling.temperature > 0 else 0
        said = [f"{message.role}:{message.content}" for message in request.messages]
        self._of = "\x1f".join([str(script.seed), str(repeat), *said])

    def uniform(self, purpose: str) -> float:
        return _uniform(purpose, self._of)

    def normal(self, purpose: str) -> float:
        """Box and Muller's transform."""
        radius = math.sqrt(-2 * math.log(1 - self.uniform(f"{purpose} radius")))
        return radius * math.cos(2 * math.pi * self.uniform(f"{purpose} angle"))


def _uniform(purpose: str, text: str) -> float:
    """Uniform on [0, 1), from 53 bits of a hash."""
    digest = hashlib.blake2b(f"{purpose}\x1e{text}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest) >> 11) / 2**53


def _wrong(right: str, others: list[str], draw: float) -> str:
    if len(others) < 2:
        return f"not {right}"
    start = int(draw * len(others))
    found = others[start]
    return found if found != right else others[(start + 1) % len(others)]


def _reply(request: Request, text: str, latency_s: float) -> Reply:
    """A reply whose token counts are words, cut at the request's limit as a model would be."""
    words = text.split(" ")
    cut = len(words) > request.sampling.max_tokens
    kept = words[: request.sampling.max_tokens]
    return Reply(
        text=" ".join(kept),
        finish="length" if cut else "stop",
        n_input_tokens=sum(len(message.content.split()) for message in request.messages),
        n_output_tokens=len(kept),
        latency_s=latency_s,
    )
