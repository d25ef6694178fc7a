"""The seam between an answer and its judgement.

A metric judges one response to one case. It sees only responses that have a text: a failed call is
scored ``None`` with the call's error by ``measure`` before any metric is asked. A whole-run metric
besides says what each answer adds to sums, and how a figure of the run is made from the sums.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, runtime_checkable

from tuneornot.records import Case, Json, Response, Scale
from tuneornot.stats.cases import Floats
from tuneornot.stats.whole import Figure

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

LACKING = "the case has no expected"
"""How the reason of every metric begins that has nothing to hold an answer against."""


class Mark(NamedTuple):
    """A metric's judgement: a value, or ``None`` with the reason."""

    value: float | None
    reason: str | None = None


class Metric(Protocol):
    """How one answer is judged."""

    name: str
    """As the study names it; unique within a study."""
    scale: Scale

    def settings(self) -> dict[str, Json]:
        """What determines its values besides its name, for its fingerprint."""
        ...

    def score(self, case: Case, response: Response) -> Mark:
        """Judge the text of a response. Never raises on what a model may write."""
        ...


@runtime_checkable
class Resting(Metric, Protocol):
    """A metric that rests on another one, which its setting ``of`` names."""

    of: str | dict[str, Any]
    """The other metric, as an entry of a study."""

    def rest_on(self, metric: Metric) -> None:
        """Take the other metric, built.

        Raises:
            ValueError: it is none that this one can rest on.
        """
        ...


@runtime_checkable
class Batched(Metric, Protocol):
    """A metric that judges many answers together faster than one by one."""

    def prepare(self, answers: Sequence[tuple[Case, Response]]) -> None:
        """Look at answers that ``score`` will be asked about next.

        Raises:
            ModelError: what it rests on does not work at all, so that no answer can be judged.
        """
        ...


@runtime_checkable
class Whole(Metric, Protocol):
    """A metric whose figure belongs to a whole run and is no mean over cases.

    Its ``scale.whole`` is true. The value of a case is what the prompt search and the list of
    changed cases go by.
    """

    def parts(self, case: Case, response: Response) -> tuple[float, ...]:
        """What an answer that has a value adds to the sums, as many numbers for every case."""
        ...

    def figures(self) -> Mapping[str, Figure]:
        """Functions of the summed parts by name; the first is the metric's own figure.

        The further ones are details that a comparison tells beside it, in the same range.
        """
        ...

    def missed(self, parts: Floats) -> Floats:
        """Parts, (..., k), to those of the same cases had the answers been worth nothing."""
        ...

    def determined(self, sums: Floats) -> bool:
        """Whether sums, (k,) of one arm, hold enough for an interval of any kind."""
        ...

    def limits(self, sums: Floats) -> tuple[str, ...]:
        """What limits figures made from such sums, (k,) of one arm, in sentences."""
        ...


def whole(metrics: Iterable[Metric]) -> dict[str, Whole]:
    """The whole-run metrics by name: what ``compare`` needs besides the runs."""
    return {metric.name: metric for metric in metrics if isinstance(metric, Whole)}


def settings_of(metric: DataclassInstance, kind: str, **more: Json) -> dict[str, Json]:
    """The settings of a metric that is a dataclass: its fields, without its name and folder.

    Args:
        metric: its fields are JSON, but for ``folder``.
        kind: the name by which a study asks for it.
        more: what else determines its values, for example the fingerprint of a file.
    """
    fields: dict[str, Any] = {
        field.name: getattr(metric, field.name)
        for field in dataclasses.fields(metric)
        if field.name not in ("name", "folder")
    }
    return {"metric": kind, **fields, **more}
