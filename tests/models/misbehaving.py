"""A chat completions server on loopback that misbehaves on demand.

The last message of a request says how: ``500 x2 question`` fails twice with status 500 and answers
the third time; ``500 question`` always fails; anything without a known first word is answered with
``echo: question``. The server remembers what it received.
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
PLAN = re.compile(r"^(?P<what>[\w-]+)(?: x(?P<times>\d+))? ")


def question(text: str) -> Request:
    return Request(messages=(Message(role="user", content=text),))


class Misbehaving:
    """The server's behaviour and its memory."""

    def __init__(self) -> None:
        self.offered: list[dict[str, Any]] | int = [{"id": NAME, "owned_by": "tests", "created": 1}]
        """The list of models, or the status with which the list is refused."""
        self.pause_s = 0.0
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

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        self.keys.append(request.headers.get("Authorization"))
        text = body["messages"][-1]["content"]
        self.seen[text] += 1
        self.n_in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.n_in_flight)
        try:
            await asyncio.sleep(self.pause_s)
            return await self.behave(request, text)
        except asyncio.CancelledError:
            self.n_cancelled += 1
            raise
        finally:
            self.n_in_flight -= 1

    async def behave(self, request: web.Request, text: str) -> web.StreamResponse:
        plan = PLAN.match(text)
        if plan is None or (plan["times"] and self.seen[text] > int(plan["times"])):
            return web.json_response(answer(f"echo: {text}"))
        what = plan["what"]
        if what.isdigit():
            return web.json_response({"error": {"message": f"no {what}"}}, status=int(what))
        method = getattr(self, "do_" + what.replace("-", "_"), None)
        if method is None:
            return web.json_response(answer(f"echo: {text}"))
        response: web.StreamResponse = await method(request)
        return response

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


@contextmanager
def misbehaving() -> Iterator[Misbehaving]:
    """A running server on a free port."""
    server = Misbehaving()
    app = web.Application()
    app.router.add_get("/v1/models", server.models)
    app.router.add_post("/v1/chat/completions", server.chat)
    loop = BackgroundLoop("misbehaving")
    runner = web.AppRunner(app, handler_cancellation=True, access_log=None, shutdown_timeout=0.1)

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(runner.addresses[0][1])

    server.base = f"http://127.0.0.1:{loop.wait(start())}/v1"
    try:
        yield server
    finally:
        loop.finish(runner.cleanup())
