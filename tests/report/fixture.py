"""A rich study from a seeded simulation: two arms, four metrics, two sets, all estimates from it.

Answers are simulated field by field, scores follow from the answers, and intervals are percentile
bootstraps over cases, so that every figure in a report agrees with the cases that it shows.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from tests.report.effort import LEDGER, TUNED_ADAPTER
from tuneornot.records import (
    Arm,
    Audit,
    Case,
    Check,
    Comparison,
    Contrast,
    Dataset,
    Estimate,
    Findings,
    Flip,
    Guardrail,
    Look,
    Phase,
    QuantileShift,
    Reason,
    Response,
    Rule,
    Run,
    Scale,
    Score,
    Sensitivity,
    SliceContrast,
    Verdict,
)

Array = npt.NDArray[np.float64]

METRICS = {
    "exact_match": Scale(binary=True),
    "field_match": Scale(),
    "json_schema": Scale(binary=True),
    "answer_length": Scale(better="lower", low=0.0, high=None, unit="characters"),
}
REPORTERS = ("F.2d", "F. Supp. 3d", "So. 3d", "N.E.2d", "P.2d", "Cal. App. 4th", "U.S.", "B.R.")
UNSEEN = ("Ill. Dec.", "A.3d", "Misc. 2d", "Vet. App.")
SLICES = {"F.2d": "federal", "F. Supp. 3d": "federal", "U.S.": "supreme", "B.R.": "bankruptcy"}
HOSTILE = "<script>alert('answer')</script> & \"quoted\""
PLAN = "0f3c5a7b9d1e2f405162"


def _cases(name: str, n: int, reporters: tuple[str, ...], rng: np.random.Generator) -> Dataset:
    cases = []
    for i in range(n):
        reporter = reporters[int(rng.integers(len(reporters)))]
        volume, page = int(rng.integers(1, 999)), int(rng.integers(1, 1500))
        year = int(rng.integers(1890, 2024))
        spelled = reporter.lower().replace(".", "").replace("f supp", "fed supp")
        cases.append(
            Case(
                id=f"{name}-{i:03d}",
                input=f"{volume} {spelled} {page} ({year})",
                expected={"volume": volume, "reporter": reporter, "page": page, "year": year},
                slice=SLICES.get(reporter, "state"),
                group=f"{reporter}-{i % 5}",
            )
        )
    return Dataset(name=name, cases=tuple(cases))


def _answer(case: Case, skill: float, rng: np.random.Generator) -> str:
    assert isinstance(case.expected, dict)
    fields = dict(case.expected)
    if rng.random() > skill:
        fields["reporter"] = str(fields["reporter"]).replace(".", "")
    if rng.random() > 0.9:
        fields["page"] = int(fields["page"]) + 1
    text = json.dumps(fields)
    return f"Here is the citation: {text}" if rng.random() > 0.96 + 0.03 * skill else text


def _marks(case: Case, text: str) -> dict[str, float]:
    try:
        given = json.loads(text)
    except ValueError:
        given = {}
    assert isinstance(case.expected, dict)
    right = [given.get(key) == value for key, value in case.expected.items()]
    return {
        "exact_match": float(all(right)),
        "field_match": sum(right) / len(right),
        "json_schema": float(bool(given)),
        "answer_length": float(len(text)),
    }


def _run(arm: Arm, data: Dataset, skill: float, seed: int) -> Run:
    rng = np.random.default_rng(seed)
    responses, scores = [], []
    for i, case in enumerate(data.cases):
        text: str | None = _answer(case, skill + 0.15 * (case.slice == "federal"), rng)
        if arm.kind == "prompted" and i == 7:
            text = HOSTILE
        failed = arm.kind == "prompted" and i == 11
        error = "The server answered 500 after 3 tries."
        responses.append(
            Response(
                arm=arm.fingerprint,
                question=case.question,
                text=None if failed else text,
                error=error if failed else None,
                finish=None if failed else "stop",
                n_input_tokens=820 if arm.kind == "prompted" else 96,
                n_output_tokens=34,
                latency_s=float(rng.gamma(9, 0.2)),
                load=32,
            )
        )
        marks = _marks(case, text or "")
        scores += [
            Score(
                metric=name,
                case_id=case.id,
                value=None if failed else marks[name],
                reason=error if failed else None,
            )
            for name in METRICS
        ]
    slow = 1.9 if arm.kind == "prompted" else 0.62
    timings = tuple(
        Response(
            arm=arm.fingerprint,
            question=case.question,
            purpose="latency",
            text="{}",
            latency_s=float(slow * rng.lognormal(0, 0.18)),
        )
        for case in data.cases[:16]
    )
    return Run(
        arm=arm,
        dataset=data,
        metrics=METRICS,
        n_repeats=1,
        responses=tuple(responses),
        scores=tuple(scores),
        timings=timings,
    )


def _estimate(draws: Array, value: float, p_value: float | None = None) -> Estimate:
    low, lower, upper, high = (float(q) for q in np.quantile(draws, (0.025, 0.05, 0.95, 0.975)))
    return Estimate(
        value=value,
        low=low,
        high=high,
        lower=lower,
        upper=upper,
        method="percentile bootstrap",
        p_value=p_value,
    )


def _bootstrap(measure: Callable[[Array, Array], Array], b: Array, c: Array) -> Estimate:
    """An estimate of ``measure`` (rows of shape (draws, n) to (draws,)) over resampled cases."""
    rng = np.random.default_rng(0)
    rows = rng.integers(len(b), size=(800, len(b)))
    return _estimate(measure(b[rows], c[rows]), float(measure(b[None], c[None])[0]))


def _mean(b: Array, c: Array) -> Array:
    return np.asarray((c - b).mean(axis=1))


def _worst(scores: Array) -> Array:
    k = max(1, scores.shape[1] // 10)
    return np.asarray(np.sort(scores, axis=1)[:, :k].mean(axis=1))


def _spread(b: Array, c: Array) -> Array:
    return np.asarray((c.std(axis=1) + 1e-9) / (b.std(axis=1) + 1e-9))


def _contrast(baseline: Run, candidate: Run, metric: str) -> Contrast:
    scale = METRICS[metric]
    data = baseline.dataset
    tables = [
        {s.case_id: s.value for s in run.scores if s.metric == metric and s.value is not None}
        for run in (baseline, candidate)
    ]
    shared = [case for case in data.cases if all(case.id in table for table in tables)]
    b, c = (np.array([table[case.id] for case in shared]) for table in tables)
    sign = 1.0 if scale.better == "higher" else -1.0
    gain = sign * (c - b)
    order = np.argsort(-np.abs(gain), kind="stable")[:40]
    qs = (0.1, 0.25, 0.5, 0.75, 0.9)
    return Contrast(
        metric=metric,
        dataset=data.name,
        baseline=baseline.arm.name,
        candidate=candidate.arm.name,
        scale=scale,
        n=len(shared),
        n_groups=len({case.group for case in shared}),
        n_unscored=(len(data) - len(tables[0]), len(data) - len(tables[1])),
        baseline_mean=_bootstrap(lambda b, c: np.asarray(b.mean(axis=1)), b, c),
        candidate_mean=_bootstrap(lambda b, c: np.asarray(c.mean(axis=1)), b, c),
        mean=_bootstrap(_mean, sign * b, sign * c),
        spread=_bootstrap(_spread, b, c),
        worst_tenth=_bootstrap(lambda b, c: _worst(c) - _worst(b), sign * b, sign * c),
        catastrophic=_bootstrap(_mean, (b != 0) * 1.0, (c != 0) * 1.0),
        quantiles=() if scale.binary else tuple(_quantile(sign * b, sign * c, q) for q in qs),
        superiority=_bootstrap(
            lambda b, c: np.asarray(((c > b) + 0.5 * (c == b)).mean(axis=1)), sign * b, sign * c
        ),
        gain_probability=0.9993 if metric == "exact_match" else None,
        wins=int((gain > 0).sum()),
        ties=int((gain == 0).sum()),
        losses=int((gain < 0).sum()),
        flips=tuple(
            Flip(case_id=shared[i].id, difference=float(gain[i])) for i in order if gain[i] != 0
        ),
        slices=tuple(_slices(shared, sign * b, sign * c)),
        detectable=0.11,
        caveats=("one training seed only",) if metric == "exact_match" else (),
    )


def _quantile(b: Array, c: Array, q: float) -> QuantileShift:
    shift = _bootstrap(lambda b, c: np.quantile(c, q, axis=1) - np.quantile(b, q, axis=1), b, c)
    return QuantileShift(q=q, value=shift.value, low=shift.low, high=shift.high)


def _slices(cases: list[Case], b: Array, c: Array) -> list[SliceContrast]:
    found = []
    whole = float((c - b).mean())
    for name in sorted({case.slice or "" for case in cases}):
        inside = np.array([case.slice == name for case in cases])
        raw = _bootstrap(_mean, b[inside], c[inside])
        weight = inside.sum() / (inside.sum() + 25)
        moved = {
            key: float(whole + weight * (getattr(raw, key) - whole))
            for key in ("value", "low", "high", "lower", "upper")
        }
        found.append(
            SliceContrast(
                slice=name,
                n=int(inside.sum()),
                raw=raw,
                pooled=msgspec.structs.replace(raw, **moved),
                p_holm=0.04,
            )
        )
    return found


def _latency(baseline: Run, candidate: Run) -> Contrast:
    b, c = (np.array([t.latency_s for t in run.timings]) for run in (baseline, candidate))
    return Contrast(
        metric="latency",
        dataset=baseline.dataset.name,
        baseline=baseline.arm.name,
        candidate=candidate.arm.name,
        scale=Scale(better="lower", high=None, unit="s"),
        n=len(b),
        baseline_mean=_bootstrap(lambda b, c: np.asarray(b.mean(axis=1)), b, c),
        candidate_mean=_bootstrap(lambda b, c: np.asarray(c.mean(axis=1)), b, c),
        mean=_bootstrap(_mean, -b, -c),
        ratio=_bootstrap(lambda b, c: np.asarray(c.mean(axis=1) / b.mean(axis=1)), b, c),
        wins=int((c < b).sum()),
        losses=int((c > b).sum()),
    )


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
    sets = (_cases("eval", 120, REPORTERS, rng), _cases("unseen-reporters", 80, UNSEEN, rng))
    arms = _arms()
    skills = {("prompted", 0): 0.22, ("tuned", 0): 0.52, ("prompted", 1): 0.2, ("tuned", 1): 0.33}
    runs = [
        [_run(arm, data, skills[arm.name, k], seed=100 * k + j) for j, arm in enumerate(arms)]
        for k, data in enumerate(sets)
    ]
    contrasts = [_contrast(pair[0], pair[1], metric) for pair in runs for metric in METRICS]
    contrasts.append(_latency(*runs[0]))
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
