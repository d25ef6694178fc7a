"""What teaches against what judges, from the command line: a real process on real files."""

from __future__ import annotations

import json
import random
import string
from pathlib import Path
from typing import Any

from tests import world
from tests.cli.test_cli import tuneornot

MODEL = '''\
def answer(messages, sampling):
    """Whatever is asked."""
    return "12"
'''


def study(folder: Path, *, train: list[dict[str, Any]], data: str = "") -> Path:
    """A study of 60 eval cases in separate files, with models that need no server."""
    folder.mkdir(exist_ok=True)
    rows: list[dict[str, Any]] = [*world.questions(150)]
    parts = {"eval": rows[:60], "dev": rows[60:90], "train": [*rows[90:], *train]}
    for name, part in parts.items():
        lines = "".join(json.dumps(row) + "\n" for row in part)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    (folder / "own.py").write_text(MODEL)
    file = world.write(folder, n_eval=60)
    whole = "\n".join(f"  {name}: {name}.jsonl" for name in parts)
    text = file.read_text()
    old = text[text.index("  cases:") : text.index("arms:")]
    text = text.replace(old, f"{whole}\n{data}")
    file.write_text(
        text.replace(world.OLD, "python:own:answer").replace(world.NEW, "python:own:answer")
    )
    return file


def test_private_text_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    rng = random.Random(4)
    key = "ghp_" + "".join(rng.choice(string.ascii_letters + string.digits) for _ in range(36))
    rows = [
        {"id": "t1", "input": f"Why is {key} refused by the store?", "expected": "it is old"},
        {"id": "t2", "input": "Whom do I ask?", "expected": "ask j.miller@acme.org about it"},
    ]
    done = tuneornot("check", study(tmp_path, train=rows))
    assert done.returncode == 0, done.stderr
    assert "train holds private text: key once; the first in 't1': ghp_..." in done.stdout
    assert "train holds private text: e-mail once; the first in 't2': j...@acme.org" in done.stdout
    assert key[6:] not in done.stdout + done.stderr
    clean = tuneornot("check", study(tmp_path / "clean", train=[]))
    assert "private text" not in clean.stdout
