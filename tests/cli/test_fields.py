"""The list of what may stand in a study file."""

from __future__ import annotations

import msgspec
import pytest
from typer.testing import CliRunner

from tuneornot import study
from tuneornot.cli import app


def listed(*words: str) -> list[str]:
    done = CliRunner().invoke(app, ["fields", *words])
    assert done.exit_code == 0
    return done.stdout.splitlines()


def test_every_field_of_the_plan_and_of_its_sections_is_listed() -> None:
    names = {line.split()[0] for line in listed()}
    assert names >= {field.encode_name for field in msgspec.structs.fields(study.Study)}
    searched = msgspec.structs.fields(study.SearchPlan)
    assert names >= {f"arms.NAME.search.{field.encode_name}" for field in searched}
    assert {"arms.NAME.retrieve.from", "redteam.judge.model"} <= names


def test_a_section_by_itself_with_kinds_and_defaults() -> None:
    lines = {line.split()[0]: " ".join(line.split()[1:]) for line in listed("data.split")}
    assert lines["data.split.eval"] == "int | float, 100 if left out"
    assert lines["data.split.by"] == "Literal['case', 'group'], 'case' if left out"
    assert all(name.startswith("data.split.") for name in lines)
    [study_name] = [line for line in listed() if line.startswith("study ")]
    assert study_name.split() == ["study", "str,", "required"]


def test_an_unknown_section_is_told() -> None:
    done = CliRunner().invoke(app, ["fields", "daat"])
    with pytest.raises(Exception, match="no section 'daat'"):
        raise done.exception or AssertionError("it was taken")
