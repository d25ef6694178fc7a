"""Arms: everything that determines an answer, and how each came about."""

from __future__ import annotations

import functools
from typing import Literal

import msgspec

from tuneornot import fingerprint
from tuneornot.records.base import Json, Record
from tuneornot.records.prompts import Prompt


class Sampling(Record, frozen=True, kw_only=True):
    """How the next token is chosen, where an answer ends, and what is told of it."""

    temperature: float = 0.0
    """0 is greedy."""
    top_p: float = 1.0
    """Sample from the likeliest tokens that together have this probability."""
    max_tokens: int = 256
    """Longest answer, in tokens; a longer one is cut and its finish is ``length``."""
    stop: tuple[str, ...] = ()
    seed: int = 0
    """Repeat r uses seed + r; it matters only where the temperature is above 0."""
    form: Literal["json"] | dict[str, Json] | None = None
    """What the decoding is held to: any JSON object, or this JSON Schema."""
    logprobs: int | None = None
    """Log-probabilities of the answer's tokens, with so many alternatives at each (0 to 20)."""


class Retrieval(Record, frozen=True, kw_only=True):
    """Where passages come from that are shown with a question."""

    knowledge: str
    """Fingerprint of the passages."""
    how: str = "bm25"
    """The retriever: a built-in one, or ``module:function``."""
    top: int = 4
    """Passages for each question, best first."""
    settings: dict[str, Json] = {}


class Check(Record, frozen=True, kw_only=True):
    """One thing verified after training (or before believing an arm)."""

    name: str
    passed: bool | None
    """``None`` where it could not be checked."""
    detail: str
    """What was seen, in one sentence with its figures."""
    blocking: bool = True
    """Whether a failure makes the comparison unsafe to act on (else it is a caveat)."""


class Adapter(Record, frozen=True, kw_only=True):
    """What training left on disk: the tuned part of a model, or all of its weights."""

    path: str
    """Folder in PEFT's format, or of a whole model."""
    weights: str
    """Fingerprint of the files that hold what was trained."""
    model: str
    """The model it was trained from, as an arm names it."""
    data: str
    """Fingerprint of the training cases."""
    seed: int | None
    """Of the training; ``None`` for one that was brought."""
    settings: dict[str, Json] = {}
    """Method, rank, rate, epochs, and whatever else determines the result."""
    versions: dict[str, str] = {}
    """Package versions that trained it."""
    checks: tuple[Check, ...] = ()
    curve: tuple[CurvePoint, ...] = ()
    seconds: float = 0.0
    """Wall time of the training."""


class CurvePoint(Record, frozen=True, kw_only=True):
    """The state of a training at one step."""

    step: int
    epoch: float
    train_loss: float | None = None
    """Mean loss per answer token since the last point, in nats."""
    dev_loss: float | None = None


ArmKind = Literal["prompted", "tuned", "retrieval"]


class Arm(Record, frozen=True, kw_only=True):
    """Everything that determines an answer."""

    name: str
    kind: ArmKind
    model: str
    """Kind and address, for example ``local:smollm2-135m`` or ``http://host:8000/v1#name``."""
    identity: str = ""
    """What the model says it is (weights' fingerprint, served name), so that a swap is noticed."""
    prompt: Prompt = Prompt()
    adapter: Adapter | None = None
    sampling: Sampling = Sampling()
    retrieval: Retrieval | None = None

    @property
    def before(self) -> Arm | None:
        """As what it answers the last step before its answer; ``None`` where it takes none."""
        if not self.prompt.steps:
            return None
        # A step is free text: what holds the answer to a form, or ends it early, is not for it.
        sampling = msgspec.structs.replace(
            self.sampling,
            max_tokens=self.prompt.steps[-1].max_tokens,
            stop=(),
            form=None,
            logprobs=None,
        )
        return msgspec.structs.replace(self, prompt=self.prompt.before, sampling=sampling)

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hash of what determines an answer: not the name, not the path of the adapter."""
        return fingerprint.of(
            [
                self.model,
                self.identity,
                msgspec.to_builtins(self.prompt),
                self.adapter.weights if self.adapter else None,
                msgspec.to_builtins(self.sampling),
                msgspec.to_builtins(self.retrieval),
            ]
        )


class Candidate(Record, frozen=True, kw_only=True):
    """One prompt that the search tried, and what became of it."""

    name: str
    """What distinguishes it, in a few words."""
    prompt: Prompt
    n_cases: int
    """Dev cases on which it was scored before it was dropped or the search ended."""
    mean: float
    """Mean score on those cases."""
    dropped: str | None = None
    """Why it left the race; ``None`` for those that reached the end."""
    p_value: float | None = None
    """Of the paired evidence on which it was dropped."""


class Progress(Record, frozen=True, kw_only=True):
    """The best so far after some effort."""

    n_calls: int
    seconds: float
    best: float
    """Mean dev score of the leader, on the cases that it had answered."""


class Ledger(Record, frozen=True, kw_only=True):
    """The effort that went into the prompted baseline, and whether it still paid."""

    candidates: tuple[Candidate, ...]
    progress: tuple[Progress, ...]
    n_calls: int
    n_tokens: int
    seconds: float
    metric: str
    best: str
    """Name of the winner."""
    dev_mean: float
    """The winner's mean on all dev cases."""
    luck: float
    """How much of that mean is expected from having chosen the best of several on noisy scores."""
    ended: str
    """Why the search stopped: every candidate raced, or which budget ran out."""
    still_rising: bool
    """Whether the leader improved in the last third of the effort."""
    n_choosing: int = 0
    """Dev cases that took no part in proposing and dropping prompts, only in the choice."""
    choosing_mean: float | None = None
    """The winner's mean on these."""
    gain: float | None = None
    """About how much better a prompt twice the effort would probably have found."""
    notes: tuple[str, ...] = ()
    """What the study wants of the search beyond the usual, and what became of it, in phrases."""
