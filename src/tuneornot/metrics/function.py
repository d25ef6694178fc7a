"""A metric that a study writes as a Python function.

It knows what the function may take and return, nothing of what it measures. The function is the
study's own code: it runs with the rights of the program.
"""

from __future__ import annotations

import dataclasses
import inspect
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from tuneornot import functions
from tuneornot.metrics.base import Mark
from tuneornot.records import Case, Json, Response, Scale

Judge = Callable[[Case, str], float | bool | Mark | None]
"""What the function must be: of the case and the answer's text. ``None``: it cannot be judged."""


@dataclasses.dataclass(kw_only=True)
class Function:
    """Whatever a Python function ``module:function`` of (case, text) says.

    The function returns a number from ``low`` to ``high``, true or false, ``None`` where the
    answer cannot be judged, or a ``Mark`` with a reason. A function that raises, or leaves its
    range, gives ``None`` with the reason for that answer.
    """

    name: str
    function: str
    """As ``module:function``; the module may stand beside the study file."""
    folder: Path = Path()
    """Where the study file stands."""
    binary: bool | None = None
    """Only 0 and 1 are possible; without it, whether the function declares to return a bool."""
    low: float | None = 0.0
    """Least possible value; null if there is none."""
    high: float | None = 1.0
    """Greatest possible value; null if there is none."""
    better: Literal["higher", "lower"] = "higher"
    unit: str = ""

    def __post_init__(self) -> None:
        found = functions.find(self.function, self.folder, what="a metric")
        self._judge = _checked(found.call, self.function)
        self._source = found.source
        binary = _declares_bool(self._judge) if self.binary is None else self.binary
        self.scale = Scale(
            better=self.better, low=self.low, high=self.high, binary=binary, unit=self.unit
        )

    def settings(self) -> dict[str, Json]:
        """What determines its values: with the source, so that an edit is a new metric."""
        return {
            "metric": self.function,
            "source": self._source,
            "binary": self.scale.binary,
            "low": self.low,
            "high": self.high,
            "better": self.better,
        }

    def score(self, case: Case, response: Response) -> Mark:
        """The function's value, or ``None`` with the reason."""
        try:
            said = self._judge(case, response.text or "")
        except Exception as failure:
            # The function is somebody else's code and the answer is anything a model may write.
            return Mark(None, f"{self.function} raised {failure!r}"[:300])
        if isinstance(said, tuple):
            return Mark(*said)
        if said is None:
            return Mark(None, f"{self.function} could not judge the answer")
        return Mark(float(said))


def _checked(judge: Callable[..., object], address: str) -> Judge:
    try:
        inspect.signature(judge).bind(None, "")
    except TypeError:
        raise ValueError(
            f"the function of a metric must take (case, text), got {address!r} with "
            f"{inspect.signature(judge)}; change its parameters"
        ) from None
    return typing.cast(Judge, judge)


def _declares_bool(judge: Judge) -> bool:
    try:
        declared = typing.get_type_hints(judge).get("return")
    except (NameError, TypeError):
        return False
    return declared is bool or set(typing.get_args(declared)) == {bool, type(None)}
