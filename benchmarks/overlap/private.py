"""What ``cases.private`` finds in public data sets, to be read: are the alarms true?

    python benchmarks/overlap/private.py DATASETS [--show 20]

DATASETS is a folder of data sets with files of JSON lines. Nothing was planted: every piece shown
(with ``--show``: unmasked, with what stands around it) is a phone number, an address or the like,
or a false alarm. Time is of the processor.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections import Counter
from pathlib import Path

from tuneornot.cases import private


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", type=Path)
    parser.add_argument("--show", type=int, default=0, help="pieces printed of each kind")
    options = parser.parse_args()
    shown: dict[str, list[str]] = {}
    seconds, characters, rows = 0.0, 0, 0
    for path in sorted(options.datasets.glob("*/*.jsonl")):
        for line in path.open(encoding="utf-8"):
            row = json.loads(line)
            values = [row.get(name) for name in ("input", "context", "expected")]
            text = "\n".join(v if isinstance(v, str) else json.dumps(v) for v in values)
            started = time.process_time()
            found = private.find(text)
            seconds += time.process_time() - started
            characters += len(text)
            rows += 1
            for piece in found:
                around = text[max(0, piece.start - 30) : piece.end + 10]
                shown.setdefault(piece.kind, []).append(f"{path.parent.name}: {around!r}")
    counts = Counter({kind: len(pieces) for kind, pieces in shown.items()})
    print(f"{rows:,} rows, {characters:,} characters, {seconds:.1f} s: {dict(counts)}")
    for kind, pieces in shown.items():
        for said in random.Random(0).sample(pieces, min(options.show, len(pieces))):
            print(f"  {kind} | {said}")


if __name__ == "__main__":
    main()
