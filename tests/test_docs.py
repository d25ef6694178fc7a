"""What the documentation says is true: links lead somewhere, plans parse, commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tuneornot import errors, study
from tuneornot.attacks.plan import JudgePlan, RedteamPlan
from tuneornot.budget import Budget
from tuneornot.cases.hold_out import HoldOut
from tuneornot.cases.rarity import FactsPlan
from tuneornot.cli import app
from tuneornot.examples import legal_citations
from tuneornot.hosting import HostedPlan
from tuneornot.records import EconomicsPlan
from tuneornot.retrieval.plan import RetrievePlan
from tuneornot.stress.plan import Settings, StressPlan
from tuneornot.study.meaning import MeaningPlan
from tuneornot.training.tuned import TunedPlan

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_in_the_documentation_exist(page: Path) -> None:
    known = {command.name for command in app.registered_commands}
    blocks = [text for _, text in BLOCK.findall(page.read_text())]
    named = {word for text in blocks for word in re.findall(r"^\s*tuneornot ([a-z]+)", text, re.M)}
    assert named <= known


def test_the_plan_in_the_reference_is_a_plan(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "reference" / "study.md").read_text()
    [plan] = [text for kind, text in BLOCK.findall(page) if kind == "yaml"]
    assert study.rule(study.parse(plan)).primary == "exact_match"


def test_every_field_of_a_plan_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "study.md").read_text()
    forms = (study.Study, study.DataPlan, study.SplitPlan, study.SearchPlan, study.TunePlan)
    plans = (Budget, RetrievePlan, TunedPlan, EconomicsPlan, StressPlan, Settings)
    parts = (RedteamPlan, JudgePlan, HoldOut, MeaningPlan, HostedPlan, FactsPlan)
    for form in (*forms, study.ArmPlan, study.DecidePlan, *plans, *parts):
        for name in form.__struct_encode_fields__:
            assert re.search(rf"`[^`]*\b{name}\b[^`]*`", page), name


def test_exit_codes_in_the_reference_are_those_of_the_errors() -> None:
    page = (ROOT / "docs" / "reference" / "cli.md").read_text()
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", page, re.M)}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.TuneornotError)}
    assert told == codes | {0, 130, 143}


def test_the_example_in_the_readme_is_the_one_that_init_writes() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "tuneornot init legal-citations" in readme
    [shown] = [text for kind, text in BLOCK.findall(readme) if kind == "yaml"]
    assert shown == legal_citations.STUDY
    written = study.parse(legal_citations.STUDY.replace("schema: schema.json", "schema: {}"))
    assert written.study == "legal-citations"
