"""The guide to hosted training does what it says, by its own commands, on a real server."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path

import pytest

from tests.cli.test_cli import ROOT, carried_out
from tests.hosting.host import Host, running
from tests.world import questions
from tuneornot.formats import prices
from tuneornot.hosting import HostedPlan

GUIDE = (ROOT / "docs" / "guides" / "hosted-training.md").read_text(encoding="utf-8")
SERVER = "http://127.0.0.1:8000/v1"


def block(language: str, n: int = 0) -> str:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", GUIDE, re.M | re.S)
    return [str(text) for name, text in found if name == language][n]


@pytest.mark.slow
def test_the_commands_of_the_guide(tmp_path: Path) -> None:
    rows = "".join(json.dumps(row) + "\n" for row in questions(360))
    (tmp_path / "cases.jsonl").write_text(rows, encoding="utf-8")
    host = Host()
    host.n_looks = 1
    with running(host) as server:
        (tmp_path / "study.yaml").write_text(block("yaml").replace(SERVER, server))
        said = carried_out(block("sh") + block("sh", 1), tmp_path)
    assert len(host.jobs) == 1
    told = said["tuneornot jobs study.yaml"]
    assert told.startswith(block("").strip().replace(SERVER, server))
    assert "adapter-loaded" in said["tuneornot finetune study.yaml"]
    assert "train trained" in said["tuneornot estimate study.yaml"]
    assert "Fine-tune: trained is better than prompted" in said["tuneornot run study.yaml"]
    # What is done is neither cancelled nor forgotten.
    assert "done, job-1" in said["tuneornot jobs study.yaml --forget"]


def test_the_prices_of_the_guide_are_a_price_file(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text(block("yaml", 1))
    found = prices.read(tmp_path / "prices.yaml", today=datetime.date(2026, 11, 25))
    assert found.models[f"{SERVER}#old"].training_per_million == 25


def test_every_field_is_in_the_guide() -> None:
    for name in HostedPlan.__struct_encode_fields__:
        assert re.search(rf"^\|[^|]*`{name}`[^|]*\|", GUIDE, re.M), name
