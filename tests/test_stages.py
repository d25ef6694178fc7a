"""Which look this is, and what it may spend: from the looks that the store remembers."""

from __future__ import annotations

import pytest

from tuneornot import stages, study
from tuneornot.records import Look, Stage
from tuneornot.stats import sequential
from tuneornot.store.store import Plan

PLAN = """\
study: invoices
task: Read an invoice.
data: {cases: cases.jsonl}
arms: {prompted: {model: local:a}, tuned: {model: local:b}}
metrics: [exact_match]
decide: {primary: exact_match, worthwhile: 0.05}
"""
PLANNED = PLAN.replace("0.05}", "0.05, looks: [100, 200, 400]}")


def look(n: int | None, plan: str = "first", dataset: str = "eval") -> Look:
    return Look(dataset=dataset, arm="tuned", plan=plan, at="2026-11-25T01:02:03Z", n=n)


def found(text: str, n: int, *looks: Look, more: str = "") -> Stage:
    """The stage of a study that was looked at before as ``text`` and now has further cases."""
    plan = study.parse(text.replace("cases.jsonl", f"cases.jsonl{more}"))
    return stages.of(plan, [before(text)], looks, n)


def before(text: str) -> Plan:
    """The plan of the first look."""
    return Plan("first", "invoices", study.text(study.parse(text)), "2026-11-25T01:02:03Z")


def test_looks_at_fewer_eval_cases_of_this_study_count_once_each() -> None:
    looks = [look(100), look(100), look(50, dataset="unseen"), look(50, plan="other"), look(None)]
    now = found(PLAN, 150, *looks, more=", more: [more.jsonl]")
    assert now.earlier == (100,)
    assert now.look == 2
    assert found(PLAN, 100, *looks).earlier == ()


def test_the_first_look_spends_all_and_says_nothing() -> None:
    now = found(PLAN, 100)
    assert stages.level(0.05, now) == 0.05
    assert stages.caveat(now) == ()
    assert (now.n_spent, now.next) == (1, None)


def test_an_unplanned_second_look_costs_another_error_rate() -> None:
    now = found(PLAN, 150, look(100), more=", more: [more.jsonl]")
    assert stages.level(0.05, now) == 0.05
    [said] = stages.caveat(now)
    assert "look 2 at a growing eval set (before: 100 cases, now 150)" in said
    assert "up to 0.1, not 0.05" in said


def test_planned_looks_share_the_error_rate() -> None:
    first = found(PLANNED, 100)
    assert first.next == 200
    assert stages.level(0.05, first) == pytest.approx(sequential.level([100], 400, 0.05))
    third = found(PLANNED, 300, look(100), look(200), more=", more: [a.jsonl, b.jsonl]")
    assert third.next == 400
    assert stages.level(0.05, third) == pytest.approx(sequential.level([100, 200, 300], 400, 0.05))
    assert stages.caveat(third) == ()


def test_after_the_last_planned_look_a_further_one_is_not_paid_for() -> None:
    now = found(PLANNED, 500, look(100), look(400))
    assert stages.level(0.05, now) == 0.05
    assert "the last planned look, at 400 cases, is over" in stages.caveat(now)[0]
    assert now.n_spent == 2


def test_looks_planned_after_the_first_one_pay_for_nothing() -> None:
    plan = study.parse(PLANNED)
    now = stages.of(plan, [before(PLAN)], [look(100)], 200)
    assert now.planned == ()
    assert "not planned before the first" in stages.caveat(now)[0]
