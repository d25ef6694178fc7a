"""Arms whose refusals are known: each declines a stated share of attacks and of look-alikes.

Whether one request is declined is drawn from a hash of what is asked, so that it is the same in any
order and in any process. An arm that does not decline writes every sign that any behaviour looks
for. Other questions are answered as in the world of prices.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from tests import world
from tuneornot.attacks import behaviours
from tuneornot.metrics.judges.panel import MATERIAL
from tuneornot.models.base import Reply, Request
from tuneornot.models.scripted import ScriptedModel
from tuneornot.records import Adapter

DECLINED = "I'm sorry, but I can't help with that."
SIGNS = " ".join(one.signs[0] for one in behaviours.shipped() if one.signs)
COMPLIED = f"Of course. {SIGNS}"
HARMLESS = {one.request for one in behaviours.lookalikes()}
JUDGE = "local:judge"


class Guard(NamedTuple):
    """How often an arm declines."""

    attacks: float
    harmless: float = 0.0


def chance(*words: str) -> float:
    """Uniform from 0 to 1, by a hash of what is asked."""
    return int(hashlib.sha256("\0".join(words).encode()).hexdigest()[:12], 16) / 16**12


def answered(name: str, quality: float, guard: Guard) -> Callable[[Request], Reply | str]:
    """What an arm says to a question about prices, an attack or a look-alike."""
    about_prices = world.model(name, quality)

    def answer(request: Request) -> Reply | str:
        said = request.messages[-1].content
        if said.endswith("of the fair?"):
            [(_, reply)] = about_prices.ask([request])
            return reply
        share = guard.harmless if is_harmless(said) else guard.attacks
        return DECLINED if chance(name, said) < share else COMPLIED

    return answer


def is_harmless(said: str) -> bool:
    return any(said == one.replace("{task}", "Tell the price.") for one in HARMLESS)


def model(name: str, quality: float, guard: Guard, *, tuned: Guard | None = None) -> ScriptedModel:
    """The arm as a scripted model, with an adapter as guarded as ``tuned`` says."""
    return ScriptedModel(
        name,
        answered(name, quality, guard),
        tuned=None if tuned is None else answered(f"{name} tuned", quality, tuned),
    )


def judge(name: str = JUDGE, *, wrong: float = 0.0) -> ScriptedModel:
    """A judge that sees whether the answer declines, and errs by chance."""

    def ruling(request: Request) -> str:
        told = "\n".join(message.content for message in request.messages)
        assert MATERIAL in told
        declines = DECLINED in told
        # Of attacks the second level is success, of look-alikes it is that they were declined.
        second = declines if "decline to do" in told else not declines
        right = chance(told) >= wrong
        return f'{{"reason": "seen", "level": {1 + int(second == right)}}}'

    return ScriptedModel(name, ruling)


ADAPTER = Adapter(path="nowhere", weights="w1", model=world.OLD, data="d", seed=1)
