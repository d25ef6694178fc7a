"""datasketch's MinHash with LSH on the rows that ``scale.py`` wrote: the same data, the same count.

    python scale.py --rows ROWS ...            (in the project's environment)
    python minhash.py ROWS [--train 100000]    (in one of its own, with datasketch)

Shingles of four characters of the text in small letters, 128 permutations, Jaccard similarity of
0.7 and above. Eval cases are put into the index and every training row is looked up, as is usual
for decontamination. The planted rows are all tried, whatever ``--train``. Time is of the processor.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections import Counter
from pathlib import Path

from datasketch import MinHash, MinHashLSH

PERMUTATIONS = 128
THRESHOLD = 0.7


def hashed(text: str) -> MinHash:
    plain = " ".join(text.lower().split())
    made = MinHash(num_perm=PERMUTATIONS, seed=1)
    made.update_batch({plain[i : i + 4].encode() for i in range(max(1, len(plain) - 3))})
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--train", type=int, default=1_000_000)
    options = parser.parse_args()
    judged = [json.loads(line) for line in (options.rows / "eval.jsonl").open(encoding="utf-8")]
    started = time.process_time()
    index, kept = MinHashLSH(threshold=THRESHOLD, num_perm=PERMUTATIONS), {}
    for row in judged:
        kept[row["id"]] = hashed(row["text"])
        index.insert(row["id"], kept[row["id"]])
    n, false = 0, 0
    planted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    answers = {row["id"]: row["answer"] for row in judged}
    for number, line in enumerate((options.rows / "train.jsonl").open(encoding="utf-8")):
        row = json.loads(line)
        kind, _, origin = row["id"].partition("|")
        if not origin and number >= options.train:
            continue
        n += 1
        own = hashed(row["text"])
        hits = [name for name in index.query(own) if own.jaccard(kept[name]) >= THRESHOLD]
        if origin:
            planted[kind] += 1
            found[kind] += origin in hits
        else:
            false += any(answers[name] != row["answer"] for name in hits)
    seconds = time.process_time() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{n:,} by {len(judged):,}: {seconds:.0f} s of one core, {peak:.2f} GiB at most")
    for kind, many in planted.items():
        print(f"  {kind:16} {found[kind] / many:.3f} of {many}")
    print(f"  not planted, answers differ: {false}")


if __name__ == "__main__":
    main()
