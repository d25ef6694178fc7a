"""A rich study from a seeded simulation: two arms, four metrics, two sets, a search, a training."""

from __future__ import annotations

import functools
from collections.abc import Callable

import msgspec
import numpy as np

from tests.report import estimates, simulated
from tests.report.effort import LEDGER, TUNED_ADAPTER
from tuneornot.records import (
    Arm,
    Audit,
    Check,
    Comparison,
    Contrast,
    Estimate,
    Findings,
    Guardrail,
    Look,
    Phase,
    Reason,
    Rule,
    Sensitivity,
    Verdict,
)

HOSTILE = simulated.HOSTILE
PLAN = "0f3c5a7b9d1e2f405162"


def _arms() -> tuple[Arm, Arm]:
    winner = LEDGER.candidates[3].prompt
    return (
        Arm(
            name="prompted",
            kind="prompted",
            model="local:smollm2-135m",
            identity="9a1f0c",
            prompt=winner,
        ),
        Arm(
            name="tuned",
            kind="tuned",
            model="local:smollm2-135m",
            identity="9a1f0c",
            prompt=LEDGER.candidates[0].prompt,
            adapter=TUNED_ADAPTER,
        ),
    )


def _reasons(find: Callable[[str, str], Contrast]) -> tuple[Reason, ...]:
    exact, schema, unseen = (
        find("exact_match", "eval"),
        find("json_schema", "eval"),
        find("field_match", "unseen-reporters"),
    )
    field = find("field_match", "eval")
    return (
        Reason(
            role="check",
            metric="adapter-loaded",
            dataset="",
            quantity="check",
            threshold=None,
            estimate=None,
            holds=True,
        ),
        _reason("primary", exact, "mean", exact.mean, 0.05),
        _reason("guardrail", schema, "mean", schema.mean, -0.05),
        _reason("guardrail", field, "spread", field.spread, 1.25),
        _reason("guardrail", field, "worst_tenth", field.worst_tenth, -0.1),
        _reason("guardrail", unseen, "mean", unseen.mean, -0.02),
    )


def _reason(role: str, contrast: Contrast, quantity: str, estimate: object, line: float) -> Reason:
    assert isinstance(estimate, Estimate)
    below = quantity == "spread"
    holds = estimate.upper < line if below else estimate.lower > line
    return msgspec.convert(
        {
            "role": role,
            "metric": contrast.metric,
            "dataset": contrast.dataset,
            "quantity": quantity,
            "threshold": line,
            "estimate": msgspec.to_builtins(estimate),
            "holds": True if holds else None,
            "n_more": None if holds else 140,
        },
        Reason,
    )


@functools.cache
def findings() -> Findings:
    """The whole study: the candidate is truly better, and the rule is applied to it."""
    rng = np.random.default_rng(11)
    sets = (
        simulated.cases("eval", 120, simulated.REPORTERS, rng),
        simulated.cases("unseen-reporters", 80, simulated.UNSEEN, rng),
    )
    arms = _arms()
    skills = {("prompted", 0): 0.22, ("tuned", 0): 0.52, ("prompted", 1): 0.2, ("tuned", 1): 0.33}
    runs = [
        [
            simulated.run(arm, data, skills[arm.name, k], seed=100 * k + j)
            for j, arm in enumerate(arms)
        ]
        for k, data in enumerate(sets)
    ]
    contrasts = [
        estimates.contrast(pair[0], pair[1], metric)
        for pair in runs
        for metric in simulated.METRICS
    ]
    contrasts.append(estimates.latency(*runs[0]))
    comparison = Comparison(
        baseline="prompted",
        candidate="tuned",
        alpha=0.05,
        contrasts=tuple(contrasts),
        checks=(
            *TUNED_ADAPTER.checks,
            Check(
                name="answers-end",
                passed=False,
                blocking=False,
                detail="2 of 60 dev answers were cut at 64 tokens.",
            ),
        ),
    )

    def find(metric: str, dataset: str) -> Contrast:
        found = comparison.contrast(metric, dataset)
        assert found is not None
        return found

    reasons = _reasons(find)
    settled = all(reason.holds for reason in reasons)
    verdict = Verdict(
        outcome="tune" if settled else "not-yet",
        baseline="prompted",
        candidate="tuned",
        plan=PLAN,
        reasons=reasons,
        n_more=None if settled else 140,
        sensitivity=(
            Sensitivity(change="worthwhile=0.2", outcome="not-yet"),
            Sensitivity(change="primary=field_match", outcome="tune"),
            Sensitivity(change="without slice=federal", outcome="tune"),
        ),
        caveats=("exact_match on eval: one training seed only",),
    )
    return Findings(
        study="legal-citations",
        task="Convert a legal citation to JSON with volume, reporter, page and year.",
        plan=PLAN,
        rule=Rule(
            primary="exact_match",
            worthwhile=0.05,
            guardrails=(
                Guardrail(metric="json_schema", dataset="eval", quantity="mean", margin=0.05),
                Guardrail(metric="field_match", dataset="eval", quantity="spread", margin=1.25),
                Guardrail(metric="field_match", dataset="eval", quantity="worst_tenth", margin=0.1),
                Guardrail(
                    metric="field_match", dataset="unseen-reporters", quantity="mean", margin=0.02
                ),
            ),
        ),
        audit=Audit(
            dataset="citations",
            n=120,
            n_groups=40,
            duplicates=(),
            conflicts=(),
            empty=(),
            slices={"state": 70, "federal": 32, "supreme": 11, "bankruptcy": 7},
            input_characters=(14, 22, 31),
            answer_characters=(58, 66, 80),
            detectable=0.114,
            n_wanted=620,
            warnings=("The slice 'bankruptcy' has 7 cases; under 10 little can be said of it.",),
        ),
        splits={"train": 400, "dev": 60, "eval": 120, "unseen-reporters": 80},
        ledgers={"prompted": LEDGER},
        adapters={"tuned": (TUNED_ADAPTER,)},
        runs=tuple(run for pair in runs for run in pair),
        comparisons=(comparison,),
        verdicts=(verdict,),
        looks=tuple(
            Look(dataset=data.name, arm=arm.name, plan=PLAN, at="2026-11-25T01:02:03Z")
            for data in sets
            for arm in arms
        ),
        phases=(
            Phase(name="cases", seconds=0.8),
            Phase(name="prompt search", seconds=148.2, n_asked=1240),
            Phase(name="training", seconds=171.0),
            Phase(name="measuring", seconds=58.4, n_asked=400, n_known=12),
            Phase(name="comparing and deciding", seconds=1.9),
        ),
        machine="2 cores x86-64, 8 GiB",
        version="0.1.0",
    )


def with_verdict(**changes: object) -> Findings:
    """The study with some fields of its verdict changed."""
    given = findings()
    verdict = msgspec.structs.replace(given.verdicts[0], **changes)
    return msgspec.structs.replace(given, verdicts=(verdict,))


def bare() -> Findings:
    """A study that has only been prompted so far: one run, nothing compared."""
    given = findings()
    return msgspec.structs.replace(
        given, comparisons=(), verdicts=(), adapters={}, ledgers={}, runs=given.runs[:1], looks=()
    )
