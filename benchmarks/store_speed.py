"""How fast responses are kept and read, and in how much memory.

    python benchmarks/store_speed.py [N]

Prints one line for each way of keeping and reading N responses (100,000) of 120 characters.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tuneornot.records import Response
from tuneornot.store.store import Store


def response(i: int, arm: str) -> Response:
    """A response of ordinary size."""
    return Response(
        arm=arm * 20, question=f"{i:020d}", text="x" * 120, latency_s=0.5, n_output_tokens=30
    )


def timed(what: str, n: int, work: Callable[[], object]) -> None:
    """Do the work and print its speed, and the most memory that the process has held."""
    start = time.perf_counter()
    work()
    rate = n / (time.perf_counter() - start)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:32} {rate:10,.0f} a second   peak memory {peak_mb:6.1f} MB")


def main(n: int) -> None:
    """Keep and read n responses in a new store."""
    keys = [response(i, "a").key for i in range(n)]
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "store.db") as store:

        def one_by_one() -> None:
            for i in range(n):
                store.keep_response(response(i, "a"))

        timed("nothing yet", 1, lambda: None)
        timed("kept one by one", n, one_by_one)
        timed("kept in blocks", n, lambda: store.keep_responses(response(i, "b") for i in range(n)))
        timed("read one after the other", 2 * n, lambda: sum(1 for _ in store.each_response()))
        timed("looked up by key, all held", n, lambda: store.responses(keys))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
