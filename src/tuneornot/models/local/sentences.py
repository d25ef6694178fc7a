"""Texts to vectors by an encoder in this process.

The vector of a text is the mean of its tokens' last hidden states, at length 1, as sentence
encoders of the Sentence-Transformers kind are trained. It does not cover encoders that take
another vector than the mean, or that want words before the text.

Source: Reimers, N. and Gurevych, I. (2019), Sentence-BERT: sentence embeddings using Siamese
BERT-networks, section 3 (mean pooling).
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import transformers

from tuneornot.models.local import weights
from tuneornot.training import quiet

LONGEST = 256
"""Tokens of a text that are read: as many as all-MiniLM-L6-v2 is made for."""
ROWS = 32
"""Texts in one pass."""


class Encoder:
    """An encoder from a folder in the Hugging Face layout, with its tokenizer."""

    def __init__(self, folder: Path) -> None:
        with quiet.libraries():
            self._tokenizer: Any = transformers.AutoTokenizer.from_pretrained(
                folder, local_files_only=True
            )
            model: Any = transformers.AutoModel.from_pretrained(
                folder, local_files_only=True, dtype=torch.float32
            )
        self._model = model.to(weights.device()).eval()

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """A vector of length 1 for each text, (n, d)."""
        found = np.zeros((len(texts), self._model.config.hidden_size), np.float32)
        # Texts of about one length together: a short one beside a long one is mostly padding.
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        for start in range(0, len(order), ROWS):
            places = order[start : start + ROWS]
            found[places] = self._encoded([texts[place] for place in places])
        return found

    @torch.inference_mode()
    def _encoded(self, texts: list[str]) -> npt.NDArray[np.float32]:
        read = self._tokenizer(
            texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt"
        ).to(weights.device())
        states = self._model(**read).last_hidden_state  # (rows, tokens, d)
        real = read["attention_mask"].unsqueeze(-1).to(states.dtype)
        means = (states * real).sum(1) / real.sum(1)
        vectors: npt.NDArray[np.float32] = torch.nn.functional.normalize(means, dim=1).cpu().numpy()
        return vectors


@functools.cache
def encoder(folder: Path) -> Encoder:
    """The encoder of a folder, loaded once: leaks and metrics may both ask it."""
    return Encoder(folder)
