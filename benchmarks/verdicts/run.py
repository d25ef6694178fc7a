"""How often verdicts are right, as the tables of docs/reference/error-rates.md.

    python benchmarks/verdicts/run.py [--quick] [--part NAME ...] [--data FOLDER] [--into FILE]

``--quick`` takes a minute or two, the whole about twenty minutes on one core. ``--into`` replaces
what stands between the marks of each part in a Markdown file; without it the tables go to stdout.
Published results are read from ``--data`` or TUNEORNOT_DATASETS and left out without either;
evalstats is left out where it is not installed.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.verdicts import tables
from benchmarks.verdicts.tables import Effort

PARTS = ("verdicts", "coverage", "rules", "published", "beyond", "power")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help="fewer draws")
    parser.add_argument("--part", choices=PARTS, nargs="+", default=PARTS, help="these alone")
    parser.add_argument("--data", default=os.environ.get("TUNEORNOT_DATASETS"), type=Path)
    parser.add_argument("--into", type=Path, help="a Markdown file with the marks of each part")
    asked = parser.parse_args()
    effort = Effort.quick() if asked.quick else Effort()
    rows = functools.cache(lambda: tables.simulated(effort))
    parts: dict[str, Callable[[], Iterator[str]]] = {
        "verdicts": lambda: tables.verdicts(rows()),
        "coverage": lambda: tables.intervals(effort, asked.data),
        "rules": lambda: tables.rules(effort, rows()),
        "published": lambda: tables.published_results(effort, asked.data),
        "beyond": lambda: tables.beyond(effort),
        "power": lambda: tables.more_power(effort, asked.data),
    }
    for name in asked.part:
        start = time.process_time()
        text = "\n".join(parts[name]()).strip()
        if asked.into is None:
            print(f"{text}\n", flush=True)
        else:
            put(name, text, asked.into)  # after each part, so that minutes are not lost
        print(f"{name}: {time.process_time() - start:.0f} s of processor time", file=sys.stderr)


def put(name: str, text: str, into: Path) -> None:
    """Replace what stands between the marks of a part of a page."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = into.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"{into} must hold the marks {begin!r} and {end!r}; add them")
    into.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
