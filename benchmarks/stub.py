"""A chat completions server on loopback that answers at once, run as a process of its own.

    python benchmarks/stub.py COUNT_FILE

A question ends in ``Repeat: WORDS``, and WORDS is the right answer. The model ``new`` repeats them,
``old`` gets two questions of five wrong, the same ones every time. It prints its port, and keeps in
COUNT_FILE how many questions it has answered: 8 bytes of a memory map, which cost it nothing.

It speaks just enough of HTTP for clients on one machine (keep-alive, a content length, no chunks),
since what is measured here is who asks. It checks nothing.
"""

from __future__ import annotations

import asyncio
import mmap
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MODEL = re.compile(rb'"model": ?"([^"]*)"')
LENGTH = re.compile(rb"\r\ncontent-length: ?(\d+)", re.IGNORECASE)
NAMES = (b"old", b"new")
LISTED = b'{"object":"list","data":[{"id":"old","object":"model"},{"id":"new","object":"model"}]}'
ANSWERED = (
    b'{"id":"1","object":"chat.completion","created":1,"model":"%b","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"%b"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":20,"completion_tokens":6,"total_tokens":26}}'
)


def answer(body: bytes) -> bytes:
    """The JSON for the body of a request."""
    found = MODEL.search(body)
    name = found.group(1) if found else b"new"
    words = body.rpartition(b"Repeat: ")[2].partition(b'"')[0].partition(b"\\n")[0]
    if name == b"old" and zlib.crc32(words) % 5 < 2:
        words = b"no idea"
    return ANSWERED % (name, words)


class Stub(asyncio.Protocol):
    """One connection."""

    def __init__(self, count: mmap.mmap) -> None:
        self.count = count
        self.got = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.got += data
        while (request := self._request()) is not None:
            assert self.transport is not None
            body = request if request is LISTED else answer(request)
            head = (
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            )
            self.transport.write(head % len(body) + body)

    def _request(self) -> bytes | None:
        """The body of the next whole request that has come, or ``LISTED`` for a GET."""
        head, found, rest = self.got.partition(b"\r\n\r\n")
        if not found:
            return None
        if head.startswith(b"GET"):
            self.got = rest
            return LISTED
        length = LENGTH.search(head)
        n = int(length.group(1)) if length else 0
        if len(rest) < n:
            return None
        self.got = rest[n:]
        self.count[:8] = struct.pack("<q", struct.unpack("<q", self.count[:8])[0] + 1)
        return rest[:n]


class Running:
    """A stub that was started."""

    def __init__(self, port: int, count: Path) -> None:
        self.base = f"http://127.0.0.1:{port}/v1"
        self._count = count

    @property
    def n_answered(self) -> int:
        """Questions answered so far."""
        return int(struct.unpack("<q", self._count.read_bytes()[:8])[0])


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    """Start a stub that counts in a folder; end it."""
    count = folder / "answered"
    count.write_bytes(bytes(8))
    command = [sys.executable, __file__, str(count)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield Running(int(server.stdout.readline()), count)
        finally:
            server.kill()


async def main(count: Path) -> None:
    with count.open("r+b") as file, mmap.mmap(file.fileno(), 8) as shared:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Stub(shared), "127.0.0.1", 0, backlog=1024)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
