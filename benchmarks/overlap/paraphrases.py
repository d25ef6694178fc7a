"""How well paraphrases are found by an embedding, and which bound keeps false alarms rare.

    python -m benchmarks.overlap.paraphrases [--embed local:all-minilm-l6-v2]
        [--datasets DATASETS --only NAME ...]

``paraphrases.csv`` holds questions of four kinds, all written by hand. Each stands there reworded
(the same nouns in another sentence), paraphrased (hardly a word in common), and beside a sibling:
worded much alike, and asking something else. At each bound: the share of each that the leak check
takes for a repeat where no right answers are known. Bound 1 is the check without an embedding.

With DATASETS (as in ``measure.py``) besides: genuine train cases that are taken for paraphrases of
eval cases where the right answers are withheld, and those among them whose right answers differ.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections.abc import Sequence
from pathlib import Path

import msgspec
from benchmarks.overlap.measure import read

from tuneornot.cases import overlap
from tuneornot.cases.likeness import normalised
from tuneornot.cases.searches import Meaning, Terms
from tuneornot.models.embedding import EMBEDDED, Embedding
from tuneornot.records import Case, Overlap

BOUNDS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5)
FILE = Path(__file__).with_name("paraphrases.csv")
COLUMNS = ("question", "reworded", "paraphrase", "sibling")


def found(embedding: Embedding, left: Sequence[Case], right: Sequence[Case]) -> list[Overlap]:
    """The strongest overlap of each case of the left side at the lowest bound."""
    meaning = Meaning(embedding, embedding.identity, min(BOUNDS))
    return [*overlap.find(left, right, terms=Terms(meaning=meaning))]


def at(hits: Sequence[Overlap], bound: float) -> list[Overlap]:
    """Those that would be found at a higher bound as well."""
    return [hit for hit in hits if hit.kind != "paraphrase" or hit.similarity >= bound]


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


def by_hand(embedding: Embedding) -> None:
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = [*dict.fromkeys(row["kind"] for row in rows)]
    side = {
        column: [Case(id=f"{row['kind']} {i}", input=row[column]) for i, row in enumerate(rows)]
        for column in COLUMNS
    }
    hits = {column: found(embedding, side[column], side["question"]) for column in COLUMNS[1:]}
    cells = []
    for bound in BOUNDS:
        line: list[object] = [f"{bound:g}"]
        for column in COLUMNS[1:]:
            ids = [hit.other_id.split()[0] for hit in at(hits[column], bound)]
            line.append(f"{len(ids) / len(rows):.3f}")
            line += [f"{ids.count(kind) / len(rows) * len(kinds):.2f}" for kind in kinds]
        cells.append(line)
    head = [f"{column} {of}".strip() for column in COLUMNS[1:] for of in ("", *kinds)]
    print(f"{len(rows)} questions")
    table(["bound", *head], cells)


def genuine(embedding: Embedding, folder: Path, *, n_judged: int, n_train: int) -> list[object]:
    """Alarms of a set at each bound, and in brackets those whose right answers differ."""
    judged, train = read(folder / "eval.jsonl"), read(folder / "train.jsonl")
    for cases, n in ((judged, n_judged), (train, n_train)):
        random.Random(0).shuffle(cases)
        del cases[n:]
    answers = {case.id: normalised(case.answer) for case in (*train, *judged)}
    sides = [
        [msgspec.structs.replace(case, expected=None) for case in cases]
        for cases in (train, judged)
    ]
    hits = [hit for hit in found(embedding, *sides) if hit.kind == "paraphrase"]
    line: list[object] = [folder.name, len(train), len(judged)]
    for bound in BOUNDS[1:]:
        loud = at(hits, bound)
        false = sum(answers[hit.other_id] != answers[hit.eval_id] for hit in loud)
        line.append(f"{len(loud)} ({false})")
    return line


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--embed", default=EMBEDDED)
    parser.add_argument("--datasets", type=Path)
    parser.add_argument("--only", nargs="*", default=[], help="names of sets")
    parser.add_argument("--cases", type=int, default=300, help="eval cases of each set")
    parser.add_argument("--train", type=int, default=1000, help="train cases of each set")
    options = parser.parse_args()
    embedding = Embedding(options.embed, Path())
    by_hand(embedding)
    if options.datasets is not None:
        lines = [
            genuine(
                embedding, options.datasets / name, n_judged=options.cases, n_train=options.train
            )
            for name in options.only
        ]
        table(["set", "train", "eval", *map("{:g}".format, BOUNDS[1:])], lines)


if __name__ == "__main__":
    main()
