"""The metric of answers that are a number, within a tolerance.

It knows how numbers are written in a text, not what they measure: units, percent signs and
currencies beside a number are ignored, and ``5%`` is 5.
"""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Literal

from tuneornot.metrics.base import Mark, settings_of
from tuneornot.records import Case, Json, Response, Scale

_GROUPING = "\u00a0\u2009\u202f'\u2019"
# Not the plain space: in "10 100 200" stand three numbers.

_NUMBER = re.compile(
    # A minus between two numbers, as in 3-5, is no sign; digits inside a word are no number; and
    # digits in a chain that is none (1.5.2024; 1,5 with a decimal point) are not read in part.
    r"(?:(?<![\w.,)])[-+\u2212])?(?<![\w.,])"
    rf"(?:\d{{1,3}}(?:,\d{{3}})+|\d{{1,3}}(?:[{_GROUPING}]\d{{3}})+|\d+|(?=\.\d))"
    r"(?:\.\d+)?(?:[eE][-+]?\d+)?(?![.,]?\d)"
)
_WITHOUT_GROUPING = str.maketrans("", "", f",{_GROUPING}")


@dataclasses.dataclass(kw_only=True)
class Numeric:
    """1 if the number in the answer is the expected one within a tolerance, else 0.

    Right is |answer - expected| <= the greater of ``absolute`` and ``relative`` * |expected|.
    Numbers are digits with an optional sign, thousands grouped in threes by comma, apostrophe or
    a space that does not break, a decimal point and an exponent; with ``decimal: ","`` comma and
    point change places. An answer that holds no number, or with ``take: only`` more than one, is 0.
    """

    name: str = "numeric"
    absolute: float = 0.0
    """Largest difference that counts as none, in units of the number."""
    relative: float = 0.0
    """The same as a share of the expected number."""
    take: Literal["only", "first", "last"] = "only"
    """Which number of the answer counts; ``only``: there must be just one."""
    decimal: Literal[".", ","] = "."
    """What stands before the decimals."""
    scale = Scale(binary=True)

    def __post_init__(self) -> None:
        for what in ("absolute", "relative"):
            value = getattr(self, what)
            if not (value >= 0 and math.isfinite(value)):
                raise ValueError(f"{what} must be 0 or more, got {value!r}; it is a tolerance")

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return settings_of(self, "numeric")

    def score(self, case: Case, response: Response) -> Mark:
        """1 or 0; ``None`` where the expected answer is not one number."""
        expected = self._expected(case)
        if expected is None:
            return Mark(None, "the expected answer is not one number")
        found = numbers(response.text or "", decimal=self.decimal)
        if not found or (self.take == "only" and len(found) > 1):
            return Mark(0.0, f"the answer holds {len(found)} numbers")
        answer = found[0] if self.take == "first" else found[-1]
        allowed = max(self.absolute, self.relative * abs(expected))
        return Mark(float(abs(answer - expected) <= allowed), f"{answer:g}")

    def _expected(self, case: Case) -> float | None:
        if isinstance(case.expected, str):
            found = numbers(case.expected, decimal=self.decimal)
            return found[0] if len(found) == 1 else None
        if isinstance(case.expected, int | float) and not isinstance(case.expected, bool):
            return float(case.expected)
        return None


def numbers(text: str, *, decimal: Literal[".", ","] = ".") -> list[float]:
    """Every number in a text, in order; those beyond a double are left out."""
    if decimal == ",":
        text = text.translate(str.maketrans(",.", ".,"))
    found = []
    for match in _NUMBER.finditer(text):
        digits = match[0].replace("\u2212", "-").translate(_WITHOUT_GROUPING)
        value = float(digits)
        if math.isfinite(value):
            found.append(value)
    return found
