"""A judge on a real server, labelled by a person at a real prompt, to a corrected verdict."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests import world
from tests.cli.test_cli import COMMAND, PLAIN, at, shop, tuneornot

KNOWN = world.right(2000)


@pytest.mark.slow
def test_from_a_served_judge_to_a_corrected_verdict(tmp_path: Path) -> None:
    count = tmp_path / "asked"
    with shop(count) as base:
        told = f'judge: {{name: told, model: "{base}#judge", ask: Right?, levels: [no, yes]}}'
        file = at(world.write(tmp_path, n_eval=100, metrics=f"[exact_match, {{{told}}}]"), base)
        file.write_text(file.read_text().replace("primary: exact_match", "primary: told"))
        assert tuneornot("check", file).returncode == 0
        first = tuneornot("run", file, "--json")
        [before] = json.loads(first.stdout)
        assert any("nobody labelled" in said for said in before["caveats"])
        asked = len(count.read_text().splitlines())
        label(file, stop_after=40)
        label(file)
        done = tuneornot("run", file, "--json")
        assert done.returncode == 0, done.stderr
        [after] = json.loads(done.stdout)
        assert any("corrected by labels of 70 cases" in said for said in after["caveats"])
        shown = tuneornot("judges", file)
        assert "sensitivity" in shown.stdout
        assert len(count.read_text().splitlines()) == asked
        wrong = file.parent / "wrong.yaml"
        wrong.write_text(file.read_text().replace("#judge", "#jugde"))
        checked = tuneornot("check", wrong)
        assert checked.returncode == 2
        assert f"the judge '{base}#jugde'" in checked.stderr
    page = (tmp_path / "results" / "report.html").read_text()
    assert "prediction-powered" in page or "corrected it is" in page


def label(file: Path, *, stop_after: int | None = None) -> None:
    """Answer at the prompt of ``label`` as somebody who knows the prices; stop if told to."""
    words = [*COMMAND, "label", str(file), "--n", "70", "--as", "ann", "--quiet"]
    person = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=PLAIN
    )
    assert person.stdin is not None
    assert person.stdout is not None
    n = 0
    lines: list[str] = []
    for line in person.stdout:
        lines.append(line.strip())
        if not line.startswith(("1 to 2;", "> 1 to 2;")):
            continue
        question = lines[len(lines) - 1 - lines[::-1].index("question") + 1]
        answer = lines[len(lines) - 1 - lines[::-1].index("answer") + 1]
        person.stdin.write("2\n" if KNOWN[question] == answer else "1\n")
        person.stdin.flush()
        n += 1
        if n == stop_after:
            person.kill()
            break
    person.stdin.close()
    person.stdout.close()
    person.wait()
