"""The guide to retrieval does what it says, by its own commands, on a real server."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.cli.test_cli import ROOT, carried_out, refused, tuneornot
from tests.retrieval import fair
from tests.world import questions

GUIDE = (ROOT / "docs" / "guides" / "retrieval.md").read_text(encoding="utf-8")
SERVER = "http://127.0.0.1:8000/v1"


def block(language: str, n: int = 0) -> str:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE, re.M | re.S)
    return [str(text) for name, text in found if name == language][n]


@pytest.fixture
def server() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "tests.retrieval.fair", str(port)], cwd=ROOT)
    try:
        for _ in range(200):
            try:
                with urlopen(f"http://127.0.0.1:{port}/v1/models"):
                    break
            except OSError:
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_the_commands_of_the_guide(tmp_path: Path, server: str) -> None:
    fair.write(tmp_path)
    plan = block("yaml").replace(SERVER, server)
    (tmp_path / "study.yaml").write_text(plan, encoding="utf-8")
    said = [*carried_out(block("sh"), tmp_path).values()]
    [told] = [line for line in block("").splitlines() if line.startswith("passages")]
    assert told in said[0].splitlines()
    assert "looked-up" in said[1]
    assert "passages shown with the question" in (tmp_path / "results/report.html").read_text()
    report = json.loads((tmp_path / "results/report.json").read_text())
    shown = report["findings"]["runs"][1]["retrieved"]["shown"]
    assert {len(passages) for passages in shown.values()} == {3}
    (tmp_path / "knowledge.jsonl").write_text('{"id": 1, "text": "x"}\n{"id": 1}\n')
    assert "line 2: text: found nothing" in refused(2, "check", tmp_path)


def test_the_row_of_the_guide_is_one_of_the_fair() -> None:
    row = json.loads(block("json"))
    known = {fair.sentence(one) for one in questions(400)}
    assert row["text"] in known
    assert row["text"] in block("", 1)


def test_the_function_of_the_guide_is_a_retriever(tmp_path: Path, server: str) -> None:
    file = fair.write(tmp_path, model=f"{server}#reader")
    (tmp_path / "shelf.py").write_text(block("python"))
    text = file.read_text().replace("from: knowledge.jsonl, top: 3", 'how: "shelf:find"')
    file.write_text(text)
    done = tuneornot("check", tmp_path)
    assert "looked-up: 4 passages for each question by shelf:find" in done.stdout, done.stderr
