"""What a command says of its progress where nobody watches a terminal, and how it ends."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from rich.console import Console

from tests import world
from tests.cli.test_cli import COMMAND, PLAIN, answered, at, shop, tuneornot
from tuneornot.cli.progress import Bars, Pace
from tuneornot.report import export


def test_a_pace_tells_how_long_it_will_still_take() -> None:
    now = [100.0]
    pace = Pace("measure tuned", clock=lambda: now[0])
    now[0] = 130.0
    assert pace.told() == "still measure tuned: after 30 s"
    pace.advance(25, 100)
    assert pace.told() == "still measure tuned: 25 of 100, after 30 s, about 1 min 30 s left"
    pace.advance(1, 50)  # the next set begins
    now[0] = 132.0
    assert pace.told() == "still measure tuned: 1 of 50, after 32 s, about 1 min 38 s left"


def test_a_log_is_told_of_start_progress_and_end() -> None:
    said = io.StringIO()
    with Bars(every_s=0.01, to=Console(file=said, width=100)) as bars:
        bars.begin("train tuned, seed 1", None)
        bars.advance(40, 100)
        deadline = time.monotonic() + 60
        while "40 of 100" not in said.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
        bars.end(finished=True)
    lines = said.getvalue().splitlines()
    assert lines[0] == "begin train tuned, seed 1"
    assert any(line.startswith("still train tuned, seed 1: 40 of 100, after") for line in lines)
    assert lines[-1].startswith("done train tuned, seed 1")


def test_nothing_is_said_where_nothing_may_be() -> None:
    said = io.StringIO()
    with Bars(quiet=True, every_s=0.001, to=Console(file=said)) as bars:
        bars.begin("measure old", 10)
        bars.advance(5)
        bars.say("a word")
        bars.end(finished=True)
    assert said.getvalue() == ""


@pytest.mark.slow
def test_one_process_at_a_time_and_sigterm_ends_it_cleanly(tmp_path: Path) -> None:
    count = tmp_path / "asked"
    with shop(count, pause_s=15) as base:
        # Minutes of work, so that it lasts longer than the looks at it on any machine.
        file = at(world.write(tmp_path, n_eval=1000), base)
        first = subprocess.Popen(
            [*COMMAND, "run", file], env=PLAIN, stderr=subprocess.PIPE, text=True
        )
        while not answered(count):
            assert first.poll() is None
            time.sleep(0.1)
        second = tuneornot("run", file)
        state = tuneornot("status", file).stdout
        assert first.poll() is None
        first.send_signal(signal.SIGTERM)
        _, said = first.communicate(timeout=60)
        after = tuneornot("status", file).stdout
    assert second.returncode == 6
    assert f"process {first.pid} works in" in " ".join(second.stderr.split())
    assert "under way" in state
    assert "Next: tuneornot run" not in state
    assert f"process {first.pid}: let it end" in state
    assert first.returncode == 143, said
    assert "Terminated. Everything measured is kept; the same command goes on from here." in said
    assert "begin ask the arms in turns" in said
    assert "Traceback" not in said
    assert "interrupted" in after
    assert "under way" not in after
    assert "Next: tuneornot run" in after


def test_the_phases_come_to_the_time_of_the_command(tmp_path: Path) -> None:
    with shop(tmp_path / "asked") as base:
        file = at(world.write(tmp_path, n_eval=60), base)
        begun = time.monotonic()
        done = tuneornot("run", file)
        took = time.monotonic() - begun
    assert done.returncode == 0, done.stderr
    found = export.read(tmp_path / "results" / "report.json").phases
    assert "start, cases and all else" in [phase.name for phase in found]
    assert "write the report" in done.stdout
    # Left out are the start of the interpreter, and the writing of the page that tells it.
    assert 0 < sum(phase.seconds for phase in found) < took


def test_a_report_of_no_study_says_so(tmp_path: Path) -> None:
    done = tuneornot("report", tmp_path / "own2")
    assert done.returncode == 2
    assert "No such file" in done.stderr
    assert os.sep + "own2" in done.stderr.replace("\n", "")
