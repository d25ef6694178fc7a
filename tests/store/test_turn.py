"""The turn of a results folder, across processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tuneornot.errors import StoreError
from tuneornot.store.turn import Turn, holder

HOLDS = """
import pathlib, sys
from tuneornot.store.turn import Turn
turn = Turn(pathlib.Path(sys.argv[1]))
turn.take()
print("taken", flush=True)
sys.stdin.read()
"""


def test_another_process_is_refused_until_the_first_is_gone_however_it_goes(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    mine = Turn(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "taken\n"
        assert holder(tmp_path) == f"process {other.pid}"
        with pytest.raises(StoreError, match=f"process {other.pid} works in"):
            mine.take()
        other.kill()
    mine.take()
    mine.take()
    assert holder(tmp_path) == f"process {os.getpid()}"
    mine.release()
    assert holder(tmp_path) is None


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written: No such file"):
        Turn(tmp_path / "nowhere").take()
