"""One try over HTTP: post a question, or ask which models a server offers.

Here and nowhere else is the network. A connection never retries, never redirects (a redirected
request would carry the key to a host that nobody chose) and never raises what the network did:
every try ends as a value. Time-outs are for a whole try, from sending to the last byte.

What only observes an answer, the stream and the log-probabilities (``wire.Extras``), is given up
where the server refuses a question with it and answers the same question without. What determines
an answer is never given up.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

import aiohttp
import msgspec

from tuneornot.errors import ModelError
from tuneornot.models import reading, waiting
from tuneornot.models.address import Key
from tuneornot.models.base import Reply, Request
from tuneornot.models.events import Events
from tuneornot.models.pace import Clock
from tuneornot.models.pool import Fault
from tuneornot.models.reading import Reader
from tuneornot.models.wire import Extras, Wire

T = TypeVar("T")

_ABOUT_WEIGHTS = ("n_params", "size", "ftype")


class Connection:
    """Keeps connections to one server open between tries; for one event loop."""

    def __init__(self, wire: Wire, key: Key | None, *, timeout_s: float, clock: Clock) -> None:
        self.address = wire.address
        self.proven = False
        """Whether the server is known to accept the key and the model's name."""
        self.on_used_up: Callable[[float], None] = lambda _: None
        """Told for how many seconds a limit is used up, when an answer says so."""
        self._wire = wire
        self._reader = Reader(wire, key)
        self._timeout_s = timeout_s
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._headers = {"Content-Type": "application/json", **wire.headers(key)}
        self._given: set[str] = set()
        """Extras with which a question was answered."""
        self._refused: set[str] = set()
        """Extras that the server refuses."""

    async def send(self, request: Request, alone: bool = False) -> Reply | Fault:
        """One try at one question; ``alone`` asks for a stream, to see the first token come."""
        logprobs = request.sampling.logprobs is not None
        got: Reply | Fault = Fault("nothing was tried")
        for extras in self._plainer(Extras(stream=alone, logprobs=logprobs)):
            got = await self._try(request, extras)
            if isinstance(got, Reply):
                self._given |= _named(extras)
                self._refused |= _named(Extras(alone, logprobs)) - _named(extras)
                break
            if not got.misunderstood:
                break
        return got

    def _plainer(self, wanted: Extras) -> list[Extras]:
        """What to ask for in turn, as long as the server does not understand."""
        left = Extras(*(asked and name not in self._refused for name, asked in _each(wanted)))
        if _named(left) <= self._given:
            return [left]
        one_less = (left._replace(stream=False), left._replace(logprobs=False))
        return list(dict.fromkeys([left, *one_less, Extras()]))

    async def _try(self, request: Request, extras: Extras) -> Reply | Fault:
        try:
            posted = self._wire.body(request, extras)
        except UnicodeEncodeError as error:
            return Fault(f"the question is not valid Unicode ({error.reason})")
        read = functools.partial(self._read, sent_at=self._clock.now())
        return await self._exchange("POST", self._wire.path, posted, read)

    async def _read(self, response: aiohttp.ClientResponse, *, sent_at: float) -> Reply | Fault:
        status, headers = response.status, response.headers
        used_up_s = waiting.used_up_s(headers)
        if status == 200 and used_up_s is not None:
            self.on_used_up(used_up_s)
        if status == 200 and response.content_type == "text/event-stream":
            got = await self._streamed(response, sent_at)
        else:
            raw = await response.read()
            spent_s = self._clock.now() - sent_at
            got = self._reader.read(status, headers, raw, latency_s=spent_s)
        if isinstance(got, Reply):
            self.proven = True
        elif status in (403, 404) and not self.proven:
            return got._replace(stop=self._not_offered(got.sentence))
        return got

    async def _streamed(self, response: aiohttp.ClientResponse, sent_at: float) -> Reply | Fault:
        """Put an answer together from the events of a stream, and note when its text began."""
        whole: dict[str, Any] = {}
        first_token_s: float | None = None
        finished = False
        async for data in _events(response):
            if data == b"[DONE]":
                finished = True
                continue
            event = _decoded(data)
            inner = reading.inner_status(event)
            if inner is not None:
                return self._reader.refusal(inner, response.headers, data)
            try:
                brought = self._wire.add(whole, event)
            except (AttributeError, IndexError, KeyError, TypeError):
                said = self._reader.excerpt(data)
                return Fault(f"the server sent an event that is none of an answer's: {said}")
            if brought and first_token_s is None:
                first_token_s = self._clock.now() - sent_at
        if not (finished or self._wire.ended(whole)):
            return Fault("the stream ended before the answer did", retry=True)
        spent_s = self._clock.now() - sent_at
        got = self._reader.answer(whole, msgspec.json.encode(whole), latency_s=spent_s)
        if isinstance(got, Reply):
            return msgspec.structs.replace(got, first_token_s=first_token_s)
        return got

    async def card(self) -> dict[str, Any] | Fault:
        """What the server says of the model: its entry in the list of models.

        Empty where the server has no such list; a fault with ``stop`` where the list does not
        hold the model.
        """
        got = await self._exchange("GET", "/models", None, _whole)
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
        got = await self._exchange("GET", f"/models/{self.address.model}", None, _whole)
        if isinstance(got, Fault) or got[0] != 200:
            return None
        found = _decoded(got[2])
        return found if isinstance(found, dict) and found.get("id") else None

    async def _exchange(
        self,
        method: str,
        path: str,
        data: bytes | None,
        read: Callable[[aiohttp.ClientResponse], Awaitable[T]],
    ) -> T | Fault:
        try:
            async with self._open().request(
                method,
                self.address.base + path,
                data=data,
                headers=self._headers,
                allow_redirects=False,
                proxy=self.address.proxy,
            ) as response:
                return await read(response)
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
            said = " ".join(str(error).split())[: reading.EXCERPT] or type(error).__name__
            return Fault(f"the connection broke ({said})", retry=True)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
                connector=aiohttp.TCPConnector(limit=0),  # the pool limits, and counts
                # Nothing is remembered of a server from one question to the next.
                cookie_jar=aiohttp.DummyCookieJar(),
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


async def _whole(response: aiohttp.ClientResponse) -> tuple[int, Mapping[str, str], bytes]:
    return response.status, response.headers, await response.read()


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    events = Events()
    async for arrived in response.content.iter_any():
        for data in events.feed(arrived):
            yield data
    for data in events.end():
        yield data


def _each(extras: Extras) -> list[tuple[str, bool]]:
    return [(name, bool(asked)) for name, asked in extras._asdict().items()]


def _named(extras: Extras) -> set[str]:
    """Names of what is asked."""
    return {name for name, asked in _each(extras) if asked}


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
    except reading.UNREADABLE:
        return None
