"""A server of embeddings on loopback, for the tests of what asks one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Asked:
    """What a server was asked, and how it answers in turn: a status, or a body."""

    def __init__(self, *answers: int | bytes) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.headers: dict[str, str] = {}
        self.answers = list(answers)


@contextmanager
def embedder(asked: Asked) -> Iterator[str]:
    """A real server on loopback whose vectors are the lengths and the numbers of words."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.bodies.append({"path": self.path, **body})
            asked.keys.append(self.headers.get("Authorization"))
            answer = asked.answers.pop(0) if asked.answers else 200
            rows = [
                {"index": i, "embedding": [len(text), len(text.split())]}
                for i, text in enumerate(body["input"])
            ]
            told = json.dumps({"data": rows[::-1]}).encode()
            said = answer if isinstance(answer, bytes) else told
            self.send_response(answer if isinstance(answer, int) else 200)
            self.send_header("Content-Length", str(len(said)))
            for name, value in asked.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{running.server_port}/v1#small"
        finally:
            running.shutdown()
            thread.join()
