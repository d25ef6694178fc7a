"""Embeddings: texts as vectors, by a function of the user's or an OpenAI-compatible server.

``module:function`` takes a list of texts and returns a vector for each (a list of lists, or an
array); ``http://127.0.0.1:8000/v1#model`` is asked at ``/embeddings``, a hundred texts at a time,
with the key that ``address`` finds. No weights come with this package, and none are fetched.

A refusal that may pass is tried again a few times; what cannot be had ends in ``ModelError``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import numpy as np
import numpy.typing as npt

from tuneornot import functions
from tuneornot.errors import ModelError, ServerError
from tuneornot.models import address

Vectors = npt.NDArray[np.float32]
BATCH = 100
"""Texts in one request."""
TRIES = 5
TIMEOUT_S = 120.0
AGAIN = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed."""


class Embedding:
    """Texts to vectors.

    Args:
        name: ``module:function``, or a server's address, ``#`` and the model's name there.
        folder: where the study file stands; the module may stand beside it.
        wait: awaited with seconds between two tries; tests give their own.

    Raises:
        ModelError: there is no such function, or the address is none.
    """

    def __init__(
        self, name: str, folder: Path, *, wait: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.name = name
        self.identity = name
        self._wait = wait
        self._call: Callable[[list[str]], Any] = self._served
        if name.startswith(("http://", "https://")):
            self._address = address.parse(name)
            self._key = address.key(self._address)
            return
        try:
            found = functions.find(name, folder, what="an embedding")
        except ValueError as fault:
            raise ModelError(f"An embedding must be found; {fault}.") from None
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
                f"{failure!r}. Mend the function."
            ) from failure
        if found.ndim != 2 or len(found) != len(texts) or not np.isfinite(found).all():
            raise ModelError(
                f"An embedding must return a finite vector for each of {len(texts)} texts, all of "
                f"one length; {self.name!r} returned shape {found.shape}. Mend it."
            )
        return found

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
        said = ""
        for tried in range(TRIES):
            if tried:
                await self._wait(2.0 ** (tried - 1))
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
