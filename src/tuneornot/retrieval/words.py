"""The words of a text, as retrieval compares them: runs of letters and digits, without case.

No stemming, no stop words, no language: "prices" and "price" are two words. Writing without spaces
between words (Chinese, Japanese, Thai) is one long word here and is not found well.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_WORD = re.compile(r"\w+")


def of(text: str) -> list[str]:
    """The words in their order, folded by NFKC and case."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def within(part: Sequence[str], whole: Sequence[str]) -> bool:
    """Whether the words of ``part`` stand in ``whole`` one after the other."""
    return f" {' '.join(part)} " in f" {' '.join(whole)} "
