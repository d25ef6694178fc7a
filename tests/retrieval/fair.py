"""A fair whose prices stand in a file, and a model that reads them there, or makes them up.

    python -m tests.retrieval.fair PORT

The model ``reader`` answers by a rule: with the sentence of the price in front of it, it reads the
price out nine times of ten and else names another one; without it, it says that it does not know,
three times of ten, and else makes a price up as surely as if it had read it.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from aiohttp import web

from tests.world import hash_of, questions
from tuneornot.models.base import Reply, Request

ASKED = re.compile(r"What do (\w+) cost in (\w+) on day (\d+)")
SURE, UNSURE = -0.01, -1.2
STUDY = """\
study: fair
task: Tell the price as it stands in the context. If it stands nowhere, say that you do not know.
data:
  cases: cases.jsonl
  split: {{eval: {n_eval}, dev: 30, train: 30, seed: 1}}
arms:
  bare: {{model: "{model}"}}
  looked-up: {{model: "{model}", retrieve: {{from: knowledge.jsonl, top: 3}}}}
metrics: [exact_match]
decide: {{primary: exact_match, worthwhile: 0.1}}
"""


def sentence(row: dict[str, str]) -> str:
    """What the knowledge says of a question."""
    good, town, day = asked(row["input"])
    return f"On day {day} of the fair, merchants of {town} sold {good} for {row['expected']}."


def asked(question: str) -> tuple[str, str, str]:
    found = ASKED.search(question)
    assert found is not None, question
    return found[1], found[2], found[3]


def write(folder: Path, *, n_eval: int = 60, model: str = "local:reader") -> Path:
    """A study of two arms, of which one looks the prices up, with its cases and knowledge."""
    rows = questions(n_eval + 60)
    known = [{"id": f"k{i}", "text": sentence(row)} for i, row in enumerate(questions(400))]
    for name, lines in (("cases", rows), ("knowledge", known)):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (folder / "study.yaml").write_text(STUDY.format(n_eval=n_eval, model=model), encoding="utf-8")
    return folder / "study.yaml"


def reply(request: Request) -> Reply:
    """The model's answer, with log-probabilities."""
    return said(request.messages[-1].content)


def said(content: str) -> Reply:
    good, town, day = asked(content)
    told = f"On day {day} of the fair, merchants of {town} sold {good} for "
    chance = hash_of(good + town + day) * 7919 % 100
    _, known, price = content.partition(told)
    text, sure = f"{town[:2]}{chance} {good}", SURE
    if known and chance < 90:
        text = price.partition(".")[0]
    elif known:
        sure = UNSURE
    elif chance < 30:
        text, sure = "I do not know.", UNSURE
    words = text.split()
    return Reply(
        text=text,
        finish="stop",
        logprobs=(sure,) * len(words),
        latency_s=0.01,
        n_input_tokens=len(content.split()),
        n_output_tokens=len(words),
    )


def app() -> web.Application:
    """The model as an OpenAI-compatible server."""

    async def models(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "reader"}]})

    async def chat(request: web.Request) -> web.Response:
        body = await request.json()
        made = said(body["messages"][-1]["content"])
        assert made.text is not None
        message = {"role": "assistant", "content": made.text}
        choice: dict[str, object] = {"message": message, "finish_reason": "stop"}
        if body.get("logprobs"):
            tokens = zip(made.text.split(), made.logprobs or (), strict=True)
            listed = [{"token": word, "logprob": value} for word, value in tokens]
            choice["logprobs"] = {"content": listed}
        usage = {"prompt_tokens": made.n_input_tokens, "completion_tokens": made.n_output_tokens}
        return web.json_response({"choices": [choice], "usage": usage})

    served = web.Application()
    served.router.add_get("/v1/models", models)
    served.router.add_post("/v1/chat/completions", chat)
    return served


if __name__ == "__main__":
    web.run_app(app(), host="127.0.0.1", port=int(sys.argv[1]), print=lambda _: None)
