"""A process that is really killed, at random moments, and goes on where it was."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.store import victim
from tuneornot.store.store import Store

WRITER = """
import os, sys
from tests.store import kept
from tuneornot.store.store import Store

where, told = sys.argv[1:]
returned = os.open(told, os.O_WRONLY | os.O_CREAT)
with Store(where) as store:
    for i in range(store.counts()["responses"], 10**9):
        store.keep_response(kept.response(i, "x" * (i * 7919 % 3000)))
        os.pwrite(returned, b"%012d" % (i + 1), 0)
"""
"""Keeps as fast as it can, and notes how many times keeping has returned."""

ROOT = Path(__file__).parents[2]
N_KILLS = 5


def start(where: Path, calls: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.store.victim", str(where), str(calls)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)


def lines(calls: Path) -> list[str]:
    return calls.read_text().split() if calls.exists() else []


def kept(where: Path) -> set[str]:
    """The questions whose answers another process finds in the store."""
    questions = {case.question: str(case.input) for case in victim.CASES.cases}
    with Store(where) as store:
        return {questions[response.question] for response in store.each_response()}


def kill_when(process: subprocess.Popen[bytes], calls: Path, n: int, pause_s: float) -> None:
    """Kill once n calls were made, a random moment later."""
    deadline = time.monotonic() + 60
    while len(lines(calls)) < n and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(pause_s)
    process.send_signal(signal.SIGKILL)
    process.communicate()


@pytest.mark.parametrize(
    "seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)]
)
def test_a_kill_loses_at_most_the_answers_in_flight(tmp_path: Path, seed: int) -> None:
    where, calls = tmp_path / "store.db", tmp_path / "calls"
    rng = random.Random(seed)
    n_killed = 0
    for kill in range(N_KILLS):
        before = kept(where)
        n_before = len(lines(calls))
        process = start(where, calls)
        kill_when(process, calls, n_before + rng.randint(1, 25), rng.uniform(0, 0.01))
        n_killed += process.returncode == -signal.SIGKILL
        asked = lines(calls)[n_before:]
        answered = kept(where)
        assert before <= answered, "what was kept before is still there"
        assert not before & set(asked), "what was kept is not asked again"
        assert len(set(asked) - answered) <= victim.IN_FLIGHT, f"kill {kill} lost more"
    assert n_killed == N_KILLS

    process = start(where, calls)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors.decode()
    everything = lines(calls)
    assert kept(where) == set(everything) == {str(case.input) for case in victim.CASES.cases}
    asked_twice = sum(n - 1 for n in Counter(everything).values())
    assert asked_twice <= N_KILLS * victim.IN_FLIGHT

    process = start(where, calls)
    process.communicate(timeout=60)
    assert lines(calls) == everything, "a finished measurement asks nothing"
    with sqlite3.connect(where) as found:
        assert found.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert found.execute("SELECT count(*) FROM responses").fetchone() == (victim.N_CASES,)
    found.close()


def test_what_keeping_has_returned_for_survives_a_kill(tmp_path: Path) -> None:
    where, told = tmp_path / "store.db", tmp_path / "told"
    rng = random.Random(0)
    n_returned = 0
    for _ in range(N_KILLS):
        process = subprocess.Popen([sys.executable, "-c", WRITER, str(where), str(told)], cwd=ROOT)
        deadline = time.monotonic() + 60
        while number(told) < n_returned + 500 and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
        process.wait()
        n_returned = number(told)
        with Store(where) as store:
            # One more may be there: the kill came between the commit and the note.
            assert n_returned <= store.counts()["responses"] <= n_returned + 1
            assert sum(1 for _ in store.each_response()) == store.counts()["responses"]
    assert n_returned >= 500 * N_KILLS


def number(told: Path) -> int:
    return int(told.read_text() or 0) if told.exists() else 0
