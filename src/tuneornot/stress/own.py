"""A perturbation of the study's own: ``module:function`` of a text, a strength and a seed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tuneornot import functions
from tuneornot.errors import StudyError
from tuneornot.records import Case
from tuneornot.stress import wording
from tuneornot.stress.base import Material, Perturbation


class Own(NamedTuple):
    """What was found under an address."""

    perturbation: Perturbation
    source: str | None
    """Fingerprint of the module's file; ``None`` without a file."""


def find(address: str, folder: Path, *, keeps_meaning: bool = True) -> Own:
    """The function as a perturbation.

    It is called as ``function(text, strength, seed)``, the seed belonging to the case, and has to
    give the same text whenever it is asked: each call is made twice and held to that.

    Args:
        address: ``module:function``.
        folder: where the study file stands.
        keeps_meaning: what the study says of it.

    Raises:
        StudyError: there is no such function; or, when it is used, it raises, gives no text, or
            gives two different ones.
    """
    try:
        found = functions.find(address, folder, what="a perturbation")
    except ValueError as fault:
        raise StudyError("stress", [str(fault)]) from None

    def changed(material: Material, strength: float) -> Case:
        text, seed = wording.asked(material.case), material.rng.getrandbits(32)
        first, second = (_text(found.call, text, strength, seed, address) for _ in range(2))
        if first != second:
            raise _fault(address, f"gave two different texts for {text!r}; draw from its seed only")
        return wording.asking(material.case, first)

    summary = f"the study's own {address}"
    return Own(Perturbation(summary, changed, keeps_meaning=keeps_meaning), found.source)


def _text(call: Callable[..., Any], text: str, strength: float, seed: int, address: str) -> str:
    try:
        made = call(text, strength, seed)
    except Exception as failure:
        raise _fault(address, f"raised {failure!r} on {text!r}; mend it") from failure
    if not isinstance(made, str):
        raise _fault(address, f"gave {made!r} for {text!r}; a text is expected")
    return made


def _fault(address: str, said: str) -> StudyError:
    return StudyError("stress", [f"the perturbation {address!r} {said}"])
