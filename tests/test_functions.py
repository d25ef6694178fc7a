"""Functions that studies name: beside the study first, each study's own, edits noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tuneornot import functions


def test_the_module_beside_the_study_comes_first(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("def dumps(value):\n    return 'mine'\n")
    assert functions.find("json:dumps", tmp_path, what="a thing").call(1) == "mine"
    assert functions.find("json:dumps", tmp_path / "elsewhere", what="a thing").call(1) == "1"


def test_two_studies_may_have_modules_of_one_name(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "own.py").write_text(f"def who():\n    return {name!r}\n")
    found = [functions.find("own:who", tmp_path / name, what="a thing") for name in ("one", "two")]
    assert [one.call() for one in found] == ["one", "two"]
    assert found[0].source != found[1].source


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("no_such_module:f", "the module of a thing must be importable, got 'no_such_module:f'"),
        ("json:nothing", "json has no function 'nothing'"),
        ("broken:f", "ZeroDivisionError"),
    ],
)
def test_what_cannot_be_found_is_told(tmp_path: Path, address: str, said: str) -> None:
    (tmp_path / "broken.py").write_text("1 / 0\n")
    with pytest.raises(ValueError, match=r"a thing") as caught:
        functions.find(address, tmp_path, what="a thing")
    assert said in str(caught.value)
