"""A retriever that a study writes as a Python function: of a question and a number, passages.

    def find(question: str, k: int) -> list[str | dict | Passage]

A passage is a text, a mapping with ``text`` and, if there are any, ``id`` and ``title``, or a
``Passage``. The function is the study's own code and runs with the rights of the program. An edit
of its file is noticed; what it asks elsewhere (an index, a server) is not.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tuneornot import fingerprint, functions
from tuneornot.errors import ModelError
from tuneornot.records import Json, Passage


class Own:
    """The function, checked before it is used and after each call.

    Args:
        address: ``module:function``; the module may stand beside the study file.
        folder: where the study file stands.
        settings: further arguments of the function.

    Raises:
        ValueError: there is no such function, or it does not take these arguments.
    """

    def __init__(self, address: str, folder: Path, settings: Mapping[str, Json]) -> None:
        self.address = address
        found = functions.find(address, folder, what="a retriever")
        self.source = found.source
        self._call: Callable[..., Any] = found.call
        self._settings = dict(settings)
        try:
            inspect.signature(self._call).bind("", 1, **self._settings)
        except TypeError:
            raise ValueError(
                f"a retriever must take (question, k) and the names in `settings`, got {address!r} "
                f"with {inspect.signature(self._call)} and settings {[*self._settings]}; change "
                "its parameters or the settings"
            ) from None

    def __call__(self, question: str, k: int) -> list[Passage]:
        """What the function finds, at most k.

        Raises:
            ModelError: the function raised, or what it gave is not passages.
        """
        try:
            found = list(self._call(question, k, **self._settings))
            return [_passage(one) for one in found[:k]]
        except Exception as failure:
            # Somebody else's code: whatever it raises is told in one sentence.
            raise ModelError(
                f"A retriever must give a list of passages for every question; {self.address!r} "
                f"gave {failure!r} for {question[:60]!r}. Mend the function and run the same "
                "command again; what was answered is kept."
            ) from failure


def _passage(found: object) -> Passage:
    if isinstance(found, Passage):
        return found
    if isinstance(found, str):
        found = {"text": found}
    if not isinstance(found, Mapping):
        raise TypeError(f"a passage is a text or a mapping with `text`, not {found!r}")
    made = {name: found[name] for name in ("id", "text", "title") if name in found}
    named = {"id": fingerprint.of(made.get("text"))[:12], **made}
    return msgspec.convert({**named, "id": str(named["id"])}, Passage)
