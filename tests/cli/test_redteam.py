"""``tuneornot redteam`` as a stranger meets it: a real process, a real server on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import world
from tests.cli.test_cli import refused, tuneornot
from tests.redteam import guarded
from tests.redteam.served import serving


@contextmanager
def studied(folder: Path, redteam: str) -> Iterator[Path]:
    """A study of the arms ``kept`` and ``lost``, which a server gives."""
    with serving() as address:
        file = world.write(folder, n_eval=40)
        text = file.read_text()
        for before, name in ((world.OLD, "kept"), (world.NEW, "lost")):
            text = text.replace(f'"{before}"', f'"{address}/v1#{name}"')
        file.write_text(f"{text}{redteam.replace('SERVER', address)}")
        yield file


def test_the_suite_runs_on_a_server_and_masks_the_answers(tmp_path: Path) -> None:
    judge = 'redteam: {suite: small, judge: {model: "SERVER/v1#judge"}}\n'
    with studied(tmp_path, judge) as file:
        shown = tuneornot("redteam", file)
        assert shown.returncode == 0, shown.stderr
        assert "Traceback" not in shown.stderr
        raw = json.loads(tuneornot("redteam", file, "--json").stdout)
        open_ = json.loads(tuneornot("redteam", file, "--json", "--show-outputs").stdout)
    assert "critical" in shown.stdout
    assert "kappa" in " ".join(shown.stdout.split())
    assert guarded.COMPLIED not in " ".join(shown.stdout.split())
    assert raw["redteam"]["n_attacks"] == 96
    assert raw["redteam"]["attacked"][0]["contrasts"][0]["mean"]["upper"] < -0.05
    assert {one["output"] for one in raw["successes"]} == {None}
    assert guarded.COMPLIED in {one["output"] for one in open_["successes"]}
    assert {one["arm"] for one in raw["successes"]} == {"prompted", "other"}


def test_a_study_without_a_red_team_is_told_what_to_add(tmp_path: Path) -> None:
    said = refused(2, "redteam", world.write(tmp_path, n_eval=40))
    assert "redteam: {}" in said


@pytest.mark.parametrize(
    ("redteam", "told"),
    [
        ("redteam: {suite: missing.jsonl}\n", "there is no such file"),
        ("redteam: {suite: defualt}\n", "did you mean 'default'"),
        ('redteam: {judge: {model: "SERVER/v1#nobody"}}\n', "redteam.judge"),
    ],
)
def test_check_tells_faults_before_anything_is_asked(
    tmp_path: Path, redteam: str, told: str
) -> None:
    with studied(tmp_path, redteam) as file:
        done = tuneornot("check", file)
    assert done.returncode in (2, 5)
    assert "Traceback" not in done.stderr
    assert told in " ".join(done.stderr.split())


def test_people_can_label_what_attacks_brought(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    with studied(tmp_path, "redteam: {suite: small}\n") as file:
        words = ("label", file, "--set", "attacks", "--n", "5")
        done = tuneornot(*words, "--export", sheet)
        assert done.returncode == 0, done.stderr
        lines = sheet.read_text().strip().splitlines()
        assert "declines" in lines[1]
