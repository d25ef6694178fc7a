"""The metric of likeness in meaning: the cosine of two embeddings.

It asks ``models.embedding`` for vectors, many texts at a time, and keeps what it was told, so that
an expected text is embedded once for all arms. What makes a vector is none of its business.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tuneornot.errors import ModelError
from tuneornot.metrics import wanted
from tuneornot.metrics.base import Mark, settings_of
from tuneornot.models.embedding import EMBEDDED, Embedding, Vector
from tuneornot.records import Case, Json, Response, Scale

BLOCK = 500
"""Answers whose texts are embedded together."""
KEPT = 20_000
"""Vectors that are remembered: 30 MB of the embedded encoder's."""
DIGITS = 6
"""Of a cosine: the same text among other ones in a pass differs in the seventh."""


@dataclasses.dataclass(kw_only=True)
class SemanticSimilarity:
    """Cosine of the embeddings of answer and expected text, 0 to 1; below 0 counts as 0.

    The embedding is the embedded encoder, a function of one's own or a server's model. What a
    value means depends on it: unrelated texts seldom have 0, and a changed number, name or "not"
    is hardly seen. Of several expected texts the likest counts.
    """

    name: str = "semantic_similarity"
    embed: str = EMBEDDED
    """``local:all-minilm-l6-v2``, ``module:function``, or ``http://HOST/v1#MODEL``."""
    folder: Path = Path()
    """Where the study file stands."""
    scale = Scale()

    def __post_init__(self) -> None:
        try:
            self._embedding = Embedding(self.embed, self.folder)
        except ModelError as error:
            raise ValueError(f"embed: {error}") from None
        self._vectors: dict[str, Vector | str] = {}
        self._values: dict[tuple[str, str], float | str] = {}

    def settings(self) -> dict[str, Json]:
        """What determines its values, the embedding's weights or source among it."""
        return settings_of(self, "semantic_similarity", identity=self._embedding.identity)

    def prepare(self, answers: Sequence[tuple[Case, Response]]) -> None:
        """Embed what these answers need, in blocks.

        Raises:
            ModelError: the embedding fails, whatever the text.
        """
        pairs = dict.fromkeys(
            (response.text, text)
            for case, response in answers
            if response.text is not None and response.text.strip()
            for text in _references(case)
        )
        new = [pair for pair in pairs if pair not in self._values]
        for start in range(0, len(new), BLOCK):
            block = new[start : start + BLOCK]
            self._embed([text for pair in block for text in pair])
            for pair in block:
                self._values[pair] = self._cosine(*pair)
            self._forget()

    def score(self, case: Case, response: Response) -> Mark:
        """The cosine; ``None`` where there is no expected text, or a text has no vector."""
        answer, references = response.text or "", _references(case)
        if not references:
            return wanted.NO_TEXT
        if not answer.strip():
            return Mark(0.0, "the answer is empty")
        self.prepare([(case, response)])
        found = [self._values[answer, text] for text in references]
        values = [value for value in found if not isinstance(value, str)]
        return Mark(max(values)) if values else Mark(None, str(found[0]))

    def _embed(self, texts: Sequence[str]) -> None:
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        self._vectors.update(zip(new, self._embedding.each(new), strict=True))

    def _cosine(self, answer: str, text: str) -> float | str:
        one, two = self._vectors[answer], self._vectors[text]
        if isinstance(one, str):
            return f"the answer has no embedding: {one}"
        if isinstance(two, str):
            return f"the expected text has no embedding: {two}"
        lengths = float(np.linalg.norm(one) * np.linalg.norm(two))
        if not lengths:
            return "the embedding is a vector of zeros, which has no direction"
        return round(min(1.0, max(0.0, float(one @ two) / lengths)), DIGITS)

    def _forget(self) -> None:
        for text in [*self._vectors][: max(0, len(self._vectors) - KEPT)]:
            del self._vectors[text]


def _references(case: Case) -> list[str]:
    return [text for text in wanted.texts(case) if text.strip()]
