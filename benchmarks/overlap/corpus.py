"""Made rows in any number, with copies of eval cases planted among them, for ``scale.py``.

Half of the rows are requests from templates with slots and a note, as a product's logs are:
thousands share a frame and differ in what matters. The other half are prose: sentences walked word
by word through the pairs of words of public rows (or, without those, of the templates), 5 to 80
words long, so that words and runs of words are as frequent as in real text. Answers are one of 40
labels for requests and prose of their own otherwise.
"""

from __future__ import annotations

import itertools
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from tuneornot.records import Case

OPENINGS = (
    "I would like to {verb} my {thing} from {place}",
    "How do I {verb} the {thing} that I ordered in {place} {when}?",
    "Hello, my {thing} {trouble} {when}, can you {verb} it please?",
    "Is it possible to {verb} a {thing} {when} if it {trouble}?",
    "Order {number}: the {thing} for {place} {trouble}, please {verb} it {when}",
    "Could someone in {place} {verb} our {thing}? It {trouble} {when}.",
    "Your shop in {place} refused to {verb} the {thing} {number} {when}",
    "Please tell me what it costs to {verb} {number} of the {thing} {when}",
)
SLOTS = {
    "verb": "return|repair|exchange|cancel|track|insure|resend|collect|replace|reserve",
    "thing": "blue kettle|garden chair|winter coat|bread knife|desk lamp|bicycle bell|tea set|"
    "wool blanket|coffee grinder|picture frame|rain jacket|door handle|paper shredder|"
    "mountain tent|baking tray|water filter|night light|sewing machine|tool box|violin string",
    "place": "Arles|Basel|Cork|Delft|Espoo|Faro|Ghent|Hof|Ivrea|Jena|Kiel|Lund|Mons|Nice|Oulu|"
    "Porto|Riga|Siena|Turku|Ulm|Vigo|Wells|York|Zwolle",
    "when": "yesterday|last week|on Monday|two days ago|this morning|before the holidays|in March|"
    "on the 4th|after the move|next month|at noon|over the weekend",
    "trouble": "arrived broken|never arrived|was the wrong size|has a loose part|leaks|"
    "makes a strange noise|stopped working|came without a manual|was charged twice",
}
CHOICES = {name: values.split("|") for name, values in SLOTS.items()}
LABELS = [
    f"{verb}_{where}" for verb in CHOICES["verb"] for where in ("shop", "home", "web", "phone")
]


def public_text(folder: Path | None) -> list[str]:
    """Texts of public rows, where their folder is there, else of the templates."""
    if folder is None:
        rng = random.Random(0)
        return [request(rng) for _ in range(20_000)]
    found: list[str] = []
    for path in sorted(folder.glob("*/train.jsonl")):
        for line in path.open(encoding="utf-8"):
            value = json.loads(line).get("input")
            if isinstance(value, str) and len(value) < 2000:
                found.append(value)
    return found


def request(rng: random.Random) -> str:
    filled = {name: rng.choice(values) for name, values in CHOICES.items()}
    return rng.choice(OPENINGS).format(number=rng.randint(1, 99_999), **filled)


def walker(texts: Sequence[str]) -> dict[str, list[str]]:
    """By word the words that follow it, as often as they do."""
    following: dict[str, list[str]] = defaultdict(list)
    for text in texts:
        words = text.split()
        for word, after in itertools.pairwise(words):
            following[word].append(after)
    return following


def prose(
    rng: random.Random, following: dict[str, list[str]], starts: Sequence[str], *, mean: float
) -> str:
    n = min(80, 5 + int(rng.expovariate(1 / mean)))
    words = [rng.choice(starts)]
    while len(words) < n:
        after = following.get(words[-1])
        words.append(rng.choice(after) if after else rng.choice(starts))
    return " ".join(words)


def rows(n: int, *, seed: int, name: str, folder: Path | None) -> Iterator[Case]:
    rng = random.Random(seed)
    following = walker(public_text(folder))
    starts = list(following)
    for i in range(n):
        if i % 2:
            asked = f"{request(rng)} {prose(rng, following, starts, mean=6)}"
            yield Case(id=f"{name}{i}", input=asked, expected=rng.choice(LABELS))
        else:
            asked = prose(rng, following, starts, mean=18)
            answer = " ".join(rng.choice(starts) for _ in range(rng.randint(1, 12)))
            yield Case(id=f"{name}{i}", input=asked, expected=answer)


def edited(text: str, share: float, rng: random.Random, words: Sequence[str]) -> str:
    """A share of the words replaced, left out or doubled by another one; at least one."""
    own = text.split()
    for _ in range(max(1, round(share * len(own)))):
        place, kind = rng.randrange(len(own)), rng.randrange(3)
        if kind == 0:
            own[place] = rng.choice(words)
        elif kind == 1 and len(own) > 2:
            del own[place]
        else:
            own.insert(place, rng.choice(words))
    return " ".join(own)


def swapped(text: str, rng: random.Random) -> str:
    """Two neighbouring words in the other order, in three places."""
    own = text.split()
    for _ in range(3):
        place = rng.randrange(max(1, len(own) - 1))
        own[place : place + 2] = reversed(own[place : place + 2])
    return " ".join(own)
