"""What a bare asynchronous client takes: post, read, decode, compare; nothing is kept.

python bare.py BASE CASES CONCURRENCY
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import aiohttp


async def main(base: str, cases: Path, concurrency: int) -> None:
    waiting = iter([json.loads(line) for line in cases.open()])
    n_right = 0

    async def work(session: aiohttp.ClientSession) -> None:
        nonlocal n_right
        for case in waiting:
            asked = [{"role": "user", "content": case["input"]}]
            body = {"model": "new", "messages": asked, "temperature": 0, "max_tokens": 64}
            async with session.post(f"{base}/chat/completions", json=body) as response:
                found = json.loads(await response.read())
            n_right += found["choices"][0]["message"]["content"] == case["expected"]

    async with aiohttp.ClientSession() as session:
        await asyncio.gather(*(work(session) for _ in range(concurrency)))
    print(n_right)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
