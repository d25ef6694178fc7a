"""Cases, datasets and splits, and what is known of them before anything is spent."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from typing import Literal

import msgspec

from tuneornot import fingerprint
from tuneornot.records.base import Json, Record


class Message(Record, frozen=True, kw_only=True):
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class Passage(Record, frozen=True, kw_only=True):
    """A piece of text that is found for a question and shown with it."""

    id: str
    """Unique within its knowledge."""
    text: str
    title: str | None = None

    @property
    def shown(self) -> str:
        """As a model is shown it: the title on a line of its own, then the text."""
        return f"{self.title}\n{self.text}" if self.title else self.text


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

    def grounded(self, passages: Sequence[Passage]) -> Case:
        """The case as it is asked with passages: they follow its own context in the same form."""
        if not passages:
            return self
        own = [] if self.context is None else [self.context]
        context = "\n\n".join([*own, *(passage.shown for passage in passages)])
        return msgspec.structs.replace(self, context=context)


class Dataset(Record, frozen=True, kw_only=True):
    """Cases under one name. Two runs can be compared only on one dataset (one fingerprint)."""

    name: str
    cases: tuple[Case, ...]

    def __len__(self) -> int:
        return len(self.cases)


class Splits(Record, frozen=True, kw_only=True):
    """The frozen split. Training and prompt search receive train and dev, never eval."""

    train: Dataset
    dev: Dataset
    eval: Dataset
    extra: tuple[Dataset, ...] = ()
    """Further evaluation sets of the user's own (for example topics never trained on)."""

    @property
    def measured(self) -> tuple[Dataset, ...]:
        """The sets on which arms are measured: eval, then the extra ones."""
        return (self.eval, *self.extra)

    @property
    def drawn(self) -> tuple[Case, ...]:
        """The cases of train, dev and eval: what the eval cases were drawn from."""
        return (*self.train.cases, *self.dev.cases, *self.eval.cases)


class Overlap(Record, frozen=True, kw_only=True):
    """Two cases on different sides of a border that are too alike."""

    kind: Literal["exact", "normalised", "near", "span", "quote", "paraphrase", "group"]
    eval_id: str
    eval_set: str
    other_id: str
    other_set: str
    """``train``, ``dev``, ``demonstrations``, or another source that taught an arm."""
    similarity: float
    """1 for repeats, spans and groups; likeness of a near one; the share that is quoted; the
    cosine of a paraphrase."""
    span: str
    """What both have in common, cut to a readable length."""
    pair: str
    """Names the two questions, whatever their ids: by it a person rules on them."""


class Audit(Record, frozen=True, kw_only=True):
    """What is known of a dataset before any money is spent."""

    dataset: str
    n: int
    n_groups: int | None
    duplicates: tuple[tuple[str, ...], ...]
    """Ids of cases that ask the same question, one tuple for each question."""
    conflicts: tuple[tuple[str, ...], ...]
    """Ids of cases that ask the same question and expect different answers."""
    empty: tuple[str, ...]
    """Ids of cases whose input or expected answer is empty."""
    slices: dict[str, int]
    """Cases in each slice; cases without one under an empty name."""
    input_characters: tuple[int, int, int]
    """Least, median and greatest length of the inputs with their contexts."""
    answer_characters: tuple[int, int, int]
    detectable: float
    """Smallest true difference in a binary score that n cases show with 80% power, for two arms
    that disagree on a fifth of the cases."""
    n_wanted: int | None = None
    """Cases needed to show the study's worthwhile difference under the same assumption."""
    warnings: tuple[str, ...] = ()
