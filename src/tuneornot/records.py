"""The nouns, in the order in which they flow; frozen, one definition each.

    Case Dataset Splits  >  Prompt Arm Adapter  >  Response Score Run  >
    Estimate Contrast Comparison  >  Reason Verdict

Records hold what was measured and nothing else: no store, no model, no arithmetic beyond counting.
All are msgspec structs, so the definition below is also the validation and the JSON. Differences
are candidate minus baseline, oriented so that positive is better. A failure is ``None`` with a
reason, never 0.
"""

from __future__ import annotations

import functools
import json
from typing import Any, Literal

import msgspec

from tuneornot import fingerprint

Json = str | int | float | bool | None | list[Any] | dict[str, Any]
"""Any JSON value (msgspec cannot validate a recursive type, hence the ``Any`` inside)."""


class Record(msgspec.Struct, frozen=True, kw_only=True, dict=True, forbid_unknown_fields=True):
    """The base of every record: frozen, keyword-only, with a fingerprint of its content."""

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hash of the record's content; equal content gives an equal fingerprint."""
        return fingerprint.of(msgspec.to_builtins(self))


# --- cases -------------------------------------------------------------------------------------


class Message(Record, frozen=True, kw_only=True):
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class Case(Record, frozen=True, kw_only=True):
    """One example of the job: what is asked, and what a right answer is."""

    id: str
    """Unique within its dataset."""
    input: str | tuple[Message, ...]
    """What the user sends: a text, or the messages of a chat that ends with the user's."""
    expected: Json = None
    """The right answer: a text, or JSON; ``None`` where a metric needs no reference."""
    context: str | None = None
    """Text that the answer must rest on, shown to the model before the input."""
    slice: str | None = None
    """The part of the use case that it belongs to (a topic, a customer, a language)."""
    group: str | None = None
    """Cases that are not independent share a group: it is split and resampled as one."""

    @property
    def text(self) -> str:
        """The input as one text (messages joined by line ends)."""
        if isinstance(self.input, str):
            return self.input
        return "\n".join(message.content for message in self.input)

    @property
    def answer(self) -> str:
        """The right answer as a model would have to write it (JSON on one line)."""
        if isinstance(self.expected, str):
            return self.expected
        return json.dumps(self.expected, ensure_ascii=False)

    @functools.cached_property
    def question(self) -> str:
        """Fingerprint of what is asked: the same question keeps its answers if a label changes."""
        return fingerprint.of([msgspec.to_builtins(self.input), self.context])


class Dataset(Record, frozen=True, kw_only=True):
    """Cases under one name. Two runs can be compared only on one dataset (one fingerprint)."""

    name: str
    cases: tuple[Case, ...]

    def __len__(self) -> int:
        return len(self.cases)


class Splits(Record, frozen=True, kw_only=True):
    """The frozen split. Training and prompt search receive ``train`` and ``dev``, never ``eval``."""

    train: Dataset
    dev: Dataset
    eval: Dataset
    extra: tuple[Dataset, ...] = ()
    """Further evaluation sets of the user's own (for example topics never trained on)."""

    @property
    def measured(self) -> tuple[Dataset, ...]:
        """The sets on which arms are measured: eval, then the extra ones."""
        return (self.eval, *self.extra)


# --- arms --------------------------------------------------------------------------------------


class Prompt(Record, frozen=True, kw_only=True):
    """Everything that is said to a model besides the case itself."""

    instructions: str = ""
    format_hint: str = ""
    """How the answer must look; appended to the instructions."""
    demonstrations: tuple[Case, ...] = ()
    """Solved cases shown before the question, in this order."""

    def messages(self, case: Case) -> tuple[Message, ...]:
        """The chat to send for a case: system, then each demonstration, then the case."""
        turns: list[Message] = []
        system = "\n\n".join(part for part in (self.instructions, self.format_hint) if part)
        if system:
            turns.append(Message(role="system", content=system))
        for shown in self.demonstrations:
            turns += [*_asked(shown), Message(role="assistant", content=shown.answer)]
        return (*turns, *_asked(case))


def _asked(case: Case) -> tuple[Message, ...]:
    turns = (
        (Message(role="user", content=case.input),) if isinstance(case.input, str) else case.input
    )
    if case.context is None:
        return turns
    last = turns[-1]
    grounded = f"Context:\n{case.context}\n\n{last.content}"
    return (*turns[:-1], Message(role=last.role, content=grounded))


class Sampling(Record, frozen=True, kw_only=True):
    """How the next token is chosen and where an answer ends."""

    temperature: float = 0.0
    """0 is greedy."""
    max_tokens: int = 256
    """Longest answer, in tokens; a longer one is cut and its finish is ``length``."""
    stop: tuple[str, ...] = ()
    seed: int = 0
    """Repeat r uses seed + r; it matters only where the temperature is above 0."""


class Check(Record, frozen=True, kw_only=True):
    """One thing verified after training (or before believing an arm)."""

    name: str
    passed: bool
    detail: str
    """What was seen, in one sentence with its figures."""
    blocking: bool = True
    """Whether a failure makes the comparison unsafe to act on (else it is a caveat)."""


class Adapter(Record, frozen=True, kw_only=True):
    """A tuned part of a model, as training left it on disk."""

    path: str
    """Folder in PEFT's format."""
    weights: str
    """Fingerprint of the files in the folder."""
    model: str
    """The model it was trained from, as an arm names it."""
    data: str
    """Fingerprint of the training cases."""
    seed: int
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
            ]
        )


# --- the search for a prompt -------------------------------------------------------------------


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


# --- measuring ---------------------------------------------------------------------------------

Purpose = Literal["answer", "latency"]


class Response(Record, frozen=True, kw_only=True):
    """What an arm answered to one case once. Kept as soon as it exists."""

    arm: str
    """Fingerprint of the arm."""
    question: str
    """Fingerprint of what was asked (``Case.question``)."""
    repeat: int = 0
    purpose: Purpose = "answer"
    """``latency``: asked alone, one at a time, to time it; its text is not scored."""
    text: str | None = None
    error: str | None = None
    """Why there is no text. Exactly one of text and error is set."""
    finish: Literal["stop", "length", "other"] | None = None
    n_input_tokens: int | None = None
    n_output_tokens: int | None = None
    latency_s: float | None = None
    """From sending to the last token, without queueing and without earlier tries.

    In a local batch: the time until this row was finished, so compare only under equal load."""
    load: int = 1
    """How many requests were in flight (for a local model: rows in the batch)."""
    n_tries: int = 1

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What identifies it in the store."""
        return (self.arm, self.question, self.repeat, self.purpose)


class Score(Record, frozen=True, kw_only=True):
    """How one answer was judged by one metric."""

    metric: str
    case_id: str
    repeat: int = 0
    value: float | None = None
    reason: str | None = None
    """Why the value is ``None``, or what was found; always set where the value is ``None``."""


class Scale(Record, frozen=True, kw_only=True):
    """What a metric's values can be."""

    better: Literal["higher", "lower"] = "higher"
    low: float | None = 0.0
    high: float | None = 1.0
    binary: bool = False
    unit: str = ""
    """For example ``s`` or ``tokens``; empty for a share or a grade."""


class Run(Record, frozen=True, kw_only=True):
    """One arm's responses and scores on one dataset."""

    arm: Arm
    dataset: Dataset
    metrics: dict[str, Scale]
    n_repeats: int
    responses: tuple[Response, ...]
    """For every case and repeat one response, in the order of the cases."""
    scores: tuple[Score, ...]
    timings: tuple[Response, ...] = ()
    """The responses asked one at a time, for latency."""


# --- comparing ---------------------------------------------------------------------------------


class Estimate(Record, frozen=True, kw_only=True):
    """A figure with what is known of its error.

    ``low`` and ``high`` are the two-sided interval at ``level`` (95% for alpha 0.05). ``lower`` and
    ``upper`` are one-sided bounds, each holding at ``level``: a claim "greater than m" at error rate
    alpha is ``lower > m``. NaN where the data do not determine the figure.
    """

    value: float
    low: float
    high: float
    lower: float
    upper: float
    level: float = 0.95
    method: str = ""
    """The standard name of the interval's method."""
    p_value: float | None = None
    """Two-sided, of "no difference", where that is a meaningful hypothesis."""


class SliceContrast(Record, frozen=True, kw_only=True):
    """The difference within one slice."""

    slice: str
    n: int
    raw: Estimate
    pooled: Estimate
    """Shrunk towards the whole (partial pooling)."""
    p_holm: float | None = None
    """p value of the raw difference, Holm-adjusted over the slices of this contrast."""


class QuantileShift(Record, frozen=True, kw_only=True):
    """Difference of one quantile of the two score distributions, in a simultaneous band."""

    q: float
    value: float
    low: float
    high: float


class Flip(Record, frozen=True, kw_only=True):
    """A case that one arm got clearly better than the other."""

    case_id: str
    difference: float


class Contrast(Record, frozen=True, kw_only=True):
    """One metric, two arms, one dataset. Differences are oriented: positive is better."""

    metric: str
    dataset: str
    """Name of the dataset."""
    baseline: str
    candidate: str
    scale: Scale
    n: int
    """Cases with a score from both arms."""
    n_groups: int | None = None
    """Independent groups among them; ``None`` where each case is its own."""
    n_repeats: int = 1
    n_unscored: tuple[int, int] = (0, 0)
    """Cases left out for want of any score, (baseline, candidate)."""
    baseline_mean: Estimate
    candidate_mean: Estimate
    mean: Estimate
    """Mean paired difference."""
    ratio: Estimate | None = None
    """Candidate / baseline of the means, for positive unbounded quantities (latency, tokens)."""
    spread: Estimate | None = None
    """Ratio of the standard deviations between cases, candidate / baseline."""
    instability: Estimate | None = None
    """Difference of the standard deviations between repeats of one case."""
    worst_tenth: Estimate | None = None
    """Difference of the means of the worst tenth of each arm's scores."""
    catastrophic: Estimate | None = None
    """Difference of the rates of the worst possible score; positive: the candidate has fewer."""
    quantiles: tuple[QuantileShift, ...] = ()
    wasserstein: Estimate | None = None
    """Distance between the two score distributions, in score units."""
    dominance: Estimate | None = None
    """Violation ratio of almost stochastic order: 0 the candidate dominates, 1 the baseline."""
    superiority: Estimate | None = None
    """Chance that the candidate beats the baseline on a case, ties counted half."""
    gain_probability: float | None = None
    """Posterior probability that the gain exceeds the margin; beside the test, never instead."""
    wins: int = 0
    ties: int = 0
    losses: int = 0
    flips: tuple[Flip, ...] = ()
    """The cases that differ most, at most 40, largest first."""
    slices: tuple[SliceContrast, ...] = ()
    detectable: float | None = None
    """Smallest true difference that this many cases show with 80% power."""
    caveats: tuple[str, ...] = ()

    @property
    def p_value(self) -> float | None:
        """Two-sided p value of no mean difference."""
        return self.mean.p_value


class Comparison(Record, frozen=True, kw_only=True):
    """All contrasts of one candidate arm against the baseline arm."""

    baseline: str
    candidate: str
    alpha: float
    contrasts: tuple[Contrast, ...]
    checks: tuple[Check, ...] = ()
    """What was verified of the candidate before anything was believed."""

    def contrast(self, metric: str, dataset: str) -> Contrast | None:
        """The contrast of a metric on a dataset, if it was measured."""
        for contrast in self.contrasts:
            if contrast.metric == metric and contrast.dataset == dataset:
                return contrast
        return None


# --- deciding ----------------------------------------------------------------------------------

Outcome = Literal["tune", "keep-prompting", "not-yet", "blocked"]
Quantity = Literal["mean", "ratio", "spread", "instability", "worst_tenth", "catastrophic", "check"]
Role = Literal["primary", "equivalence", "economy", "guardrail", "check"]


class Reason(Record, frozen=True, kw_only=True):
    """One requirement of the study's rule and what the data say of it."""

    role: Role
    metric: str
    """Name of the metric, or of the check."""
    dataset: str
    quantity: Quantity
    threshold: float | None
    """What the quantity had to exceed (or, for a spread or a cost ratio, stay below)."""
    estimate: Estimate | None
    holds: bool | None
    """True or False with confidence; ``None``: not resolved by these data."""
    n_more: int | None = None
    """Further cases that would probably resolve it, where it is not resolved and can be."""


class Sensitivity(Record, frozen=True, kw_only=True):
    """What the verdict would be if one choice had been different."""

    change: str
    """Machine-readable: ``worthwhile=0.02``, ``primary=field_match``, ``without slice=federal``."""
    outcome: Outcome


class Verdict(Record, frozen=True, kw_only=True):
    """What the study's rule says of a comparison."""

    outcome: Outcome
    baseline: str
    candidate: str
    plan: str
    """Fingerprint of the plan whose rule was applied."""
    reasons: tuple[Reason, ...]
    sensitivity: tuple[Sensitivity, ...] = ()
    n_more: int | None = None
    """For ``not-yet``: further cases that would probably resolve every open reason."""
    caveats: tuple[str, ...] = ()
