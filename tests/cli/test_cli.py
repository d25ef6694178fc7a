"""The command line as a stranger meets it: a real process, real files, a real server."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests import world
from tuneornot.examples import EXAMPLES

ROOT = Path(__file__).parent.parent.parent
COMMAND = [sys.executable, "-c", "from tuneornot.cli import main; main()"]
HEARD = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
HEARING = [sys.executable, "-c", f"{HEARD}; from tuneornot.cli import main; main()"]
"""As ``COMMAND``, hearing an interrupt also where the tests run in the background of a shell."""
COMMANDS = (
    "init check estimate doctor run baseline finetune measure compare decide status report "
    "economics"
)
PLAIN = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100"}


def tuneornot(*words: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        capture_output=True,
        text=True,
        env=PLAIN,
        cwd=cwd,
        timeout=300,
    )


def carried_out(commands: str, folder: Path) -> dict[str, str]:
    """What each command of a guide prints, run in a folder; every one must succeed."""
    said = {}
    for line in commands.splitlines():
        name, *words = line.split()
        assert name == "tuneornot"
        done = tuneornot(*words, cwd=folder)
        assert done.returncode == 0, done.stderr
        said[line] = done.stdout
    return said


def refused(code: int, *words: str | Path) -> str:
    """The sentence of a command that must fail with this exit code, without a traceback."""
    done = tuneornot(*words)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return " ".join(done.stderr.split())


@contextmanager
def shop(count: Path, pause_s: float = 0.0) -> Iterator[str]:
    """A running server of prices; yields its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "tests.cli.shop", str(port), str(count), str(pause_s)]
    server = subprocess.Popen(words, cwd=ROOT)
    try:
        for _ in range(200):
            try:
                with urlopen(f"http://127.0.0.1:{port}/v1/models"):
                    break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.kill()
        server.wait()


def at(file: Path, base: str) -> Path:
    """The study of the world, with arms on a server."""
    text = file.read_text().replace(world.OLD, f"{base}#old").replace(world.NEW, f"{base}#new")
    file.write_text(text)
    return file


@pytest.mark.slow
def test_run_kill_and_go_on(tmp_path: Path) -> None:
    count = tmp_path / "asked"
    with shop(count, pause_s=0.02) as base:
        file = at(world.write(tmp_path, n_eval=300), base)
        for _ in range(3):
            first = subprocess.Popen([*COMMAND, "run", file], env=PLAIN, stderr=subprocess.DEVNULL)
            before = answered(count)
            while answered(count) < before + 60:
                assert first.poll() is None
                time.sleep(0.01)
            first.send_signal(signal.SIGKILL)
            first.wait()
        killed_at = answered(count)
        # Both arms were asked all along, so that load and time of day hit both alike.
        arms = Counter(line.split()[0] for line in count.read_text().splitlines())
        assert abs(arms["old"] - arms["new"]) <= 4 * 32
        done = tuneornot("run", file, "--json")
        assert done.returncode == 0, done.stderr
        [verdict] = json.loads(done.stdout)
        assert verdict["outcome"] == "tune"
        assert killed_at < 600
        asked = Counter(count.read_text().splitlines())
        assert len(asked) == 600
        # At each kill at most what was asked and not kept yet (twice the 16 in flight, for each
        # arm) comes again.
        assert sum(asked.values()) <= 600 + 3 * 2 * 2 * 16
        total = answered(count)
        again = tuneornot("run", file)
        assert again.returncode == 0
        assert answered(count) == total
    for said in ("tune", "What limits the conclusion", "report.html"):
        assert said in again.stdout
    # The server is down now: looking needs no model.
    status = tuneornot("status", file, "--json")
    found = json.loads(status.stdout)
    assert found["kept"]["responses"] == 600
    state = {step["name"]: step["finished"] for step in found["steps"]}
    assert state["ask the arms in turns"]
    assert state["measure prompted"]
    assert state["measure other"]
    assert state["decide"]
    assert "the study as it stands now" in tuneornot("status", file).stdout
    (tmp_path / "results" / "report.html").unlink()
    assert tuneornot("report", file).returncode == 0
    assert (tmp_path / "results" / "report.html").exists()
    assert tuneornot("report", file, "--to", tmp_path / "short.md").returncode == 0
    assert "prices" in (tmp_path / "short.md").read_text()


def answered(count: Path) -> int:
    return len(count.read_text().splitlines()) if count.exists() else 0


def test_interrupt_ends_cleanly(tmp_path: Path) -> None:
    count = tmp_path / "asked"
    with shop(count, pause_s=0.05) as base:
        file = at(world.write(tmp_path, n_eval=300), base)
        first = subprocess.Popen(
            [*HEARING, "run", file], env=PLAIN, stderr=subprocess.PIPE, text=True
        )
        while answered(count) < 20:
            assert first.poll() is None
            time.sleep(0.02)
        first.send_signal(signal.SIGINT)
        _, said = first.communicate(timeout=60)
    assert first.returncode == 130, said
    assert "the same command goes on from here" in said
    assert "Traceback" not in said


def test_every_step_by_itself(tmp_path: Path) -> None:
    with shop(tmp_path / "asked") as base:
        file = at(world.write(tmp_path, n_eval=60), base)
        assert "eval 60" in tuneornot("check", file).stdout
        assert "No arm of this study is tuned" in tuneornot("finetune", file).stderr
        levels = json.loads(tuneornot("measure", file, "--json").stdout)
        assert {level["arm"] for level in levels} == {"prompted", "other"}
        compared = tuneornot("compare", file)
        assert "Exact match" in compared.stdout
        decided = tuneornot("decide", tmp_path)
        assert decided.returncode == 0
        assert "against" in decided.stdout


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    file = at(world.write(tmp_path, n_eval=60), "http://127.0.0.1:9/v1")
    assert "127.0.0.1:9" in refused(5, "run", file)
    done = tuneornot("check", file)
    assert done.returncode == 2
    assert "arms.prompted.model" in done.stderr


def test_wrong_inputs_end_in_a_sentence(tmp_path: Path) -> None:
    assert "No such file" in refused(2, "run", tmp_path / "nowhere.yaml")
    assert "No such file" in refused(2, "check", tmp_path)
    file = world.write(tmp_path, n_eval=60)
    text = file.read_text()
    file.write_text(text.replace("worthwhile", "worthwile"))
    assert "did you mean 'worthwhile'?" in refused(2, "run", file)
    file.write_text(text.replace(world.OLD, "local:no-such-model"))
    assert "no-such-model" in refused(5, "measure", file)
    file.write_text(text)
    (tmp_path / "cases.jsonl").write_text('{"id": "1", "input": 3}\n{"id": "1"\n')
    told = refused(2, "check", file)
    assert "line 1" in told
    assert "line 2" in told
    (tmp_path / "cases.jsonl").write_text('{"id": "1", "input": "a", "expected": "b"}\n' * 1)
    assert "holds 1 case" in refused(2, "run", file)
    assert "There is no report" in refused(6, "report", file)
    assert "there is no example 'legal'" in refused(2, "init", "legal", tmp_path / "new")


def test_results_that_cannot_be_kept(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    (tmp_path / "results").write_text("a file in place of the folder")
    refused(6, "run", file)
    refused(6, "run", file, "--results", "/proc/results")


@pytest.mark.parametrize("example", sorted(EXAMPLES))
def test_init_writes_what_check_accepts(example: str, tmp_path: Path) -> None:
    new = tmp_path / "new"
    done = tuneornot("init", example, new)
    assert done.returncode == 0
    assert "Next: tuneornot run" in done.stderr
    assert "nothing is overwritten" in refused(2, "init", example, new)


def test_two_files_of_scores(tmp_path: Path) -> None:
    old, new = tmp_path / "old.csv", tmp_path / "new.jsonl"
    old.write_text("case_id,score\n" + "".join(f"{i},{int(i % 5 < 2)}\n" for i in range(100)))
    rows = ({"case_id": str(i), "score": int(i % 5 < 4)} for i in range(101))
    new.write_text("".join(json.dumps(row) + "\n" for row in rows))
    shown = tuneornot("compare", old, new)
    assert "+40.0 points" in shown.stdout
    assert "1 cases stand in one file only" in shown.stderr
    [contrast] = json.loads(tuneornot("compare", old, new, "--json").stdout)["contrasts"]
    assert contrast["mean"]["value"] == pytest.approx(0.4)
    assert contrast["n"] == 100
    new.write_text('{"case_id": "1"}\n')
    assert "no row has score" in refused(2, "compare", old, new)
    assert "expected a study or two files of scores" in refused(2, "compare", old)


def test_help_names_every_command_and_the_exit_codes() -> None:
    said = tuneornot("--help").stdout
    for command in [
        "init",
        "check",
        "estimate",
        "doctor",
        "run",
        "baseline",
        "finetune",
        "measure",
        "compare",
        "decide",
        "status",
        "report",
    ]:
        assert f" {command} " in said
        assert tuneornot(command, "--help").returncode == 0
    assert "Exit codes" in said
