"""A study whose arm a host trains: from the file to the verdict, on a real server."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests import world
from tests.cli.test_cli import COMMAND, PLAIN, ROOT, tuneornot
from tests.hosting.host import Host, running
from tests.world import NEW, OLD
from tuneornot import findings, forecast, study
from tuneornot.errors import BudgetExceeded, StudyError, TrainingError
from tuneornot.protocol import Protocol

PRICES = """\
as_of: 2026-11-20
currency: USD
models:
  "{base}#old": {{input_per_million: 1, output_per_million: 1, training_per_million: 1000}}
  "{base}#old@tuned": {{input_per_million: 2, output_per_million: 2}}
"""


def written(folder: Path, base: str, hosted: str = "{}", *, n_eval: int = 60) -> Path:
    """The study of the world, whose other arm a host trains from the first one's model."""
    file = world.write(folder, n_eval=n_eval)
    text = file.read_text().replace(f'"{OLD}"', f'"{base}#old"')
    file.write_text(text.replace(f'"{NEW}"', f'"{base}#old", hosted: {hosted}'))
    return file


@contextmanager
def opened(file: Path) -> Iterator[Protocol]:
    listener = world.Silence()
    protocol = Protocol(study.read(file), file.parent, file.parent / "results", listener=listener)
    try:
        yield protocol
    finally:
        protocol.close()


@pytest.fixture
def host() -> Iterator[tuple[Host, str]]:
    made = Host()
    made.n_looks = 1
    with running(made) as base:
        yield made, base


def test_the_verdict_on_what_a_host_trained(tmp_path: Path, host: tuple[Host, str]) -> None:
    made, base = host
    file = written(tmp_path, base, "{epochs: 2}", n_eval=300)
    with opened(file) as protocol:
        found = findings.of(protocol)
    [verdict], [comparison] = found.verdicts, found.comparisons
    assert verdict.outcome == "tune"
    [arm] = {run.arm.model: run.arm for run in found.runs if run.arm.name == "other"}.values()
    assert arm.kind == "tuned"
    assert arm.model == f"{base}#{made.jobs['job-1']['served']}"
    checks = {check.name: check for check in comparison.checks}
    assert checks["adapter-loaded"].passed
    assert f"from those of {base}#old" in checks["adapter-loaded"].detail
    assert "none of the 30 rows" in checks["training-overlap"].detail
    assert "one training, done elsewhere" in "\n".join(verdict.caveats)
    # What is taught is train alone, as the arm is asked it.
    sent = [json.loads(line)["messages"] for line in made.files["file-1"].splitlines()]
    train = {case.text for case in protocol.splits.train.cases}
    assert {turns[1]["content"] for turns in sent} == train
    assert {turns[0]["content"] for turns in sent} == {"Tell the price."}
    with opened(file) as again:
        assert findings.of(again).comparisons == found.comparisons
    assert len(made.jobs) == 1


def test_several_seeds_are_several_jobs(tmp_path: Path, host: tuple[Host, str]) -> None:
    made, base = host
    with opened(written(tmp_path, base, "{seeds: [1, 2]}")) as protocol:
        found = findings.of(protocol)
    assert [job["seed"] for job in made.jobs.values()] == [1, 2]
    assert len({run.arm.model for run in found.runs if run.arm.name == "other"}) == 2
    names = {check.name for check in found.comparisons[0].checks}
    assert names >= {"adapter-loaded (1 of 2)", "adapter-loaded (2 of 2)", "seeds-agree"}
    assert "one training" not in "\n".join(found.verdicts[0].caveats)


def test_private_text_is_not_sent_unless_the_study_says_so(
    tmp_path: Path, host: tuple[Host, str]
) -> None:
    made, base = host
    file = written(tmp_path, base)
    text = file.read_text()
    file.write_text(text.replace("task: Tell", "task: Ask jan.kowalski@kowalski.pl to tell"))
    with opened(file) as protocol, pytest.raises(StudyError, match="e-mail 30 times") as caught:
        protocol.elsewhere.orders("other")
    assert "jan.kowalski" not in str(caught.value)
    assert made.files == {}
    done = tuneornot("check", file)
    assert done.returncode == 2
    assert "arms.other.hosted: what would be sent holds private text: e-mail" in done.stderr
    file.write_text(file.read_text().replace("hosted: {}", "hosted: {send: true}"))
    with opened(file) as protocol:
        assert protocol.elsewhere.orders("other")[0].state == "done"


def test_money_is_told_before_and_counted_after(tmp_path: Path, host: tuple[Host, str]) -> None:
    made, base = host
    file = written(tmp_path, base, "{epochs: 2}")
    (tmp_path / "prices.yaml").write_text(PRICES.format(base=base))
    text = file.read_text() + "prices: prices.yaml\nbudget: {money: 0.1}\n"
    file.write_text(text)
    with opened(file) as protocol:
        [training] = [one for one in forecast.of(protocol).outlays if one.step == "train other"]
        n_tokens = (
            2 * sum(len(text) for _, text in protocol.elsewhere.hosted["other"].file().said) / 4
        )
        assert training.money == pytest.approx(n_tokens * 1e-3, rel=0.1)
        assert any(f"{round(n_tokens):,} tokens" in basis for basis in training.basis)
        with pytest.raises(BudgetExceeded, match="the training of 'other'"):
            protocol.elsewhere.orders("other")
    assert made.jobs == {}
    file.write_text(text.replace("money: 0.1", "money: 100"))
    with opened(file) as protocol:
        found = findings.of(protocol)
        assert "train other" not in {one.step for one in forecast.of(protocol).outlays}
    [phase] = [one for one in found.phases if one.name == "train other, seed 1"]
    # As the host counts: 1,000 tokens at 1000 a million.
    assert phase.money == pytest.approx(1.0)
    [price] = {run.price for run in found.runs if run.arm.name == "other"}
    assert price is not None
    assert price.rates.input_per_million == 2


def test_a_budget_in_money_needs_the_prices_of_a_training(tmp_path: Path) -> None:
    base = "http://127.0.0.1:9/v1"
    file = written(tmp_path, base)
    plain = PRICES.format(base=base).replace(", training_per_million: 1000", "")
    (tmp_path / "prices.yaml").write_text(plain.replace("old@tuned", "other"))
    file.write_text(file.read_text() + "prices: prices.yaml\nbudget: {money: 1}\n")
    with pytest.raises(StudyError) as caught:
        study.read(file)
    assert "has none of 'http://127.0.0.1:9/v1#old@tuned'" in str(caught.value)
    assert "has no training_per_million" in str(caught.value)


def test_a_failed_job_is_forgotten_and_ordered_again(
    tmp_path: Path, host: tuple[Host, str]
) -> None:
    made, base = host
    file = written(tmp_path, base)
    made.end = "failed"
    with opened(file) as protocol, pytest.raises(TrainingError, match="bad luck"):
        protocol.elsewhere.orders("other")
    made.end = "done"
    with opened(file) as protocol, pytest.raises(TrainingError, match="bad luck"):
        protocol.elsewhere.orders("other")
    assert "failed, job-1" in tuneornot("jobs", file).stdout
    done = tuneornot("jobs", file, "--forget", "--json")
    [order] = json.loads(done.stdout)
    assert (order["state"], order["attempt"]) == ("sending", 2)
    with opened(file) as protocol:
        assert protocol.elsewhere.orders("other")[0].job == "job-2"
    assert made.jobs["job-2"]["suffix"].endswith("-1-2")


@pytest.mark.parametrize(
    ("hosted", "fault"),
    [
        ("{}, tune: {}", "`tune` and `hosted` in one arm"),
        ("{}, search: {calls: 5}", "`search` and `hosted` in one arm"),
        ("{}, tuned: {}", "`hosted` and `tuned` in one arm"),
        ("{epoch: 2}", "did you mean 'epochs'?"),
        ("{batch_size: 0}", "arms.other.hosted.batch_size: found 0"),
    ],
)
def test_faults_of_the_study(tmp_path: Path, hosted: str, fault: str) -> None:
    with pytest.raises(StudyError) as caught:
        study.read(written(tmp_path, "http://127.0.0.1:9/v1", hosted))
    assert fault in str(caught.value)


@contextmanager
def process(log: Path) -> Iterator[str]:
    """The host as a process of its own, whose jobs end when a file says so."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "tests.hosting.host", str(port), str(log)]
    server = subprocess.Popen(words, cwd=ROOT)

    def answers() -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{port}/v1/models"):
                return True
        except OSError:
            return False

    try:
        awaited(answers)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.kill()
        server.wait()


def awaited(there: Callable[[], bool]) -> None:
    for _ in range(3000):
        if there():
            return
        time.sleep(0.1)
    raise AssertionError("it never came")


def lines(log: Path, word: str) -> int:
    return 0 if not log.exists() else log.read_text().count(word)


@pytest.mark.slow
def test_kill_while_waiting_and_go_on(tmp_path: Path) -> None:
    log = tmp_path / "host.log"
    with process(log) as base:
        file = written(tmp_path, base)
        for _ in range(2):
            before = lines(log, "looked")
            first = subprocess.Popen(
                [*COMMAND, "finetune", file], env=PLAIN, stderr=subprocess.DEVNULL
            )
            awaited(lambda before=before: lines(log, "looked") > before)  # type: ignore[misc]
            assert first.poll() is None
            first.send_signal(signal.SIGKILL)
            first.wait()
        [order] = json.loads(tuneornot("jobs", file, "--json").stdout)
        assert (order["state"], order["job"]) == ("waiting", "job-1")
        log.with_suffix(".end").touch()
        done = tuneornot("finetune", file)
        assert done.returncode == 0, done.stderr
        assert "other: tuned elsewhere" in done.stdout
        assert "ft:old:ton-" in done.stdout
    assert lines(log, "ordered") == 1


@pytest.mark.slow
def test_a_job_is_cancelled_by_command(tmp_path: Path) -> None:
    log = tmp_path / "host.log"
    with process(log) as base:
        file = written(tmp_path, base)
        assert "No training was ordered" in tuneornot("jobs", file).stderr
        first = subprocess.Popen([*COMMAND, "finetune", file], env=PLAIN, stderr=subprocess.DEVNULL)
        awaited(lambda: lines(log, "looked") > 0)
        done = tuneornot("jobs", file, "--cancel")
        assert "cancelled" in done.stdout, done.stderr
        # The command that waits sees it too.
        assert first.wait(timeout=300) == 5
    assert lines(log, "cancelled job-1") == 1
