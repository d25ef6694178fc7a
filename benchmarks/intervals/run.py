"""Coverage and one-sided errors of every interval that was tried, as Markdown tables.

    python benchmarks/intervals/run.py [--quick] [--part NAME] [--data FOLDER] [--out FILE]

``--quick`` takes about a minute, the whole about a quarter of an hour on one core. Cells of
simulated tables are: two-sided coverage of the 95% interval, (error of the 95% lower bound / of the
upper bound), width relative to the first method's; in percent. The Monte Carlo error stands above
each table.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import candidates
import counts
import grouped
import rare
import real
from scenarios import SCENARIOS

PARTS = ("binary", "grades", "groups", "published", "covariates", "unseen")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer sets and sizes")
    parser.add_argument("--part", choices=PARTS, help="one table only")
    parser.add_argument("--data", default=os.environ.get("TUNEORNOT_DATASETS"), help="real results")
    parser.add_argument("--out", type=Path, help="write the tables here instead of to stdout")
    asked = parser.parse_args()
    lines: list[str] = []
    real_ones = [functools.partial(make, folder=asked.data) for make in (published, covariates)]
    makers = (binary, grades, groups, *real_ones, unseen)
    for name, make in zip(PARTS, makers, strict=True):
        if asked.part in (None, name):
            start = time.perf_counter()
            lines += [*make(quick=asked.quick), ""]
            print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    if asked.out:
        asked.out.write_text("\n".join(lines), encoding="utf-8")
    else:
        print("\n".join(lines))


def binary(*, quick: bool) -> Iterator[str]:
    n_truths = len(counts.truths())
    yield f"### Paired 0/1 scores, exact, over {n_truths} pairs of rates and correlations"
    yield ""
    yield "| n | method | least coverage | median | greatest one-sided error | above 5.5% | width |"
    yield "|--|--|--|--|--|--|--|"
    for n in (30,) if quick else (30, 50, 100):
        for name, found in counts.table(n, with_newcombe=n <= 50).items():
            worst = found[:, 1:3].max(axis=1)
            cells = [found[:, 0].min(), np.median(found[:, 0]), worst.max(), np.mean(worst > 0.055)]
            text = " | ".join(f"{100 * cell:.1f}" for cell in cells)
            yield f"| {n} | {name} | {text} | {found[:, 3].mean():.3f} |"


def grades(*, quick: bool) -> Iterator[str]:
    n_sets = 2000 if quick else 10_000
    sizes = (50,) if quick else (30, 50, 100, 300)
    yield f"### Graded and unbounded scores, {n_sets} sets each; {_noise(n_sets)}"
    yield ""
    yield f"{', '.join(sorted(candidates.SLOW))}: 1000 sets each; {_noise(1000)}."
    yield ""
    yield f"| scenario | n | {' | '.join(candidates.METHODS)} |"
    yield "|--" * (2 + len(candidates.METHODS)) + "|"
    for k, scenario in enumerate(SCENARIOS):
        truth = scenario.truth()
        for n in sizes:
            rng = np.random.default_rng(1000 * k + n)
            candidates.check(scenario.draw(rng, (5, n)), scenario.span)
            blocks = [scenario.draw(rng, (1000, n)) for _ in range(n_sets // 1000)]
            cells = []
            for name, method in candidates.METHODS.items():
                used = blocks[:1] if name in candidates.SLOW else blocks
                made = [method(block, scenario.span) for block in used]
                found = [
                    np.concatenate([m[r][s] for m in made])
                    for r in candidates.RATES
                    for s in (0, 1)
                ]
                cells.append(grouped.rates(np.array(found), truth))
            yield f"| {scenario.name} | {n} | {' | '.join(_cells(cells))} |"


def groups(*, quick: bool) -> Iterator[str]:
    n_sets = 500 if quick else 2000
    yield f"### Groups, {grouped.N} cases, {n_sets} sets each; {_noise(n_sets)}"
    yield ""
    head = False
    for seed, scenario in enumerate(grouped.scenarios(quick)):
        found = grouped.run(scenario, n_sets, seed)
        if not head:
            yield f"| scenario | {' | '.join(found)} |"
            yield "|--" * (1 + len(found)) + "|"
            head = True
        yield f"| {scenario.name} | {' | '.join(_cells(list(found.values())))} |"


def published(*, quick: bool, folder: str | None) -> Iterator[str]:
    n_sets = 300 if quick else 2000
    yield f"### Published results drawn anew, {n_sets} sets each; {_noise(n_sets)}"
    yield ""
    found = list(real.pairs(Path(folder))) if folder else []
    if not found:
        yield "No folder of results was given (`--data`)."
        return
    yield "| pair | truth | n | shipped | t | shown by shipped | shown by t |"
    yield "|--|--|--|--|--|--|--|"
    for k, pair in enumerate(found):
        for n in (100,) if quick else (30, 50, 100, 300):
            rng = np.random.default_rng(7000 + 10 * k + n)
            rows = np.array([real.draw(pair, n, rng) for _ in range(n_sets)]).T
            yield _published_row(pair.name, pair.truth, str(n), rows)
        if pair.name.startswith("bbh"):
            rng = np.random.default_rng(k)
            rows = np.array([real.draw_tasks(pair, 20, 5, rng) for _ in range(n_sets)]).T
            yield _published_row(pair.name, real.task_truth(pair), "20 tasks x 5", rows)


def covariates(*, quick: bool, folder: str | None) -> Iterator[str]:
    n_sets = 300 if quick else 1000
    yield f"### Adjusted for the slice's gain on dev, {n_sets} sets each; {_noise(n_sets)}"
    yield ""
    found = [pair for pair in real.pairs(Path(folder or ".")) if len(set(pair.slices)) > 1]
    if not found:
        yield "No folder of results was given (`--data`)."
        return
    yield "| pair | truth | n | adjusted | plain | shown by adjusted | shown by plain |"
    yield "|--|--|--|--|--|--|--|"
    for k, pair in enumerate(found):
        for n in (100,) if quick else (50, 100, 300):
            rng = np.random.default_rng(9000 + 10 * k + n)
            rows = np.array([real.draw_adjusted(pair, n, rng) for _ in range(n_sets)]).T
            yield _published_row(pair.name, pair.truth, str(n), rows)


def unseen(*, quick: bool) -> Iterator[str]:
    n_sets = 2000 if quick else 20_000
    sizes = (50,) if quick else (30, 50, 100, 300)
    lost_sizes = (50,) if quick else (30, 50, 70, 100, 150, 300)
    yield f"### Grades of which some are lost altogether, {n_sets} sets each; {_noise(n_sets)}"
    head = False
    for share in rare.SHARES:
        for n in lost_sizes:
            b, c = rare.Lost(share).draw(np.random.default_rng([n, 8]), (n_sets, n))
            made = rare.lost(b, c)
            rare.check(b[:5], c[:5], made["past two (shipped)"], (0.0, 1.0))
            yield from () if head else _head("lost", list(made))
            head = True
            yield f"| {share:.1%} | {n} | {' | '.join(_against(made, rare.GAIN))} |"
    yield ""
    yield f"### Scores without a bound, {n_sets} sets each; {_noise(n_sets)}"
    head = False
    for scenario in rare.scenarios():
        truth = scenario.truth()
        for n in sizes:
            d = scenario.draw(np.random.default_rng([n, 9]), (n_sets, n))
            made = rare.unbounded(d)
            shipped = made["1.6 + 12/n times (shipped)"]
            rare.check(np.zeros((5, n)), d[:5], shipped, (None, None))
            yield from () if head else _head("scenario", list(made))
            head = True
            yield f"| {scenario.name} | {n} | {' | '.join(_against(made, truth))} |"


def _head(first: str, methods: list[str]) -> list[str]:
    return ["", f"| {first} | n | {' | '.join(methods)} |", "|--" * (2 + len(methods)) + "|"]


def _against(made: dict[str, candidates.Bounds], truth: float) -> list[str]:
    """A cell for each method, from its bounds of many sets."""
    return _cells(
        [
            grouped.rates(
                np.array([bounds[rate][side] for rate in candidates.RATES for side in (0, 1)]),
                truth,
            )
            for bounds in made.values()
        ]
    )


def _published_row(name: str, truth: float, n: str, rows: candidates.Floats) -> str:
    cells = _cells([grouped.rates(rows[4:], truth), grouped.rates(rows[:4], truth)])
    shown = [f"{100 * np.mean(bound > 0):.0f}%" for bound in (rows[2], rows[6])]
    return f"| {name} | {truth:.3f} | {n} | {cells[1]} | {cells[0]} | {' | '.join(shown)} |"


def _cells(found: list[list[float]]) -> list[str]:
    """Each method's figures, the width relative to the first one's."""
    return [
        f"{100 * covered:.1f} ({100 * low:.1f}/{100 * high:.1f}) {width / found[0][3]:.2f}"
        for covered, low, high, width in found
    ]


def _noise(n_sets: int) -> str:
    two, one = (100 * np.sqrt(p * (1 - p) / n_sets) for p in (0.95, 0.05))
    return f"Monte Carlo error {two:.1f} points for coverage, {one:.1f} for one-sided errors"


if __name__ == "__main__":
    main()
