"""The simulated study's cases, answers and scores.

Answers are simulated field by field and scores follow from the answers.
"""

from __future__ import annotations

import json

import numpy as np

from tuneornot.records import Arm, Case, Dataset, Response, Run, Scale, Score

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


def cases(name: str, n: int, reporters: tuple[str, ...], rng: np.random.Generator) -> Dataset:
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


def run(arm: Arm, data: Dataset, skill: float, seed: int) -> Run:
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
