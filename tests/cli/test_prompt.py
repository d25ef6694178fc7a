"""``tuneornot prompt``: once as a stranger meets it, with a real server, then in this process."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests import world
from tests.cli.test_cli import answered, at, refused, shop, tuneornot
from tuneornot.cli import app
from tuneornot.errors import StoreError, StudyError, TuneornotError
from tuneornot.formats import promptfile


def said(*words: str | Path) -> str:
    """What a command that must succeed writes to stdout."""
    done = CliRunner().invoke(app, [*map(str, words)])
    assert done.exception is None, done.exception
    return done.stdout


def refusal(kind: type[TuneornotError], *words: str | Path) -> str:
    done = CliRunner().invoke(app, [*map(str, words)])
    assert isinstance(done.exception, kind)
    return str(done.exception)


def test_a_prompt_is_engineered_kept_compared_and_taken_by_another_study(tmp_path: Path) -> None:
    count, first, second = tmp_path / "asked", tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    with shop(count) as base:
        file = at(world.write(first, n_eval=30), base)
        searched = f'model: "{base}#old", search: {{calls: 150, writer: "{base}#writer"}}'
        file.write_text(file.read_text().replace(f'model: "{base}#old"', searched))
        kept = tmp_path / "best.yaml"
        done = tuneornot("prompt", first, "--to", kept, "--quiet")
        assert done.returncode == 0, done.stderr
        n_asked = answered(count)
        asked = Counter(line.split()[0] for line in count.read_text().splitlines())
        assert 0 < asked["old"] <= 150
        assert 2 <= asked["writer"] <= 3
        tried = json.loads(said("baseline", first, "--json"))["prompted"]["candidates"]
        assert any("Tell what it costs" in one["prompt"]["instructions"] for one in tried)
        shown = said("prompt", first, "--arm", "prompted", "--quiet")
        assert shown == kept.read_text()
        assert "for http://127.0.0.1" in shown
        found = json.loads(said("prompt", first, "--json"))
        assert found["instructions"] == promptfile.read(kept).instructions

        mine = tmp_path / "mine.yaml"
        mine.write_text(kept.read_text().replace("Tell the price.", "Name the price!"))
        assert said("prompt", first, "--diff", kept, "--quiet") == ""
        told = said("prompt", first, "--diff", mine, "--quiet")
        assert told.startswith(f"--- prompted\n+++ {mine}\n")
        assert "Name the price!" in told

        world.write(second, n_eval=30)
        other = at(second / "study.yaml", base)
        taken = f'model: "{base}#old", prompt: ../mine.yaml'
        other.write_text(other.read_text().replace(f'model: "{base}#old"', taken))
        against = said("prompt", second, "--diff", first, "--quiet")
        assert "Tell the price." in against
        assert "Name the price!" in said("prompt", second, "--diff", "other", "--quiet")
        assert "not engineered" in said("prompt", second, "--quiet")
        assert answered(count) == n_asked  # what was engineered is not engineered again

        assert "nothing is overwritten" in refusal(StoreError, "prompt", first, "--to", kept)
        assert "which is no arm" in refusal(StudyError, "prompt", first, "--arm", "tuned")
        missing = tmp_path / "none.yaml"
        assert "cannot be read" in refusal(StudyError, "prompt", first, "--diff", missing)


@pytest.mark.slow
def test_check_refuses_a_task_that_quotes_a_case_that_judges(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=30)
    opened = world.opened(file)
    case = opened.splits.eval.cases[0]
    opened.close()
    quoted = f"task: 'Tell the price. {case.text} {case.answer}'"
    file.write_text(file.read_text().replace("task: Tell the price.", quoted))
    assert f"quotes eval '{case.id}'" in refused(4, "check", file)
