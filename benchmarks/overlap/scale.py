"""A million training rows against ten thousand eval cases: time, memory, recall, false alarms.

    python benchmarks/overlap/scale.py [--train N] [--eval N] [--datasets DIR] [--rows DIR]

Rows are made as ``corpus.py`` says. Copies of eval cases are planted among them, 300 of each kind:
5%, 10% and 20% of the words edited, neighbouring words swapped, other case and punctuation. Recall
is the share of the planted rows that are named with the right eval case. Every other row that is
named as near is a false alarm where its answer is another one: nobody planted it. Exact repeats
among the made rows are repeats and counted apart. With ``--rows`` the rows are written to a folder
for ``minhash.py``, which holds another tool against the same data.

Time is of the processor, memory the greatest resident size of the process, both without making the
rows; the rows themselves are in memory.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
from corpus import edited, rows, swapped

from tuneornot.cases import overlap
from tuneornot.records import Case

PLANTED = 300


def plant(judged: list[Case]) -> list[Case]:
    """Copies of eval cases of at least six words, each kind of other cases."""
    rng = random.Random(3)
    long = [case for case in judged if len(case.text.split()) >= 6]
    words = [word for case in judged for word in case.text.split()]
    made = []
    kinds: dict[str, Callable[[str], str]] = {
        "5% edited": lambda text: edited(text, 0.05, rng, words),
        "10% edited": lambda text: edited(text, 0.10, rng, words),
        "20% edited": lambda text: edited(text, 0.20, rng, words),
        "words swapped": lambda text: swapped(text, rng),
        "case and marks": lambda text: f"  {text.upper()} !",
    }
    drawn = iter(rng.sample(long, min(len(long), PLANTED * len(kinds))))
    for kind, change in kinds.items():
        for case in [next(drawn) for _ in range(min(PLANTED, len(long) // len(kinds)))]:
            name = f"{kind}|{case.id}"
            made.append(msgspec.structs.replace(case, id=name, input=change(case.text)))
    return made


def report(hits: tuple[tuple[str, str, str], ...], train: list[Case], judged: list[Case]) -> None:
    """Recall by kind and false alarms; hits are (kind, train id, eval id)."""
    planted = Counter(case.id.partition("|")[0] for case in train if "|" in case.id)
    found: Counter[str] = Counter()
    for _, ours, theirs in hits:
        kind, _, origin = ours.partition("|")
        found[kind] += bool(origin) and origin == theirs
    for kind, n in planted.items():
        print(f"  {kind:16} {found[kind] / n:.3f} of {n}")
    answers = {case.id: case.answer for case in (*train, *judged)}
    near = [(ours, theirs) for kind, ours, theirs in hits if kind == "near" and "|" not in ours]
    false = sum(answers[ours] != answers[theirs] for ours, theirs in near)
    other = Counter(kind for kind, ours, _ in hits if "|" not in ours and kind != "near")
    print(
        f"  not planted: near, answers differ {false}; near, answers agree {len(near) - false}; "
        f"{dict(other)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=int, default=1_000_000)
    parser.add_argument("--eval", type=int, default=10_000)
    parser.add_argument("--datasets", type=Path, help="public rows to walk through")
    parser.add_argument("--rows", type=Path, help="where to write the rows for minhash.py")
    options = parser.parse_args()
    judged = list(rows(options.eval, seed=2, name="e", folder=options.datasets))
    train = [*rows(options.train, seed=1, name="t", folder=options.datasets), *plant(judged)]
    if options.rows:
        options.rows.mkdir(parents=True, exist_ok=True)
        for name, cases in (("train", train), ("eval", judged)):
            with (options.rows / f"{name}.jsonl").open("w", encoding="utf-8") as file:
                for case in cases:
                    row = {"id": case.id, "text": case.text, "answer": case.answer}
                    file.write(json.dumps(row) + "\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    started = time.process_time()
    found = overlap.find(train, judged)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(
        f"{len(train):,} by {len(judged):,}: {seconds:.0f} s of one core, {peak:.2f} GiB at most "
        f"({before:.2f} with the rows alone)"
    )
    report(tuple((hit.kind, hit.other_id, hit.eval_id) for hit in found), train, judged)


if __name__ == "__main__":
    main()
