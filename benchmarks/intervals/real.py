"""Published results of real systems on the same items, taken as the truth.

A folder of data sets is given by ``--data`` or TUNEORNOT_DATASETS; each set is a ``results.csv``
with columns item, system, score and perhaps slice. Items are drawn with replacement, so that the
full set is the population; where slices are clusters (tasks), whole tasks are drawn.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuneornot.stats import adjusted, paired

Floats = NDArray[np.float64]
SETS = {
    "bbh_codex_cot_vs_direct": (0.0, 1.0),
    "wmt20_ende_mqm": (None, 0.0),
    "xstest_5models": (0.0, 1.0),
}
PAIRS = 4
"""Pairs of systems taken from a set: neighbours and extremes in the order of their means."""


@dataclass(frozen=True)
class Pair:
    name: str
    baseline: Floats
    candidate: Floats
    slices: tuple[str, ...]
    scale: tuple[float | None, float | None]
    binary: bool

    @property
    def truth(self) -> float:
        return float((self.candidate - self.baseline).mean())


def pairs(folder: Path) -> Iterator[Pair]:
    for name, scale in SETS.items():
        path = folder / name / "results.csv"
        if path.exists():
            yield from _read(path, name, scale)


def _read(path: Path, name: str, scale: tuple[float | None, float | None]) -> Iterator[Pair]:
    scores: dict[str, dict[str, float]] = {}
    slices: dict[str, str] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            scores.setdefault(row["system"], {})[row["item"]] = float(row["score"])
            slices[row["item"]] = row.get("slice") or ""
    systems = sorted(scores, key=lambda system: float(np.mean(list(scores[system].values()))))
    chosen = [(0, len(systems) - 1), (0, 1), (len(systems) // 2 - 1, len(systems) // 2), (1, -1)]
    for low, high in dict.fromkeys(chosen[:PAIRS]):
        first, second = scores[systems[low]], scores[systems[high]]
        if first is second:
            continue
        items = [item for item in first if item in second]
        baseline = np.array([first[item] for item in items])
        candidate = np.array([second[item] for item in items])
        yield Pair(
            name=f"{name}: {systems[high]} - {systems[low]}",
            baseline=baseline,
            candidate=candidate,
            slices=tuple(slices[item] for item in items),
            scale=scale,
            binary=set(np.unique([baseline, candidate])) <= {0.0, 1.0},
        )


def draw(pair: Pair, n: int, rng: np.random.Generator) -> list[float]:
    """[low, high, lower, upper] of ours and then of Student's t from n items drawn anew."""
    at = rng.integers(0, len(pair.baseline), n)
    return _both(pair, at, None)


def draw_tasks(pair: Pair, n_tasks: int, each: int, rng: np.random.Generator) -> list[float]:
    """The same from whole tasks drawn anew, with ``each`` items of a task."""
    names = sorted(set(pair.slices))
    labels = np.array(pair.slices)
    at, groups = [], []
    for k in range(n_tasks):
        inside = np.flatnonzero(labels == names[int(rng.integers(len(names)))])
        at.append(rng.choice(inside, each))
        groups += [k] * each
    return _both(pair, np.concatenate(at), np.array(groups))


def draw_adjusted(pair: Pair, n: int, rng: np.random.Generator) -> list[float]:
    """[low, high, lower, upper] adjusted for a gain foretold by slice, and then without.

    The foretold gain is the slice's mean among 60 dev cases drawn apart, drawn towards the whole as
    if two more cases had shown its mean; the pool is the full set.
    """
    names, labels = np.unique(np.array(pair.slices), return_inverse=True)
    gain = pair.candidate - pair.baseline
    dev = rng.integers(0, len(gain), 60)
    sums = np.bincount(labels[dev], weights=gain[dev], minlength=len(names))
    sizes = np.bincount(labels[dev], minlength=len(names))
    foretold = ((sums + 2 * gain[dev].mean()) / (sizes + 2))[labels]
    at = rng.integers(0, len(gain), n)
    with_pool = adjusted.difference(
        pair.baseline[at], pair.candidate[at], foretold[at], foretold, scale=pair.scale
    )
    found = [with_pool.low, with_pool.high, with_pool.lower, with_pool.upper]
    return [*found, *_both(pair, at, None)[:4]]


def task_truth(pair: Pair) -> float:
    labels, gain = np.array(pair.slices), pair.candidate - pair.baseline
    return float(np.mean([gain[labels == name].mean() for name in set(pair.slices)]))


def _both(pair: Pair, at: NDArray[np.intp], groups: NDArray[np.intp] | None) -> list[float]:
    b, c = pair.baseline[at], pair.candidate[at]
    ours = paired.difference(b, c, groups=groups, scale=pair.scale, binary=pair.binary)
    d = c - b
    error = float(d.std(ddof=1)) / np.sqrt(len(d))
    mean = float(d.mean())
    wide, narrow = 1.984 * error, 1.660 * error
    plain = [mean - wide, mean + wide, mean - narrow, mean + narrow]
    return [ours.low, ours.high, ours.lower, ours.upper, *plain]
