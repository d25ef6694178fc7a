"""A whole study at any size: memory over time, seconds, processor time, and what lies on the disk.

Two arms on one stub server (``stub.py``), two metrics, the real command line in a process of its
own, which this program watches from outside. With ``--kill`` the process is ended with ``kill -9``
once half of the answers were given, and the command is given again: the stub counts how many
questions were asked twice.

    python benchmarks/scale.py [--cases 100000] [--kill] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import stub

N_TEACHING = 60
EVERY_S = 0.25
# fmt: off
WORDS = [
    "amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "heath",
    "inlet", "knoll", "larch", "marsh", "north", "ocean", "plain", "quarry",
    "ridge", "shore", "thorn", "upland", "valley", "willow", "yarrow", "zenith",
    "anchor", "beacon", "candle", "dagger", "engine", "falcon", "garnet", "hammer",
    "island", "jacket", "kettle", "lantern", "magnet", "needle", "orchid", "pepper",
    "quiver", "ribbon",
]
# fmt: on


def cases(n: int, seed: int) -> Iterator[dict[str, str]]:
    """Questions of some 190 characters with right answers of some 60, no two of them alike."""
    rng = random.Random(seed)
    for i in range(n):
        about, words = rng.choices(WORDS, k=18), rng.choices(WORDS, k=8)
        asked = f"Note {seed}-{i}: {' '.join(about)}. Repeat: {' '.join(words)} {i}"
        yield {
            "id": f"c{seed}-{i}",
            "input": asked,
            "expected": f"{' '.join(words)} {i}",
            "slice": ("north", "east", "south", "west")[i % 4],
        }


def write(folder: Path, base: str, n: int) -> Path:
    """A study of n cases in a folder."""
    for seed, (name, size) in enumerate(
        {"eval": n, "train": N_TEACHING, "dev": N_TEACHING}.items()
    ):
        with (folder / f"{name}.jsonl").open("w") as file:
            file.writelines(json.dumps(case) + "\n" for case in cases(size, seed))
    (folder / "study.yaml").write_text(
        f"""\
study: scale
task: Repeat the words.
data: {{train: train.jsonl, dev: dev.jsonl, eval: eval.jsonl}}
arms:
  old: {{model: "{base}#old"}}
  new: {{model: "{base}#new"}}
metrics: [exact_match, contains]
decide: {{primary: exact_match, worthwhile: 0.05}}
"""
    )
    return folder / "study.yaml"


class Seen(NamedTuple):
    """The process at one moment."""

    seconds: float
    n_answered: int
    megabytes: float
    """Resident."""


class Ended(NamedTuple):
    """How the process ended."""

    code: int
    seen: list[Seen]
    processor_s: float
    peak_mb: float
    seconds: float


def watched(command: list[str], server: stub.Running, until: Callable[[int], bool]) -> Ended:
    """Run a command and look at its memory; end it by force once ``until(n answered)``."""
    begun = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    seen: list[Seen] = []
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        n = server.n_answered
        seen.append(Seen(time.monotonic() - begun, n, resident_mb(process.pid)))
        if until(n):
            process.send_signal(signal.SIGKILL)
        time.sleep(EVERY_S)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ended(
        process.returncode,
        seen,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / 1024,
        time.monotonic() - begun,
    )


def resident_mb(pid: int) -> float:
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):  # it ended meanwhile
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def told(name: str, ended: Ended) -> None:
    print(
        f"{name}: exit {ended.code}, {ended.seconds:.1f} s, processor {ended.processor_s:.1f} s, "
        f"peak {ended.peak_mb:.0f} MB"
    )
    seen = [one for one in ended.seen if one.megabytes]
    step = max(1, len(seen) // 16)
    for one in [*seen[::step], seen[-1]]:
        print(f"  {one.seconds:7.1f} s  {one.n_answered:8,} answers  {one.megabytes:6.0f} MB")


@contextmanager
def place(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--kill", action="store_true", help="kill -9 in the middle, then go on")
    parser.add_argument("--keep", type=Path, help="leave the study and its results here")
    options = parser.parse_args()
    with place(options.keep) as folder, stub.running(folder) as server:
        study = write(folder, server.base, options.cases)
        command = [
            sys.executable,
            "-c",
            "from tuneornot.cli import main; main()",
            "run",
            str(study),
        ]
        if options.kill:
            told("killed", watched(command, server, lambda n: n >= options.cases))
            print(f"  the stub had answered {server.n_answered:,} questions")
        told("whole run", watched(command, server, lambda _: False))
        twice = server.n_answered - 2 * options.cases
        print(f"answers given {server.n_answered:,}, of them {twice} for a second time")
        for file in sorted((folder / "results").iterdir()):
            print(f"  {file.name:14} {file.stat().st_size / 2**20:8.1f} MB")
        told("again, nothing to ask", watched(command, server, lambda _: False))


if __name__ == "__main__":
    main()
