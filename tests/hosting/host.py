"""A host that takes training jobs in the words of OpenAI and of Together, and trains nothing.

    python -m tests.hosting.host PORT LOG_FILE

It serves the model ``old``, right on two questions of five about prices; a finished job's model is
right on four of five. It writes a line to LOG_FILE for every job that it takes and every look at
one. ``mishaps`` are what goes wrong, in turn, by what is asked: a status, ``cut`` (it is done, and
the connection breaks) or ``lost`` (it is done, and the answer is 500).
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.world import right
from tuneornot.models.background import BackgroundLoop
from tuneornot.models.base import Request
from tuneornot.models.scripted import Script, answers
from tuneornot.records import Message

KEY = "sk-test-0123456789"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
WORDS = {
    "openai": {"running": "running", "done": "succeeded", "failed": "failed"},
    "together": {"running": "running", "done": "completed", "failed": "error"},
}


class Host:
    """The host's behaviour and its memory."""

    def __init__(self, log: Path | None = None) -> None:
        self.n_looks = 2
        """Looks at a job until it ends."""
        self.end = "done"
        """How jobs end; ``gone``: they vanish."""
        self.lists = True
        self.key: str | None = None
        self.mishaps: dict[str, list[int | str]] = defaultdict(list)
        self.files: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.looks: dict[str, int] = defaultdict(int)
        self.strangers: list[str] = []
        """Requests with the key that went where no key belongs."""
        self._log = log
        known = right(2000)
        self._old = answers(known, Script(quality=0.4, spread=0.1, seed=3))
        self._new = answers(known, Script(quality=0.8, spread=0.1, seed=4))

    def app(self) -> web.Application:
        """Its routes."""

        @web.middleware
        async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guarded(request, handler)

        app = web.Application(middlewares=[guarded])
        routes = app.router
        routes.add_get("/v1/models", self._models)
        routes.add_post("/v1/chat/completions", self._chat)
        routes.add_post("/v1/files", self._send)
        routes.add_put("/elsewhere/{id}", self._put)
        routes.add_post("/v1/files/{id}/preprocess", self._file)
        for path in ("/v1/fine_tuning/jobs", "/v1/fine-tunes"):
            routes.add_post(path, self._order)
            routes.add_get(path, self._list)
            routes.add_get(f"{path}/{{id}}", self._look)
            routes.add_get(f"{path}/{{id}}/events", self._events)
            routes.add_post(f"{path}/{{id}}/cancel", self._cancel)
        return app

    def note(self, line: str) -> None:
        """Write to the log."""
        if self._log is not None:
            with self._log.open("a") as file:
                file.write(f"{line}\n")

    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        sent = request.headers.get("Authorization")
        if request.path.startswith("/elsewhere"):
            self.strangers += [sent] if sent else []
        elif self.key is not None and sent != f"Bearer {self.key}":
            return refused(401, f"Incorrect API key provided: {sent}")
        return await handler(request)

    def _mishap(self, what: str) -> int | str | None:
        return self.mishaps[what].pop(0) if self.mishaps[what] else None

    async def _models(self, _: web.Request) -> web.Response:
        tuned = [str(job["served"]) for job in self.jobs.values()]
        return web.json_response({"data": [{"id": name} for name in ("old", *tuned)]})

    async def _chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        said = body["messages"][-1]["content"]
        told = self._old if body["model"] == "old" else self._new
        reply = told(Request(messages=(Message(role="user", content=said),)))
        text = reply if isinstance(reply, str) else reply.text
        choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": len(said.split()), "completion_tokens": 2}
        return web.json_response({"choices": [choice], "usage": usage})

    async def _send(self, request: web.Request) -> web.Response:
        form = await request.post()
        if (wrong := self._mishap("send")) is not None:
            return refused(int(wrong), "not now")
        name = f"file-{len(self.files) + 1}"
        if "file" not in form:
            to = str(request.url.with_path(f"/elsewhere/{name}"))
            headers = {"Location": to, "X-Together-File-Id": name}
            return web.Response(status=302, headers=headers)
        file = form["file"]
        assert isinstance(file, web.FileField)
        assert form["purpose"] == "fine-tune"
        self.files[name] = file.file.read()
        return web.json_response({"id": name, "object": "file"})

    async def _put(self, request: web.Request) -> web.Response:
        self.files[request.match_info["id"]] = await request.read()
        return web.Response()

    async def _file(self, request: web.Request) -> web.Response:
        return web.json_response({"id": request.match_info["id"]})

    async def _order(self, request: web.Request) -> web.Response:
        body, wrong = await request.json(), self._mishap("order")
        if isinstance(wrong, int):
            return refused(wrong, "not now")
        if body["model"] != "old":
            return refused(400, f"The model {body['model']!r} cannot be fine-tuned.")
        for line in self.files[body["training_file"]].splitlines():
            assert json.loads(line)["messages"][-1]["role"] == "assistant"
        name = f"job-{len(self.jobs) + 1}"
        self.jobs[name] = {**body, "served": f"ft:old:{body['suffix']}:{len(self.jobs) + 1}"}
        self.note(f"ordered {name} {body['suffix']}")
        if wrong == "cut" and request.transport is not None:
            request.transport.close()
        return refused(500, "lost") if wrong == "lost" else self._told(request, name)

    def _told(self, request: web.Request, name: str) -> web.Response:
        return web.json_response(self._entry(request, name))

    def _entry(self, request: web.Request, name: str) -> dict[str, Any]:
        api = "together" if "fine-tunes" in request.path else "openai"
        job, over = self.jobs[name], self.looks[name] >= self.n_looks
        state = job.get("state") or (WORDS[api][self.end] if over else WORDS[api]["running"])
        entry: dict[str, Any] = {"id": name, "status": state, "suffix": job["suffix"]}
        n_tokens = 1000 if over else None
        if api == "together":
            name_of = {"model_output_name": job["served"]}
            events = [{"created_at": "1", "message": "bad luck"}]
            return {**entry, **name_of, "token_count": n_tokens, "events": events}
        error = {"code": "server_error", "message": "bad luck"} if state == "failed" else None
        served = job["served"] if state == "succeeded" else None
        found = {"fine_tuned_model": served, "trained_tokens": n_tokens, "error": error}
        return {**entry, **found, "metadata": job.get("metadata")}

    async def _list(self, request: web.Request) -> web.Response:
        if not self.lists:
            return refused(404, "no such thing")
        names = [*self.jobs]
        after = request.query.get("after")
        page = names[names.index(after) + 1 :][:2] if after else names[:2]
        more = bool(page) and page[-1] != names[-1]
        listed = [self._entry(request, name) for name in page]
        return web.json_response({"data": listed, "has_more": more})

    async def _look(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        if (wrong := self._mishap("look")) is not None:
            return refused(int(wrong), "not now")
        if name not in self.jobs or (self.end == "gone" and self.looks[name] >= self.n_looks):
            return refused(404, "no such job")
        self.looks[name] += 1
        self.note(f"looked {name}")
        return self._told(request, name)

    async def _events(self, request: web.Request) -> web.Response:
        n = self.looks[request.match_info["id"]]
        events = [{"created_at": i, "message": f"step {i}"} for i in range(n, 0, -1)]
        return web.json_response({"data": events})

    async def _cancel(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        if self.looks[name] >= self.n_looks:
            return refused(400, "the job has ended")
        self.jobs[name]["state"] = "cancelled"
        self.note(f"cancelled {name}")
        return self._told(request, name)


def refused(status: int, message: str) -> web.Response:
    """An error in the usual shape."""
    return web.json_response({"error": {"message": message}}, status=status)


@contextmanager
def running(host: Host) -> Iterator[str]:
    """Serve on a free port; yields the base address."""
    loop = BackgroundLoop("training host")
    runner = web.AppRunner(host.app(), handle_signals=False)

    async def start() -> int:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        return int(runner.addresses[0][1])

    try:
        yield f"http://127.0.0.1:{loop.wait(start())}/v1"
    finally:
        loop.finish(runner.cleanup())


async def _serve(port: int, log: Path) -> None:
    host = Host(log)
    runner = web.AppRunner(host.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    # Jobs end when the file beside the log says so.
    while True:
        host.n_looks = 0 if log.with_suffix(".end").exists() else sys.maxsize
        await asyncio.sleep(0.05)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
