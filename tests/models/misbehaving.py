"""A server on loopback that misbehaves on demand, in OpenAI's words and in Anthropic's.

The last message of a request says how: ``500 x2 question`` fails twice with status 500 and answers
the third time; ``500 question`` always fails; anything without a known first word is answered with
``echo: question``. The server remembers what it received. It answers as a stream where it is asked
to and ``streams`` is true; a number there is the status with which it refuses such questions, and
``logprobs`` is the same for log-probabilities.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from tuneornot.models.background import BackgroundLoop
from tuneornot.models.base import Request
from tuneornot.records import Message

NAME = "well-behaved"
UNLISTED = "not-in-the-list"
PLAN = re.compile(r"^(?P<what>[\w-]+)(?: x(?P<times>\d+))? ")


def question(text: str) -> Request:
    return Request(messages=(Message(role="user", content=text),))


class QuickClock:
    """Time that passes at once when somebody sleeps."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        self.time += 1e-6
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds
        await asyncio.sleep(0)


class Misbehaving:
    """The server's behaviour and its memory."""

    def __init__(self) -> None:
        self.offered: list[dict[str, Any]] | int = [{"id": NAME, "owned_by": "tests", "created": 1}]
        """The list of models, or the status with which the list is refused."""
        self.pause_s = 0.0
        self.streams: bool | int = True
        self.logprobs: bool | int = True
        self.headers: dict[str, str] = {}
        """Sent with every answer."""
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.seen: Counter[str] = Counter()
        self.n_in_flight = 0
        self.most_in_flight = 0
        self.n_cancelled = 0
        self.base = ""

    @property
    def name(self) -> str:
        return f"{self.base}#{NAME}"

    async def models(self, _: web.Request) -> web.StreamResponse:
        if isinstance(self.offered, int):
            return web.json_response({"error": {"message": "no"}}, status=self.offered)
        return web.json_response({"object": "list", "data": self.offered})

    async def model(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["name"] == UNLISTED:
            return web.json_response({"id": UNLISTED, "type": "model"})
        return web.json_response({"error": {"message": "no such model"}}, status=404)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        self.keys.append(request.headers.get("Authorization") or request.headers.get("x-api-key"))
        text = body["messages"][-1]["content"]
        self.seen[text] += 1
        self.n_in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.n_in_flight)
        try:
            await asyncio.sleep(self.pause_s)
            return await self.behave(request, text, body)
        except asyncio.CancelledError:
            self.n_cancelled += 1
            raise
        finally:
            self.n_in_flight -= 1

    async def behave(
        self, request: web.Request, text: str, body: dict[str, Any]
    ) -> web.StreamResponse:
        for extra, allowed in (("stream", self.streams), ("logprobs", self.logprobs)):
            if body.get(extra) and not isinstance(allowed, bool):
                message = {"message": f"unknown field {extra!r}"}
                return web.json_response({"error": message}, status=allowed)
        plan = PLAN.match(text)
        if plan is None or (plan["times"] and self.seen[text] > int(plan["times"])):
            return await self.well(request, f"echo: {text}", body)
        what = plan["what"]
        if what == "slow":
            await asyncio.sleep(0.1)
            return await self.well(request, f"echo: {text}", body)
        if what.isdigit() and what != "529":
            return web.json_response({"error": {"message": f"no {what}"}}, status=int(what))
        method = getattr(self, "do_" + what.replace("-", "_"), None)
        if method is None:
            return await self.well(request, f"echo: {text}", body)
        response: web.StreamResponse = await method(request)
        return response

    async def well(
        self, request: web.Request, text: str, body: dict[str, Any]
    ) -> web.StreamResponse:
        speaks = Messages if request.path.endswith("/messages") else Completions
        wanted = bool(body.get("logprobs")) and self.logprobs is True
        if not body.get("stream") or not self.streams:
            return web.json_response(speaks.whole(text, logprobs=wanted), headers=self.headers)
        return await self.sent(request, speaks.events(text, logprobs=wanted))

    async def sent(self, request: web.Request, parts: list[bytes]) -> web.StreamResponse:
        kind = {"Content-Type": "text/event-stream; charset=utf-8"}
        response = web.StreamResponse(headers=kind | self.headers)
        await response.prepare(request)
        for part in parts:
            await response.write(part)
        return response

    async def do_stream_cut(self, request: web.Request) -> web.StreamResponse:
        return await self.sent(request, Completions.events("never whole")[:-3])

    async def do_stream_busy(self, request: web.Request) -> web.StreamResponse:
        busy = {"error": {"type": "overloaded_error", "message": "too much to do"}}
        return await self.sent(request, [Completions.events("never")[0], event(busy)])

    async def do_stream_odd(self, request: web.Request) -> web.StreamResponse:
        return await self.sent(request, [b"data: [1, 2]\n\n"])

    async def do_stream_bare(self, request: web.Request) -> web.StreamResponse:
        """Without usage and the closing mark, with carriage returns, cut within characters."""
        text = b"".join(Completions.events("a na\u00efve answer")[:-2])
        whole = text.replace(b"\n", b"\r\n").removesuffix(b"\r\n")
        return await self.sent(request, [whole[i : i + 1] for i in range(len(whole))])

    async def do_overloaded(self, _: web.Request) -> web.StreamResponse:
        error = {"type": "overloaded_error", "message": "Overloaded"}
        return web.json_response({"type": "error", "error": error}, status=529)

    async def do_used_up(self, _: web.Request) -> web.StreamResponse:
        headers = {
            "anthropic-ratelimit-requests-remaining": "0",
            "anthropic-ratelimit-requests-reset": "2020-01-01T00:00:21Z",
            "Date": "Wed, 01 Jan 2020 00:00:00 GMT",
        }
        return web.Response(status=429, headers=headers)

    async def do_wait(self, _: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "7"}, text="slow down")

    async def do_wait_date(self, _: web.Request) -> web.StreamResponse:
        # Both dates are years off: only their difference may count.
        now = datetime(2020, 1, 1, tzinfo=UTC)
        headers = {
            "Date": format_datetime(now, usegmt=True),
            "Retry-After": format_datetime(now + timedelta(seconds=9), usegmt=True),
        }
        return web.Response(status=503, headers=headers)

    async def do_wait_long(self, _: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "86400"}, text="daily limit")

    async def do_never(self, _: web.Request) -> web.StreamResponse:
        await asyncio.sleep(3600)
        raise AssertionError("the client should have gone")

    async def do_drop(self, request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async def do_cut(self, request: web.Request) -> web.StreamResponse:
        whole = json.dumps(answer("never whole")).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(whole))}
        return await self.partial(request, whole[:20], headers)

    async def do_cut_unnoticed(self, _: web.Request) -> web.StreamResponse:
        whole = json.dumps(answer("never whole")).encode()
        return web.Response(body=whole[:20], content_type="application/json")

    async def partial(
        self, request: web.Request, part: bytes, headers: dict[str, str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        await response.write(part)
        assert request.transport is not None
        request.transport.close()
        return response

    async def do_garbage(self, _: web.Request) -> web.StreamResponse:
        return web.Response(body=b'{"choices": nonsense}', content_type="application/json")

    async def do_binary(self, _: web.Request) -> web.StreamResponse:
        return web.Response(body=b'{"a": "\xff\xfe"}', content_type="application/json")

    async def do_deep(self, _: web.Request) -> web.StreamResponse:
        return web.Response(body=b"[" * 100_000, content_type="application/json")

    async def do_plain(self, _: web.Request) -> web.StreamResponse:
        return web.Response(text="I am a teapot", content_type="text/plain")

    async def do_html(self, _: web.Request) -> web.StreamResponse:
        page = "<html><head><style>b{}</style></head><body><h1>Bad &amp; Gone</h1></body></html>"
        return web.Response(text=page, content_type="text/html")

    async def do_html_502(self, _: web.Request) -> web.StreamResponse:
        return web.Response(status=502, text="<h1>Bad</h1><p>Gateway</p>", content_type="text/html")

    async def do_empty(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"choices": []})

    async def do_null(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(answer(None, finish="length"))

    async def do_odd(self, _: web.Request) -> web.StreamResponse:
        return web.json_response([1, 2, 3])

    async def do_wrapped_429(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"code": 429, "message": "upstream is busy"}})

    async def do_echo_key(self, request: web.Request) -> web.StreamResponse:
        message = f"bad header {request.headers.get('Authorization')}"
        return web.json_response({"error": {"message": message}}, status=400)

    async def do_redirect(self, _: web.Request) -> web.StreamResponse:
        return web.Response(status=307, headers={"Location": "http://elsewhere.example/v1"})

    async def do_finish(self, _: web.Request) -> web.StreamResponse:
        return web.json_response(answer("cut by a filter", finish="content_filter"))


def answer(text: str | None, finish: str = "stop") -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14},
    }


def event(data: dict[str, Any]) -> bytes:
    return b"event: something\ndata: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def told(token: str) -> dict[str, Any]:
    likeliest = {"token": token, "logprob": -0.5}
    return {**likeliest, "top_logprobs": [likeliest, {"token": "other", "logprob": -2.5}]}


def words(text: str) -> list[str]:
    """The words of a text, each but the first with its space."""
    return [" " * (place > 0) + word for place, word in enumerate(text.split(" "))]


class Completions:
    """Answers in OpenAI's words."""

    @staticmethod
    def whole(text: str, *, logprobs: bool = False) -> dict[str, Any]:
        found = answer(text)
        if logprobs:
            found["choices"][0]["logprobs"] = {"content": [told(word) for word in words(text)]}
        return found

    @staticmethod
    def events(text: str, *, logprobs: bool = False) -> list[bytes]:
        """A first event without text, one for each word, the finish, the usage, the mark."""
        choices: list[dict[str, Any]] = [{"delta": {"role": "assistant", "content": ""}}]
        for word in words(text):
            choices.append({"delta": {"content": word}})
            if logprobs:
                choices[-1]["logprobs"] = {"content": [told(word)]}
        choices.append({"delta": {}, "finish_reason": "stop"})
        usage = event({"choices": [], "usage": answer("")["usage"]})
        return [*(event({"choices": [one]}) for one in choices), usage, b"data: [DONE]\n\n"]


class Messages:
    """Answers in Anthropic's words."""

    USAGE = {"input_tokens": 4, "cache_read_input_tokens": 7, "output_tokens": 3}

    @classmethod
    def whole(cls, text: str, *, logprobs: bool = False) -> dict[str, Any]:
        content = [{"type": "text", "text": text}]
        how = {"type": "message", "stop_reason": "end_turn"}
        return {**how, "content": content, "usage": cls.USAGE}

    @classmethod
    def events(cls, text: str, *, logprobs: bool = False) -> list[bytes]:
        deltas = [{"type": "text_delta", "text": word} for word in words(text)]
        block = {"type": "text", "text": ""}
        stop = {"delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}
        usage = {**cls.USAGE, "output_tokens": 1}
        parts: list[dict[str, Any]] = [
            {"type": "message_start", "message": {"content": [], "usage": usage}},
            {"type": "content_block_start", "index": 0, "content_block": block},
            {"type": "ping"},
            *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", **stop},
            {"type": "message_stop"},
        ]
        return [event(part) for part in parts]


@contextmanager
def misbehaving() -> Iterator[Misbehaving]:
    """A running server on a free port."""
    server = Misbehaving()
    app = web.Application()
    app.router.add_get("/v1/models", server.models)
    app.router.add_get("/v1/models/{name}", server.model)
    app.router.add_post("/v1/chat/completions", server.chat)
    app.router.add_post("/v1/messages", server.chat)
    loop = BackgroundLoop("misbehaving")
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(runner.addresses[0][1])

    server.base = f"http://127.0.0.1:{loop.wait(start())}/v1"

    async def stop() -> None:
        await runner.cleanup()
        # A connection that arrived at the last moment is closed one turn of the loop later.
        await asyncio.sleep(0.01)

    try:
        yield server
    finally:
        loop.finish(stop())
