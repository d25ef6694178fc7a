"""A chat completions server that knows the prices, run as a process of its own.

    python -m tests.cli.shop PORT COUNT_FILE [PAUSE_S]

It serves the models ``old`` (right on two questions of five) and ``new`` (on four of five), and
writes one line for every answer that it gives to COUNT_FILE.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from aiohttp import web

from tests.world import right
from tuneornot.models.base import Request
from tuneornot.models.scripted import Script, answers
from tuneornot.records import Message

QUALITY = {"old": 0.4, "new": 0.8}


def app(count: Path, pause_s: float) -> web.Application:
    """The server's routes."""
    known = right(2000)
    told = {
        name: answers(known, Script(quality=quality, spread=0.1, seed=len(name)))
        for name, quality in QUALITY.items()
    }

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": name} for name in QUALITY]})

    async def chat(request: web.Request) -> web.Response:
        body = await request.json()
        said = body["messages"][-1]["content"]
        await asyncio.sleep(pause_s)
        reply = told[body["model"]](Request(messages=(Message(role="user", content=said),)))
        text = reply if isinstance(reply, str) else reply.text
        with count.open("a") as file:
            file.write(f"{body['model']} {said}\n")
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": len(said.split()), "completion_tokens": 2}
        return web.json_response({"choices": [choice], "usage": usage})

    served = web.Application()
    served.router.add_get("/v1/models", models)
    served.router.add_post("/v1/chat/completions", chat)
    return served


if __name__ == "__main__":
    pause = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
    web.run_app(
        app(Path(sys.argv[2]), pause), host="127.0.0.1", port=int(sys.argv[1]), print=lambda _: None
    )
