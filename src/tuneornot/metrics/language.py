"""The metric of answers in a certain language.

The identifier (py3langid, 97 languages, a model that comes with the package) goes by sequences of
letters. It does not know single words, mixtures of languages, or varieties of one language.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
from typing import Any

from tuneornot.errors import MissingExtra
from tuneornot.metrics.base import Mark, settings_of
from tuneornot.records import Case, Json, Response, Scale

READ = 10_000
"""Characters that are read: more do not change the answer."""


@dataclasses.dataclass(kw_only=True)
class Language:
    """1 if the answer is in the wanted language, else 0.

    The language is the likeliest of ``among`` (of all 97 where that is empty) by the identifier
    py3langid. Answers with fewer letters than ``letters`` are not judged: under about 20 the
    identifier is often wrong. Name the two or three languages that can occur in ``among`` where
    answers are short.
    """

    language: str
    """ISO 639-1 code, for example ``de``."""
    name: str = "language"
    among: list[str] = dataclasses.field(default_factory=list)
    """Codes of the languages that can occur, the wanted one among them."""
    letters: int = 20
    """Fewest letters of an answer that is judged."""
    scale = Scale(binary=True)

    def __post_init__(self) -> None:
        self._identifier = copy.copy(_identifier())
        known = sorted(str(code) for code in self._identifier.labels)
        for code in (self.language, *self.among):
            if code not in known:
                raise ValueError(
                    f"a language is one of the codes {', '.join(known)}, got {code!r}; "
                    "write for example de"
                )
        if self.among:
            if self.language not in self.among:
                raise ValueError(
                    f"among must hold the wanted language {self.language!r}, got {self.among!r}; "
                    "add it"
                )
            self._identifier.set_languages(self.among)

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return settings_of(self, "language")

    def score(self, case: Case, response: Response) -> Mark:
        """1 or 0; ``None`` for an answer with too few letters."""
        text = (response.text or "")[:READ]
        n_letters = sum(map(str.isalpha, text))
        if n_letters < self.letters:
            return Mark(None, f"{n_letters} letters are too few to tell the language")
        found = str(self._identifier.classify(text)[0])
        return Mark(float(found == self.language), found)


@functools.cache
def _identifier() -> Any:
    """The identifier of all languages, loaded once: that takes about a second."""
    try:
        from py3langid.langid import MODEL_FILE, LanguageIdentifier
    except ImportError as error:
        raise MissingExtra("The metric language", "metrics") from error
    return LanguageIdentifier.from_model_file(MODEL_FILE)
