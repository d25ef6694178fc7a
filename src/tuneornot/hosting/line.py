"""One request at a time to one host's job API.

What may be asked again (a state, a list, a file) is asked patiently; an order is posted once, and
where it is not clear whether it arrived, that is told by ``Unclear`` and left to the caller: a
second order costs a second time. The key goes to the host alone, never to an address that the host
names, and into no sentence.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp
import msgspec

from tuneornot.errors import ModelError, ServerError, TrainingError
from tuneornot.models import address, reading
from tuneornot.models.address import Address
from tuneornot.models.chat import Chat
from tuneornot.models.pace import Clock, Policy, RealClock
from tuneornot.models.pool import Fault
from tuneornot.models.reading import Reader

TIMEOUT_S = 120.0
POLICY = Policy(max_tries=8)
FILE_NAME = "train.jsonl"
FOUND, CONFLICT, NOT_FOUND = 302, 409, 404


class Unclear(Exception):
    """Whether an order arrived is not known."""


class Gone(Exception):
    """What was asked for is not there."""


class Refused(Exception):
    """The host understood an order and will not carry it out; in its words."""


class Answer(NamedTuple):
    """A response of any status."""

    status: int
    headers: Mapping[str, str]
    raw: bytes

    @property
    def found(self) -> Any:
        """Its JSON; ``None`` where it is none."""
        try:
            return msgspec.json.decode(self.raw)
        except reading.UNREADABLE:
            return None


class Line:
    """A connection to a host; ``async with`` closes it.

    Args:
        where: the host's base address.
        clock: where time comes from; tests give their own.

    Raises:
        ModelError: the key in the environment cannot be one.
    """

    def __init__(self, where: Address, clock: Clock | None = None) -> None:
        self.where = where
        self.clock = clock or RealClock()
        self._key = address.key(where)
        self._wire = Chat(where)
        self._reader = Reader(self._wire, self._key)
        self._jitter = random.Random()
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Line:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Any:
        """What stands at a path.

        Raises:
            Gone: nothing does.
            ModelError: the host refuses the key.
            ServerError: it cannot be reached, or fails every time.
        """
        return (await self._patiently("GET", path, params=query)).found

    async def order(self, path: str, body: Any) -> Any:
        """Post an order, once.

        Raises:
            Refused: the host will not carry it out.
            Unclear: it may have arrived or not.
            ModelError: the host refuses the key.
            ServerError: it cannot be reached, or allows no more for now.
        """
        for n_tries in range(1, POLICY.max_tries + 1):
            got = await self._try("POST", path, json=body)
            if isinstance(got, Answer) and got.status < 300 and isinstance(got.found, dict):
                return got.found
            fault = self._fault(got)
            if fault.stop is not None:
                raise fault.stop
            limited = isinstance(got, Answer) and got.status == 429
            if isinstance(got, Answer) and 400 <= got.status < 500 and not fault.retry:
                raise Refused(self._reader.excerpt(got.raw))
            # Only where it is sure that nothing was ordered may it be ordered again.
            if not (limited or fault.unreachable):
                raise Unclear(fault.sentence)
            await self._wait(fault, n_tries)
        raise self._given_up(fault)

    async def cancel(self, path: str) -> None:
        """Post a wish to end a job; one that has ended is no fault.

        Raises:
            Gone: there is no such job.
            ModelError: the host refuses the key.
            ServerError: it cannot be reached, or fails every time.
        """
        await self._patiently("POST", path, accepted=(400, CONFLICT))

    async def send(self, path: str, text: bytes) -> str:
        """Send a training file as a form; the host's id of it.

        Raises:
            TrainingError: the host does not take it.
            ModelError: the host refuses the key.
            ServerError: it cannot be reached, or fails every time.
        """
        got = await self._patiently("POST", path, file=text, accepted=(400, 413, 415, 422))
        return self._file_id(got, got.found)

    async def send_elsewhere(self, path: str, text: bytes) -> str:
        """Send a training file to an address that the host names for it; the host's id of it.

        Raises:
            TrainingError: the host does not take it, or names no safe address.
            ModelError: the host refuses the key.
            ServerError: it cannot be reached, or fails every time.
        """
        wish = {"purpose": "fine-tune", "file_name": FILE_NAME, "file_type": "jsonl"}
        got = await self._patiently("POST", path, form=wish, accepted=(FOUND, CONFLICT, 400))
        if got.status == CONFLICT and isinstance(got.found, dict) and "file_id" in got.found:
            return str(got.found["file_id"])
        to, name = got.headers.get("Location", ""), got.headers.get("X-Together-File-Id", "")
        if got.status != FOUND or not name or not self._is_safe(to):
            raise self._not_taken(got)
        put = await self._patiently("PUT", to, data=text, accepted=(400, 403))
        if put.status >= 300:
            raise self._not_taken(put)
        await self._patiently("POST", f"{path}/{name}/preprocess")
        return name

    def _is_safe(self, to: str) -> bool:
        """Whether cases may go to an address: encrypted, or the very machine that was named."""
        parts = urlsplit(to)
        return parts.scheme == "https" or (
            parts.scheme == "http" and parts.netloc == urlsplit(self.where.base).netloc
        )

    def _file_id(self, got: Answer, found: Any) -> str:
        if got.status >= 300 or not isinstance(found, dict) or "id" not in found:
            raise self._not_taken(got)
        return str(found["id"])

    def _not_taken(self, got: Answer) -> TrainingError:
        return TrainingError(
            f"The host at {self.where.base} must take the training file; it answered HTTP "
            f"{got.status}: {self._reader.excerpt(got.raw)}. Mend what it names and run the same "
            "command again."
        )

    async def _patiently(
        self, method: str, path: str, *, accepted: tuple[int, ...] = (), **how: Any
    ) -> Answer:
        """Ask until there is an answer below 300 or among the accepted ones."""
        for n_tries in range(1, POLICY.max_tries + 1):
            got = await self._try(method, path, **how)
            if isinstance(got, Answer) and (got.status < 300 or got.status in accepted):
                return got
            if isinstance(got, Answer) and got.status == NOT_FOUND:
                raise Gone(self._reader.excerpt(got.raw))
            fault = self._fault(got)
            if fault.stop is not None:
                raise fault.stop
            if not fault.retry:
                break
            await self._wait(fault, n_tries)
        raise self._given_up(fault)

    def _fault(self, got: Answer | Fault) -> Fault:
        if isinstance(got, Fault):
            return got
        if got.status < 300:
            return Fault(f"the host sent no JSON: {self._reader.excerpt(got.raw)}", retry=True)
        return self._reader.refusal(got.status, got.headers, got.raw)

    def _given_up(self, fault: Fault) -> ModelError:
        return ServerError(
            f"The host at {self.where.base} must answer; {fault.sentence}. What was ordered goes "
            "on there: the same command continues from here."
        )

    async def _wait(self, fault: Fault, n_tries: int) -> None:
        wait_s = fault.wait_s or POLICY.backoff_s(n_tries, self._jitter)
        await self.clock.sleep(min(wait_s, POLICY.longest_wait_s))

    async def _try(
        self,
        method: str,
        path: str,
        *,
        file: bytes | None = None,
        form: Mapping[str, str] | None = None,
        **how: Any,
    ) -> Answer | Fault:
        """One try; a path that is a whole address gets no key."""
        assert self._session is not None, "a line is used inside `async with`"
        own = path.startswith("/")
        headers = self._wire.headers(self._key) if own else {}
        if file is not None or form is not None:
            how["data"] = _multipart(file, form or {"purpose": "fine-tune"})
        try:
            async with self._session.request(
                method,
                self.where.base + path if own else path,
                headers=headers,
                allow_redirects=False,
                proxy=self.where.proxy,
                **how,
            ) as response:
                return Answer(response.status, response.headers, await response.read())
        except aiohttp.ClientConnectorError as error:
            reason = error.strerror or str(error.os_error)
            sentence = f"no connection could be made ({reason})"
            return Fault(sentence, retry=True, unreachable=True)
        except TimeoutError:
            return Fault(f"no complete answer within {TIMEOUT_S:g} s", retry=True)
        except (aiohttp.ClientError, OSError) as error:
            said = " ".join(str(error).split())[: reading.EXCERPT] or type(error).__name__
            return Fault(f"the connection broke ({said})", retry=True)


def _multipart(file: bytes | None, form: Mapping[str, str]) -> aiohttp.MultipartWriter:
    writer = aiohttp.MultipartWriter("form-data")
    for name, value in form.items():
        writer.append(value).set_content_disposition("form-data", name=name)
    if file is not None:
        part = writer.append(file, {"Content-Type": "application/jsonl"})
        part.set_content_disposition("form-data", name="file", filename=FILE_NAME)
    return writer
