"""The guide to servers says what the program does."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import msgspec
import pytest

from tests.models.misbehaving import misbehaving
from tuneornot.models import address
from tuneornot.models.http import HttpModel
from tuneornot.models.pace import Pace, Policy
from tuneornot.records import Sampling

GUIDE = (Path(__file__).parents[2] / "docs/guides/servers.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return str(found)


def test_the_python_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    with misbehaving() as server:
        exec(block("python").replace("http://127.0.0.1:8000/v1#model-name", server.name), {})
    assert sorted(capsys.readouterr().out.splitlines()) == [
        f"{n} echo: Name {n + 1} rivers." for n in range(3)
    ]


def test_the_names_are_names() -> None:
    arms = msgspec.yaml.decode(block("yaml"))["arms"]
    names = [arms["prompted"]["model"], *re.findall(r"`(https?://[^`]*#[^`]*)`", GUIDE)]
    assert len(names) >= 6
    for name in names:
        address.parse(name)


def test_the_variable_is_the_one_that_is_read() -> None:
    together = address.parse("https://api.together.xyz/v1#m")
    assert "TUNEORNOT_API_KEY_API_TOGETHER_XYZ" in GUIDE
    assert address.variables(together)[0] == "TUNEORNOT_API_KEY_API_TOGETHER_XYZ"


def test_the_figures_are_the_defaults() -> None:
    policy = Policy()
    default = {
        name: parameter.default
        for name, parameter in inspect.signature(HttpModel.__init__).parameters.items()
    }
    assert (default["concurrency"], default["max_tries"], default["timeout_s"]) == (16, 5, 120)
    assert (policy.first_wait_s, policy.longest_wait_s) == (0.5, 300)
    assert (policy.n_unreachable, policy.n_failed_in_row) == (5, 10)
    assert Pace(16).limit == 4


def test_what_is_sent_stands_in_the_table() -> None:
    for field in msgspec.structs.fields(Sampling):
        assert re.search(rf"^\| `{field.name}\b", GUIDE, re.M), field.name
