"""How often intervals of whole-run figures hold the truth, for macro-F1, corpus BLEU and chrF.

    python benchmarks/whole_run.py [--draws 1000] [--only BLEU]

Each row is a population of cases that two arms have answered: the truth is the figure of all of it.
Cases (or groups of cases) are drawn from it at random, and the shipped interval of the difference
is held against the truth. Printed in percent: coverage of the 95% interval, errors of the one-sided
95% lower and upper bound (on which verdicts rest), and the mean width of the interval. A population
holds so many cases that drawing with replacement is drawing anew.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tuneornot.metrics import registry
from tuneornot.metrics.base import Whole
from tuneornot.records import Case, Response
from tuneornot.stats.whole import Paired

Floats = NDArray[np.float64]
SIZES = (50, 100, 300)
N_TEXTS, N_CHOICES = 6000, 200_000
GROUP = 5


class Population(NamedTuple):
    """Parts of every case, by arm, and the metric that makes figures of them."""

    name: str
    metric: Whole
    arms: tuple[Floats, Floats]
    grouped: bool = False
    """Whether runs of ``GROUP`` neighbours belong together and are drawn together."""


def built(entry: registry.Entry) -> Whole:
    made = registry.build(entry)
    assert isinstance(made, Whole)
    return made


def choices(
    name: str,
    shares: Sequence[float],
    quality: tuple[float, float],
    *,
    harder: float = 0.0,
    shared: float = 0.7,
    grouped: bool = False,
) -> Population:
    """Arms that name one of several labels, wrong labels evenly; rare labels may be harder.

    Args:
        name: of the row.
        shares: of the labels among cases.
        quality: of either arm, the probability of the right label.
        harder: taken from the quality at the rarest label, in proportion at the others.
        shared: correlation of the arms' luck on one case.
        grouped: neighbours share half of that luck and the label.
    """
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    k, n = len(shares), N_CHOICES
    units = n // GROUP if grouped else n
    expected = rng.choice(k, size=units, p=shares)
    luck = rng.normal(size=units)
    if grouped:
        expected, luck = np.repeat(expected, GROUP), np.repeat(luck, GROUP)
        luck = np.sqrt(0.5) * luck + np.sqrt(0.5) * rng.normal(size=n)
    rarity = 1 - np.array(shares)[expected] / max(shares)
    hot, parts = np.eye(k), []
    for level in quality:
        own = np.sqrt(shared) * luck + np.sqrt(1 - shared) * rng.normal(size=n)
        right = special.ndtr(own) < level - harder * rarity
        named = np.where(right, expected, (expected + rng.integers(1, k, n)) % k)
        parts.append(np.hstack([hot[expected] * right[:, None], hot[named], hot[expected]]))
    metric = built({"macro_f1": {"labels": [f"label {i}" for i in range(k)]}})
    return Population(name, metric, (parts[0], parts[1]), grouped)


def texts(name: str, entry: registry.Entry, spoiled: tuple[float, float]) -> Population:
    """Arms that spoil words of sentences of 4 to 60 words; some sentences are harder for both."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    words = np.array([f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in "lnrstx"])
    common = 1 / np.arange(1, len(words) + 1)
    common /= common.sum()
    metric = built(entry)
    found: list[list[tuple[float, ...]]] = [[], []]
    for place in range(N_TEXTS):
        length = int(np.clip(rng.lognormal(2.7, 0.6), 4, 60))
        expected = rng.choice(words, size=length, p=common)
        hard = rng.beta(2, 2)
        case = Case(id=str(place), input="", expected=" ".join(expected))
        for arm, rate in enumerate(spoiled):
            answer = _spoiled(expected, words, 2 * rate * hard, rng)
            found[arm].append(metric.parts(case, Response(arm="", question="", text=answer)))
    return Population(name, metric, (np.array(found[0]), np.array(found[1])))


def _spoiled(
    expected: NDArray[np.str_], words: NDArray[np.str_], rate: float, rng: np.random.Generator
) -> str:
    """Words replaced, dropped or doubled, each with a third of the rate."""
    fate = rng.random(len(expected)) / max(rate, 1e-12)
    said: list[str] = []
    for word, luck in zip(expected.tolist(), fate.tolist(), strict=True):
        if luck < 1 / 3:
            said.append(str(rng.choice(words)))
        elif luck < 2 / 3:
            said += [word, word]
        elif luck >= 1:
            said.append(word)
    return " ".join(said)


def populations(only: str = "") -> Iterator[Population]:
    """Every population whose name begins so, made when its turn comes."""
    even, skewed, rare = [1 / 3] * 3, [0.6, 0.3, 0.1], [0.5, 0.3, 0.12, 0.05, 0.03]
    many = [0.3, 0.2, 0.15, 0.1, 0.08, 0.06, 0.05, 0.03, 0.02, 0.01]
    labels: dict[str, Callable[[str], Population]] = {
        "2 even labels, same": lambda name: choices(name, [0.5, 0.5], (0.8, 0.8)),
        "3 even labels, gain": lambda name: choices(name, even, (0.7, 0.8)),
        "3 labels (10%), gain": lambda name: choices(name, skewed, (0.75, 0.85), harder=0.1),
        "5 labels (3%), same": lambda name: choices(name, rare, (0.8, 0.8), harder=0.2),
        "5 labels (3%), gain": lambda name: choices(name, rare, (0.7, 0.85), harder=0.2),
        "10 labels (1%), gain": lambda name: choices(name, many, (0.7, 0.8), harder=0.2),
        "3 labels, near ceiling": lambda name: choices(name, skewed, (0.97, 0.97)),
        "groups of 5": lambda name: choices(name, even, (0.7, 0.8), grouped=True),
    }
    spoiled = {
        "same": (0.3, 0.3),
        "gain": (0.35, 0.25),
        "low": (0.7, 0.65),
        "very low": (1.6, 1.5),
    }
    for kind, made in labels.items():
        if (name := f"macro-F1, {kind}").startswith(only):
            yield made(name)
    for entry, title in {"corpus_bleu": "BLEU", "corpus_chrf": "chrF"}.items():
        for kind, rates in spoiled.items():
            if (name := f"{title}, {kind}").startswith(only):
                yield texts(name, entry, rates)


def row(found: Population, n: int, draws: int) -> str:
    figure = next(iter(found.metric.figures().values()))
    first, second = found.arms
    truth = float(figure(second.sum(axis=0)) - figure(first.sum(axis=0)))
    rng = np.random.default_rng(zlib.crc32(f"{found.name} {n}".encode()))
    labels = np.repeat(np.arange(n // GROUP), GROUP) if found.grouped else None
    held = low = high = 0
    widths = []
    for draw in range(draws):
        if found.grouped:
            start = rng.integers(len(first) // GROUP, size=n // GROUP) * GROUP
            rows = (start[:, None] + np.arange(GROUP)).ravel()
        else:
            rows = rng.integers(len(first), size=n)
        made = Paired(
            first[rows], second[rows], found.metric.missed, groups=labels, rng=draw
        ).difference(figure, within=(-1.0, 1.0))
        held += made.low <= truth <= made.high
        low += made.lower > truth
        high += made.upper < truth
        widths.append(made.high - made.low)
    shares = [f"{100 * count / draws:.1f}" for count in (held, low, high)]
    shown = [f"{round(truth, 3) + 0.0:.3f}", str(n), *shares, f"{np.mean(widths):.3f}"]
    return f"| {' | '.join([found.name, *shown])} |"


def main(say: Callable[[str], None] = print) -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--draws", type=int, default=1000, help="for each row")
    asked.add_argument("--only", default="", help="rows whose name begins so")
    given = asked.parse_args()
    say("| population | truth | n | coverage | lower errs | upper errs | width |")
    say("|--|--|--|--|--|--|--|")
    for found in populations(given.only):
        for n in SIZES:
            say(row(found, n, given.draws))


if __name__ == "__main__":
    main()
