"""The guide's example runs, and the guide describes the JSON that is written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.report import fixture
from tuneornot.report import export

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "report.md").read_text(encoding="utf-8")


def test_the_example_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    export.write(fixture.bare(), tmp_path / "report.json")
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)
    exec(compile(code, "guide", "exec"), {})
    assert (tmp_path / "report.html").exists()
    assert capsys.readouterr().out.startswith("# legal-citations")


def test_every_key_of_the_json_is_described() -> None:
    raw = json.loads(export.render(fixture.findings()))
    for key in (*raw, *raw["verdicts"][0], *raw["verdicts"][0]["reasons"][0]):
        assert f"`{key}`" in GUIDE
