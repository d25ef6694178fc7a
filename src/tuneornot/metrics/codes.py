"""The metric of code systems: are the codes of an answer real, and are they the right ones.

The code system is a file of the user's own: a row for each code, with further columns for what the
code belongs to (category, chapter). Any of them can be the level at which codes are compared, so
that a wrong code of the right chapter is told from a wrong chapter. It knows no code system.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from tuneornot.metrics import listed, wanted
from tuneornot.metrics.base import Mark, settings_of
from tuneornot.records import Case, Json, Response, Scale

CODE = "code"
"""The column that every row must fill; also the level at which codes themselves are compared."""
_BETWEEN = re.compile(r"[\s,;]+")
_AROUND = "\"'`()[]{}.:*"


@dataclasses.dataclass(kw_only=True)
class Codes:
    """How the codes of an answer stand to a code system and to the expected codes, 0 to 1.

    ``real`` is the share of the answer's codes that the file has (0 where the answer has none).
    Precision, recall and F1 compare with the codes of the expected answer at ``level``: a column of
    the file, such as a chapter. Each code counts once; a code that the file does not have is a
    wrong one at every level.
    """

    file: str
    """The codes, a path from the study's folder."""
    name: str = "codes"
    figure: Literal["real", "f1", "precision", "recall"] = "f1"
    """``real``, ``f1``, ``precision`` or ``recall``."""
    level: str = CODE
    """The column by which codes are compared."""
    pattern: str | None = None
    """Regular expression of a code within a text; without it every word is one."""
    ignore: str = ""
    """Characters that do not count in a code, such as the dot."""
    folder: Path = Path()
    """Where the study file stands."""
    scale = Scale()

    def __post_init__(self) -> None:
        rows, self._content = listed.read(self.file, self.folder, needs=CODE)
        self._at: dict[str, str] = {}
        for row in rows:
            held = row.values.get(self.level)
            if held in (None, ""):
                raise ValueError(
                    f"level must be a column that every code fills, got {self.level!r}, which is "
                    f"empty on {row.place}; the columns are {[*row.values]!r}"
                )
            code = self._plain(str(row.values[CODE]))
            if self._at.setdefault(code, str(held)) != str(held):
                raise ValueError(
                    f"a code must belong to one {self.level}, got {code!r} in "
                    f"{self._at[code]!r} and {held!r}; correct the file"
                )
        try:
            self._pattern = None if self.pattern is None else re.compile(self.pattern)
        except re.error as error:
            raise ValueError(
                f"pattern must be a regular expression, got {self.pattern!r} ({error}); correct it"
            ) from None

    def settings(self) -> dict[str, Json]:
        """What determines its values, the file's content among it."""
        return settings_of(self, "codes", content=self._content)

    def score(self, case: Case, response: Response) -> Mark:
        """The figure; ``None`` where the case expects no code that the file has."""
        named = self._read(response.text or "")
        unreal = [code for code in named if code not in self._at]
        said = f"not in the code system: {', '.join(unreal[:5])}" if unreal else None
        if self.figure == "real":
            if not named:
                return Mark(0.0, "the answer has no code")
            return Mark(1 - len(unreal) / len(named), said)
        expected = list(
            dict.fromkeys(code for text in wanted.texts(case) for code in self._read(text))
        )
        unknown = [code for code in expected if code not in self._at]
        if not expected or unknown:
            what = f"the codes {unknown!r}, which the file does not have" if unknown else "no code"
            return Mark(None, f"the case expects {what}")
        groups = self._groups(named), self._groups(expected)
        return Mark(wanted.overlap(self.figure, *groups), said)

    def _read(self, text: str) -> list[str]:
        """The codes in a text, each once."""
        found = (
            _BETWEEN.split(text)
            if self._pattern is None
            else [match.group() for match in self._pattern.finditer(text)]
        )
        plain = [self._plain(code) for code in found]
        return [code for code in dict.fromkeys(plain) if code]

    def _plain(self, code: str) -> str:
        """A code as it is compared: in capitals, without what does not count."""
        bare = code.strip().strip(_AROUND).upper()
        return "".join(sign for sign in bare if sign not in self.ignore)

    def _groups(self, codes: Sequence[str]) -> set[tuple[bool, str]]:
        """What codes belong to at the level; of an unreal one the code itself, apart."""
        at = self._at
        if self.level == CODE:
            return {(code in at, code) for code in codes}
        return {(code in at, at.get(code, code)) for code in codes}
