"""A chat completions server with the arms ``kept`` and ``lost`` and a judge, in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from tests.redteam import guarded
from tests.redteam.guarded import Guard
from tuneornot.models.base import Request
from tuneornot.records import Message

ARMS = {
    "kept": guarded.model("kept", 0.4, Guard(0.9)),
    "lost": guarded.model("lost", 0.8, Guard(0.2)),
    "judge": guarded.judge("judge"),
}


async def models(_: web.Request) -> web.Response:
    return web.json_response({"data": [{"id": name} for name in ARMS]})


async def chat(request: web.Request) -> web.Response:
    body = await request.json()
    turns = tuple(Message(role=one["role"], content=one["content"]) for one in body["messages"])
    [(_, reply)] = ARMS[body["model"]].ask([Request(messages=turns)])
    choice = {"message": {"role": "assistant", "content": reply.text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 2}
    return web.json_response({"choices": [choice], "usage": usage})


@contextmanager
def serving() -> Iterator[str]:
    """A running server on a free port; yields its address."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    address: list[str] = []
    runner: list[web.AppRunner] = []

    async def start() -> None:
        app = web.Application()
        app.router.add_get("/v1/models", models)
        app.router.add_post("/v1/chat/completions", chat)
        runner.append(web.AppRunner(app))
        await runner[0].setup()
        site = web.TCPSite(runner[0], "127.0.0.1", 0)
        await site.start()
        address.append(f"http://127.0.0.1:{runner[0].addresses[0][1]}")
        ready.set()

    def work() -> None:
        loop.run_until_complete(start())
        loop.run_forever()
        loop.run_until_complete(runner[0].cleanup())
        loop.close()

    thread = threading.Thread(target=work)
    thread.start()
    assert ready.wait(120)
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(120)
