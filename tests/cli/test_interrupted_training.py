"""A training that is interrupted, killed and started again, as a user does it."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.test_cli import HEARING, PLAIN, tuneornot
from tests.finetune import small

TUNE = "{rank: 4, alpha: 8, rate: 0.003, epochs: 8, batch_size: 1}"
"""128 updates, saved eight times."""


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEORNOT_CACHE", str(tmp_path / "cache"))


def saved(folder: Path) -> set[int]:
    """The updates of which a whole checkpoint stands in a folder of results."""
    found = folder.glob("results/adapters/*/checkpoints/*/checkpoint-*/trainer_state.json")
    return {int(path.parent.name.removeprefix("checkpoint-")) for path in found}


def stopped(file: Path, how: signal.Signals) -> tuple[int, str, set[int]]:
    """Begin to train and stop it after its next checkpoint: exit code, words, and that one."""
    before = saved(file.parent)
    begun = subprocess.Popen(
        [*HEARING, "finetune", file], env=PLAIN, stderr=subprocess.PIPE, text=True
    )
    while not saved(file.parent) - before:
        assert begun.poll() is None, "it ended before it could be stopped"
        time.sleep(0.02)
    new = saved(file.parent) - before
    begun.send_signal(how)
    _, said = begun.communicate(timeout=300)
    return begun.returncode, said, new


@pytest.mark.slow
def test_a_training_goes_on_after_an_interrupt_and_after_a_kill(tmp_path: Path) -> None:
    (tmp_path / "cut").mkdir()
    file = small.write(tmp_path / "cut", tune=TUNE)
    code, said, first = stopped(file, signal.SIGINT)
    assert code == 130, said
    assert "the same command goes on from here" in said
    assert "Traceback" not in said
    code, said, second = stopped(file, signal.SIGKILL)
    assert code == -signal.SIGKILL, said
    assert min(second) > max(first), "it went on where it was"
    ended = tuneornot("finetune", file, "--json")
    assert ended.returncode == 0, ended.stderr
    [adapter] = json.loads(ended.stdout)["tuned"]
    assert not saved(file.parent)

    (tmp_path / "whole").mkdir()
    with closing(small.opened(small.write(tmp_path / "whole", tune=TUNE))) as protocol:
        [whole] = protocol.adapters("tuned")
    dev = [(one["step"], one["dev_loss"]) for one in adapter["curve"] if one["dev_loss"]]
    uncut = [(one.step, one.dev_loss) for one in whole.curve if one.dev_loss]
    assert [step for step, _ in dev] == [step for step, _ in uncut]
    # That weights are the same to the last digits is held nearer to the training.
    assert dev[-1][1] == pytest.approx(uncut[-1][1], rel=0.05)
