"""Metrics of answers that must rest on what was shown, without a judge.

    LexicalSupport    share of the answer's longer words that stand in the context
    NumberSupport     whether every number of the answer stands there
    NameSupport       share of the names in the answer that stand there

What was shown is the question and the case's context, for an arm that retrieves with its passages.
A case without any context gives no score. An answer that declines claims nothing and has 1, so an
arm that always declines is perfectly grounded: read them beside ``declines`` and a metric of being
right.

They compare words, not meaning. What stands in the context may be said of something else, "not"
may be left out, and a right paraphrase is unsupported. A rise is evidence for nothing by itself;
a fall shows where to look. ``faithfulness`` asks a judge instead.
"""

from __future__ import annotations

import dataclasses
import re
from typing import Literal

from tuneornot.metrics import numbers, reference
from tuneornot.metrics.abstention import Forms
from tuneornot.metrics.base import Mark, settings_of
from tuneornot.records import Case, Json, Response, Scale

_DECLINES = Forms()
_N_SHOWN = 5
_WORD = re.compile(r"\w+(?:[-'’.]\w+)*")
_SENTENCE_END = re.compile(r"[.!?:]\W*$|\n\W*$")


@dataclasses.dataclass(kw_only=True)
class LexicalSupport:
    """Share of the answer's longer words that stand in the context or the question, 0 to 1.

    Words are folded by case; those of fewer than ``least`` letters, mostly function words, do not
    count, and a word that is repeated counts each time. There is no stemming: "prices" is not
    supported by "price". An answer without a longer word has 1.
    """

    name: str = "lexical_support"
    least: int = 4
    """Letters of the shortest word that counts."""
    scale = Scale()

    def __post_init__(self) -> None:
        if self.least < 1:
            raise ValueError(f"least must be 1 or more, got {self.least!r}; it counts letters")

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return settings_of(self, "lexical_support")

    def score(self, case: Case, response: Response) -> Mark:
        """The share, with the words that are missing; ``None`` without a context."""
        settled = _settled(case, response)
        if settled is not None:
            return settled
        known = set(reference.fold(_shown(case)).split())
        words = [one for one in reference.fold(response.text or "").split() if self._counts(one)]
        return _share(words, [word for word in words if word not in known])

    def _counts(self, word: str) -> bool:
        return len(word) >= self.least and word.isalpha()


@dataclasses.dataclass(kw_only=True)
class NumberSupport:
    """1 if every number in the answer stands in the context or the question, else 0.

    Numbers are read as ``numeric`` reads them and compared by value: 1,200.0 is 1200. Not read are
    numbers in words ("twelve"), digits inside words and dates such as 1.5.2024; a number that is
    right because it was computed from others is unsupported. An answer without a number has 1.
    """

    name: str = "number_support"
    decimal: Literal[".", ","] = "."
    """What stands before the decimals."""
    scale = Scale(binary=True)

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return settings_of(self, "number_support")

    def score(self, case: Case, response: Response) -> Mark:
        """1, or 0 with the numbers that are missing; ``None`` without a context."""
        settled = _settled(case, response)
        if settled is not None:
            return settled
        known = set(numbers.numbers(_shown(case), decimal=self.decimal))
        said = numbers.numbers(response.text or "", decimal=self.decimal)
        missing = [f"{number:g}" for number in said if number not in known]
        return Mark(0.0, _missing(missing)) if missing else Mark(1.0)


@dataclasses.dataclass(kw_only=True)
class NameSupport:
    """Share of the names in the answer that stand in the context or the question, 0 to 1.

    A name is a run of capitalised words, or a word with a capital further inside ("DNA"). One
    capitalised word that opens a sentence is none: it may be any word. A name is supported if all
    of its words stand there, with whatever letters are capital. For languages that capitalise
    every noun (German) this means nouns, and for scripts without capitals nothing. An answer
    without a name has 1.
    """

    name: str = "name_support"
    scale = Scale()

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return settings_of(self, "name_support")

    def score(self, case: Case, response: Response) -> Mark:
        """The share, with the names that are missing; ``None`` without a context."""
        settled = _settled(case, response)
        if settled is not None:
            return settled
        known = {word.casefold() for word in _WORD.findall(_shown(case))}
        names = _names(response.text or "")
        return _share(
            [" ".join(name) for name in names],
            [" ".join(name) for name in names if not {one.casefold() for one in name} <= known],
        )


def _names(text: str) -> list[tuple[str, ...]]:
    """Runs of capitalised words that follow each other with nothing but spaces between them."""
    names: list[tuple[str, ...]] = []
    run: list[str] = []
    opens, end = True, 0
    for found in [*_WORD.finditer(text), None]:
        between = text[end : found.start()] if found is not None else "\n"
        if run and (found is None or between.strip() or not _is_capital(found[0])):
            if not opens or len(run) > 1 or _is_inside(run[0]):
                names.append(tuple(run))
            run = []
        if found is None:
            break
        if _is_capital(found[0]):
            if not run:
                opens = end == 0 or _SENTENCE_END.search(between) is not None
            run.append(found[0])
        end = found.end()
    return names


def _is_capital(word: str) -> bool:
    # "I" is a capital by spelling alone.
    return (word[0].isupper() or _is_inside(word)) and word.split("'")[0].split("’")[0] != "I"


def _is_inside(word: str) -> bool:
    return any(letter.isupper() for letter in word[1:])


def _shown(case: Case) -> str:
    return f"{case.context}\n{case.text}"


def _settled(case: Case, response: Response) -> Mark | None:
    """The mark of an answer that needs no comparison."""
    if case.context is None:
        return Mark(None, "the case has no context that the answer could rest on")
    declined = _DECLINES.found(response.text or "")
    return None if declined is None else Mark(1.0, f"the answer declines: {declined!r}")


def _share(said: list[str], missing: list[str]) -> Mark:
    if not missing:
        return Mark(1.0)
    return Mark(1 - len(missing) / len(said), _missing(missing))


def _missing(words: list[str]) -> str:
    unique = list(dict.fromkeys(words))
    shown = ", ".join(repr(word[:60]) for word in unique[:_N_SHOWN])
    more = f" and {len(unique) - _N_SHOWN} more" if len(unique) > _N_SHOWN else ""
    return f"not in the context: {shown}{more}"
