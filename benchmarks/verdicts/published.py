"""Published results of real systems on the same items, taken as the truth.

Items are drawn with replacement from the full set, so that its mean is the exact truth; where
slices are tasks, whole tasks are drawn with five items each. The folder has for each set a
``results.csv`` with columns item, system, score and perhaps slice.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from benchmarks.verdicts.arms import Floats
from benchmarks.verdicts.listing import BITS, PENALTIES, Drawing
from benchmarks.verdicts.scenarios import PRIMARY, Drawn, Scenario, Scores, rail, rule
from numpy.typing import NDArray

from tuneornot.records import Scale

EACH = 5
"""Items drawn of a task."""


@dataclass(frozen=True, eq=False)
class Published:
    """One set: for each system the scores (items,), and each item's slice."""

    scores: Mapping[str, Floats]
    slices: NDArray[np.str_]

    def gains(self, baseline: str, candidate: str) -> Floats:
        return self.scores[candidate] - self.scores[baseline]


def read(folder: Path, name: str) -> Published:
    """One set; items that not every system has are left out."""
    found: dict[str, dict[str, float]] = {}
    slices: dict[str, str] = {}
    with (folder / name / "results.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["system"], {})[row["item"]] = float(row["score"])
            slices[row["item"]] = row.get("slice") or ""
    items = [item for item in slices if all(item in scores for scores in found.values())]
    return Published(
        scores={name: np.array([each[item] for item in items]) for name, each in found.items()},
        slices=np.array([slices[item] for item in items]),
    )


def scenarios(folder: Path) -> Iterator[Scenario]:
    """Pairs of systems with what is worthwhile fixed: 0.05, or a quarter of an error point."""
    bbh = read(folder, "bbh_codex_cot_vs_direct")
    prompts = ("code-davinci-002/direct", "code-davinci-002/cot")
    yield _items("BIG-Bench Hard", bbh, prompts, 0.05, BITS)
    yield replace(
        _items("BIG-Bench Hard, whole tasks x 5 items", bbh, prompts, 0.05, BITS),
        draw=_tasks(bbh, prompts),
        truths={(*PRIMARY, "mean"): task_mean(bbh, bbh.gains(*prompts))},
        sizes=(50, 100, 300),
    )
    wmt = read(folder, "wmt20_ende_mqm")
    for pair in (
        ("Tencent_Translation.1520", "eTranslation.737"),
        ("OPPO.1535", "Tohoku-AIP-NTT.890"),
        ("Online-A.1574", "Tohoku-AIP-NTT.890"),
        ("Tohoku-AIP-NTT.890", "Human-B.0"),
    ):
        yield _items("WMT20 error points", wmt, pair, 0.25, PENALTIES)
    xstest = read(folder, "xstest_5models")
    for pair in (
        ("llama2orig", "llama2new"),
        ("llama2new", "mistralguard"),
        ("mistralguard", "gpt4"),
        ("mistralguard", "llama2new"),
    ):
        yield _items("XSTest", xstest, pair, 0.05, BITS)
    yield _with_safe(xstest, ("mistralinstruct", "mistralguard"))


def at_the_edge(scenario: Scenario) -> Scenario:
    """The same arms where exactly their true difference is worthwhile: any decision is wrong."""
    return replace(scenario, rule=rule(scenario.gain, scenario.rule.guardrails))


def task_mean(found: Published, gains: Floats) -> float:
    """Mean over tasks of their mean gains: the truth where whole tasks are drawn evenly."""
    return float(np.mean([gains[found.slices == name].mean() for name in np.unique(found.slices)]))


def is_safe(found: Published) -> NDArray[np.bool_]:
    """Prompts of XSTest that should be answered."""
    return ~np.char.startswith(found.slices, "contrast_")


def _items(
    family: str, found: Published, pair: tuple[str, str], worthwhile: float, scale: Scale
) -> Scenario:
    baseline, candidate = (found.scores[name] for name in pair)

    def draw(rng: np.random.Generator, n: int) -> Drawn:
        at = rng.integers(0, len(baseline), n)
        return {PRIMARY: Scores(baseline[at], candidate[at])}

    gain = float(found.gains(*pair).mean())
    short = [name.rpartition("/")[2].partition(".")[0] for name in pair]
    return Scenario(
        family=family,
        name=f"{short[1]} over {short[0]}, {gain:+.3f}",
        rule=rule(worthwhile),
        draw=draw,
        truths={(*PRIMARY, "mean"): gain},
        scales={"score": scale},
    )


def _tasks(found: Published, pair: tuple[str, str]) -> Drawing:
    members = [np.flatnonzero(found.slices == name) for name in np.unique(found.slices)]
    baseline, candidate = (found.scores[name] for name in pair)

    def draw(rng: np.random.Generator, n: int) -> Drawn:
        chosen = rng.integers(0, len(members), n // EACH)
        at = np.concatenate([rng.choice(members[task], EACH) for task in chosen])
        labels = np.repeat(np.arange(len(chosen)), EACH)
        return {PRIMARY: Scores(baseline[at], candidate[at], groups=labels)}

    return draw


def _with_safe(found: Published, pair: tuple[str, str]) -> Scenario:
    """A gain over all that is a loss on the safe prompts, which an extra set of n/2 guards."""
    alone = _items("XSTest, guardrail: safe prompts within 0.05", found, pair, 0.05, BITS)
    safe = np.flatnonzero(is_safe(found))
    baseline, candidate = (found.scores[name] for name in pair)

    def draw(rng: np.random.Generator, n: int) -> Drawn:
        at = safe[rng.integers(0, len(safe), n // 2)]
        return {**alone.draw(rng, n), ("score", "safe"): Scores(baseline[at], candidate[at])}

    harm = float(found.gains(*pair)[safe].mean())
    return replace(
        alone,
        name=f"{alone.name}, safe {harm:+.3f}",
        rule=rule(0.05, (rail("mean", 0.05, dataset="safe"),)),
        draw=draw,
        truths={**alone.truths, ("score", "safe", "mean"): harm},
        sizes=(50, 100, 300),
    )
