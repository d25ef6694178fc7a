"""A chat completions server that knows the prices, run as a process of its own.

    python -m tests.cli.shop PORT COUNT_FILE [PAUSE_S]

It serves the models ``old`` (right on two questions of five) and ``new`` (on four of five), and the
judge ``judge`` of sensitivity 0.8 and specificity 0.7; ``writer`` writes instructions. It writes
one line for every answer that it gives to COUNT_FILE.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from aiohttp import web

from tests.judge import fallible
from tests.world import right
from tuneornot.models.base import Reply, Request
from tuneornot.models.scripted import Script, ScriptedModel, answers
from tuneornot.records import Message

QUALITY = {"old": 0.4, "new": 0.8}
JUDGE = "judge"
WRITER = "writer"
WRITTEN = "<instructions>Tell what it costs, to the letter.</instructions>"


def app(count: Path, pause_s: float) -> web.Application:
    """The server's routes."""
    known = right(2000)
    plain = {question.casefold(): question for question in known}
    told = {
        name: answers(known, Script(quality=quality, spread=0.1, seed=len(name)))
        for name, quality in QUALITY.items()
    }

    judge = fallible(known, sensitivity=0.8, specificity=0.7)

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": name} for name in (*QUALITY, JUDGE, WRITER)]})

    async def chat(request: web.Request) -> web.Response:
        body = await request.json()
        said = body["messages"][-1]["content"]
        await asyncio.sleep(pause_s)
        # It reads capitals and small letters alike.
        read = plain.get(said.casefold(), said)
        asked = Request(messages=(Message(role="user", content=read),))
        reply = told[body["model"]](asked) if body["model"] in told else _only(judge, asked)
        text = reply if isinstance(reply, str) else reply.text
        text = WRITTEN if body["model"] == WRITER else text
        with count.open("a") as file:
            file.write(f"{body['model']} {json.dumps(said)}\n")
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": len(said.split()), "completion_tokens": 2}
        return web.json_response({"choices": [choice], "usage": usage})

    served = web.Application()
    served.router.add_get("/v1/models", models)
    served.router.add_post("/v1/chat/completions", chat)
    return served


def _only(judge: ScriptedModel, asked: Request) -> Reply:
    [(_, reply)] = judge.ask([asked])
    return reply


if __name__ == "__main__":
    pause = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
    web.run_app(
        app(Path(sys.argv[2]), pause), host="127.0.0.1", port=int(sys.argv[1]), print=lambda _: None
    )
