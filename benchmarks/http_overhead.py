"""Requests per second of HttpModel beside a bare aiohttp client, against one trivial server.

The server is a process of its own that answers a fixed chat completion at once, so what is measured
is the client. Rounds of both alternate, because other work on the machine comes and goes.

    python benchmarks/http_overhead.py [N_REQUESTS] [N_ROUNDS]
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time

import aiohttp
import msgspec

from tuneornot.models import address, chat
from tuneornot.models.base import Request
from tuneornot.models.http import HttpModel
from tuneornot.records import Message

CONCURRENCY = 16
SERVER = """
import asyncio
BODY = (b'{"choices":[{"index":0,"message":{"role":"assistant","content":"forty-two"},'
        b'"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":3}}')
ANSWER = (b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: "
          + str(len(BODY)).encode() + b"\\r\\n\\r\\n" + BODY)

class Server(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.got = transport, b""
    def data_received(self, data):
        self.got += data
        head, found, rest = self.got.partition(b"\\r\\n\\r\\n")
        if not found:
            return
        length = int(head.lower().split(b"content-length: ")[1].split(b"\\r\\n")[0])
        if len(rest) >= length:
            self.got = rest[length:]
            self.transport.write(ANSWER)

async def main():
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


def questions(n: int) -> list[Request]:
    return [
        Request(messages=(Message(role="user", content=f"What is the answer to {i}?"),))
        for i in range(n)
    ]


async def bare(name: str, asked: list[Request]) -> float:
    """Seconds for a loop of workers that post, read and decode, and do nothing else."""
    where = address.parse(name)
    waiting = iter([chat.body(request, where) for request in asked])
    headers = {"Content-Type": "application/json"}

    async def work(session: aiohttp.ClientSession) -> None:
        for body in waiting:
            url = f"{where.base}/chat/completions"
            async with session.post(url, data=body, headers=headers) as response:
                msgspec.json.decode(await response.read())

    async with aiohttp.ClientSession() as session:
        started = time.perf_counter()
        await asyncio.gather(*(work(session) for _ in range(CONCURRENCY)))
        return time.perf_counter() - started


def ours(model: HttpModel, asked: list[Request]) -> float:
    started = time.perf_counter()
    assert all(reply.text == "forty-two" for _, reply in model.ask(asked))
    return time.perf_counter() - started


def main(n: int = 2000, n_rounds: int = 5) -> None:
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    name = f"http://127.0.0.1:{server.stdout.readline().strip()}/v1#any"
    asked = questions(n)
    model = HttpModel(name, concurrency=CONCURRENCY)
    pairs = []
    try:
        ours(model, asked[:200])
        for _ in range(n_rounds):
            pairs.append((asyncio.run(bare(name, asked)), ours(model, asked)))
            print("bare {:6.0f}/s   HttpModel {:6.0f}/s".format(*(n / s for s in pairs[-1])))
    finally:
        model.close()
        server.kill()
        server.wait()
    ratio = statistics.median(theirs / mine for theirs, mine in pairs)
    print(f"HttpModel makes {ratio:.2f} of the bare client's requests (median of {n_rounds})")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
