"""How well ``cases.overlap`` finds planted repeats, and how often it raises a false alarm.

    python benchmarks/overlap/measure.py DATASETS [--cases 300] [--natural]

DATASETS is a folder of data sets, each with ``train.jsonl`` and ``eval.jsonl`` whose rows have id,
input, expected and perhaps context. Into each train set repeats of eval cases are planted, one of
five kinds at a time; recall is the share found. An alarm between a genuine train and eval case
counts as false where their right answers differ: what sets them apart matters. Alarms where the
answers agree are counted beside; most are genuine repeats, as reading a sample shows (``--show``).
With ``--natural`` nothing is planted: alarms are counted by kind, and those whose answers differ.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tuneornot.cases import overlap
from tuneornot.cases.likeness import normalised
from tuneornot.records import Case


def typo(text: str, rng: random.Random, words: Sequence[str]) -> str:
    letters = list(text)
    place = rng.randrange(len(letters) - 1)
    kind = rng.randrange(3)
    if kind == 0:
        letters[place : place + 2] = reversed(letters[place : place + 2])
    elif kind == 1:
        del letters[place]
    else:
        letters.insert(place, rng.choice("abcdefghijklmnopqrstuvwxyz"))
    return "".join(letters)


def two_typos(text: str, rng: random.Random, words: Sequence[str]) -> str:
    return typo(typo(text, rng, words), rng, words)


def casing(text: str, rng: random.Random, words: Sequence[str]) -> str:
    return "  ".join(rng.choice([word.upper(), word.title()]) for word in text.split()) + " !"


def word_changed(text: str, rng: random.Random, words: Sequence[str]) -> str:
    own = text.split()
    own[rng.randrange(len(own))] = rng.choice(words)
    return " ".join(own)


def word_dropped(text: str, rng: random.Random, words: Sequence[str]) -> str:
    own = text.split()
    del own[rng.randrange(len(own))]
    return " ".join(own)


PLANTS: dict[str, Callable[[str, random.Random, Sequence[str]], str]] = {
    "typo": typo,
    "two typos": two_typos,
    "casing": casing,
    "word changed": word_changed,
    "word dropped": word_dropped,
}


KINDS = ("exact", "normalised", "near", "span", "quote")


def read(path: Path) -> list[Case]:
    rows: list[dict[str, Any]] = [json.loads(line) for line in path.open(encoding="utf-8")]
    cases = []
    for row in rows:
        context = row.get("context")
        if isinstance(context, list):
            context = "\n\n".join(context)
        cases.append(
            Case(id=row["id"], input=row["input"], expected=row["expected"], context=context)
        )
    return cases


def measure(train: list[Case], judged: list[Case], show: int) -> list[str]:
    rng = random.Random(1)
    words = [word for case in train for word in case.text.split()][:20_000]
    started = time.perf_counter()
    natural = overlap.find(train, judged)
    seconds = time.perf_counter() - started
    cells = []
    for plant in PLANTS.values():
        planted = [
            msgspec.structs.replace(
                case, id=f"planted {case.id}", input=plant(case.text, rng, words)
            )
            for case in judged
            if len(case.text.split()) >= 4
        ]
        found = {hit.other_id for hit in overlap.find([*train, *planted], judged)}
        cells.append(f"{sum(case.id in found for case in planted) / len(planted):.3f}")
    answers = {case.id: normalised(case.answer) for case in (*train, *judged)}
    near = [hit for hit in natural if hit.kind in ("near", "span")]
    differ = [hit for hit in near if answers[hit.other_id] != answers[hit.eval_id]]
    texts = {case.id: case.text for case in (*train, *judged)}
    for hit in random.Random(2).sample(near, min(show, len(near))):
        mark = "differ" if hit in differ else "agree"
        print(
            f"  {mark} {hit.similarity} {texts[hit.other_id][:90]!r} | {texts[hit.eval_id][:90]!r}"
        )
    sure = len(natural) - len(near)
    cells += [str(sure), str(len(near) - len(differ)), str(len(differ)), f"{seconds:.1f}"]
    return cells


def natural(train: list[Case], judged: list[Case]) -> list[str]:
    """Alarms of each kind among genuine cases, and those of them whose answers differ."""
    hits = overlap.find(train, judged)
    answers = {case.id: normalised(case.answer) for case in (*train, *judged)}
    cells = []
    for kind in KINDS:
        own = [hit for hit in hits if hit.kind == kind]
        differ = sum(answers[hit.other_id] != answers[hit.eval_id] for hit in own)
        cells.append(f"{len(own)} ({differ})")
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("datasets", type=Path)
    parser.add_argument("--cases", type=int, default=300, help="eval cases of each set")
    parser.add_argument("--show", type=int, default=0, help="genuine alarms printed for each set")
    parser.add_argument("--only", nargs="*", help="names of sets")
    parser.add_argument("--natural", action="store_true", help="plant nothing")
    options = parser.parse_args()
    head = ["set", "train", "eval", *PLANTS, "exact or normalised", "near, answers agree"]
    head = [*head[:3], *KINDS] if options.natural else [*head, "near, answers differ", "s"]
    print("| " + " | ".join(head) + " |")
    print("|---" * len(head) + "|")
    for folder in sorted(options.datasets.iterdir()):
        if options.only and folder.name not in options.only:
            continue
        if not (folder / "eval.jsonl").exists():
            continue
        judged = read(folder / "eval.jsonl")
        random.Random(0).shuffle(judged)
        others = folder / "train.jsonl"
        train = read(others) if others.exists() else judged[options.cases :]
        judged = judged[: options.cases]
        if train:
            sizes = [folder.name, str(len(train)), str(len(judged))]
            cells = natural(train, judged) if options.natural else None
            cells = cells or measure(train, judged, options.show)
            print("| " + " | ".join([*sizes, *cells]) + " |", flush=True)


if __name__ == "__main__":
    main()
