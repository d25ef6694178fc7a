"""One try over HTTP: post a chat completion, or ask which models a server offers.

Here and nowhere else is the network. A connection never retries, never redirects (a redirected
request would carry the key to a host that nobody chose) and never raises what the network did:
every try ends as a value. Time-outs are for a whole try, from sending to the last byte.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec

from tuneornot.errors import ModelError
from tuneornot.models import chat
from tuneornot.models.address import Address, Key
from tuneornot.models.base import Reply, Request
from tuneornot.models.pace import Clock
from tuneornot.models.pool import Fault

_ABOUT_WEIGHTS = ("n_params", "size", "ftype")


class Connection:
    """Keeps connections to one server open between tries; for one event loop."""

    def __init__(
        self, address: Address, key: Key | None, *, timeout_s: float, clock: Clock
    ) -> None:
        self.address = address
        self.proven = False
        """Whether the server is known to accept the key and the model's name."""
        self._reader = chat.Reader(address, key)
        self._timeout_s = timeout_s
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._headers = {"Content-Type": "application/json"}
        if key is not None:
            self._headers["Authorization"] = f"Bearer {key.secret}"

    async def send(self, request: Request) -> Reply | Fault:
        """One try at one chat completion."""
        try:
            posted = chat.body(request, self.address)
        except UnicodeEncodeError as error:
            return Fault(f"the question is not valid Unicode ({error.reason})")
        sent_at = self._clock.now()
        got = await self._exchange("POST", "/chat/completions", posted)
        if isinstance(got, Fault):
            return got
        status, headers, raw = got
        reply = self._reader.read(status, headers, raw, latency_s=self._clock.now() - sent_at)
        if isinstance(reply, Reply):
            self.proven = True
        elif status in (403, 404) and not self.proven:
            return reply._replace(stop=self._not_offered(reply.sentence))
        return reply

    async def card(self) -> dict[str, Any] | Fault:
        """What the server says of the model: its entry in the list of models.

        Empty where the server has no such list; a fault with ``stop`` where the list does not
        hold the model.
        """
        got = await self._exchange("GET", "/models", None)
        if isinstance(got, Fault):
            return got
        status, headers, raw = got
        if status != 200:
            fault = self._reader.refusal(status, headers, raw)
            # A server without such a list, or a key that may not read it, is no reason to refuse.
            passing = fault.retry and status != 501
            return fault if passing or fault.stop is not None else {}
        cards = _cards(raw)
        if not cards:
            return {}
        card = _find(cards, self.address.model) or await self._single_card()
        if card is None:
            sentence = "the model is not in the server's list"
            return Fault(sentence, stop=self._not_offered(sentence, [*cards]))
        self.proven = True
        return card

    async def close(self) -> None:
        """Close what is open; may be called twice."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _single_card(self) -> dict[str, Any] | None:
        # Hosts leave private and very new models out of the list, and still know them by name.
        got = await self._exchange("GET", f"/models/{self.address.model}", None)
        if isinstance(got, Fault) or got[0] != 200:
            return None
        found = _decoded(got[2])
        return found if isinstance(found, dict) and found.get("id") else None

    async def _exchange(
        self, method: str, path: str, data: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes] | Fault:
        try:
            async with self._open().request(
                method,
                self.address.base + path,
                data=data,
                headers=self._headers,
                allow_redirects=False,
                proxy=self.address.proxy,
            ) as response:
                return response.status, response.headers, await response.read()
        except TimeoutError:
            return Fault(
                f"no complete answer within {self._timeout_s:g} s", retry=True, overload=True
            )
        except aiohttp.ClientConnectorError as error:
            reason = error.strerror or str(error.os_error) or type(error).__name__
            return Fault(f"no connection could be made ({reason})", retry=True, unreachable=True)
        except aiohttp.ClientPayloadError:
            return Fault("the answer was cut off before its end", retry=True)
        except (aiohttp.ClientError, OSError) as error:
            said = " ".join(str(error).split())[: chat.EXCERPT] or type(error).__name__
            return Fault(f"the connection broke ({said})", retry=True)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
                connector=aiohttp.TCPConnector(limit=0),  # the pool limits, and counts
                auto_decompress=True,
            )
        return self._session

    def _not_offered(self, said: str, offered: list[str] | None = None) -> ModelError:
        names = ""
        if offered is not None:
            alike = difflib.get_close_matches(self.address.model, offered, n=8, cutoff=0.5)
            shown = (alike or sorted(offered))[:8]
            more = f" and {len(offered) - len(shown)} more" if len(offered) > len(shown) else ""
            names = f" It offers {', '.join(map(repr, shown))}{more}."
        return ModelError(
            f"The server at {self.address.base} must offer the model {self.address.model!r}; "
            f"{said}.{names} Correct the name after the # or the address before it."
        )


def weights(card: dict[str, Any]) -> dict[str, Any]:
    """What in a model's card tells one model from another and stays the same across restarts.

    ``created`` is left out: vLLM and llama.cpp report the time of the question there.
    """
    kept = {name: card[name] for name in ("id", "owned_by", "root", "parent") if card.get(name)}
    meta = card.get("meta")
    if isinstance(meta, dict):
        kept |= {name: meta[name] for name in _ABOUT_WEIGHTS if name in meta}
    return kept


def _cards(raw: bytes) -> dict[str, dict[str, Any]]:
    """Cards by the name under which a model is offered."""
    found = _decoded(raw)
    listed = found.get("data") if isinstance(found, dict) else found
    if not isinstance(listed, list):
        return {}
    return {str(card["id"]): card for card in listed if isinstance(card, dict) and "id" in card}


def _find(cards: dict[str, dict[str, Any]], name: str) -> dict[str, Any] | None:
    # Ollama adds the tag that it assumes where none is given.
    for known in (name, f"{name}:latest"):
        if known in cards:
            return cards[known]
    return next((card for card in cards.values() if name in (card.get("aliases") or ())), None)


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except chat.UNREADABLE:
        return None
