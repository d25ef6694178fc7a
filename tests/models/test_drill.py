"""The fault drill: many faults at once on a real server, a real store, and a real kill.

Every case ends measured or without a score and with its reason; none twice, none lost.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models import drill
from tests.models.misbehaving import Misbehaving, misbehaving
from tuneornot.store.store import Store

pytestmark = pytest.mark.usefixtures("no_keys")

ROOT = Path(__file__).parents[2]
N_KILLS = 2
TEXTS = {case.question: str(case.input) for case in drill.cases().cases}


@pytest.fixture
def server() -> Iterator[Misbehaving]:
    with misbehaving() as running:
        yield running


def start(server: Misbehaving, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.models.drill", server.name]
    paths = [str(folder / "store.db"), str(folder / "out.json")]
    return subprocess.Popen([*command, *paths], cwd=ROOT, stderr=subprocess.PIPE)


def kept(folder: Path) -> tuple[set[str], set[str]]:
    """Texts of the cases that the store has an answer to, and of those that it has a failure of."""
    answered: set[str] = set()
    failed: set[str] = set()
    with Store(folder / "store.db") as store:
        for response in store.each_response():
            text = TEXTS[response.question]
            assert text not in answered | failed, "each case is kept once"
            assert (response.text is None) != (response.error is None)
            (failed if response.text is None else answered).add(text)
    return answered, failed


def kind(text: str) -> str:
    return text.partition(" number ")[0]


def test_every_case_ends_once_whatever_happens(server: Misbehaving, tmp_path: Path) -> None:
    rng = random.Random(0)
    for _ in range(N_KILLS):
        process = start(server, tmp_path)
        wanted = sum(server.seen.values()) + rng.randint(100, 140)
        deadline = time.monotonic() + 60
        while sum(server.seen.values()) < wanted and time.monotonic() < deadline:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        answered, failed = kept(tmp_path)
        assert len(answered) > 20, "something was kept before the kill"
        assert {kind(text) for text in failed} <= set(drill.LASTING)
        before = server.seen.copy()
    process = start(server, tmp_path)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors.decode()
    asked_again = server.seen - before
    assert not answered & set(asked_again), "what was answered is not asked again"

    check_scores(json.loads((tmp_path / "out.json").read_text()))
    answered, failed = kept(tmp_path)
    assert {kind(text) for text in answered} == set(drill.PASSING)
    assert {kind(text) for text in failed} == set(drill.LASTING)
    assert len(answered | failed) == drill.N_CASES
    check_questions(server.seen)


def check_scores(rows: list[tuple[str, float | None, str | None]]) -> None:
    """One score for every case in their order: right, or none with what the server did."""
    assert [case_id for case_id, _, _ in rows] == [case.id for case in drill.cases().cases]
    for (_, value, reason), case in zip(rows, drill.cases().cases, strict=True):
        what = kind(str(case.input))
        if what in drill.PASSING:
            assert value == 1.0, (case.input, reason)
        else:
            assert value is None
            assert reason is not None
            assert drill.LASTING[what] in reason


def check_questions(seen: Counter[str]) -> None:
    """No case was asked more often than its faults and the kills explain."""
    extra = 0
    for text, n in seen.items():
        words = kind(text).split(" x")
        n_needed = 1 + int(words[1]) if len(words) > 1 else 1
        if kind(text) in drill.LASTING:
            n_needed = 1 + N_KILLS  # a failure is asked again by every command
        extra += max(0, n - n_needed)
    # Beside what was in flight at a kill, time-outs on a busy machine may repeat a question.
    assert extra <= N_KILLS * drill.IN_FLIGHT + 10


def test_a_second_command_asks_the_failures_alone(server: Misbehaving, tmp_path: Path) -> None:
    first = drill.measured(server.name, tmp_path / "store.db")
    before = server.seen.copy()
    second = drill.measured(server.name, tmp_path / "store.db")
    assert {kind(text) for text in server.seen - before} == set(drill.LASTING)
    assert [score.value for score in second.scores] == [score.value for score in first.scores]
    rows = [(score.case_id, score.value, score.reason) for score in second.scores]
    check_scores(rows)
