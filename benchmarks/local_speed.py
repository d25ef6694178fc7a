"""The local model beside plain batched ``generate`` of transformers, and beside its own products.

The same legal citations behind the same 12 demonstrations, greedily, the same weights and threads,
in one process. Printed: seconds and the ratio, how many answers are equal (and, of those that are
not, how near to a tie the first different token was), and the bound: the time that the necessary
products alone take at the rate at which this machine multiplies, measured in the same run.
Seconds are given by the wall clock and as processor time, which other work on the machine changes
less.

    OMP_NUM_THREADS=2 python benchmarks/local_speed.py [--cases 100] [--batch 25] [--skip-plain]
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import torch

from tuneornot.examples import legal_citations
from tuneornot.models.base import Reply, Request
from tuneornot.models.local import LocalModel, weights
from tuneornot.models.local.prefixed import n_common
from tuneornot.records import Case, Prompt, Sampling

Seconds = tuple[float, float]
"""By the wall clock, and of the processor over all threads."""

NAME = "local:smollm2-135m"
INSTRUCTIONS = (
    "Convert the legal citation to JSON with the keys volume, reporter, page and year. "
    "Write the reporter in its standard abbreviation."
)
MOST_TOKENS = 64


def requests(n: int) -> list[Request]:
    known, _ = legal_citations.cases()
    prompt = Prompt(instructions=INSTRUCTIONS, demonstrations=tuple(known[:12]))
    asked: list[Case] = known[12 : 12 + n]
    sampling = Sampling(max_tokens=MOST_TOKENS)
    return [Request(messages=prompt.messages(case), sampling=sampling) for case in asked]


def now() -> Seconds:
    return time.perf_counter(), time.process_time()


def since(start: Seconds) -> Seconds:
    return time.perf_counter() - start[0], time.process_time() - start[1]


def ours(model: LocalModel, asked: list[Request]) -> tuple[list[Reply], Seconds]:
    start = now()
    replies = dict(model.ask(asked))
    return [replies[i] for i in range(len(asked))], since(start)


def plain(
    loaded: weights.Loaded, prompts: list[list[int]], n_rows: int
) -> tuple[list[list[int]], Seconds]:
    """``generate`` over batches padded on the left, prompts sorted by length."""
    start = now()
    answers: dict[int, list[int]] = {}
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    for begin in range(0, len(order), n_rows):
        chosen = order[begin : begin + n_rows]
        longest = max(len(prompts[i]) for i in chosen)
        pad = loaded.tokenizer.pad_token_id
        rows = [[pad] * (longest - len(prompts[i])) + prompts[i] for i in chosen]
        seen = [[0] * (longest - len(prompts[i])) + [1] * len(prompts[i]) for i in chosen]
        out = loaded.model.generate(
            torch.tensor(rows),
            attention_mask=torch.tensor(seen),
            max_new_tokens=MOST_TOKENS,
            do_sample=False,
        )
        answers |= dict(zip(chosen, out[:, longest:].tolist(), strict=True))
    return [answers[i] for i in range(len(prompts))], since(start)


def tie(loaded: weights.Loaded, prompt: list[int], one: list[int], other: list[int]) -> float:
    """How far apart the model scores the first two tokens that differ, in nats."""
    n = n_common(tuple(one), tuple(other))
    with torch.inference_mode():
        scores = loaded.model(torch.tensor([prompt + one[:n]])).logits[0, -1].float()
    return float((scores[one[n]] - scores[other[n]]).abs())


def rate(model: Any, n_rows: int = 100, seconds: float = 3.0) -> float:
    """Multiply-adds per processor second of the model's own weight matrices, for so many rows."""
    matrices = [m.weight for m in model.modules() if isinstance(m, torch.nn.Linear)]
    inputs = {size: torch.randn(n_rows, size).to(model.dtype) for size in (576, 1536)}
    n_done = 0
    start = now()
    with torch.inference_mode():
        while (spent := since(start)[1]) < seconds:
            for matrix in matrices:
                torch.nn.functional.linear(inputs[matrix.shape[1]], matrix)
                n_done += n_rows * matrix.numel()
    return n_done / spent


def necessary(model: Any, replies: list[Reply], prompts: list[list[int]]) -> float:
    """Multiply-adds that no exact answer can do without: prefix once, own tokens, scores."""
    config = model.config
    n_shared = n_common(*(tuple(extreme(prompts)) for extreme in (min, max)))
    head = config.vocab_size * config.hidden_size
    body = sum(m.weight.numel() for m in model.modules() if isinstance(m, torch.nn.Linear)) - head
    wide = 2 * config.num_hidden_layers * config.num_attention_heads * config.head_dim
    total: float = n_shared * (body + wide * n_shared / 2)
    for reply, prompt in zip(replies, prompts, strict=True):
        n_out = reply.n_output_tokens or 0
        n_own = len(prompt) - n_shared + n_out - 1
        total += n_own * (body + wide * (n_shared + n_own / 2)) + n_out * head
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--batch", type=int, default=25, help="rows of plain generate")
    parser.add_argument("--skip-plain", action="store_true")
    given = parser.parse_args()
    model, asked = LocalModel(NAME), requests(given.cases)
    list(model.ask(requests(1)))  # loads the weights; its prefix is not kept
    prompts = [model.prompt_tokens(request.messages) for request in asked]
    loaded = weights.load(NAME)
    replies, first = ours(model, asked)
    _, warm = ours(model, asked)
    speed = rate(loaded.model)
    bound = necessary(loaded.model, replies, prompts) / speed
    n_out = sum(reply.n_output_tokens or 0 for reply in replies)
    n_shared = n_common(tuple(min(prompts)), tuple(max(prompts)))
    print(f"{len(asked)} cases, {torch.get_num_threads()} threads, {loaded.model.dtype}")
    print(f"{n_shared} shared tokens, {sum(map(len, prompts))} in prompts, {n_out} answered")
    print("                 wall s  processor s")
    print(f"ours            {first[0]:7.1f}  {first[1]:7.1f}")
    print(f"  prefix known  {warm[0]:7.1f}  {warm[1]:7.1f}")
    print(f"bound                    {bound:7.1f}  at {2 * speed / 1e9:.0f} GFLOP per second")
    print(f"                         {bound / first[1]:7.0%}  of the bound reached")
    if given.skip_plain:
        return
    answers, slow = plain(loaded, prompts, given.batch)
    print(f"plain           {slow[0]:7.1f}  {slow[1]:7.1f}")
    print(f"plain / ours    {slow[0] / first[0]:7.1f}  {slow[1] / first[1]:7.1f}")
    compare(loaded, prompts, replies, answers)


def compare(
    loaded: weights.Loaded, prompts: list[list[int]], replies: list[Reply], answers: list[list[int]]
) -> None:
    gaps = []
    for prompt, reply, answer in zip(prompts, replies, answers, strict=True):
        if reply.text != loaded.tokenizer.decode(answer, skip_special_tokens=True):
            mine = loaded.tokenizer(reply.text, add_special_tokens=False)["input_ids"]
            gaps.append(tie(loaded, prompt, [*mine, loaded.tokenizer.eos_token_id], answer))
    print(f"equal  {len(replies) - len(gaps)} of {len(replies)} answers")
    if gaps:
        print(f"the others part at near ties: at most {max(gaps):.4f} nats apart")


if __name__ == "__main__":
    main()
