"""The cases measured by DeepEval: its users bring the answers, here by the openai package.

python deepeval_run.py BASE CASES CONCURRENCY
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from deepeval import evaluate
from deepeval.evaluate import AsyncConfig, CacheConfig, DisplayConfig
from deepeval.metrics import ExactMatchMetric
from deepeval.test_case import LLMTestCase
from openai import AsyncOpenAI


async def answered(base: str, cases: list[dict[str, str]], concurrency: int) -> list[LLMTestCase]:
    client = AsyncOpenAI(base_url=base, api_key="none")
    place = asyncio.Semaphore(concurrency)

    async def one(case: dict[str, str]) -> LLMTestCase:
        async with place:
            found = await client.chat.completions.create(
                model="new",
                messages=[{"role": "user", "content": case["input"]}],
                temperature=0,
                max_tokens=64,
            )
        said = found.choices[0].message.content or ""
        return LLMTestCase(
            input=case["input"], actual_output=said, expected_output=case["expected"]
        )

    return await asyncio.gather(*map(one, cases))


def main(base: str, path: Path, concurrency: int) -> None:
    cases = [json.loads(line) for line in path.open()]
    tests = asyncio.run(answered(base, cases, concurrency))
    found = evaluate(
        tests,
        [ExactMatchMetric()],
        async_config=AsyncConfig(max_concurrent=concurrency),
        # Its cache is written anew for each case, which is slower than asking.
        cache_config=CacheConfig(write_cache=False),
        display_config=DisplayConfig(show_indicator=False, print_results=False),
    )
    print(sum(bool(one.success) for one in found.test_results))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
