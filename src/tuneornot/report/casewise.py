"""What each arm got on each case: runs turned from lists into tables by case.

A case's score is the mean over its repeats and over the runs of one arm (several training seeds);
repeats without a score are left out, and a case without any is absent. Latency, tokens and cost
are read from the responses. No arithmetic beyond these means: whatever is claimed stands in the
contrasts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

from tuneornot.records import Contrast, Response, Run

MEASURED = ("latency", "first_token", "input_tokens", "output_tokens", "cost")
"""Metrics that no judge scores: they are read from the responses."""


def of(runs: Iterable[Run], arm: str, dataset: str) -> tuple[Run, ...]:
    """The runs of one arm on one set, one for each training seed."""
    return tuple(run for run in runs if run.arm.name == arm and run.dataset.name == dataset)


def values(runs: Sequence[Run], metric: str) -> dict[str, float]:
    """Mean value of each case that has one, by case id."""
    found: dict[str, list[float]] = {}
    for run in runs:
        if metric in MEASURED and metric not in run.metrics:
            for case_id, value in _measured(run, metric):
                found.setdefault(case_id, []).append(value)
            continue
        for score in run.scores:
            if score.metric == metric and score.value is not None:
                found.setdefault(score.case_id, []).append(score.value)
    return {case_id: fmean(scores) for case_id, scores in found.items()}


def pair(runs: Iterable[Run], contrast: Contrast) -> tuple[dict[str, float], dict[str, float]]:
    """Values by case of both arms of a contrast, (baseline, candidate)."""
    known = tuple(runs)
    baseline = values(of(known, contrast.baseline, contrast.dataset), contrast.metric)
    candidate = values(of(known, contrast.candidate, contrast.dataset), contrast.metric)
    return baseline, candidate


def gains(runs: Iterable[Run], contrast: Contrast) -> list[float]:
    """Differences of the cases that both arms have, positive where the candidate is better."""
    baseline, candidate = pair(runs, contrast)
    sign = 1.0 if contrast.scale.better == "higher" else -1.0
    return [sign * (candidate[case] - baseline[case]) for case in baseline if case in candidate]


def answers(run: Run) -> dict[str, Response]:
    """The first response to each case, by case id; a missing one is absent."""
    first: dict[str, Response] = {}
    for response in run.responses:
        first.setdefault(response.question, response)
    return {case.id: first[case.question] for case in run.dataset.cases if case.question in first}


def _measured(run: Run, metric: str) -> Iterable[tuple[str, float]]:
    ids = {case.question: case.id for case in run.dataset.cases}
    # Times only from questions asked one at a time: under load they measure the queue as well.
    by_time = run.price is not None and run.price.rates.by_time
    alone = metric in ("latency", "first_token") or (metric == "cost" and by_time)
    responses = run.timings if alone else run.responses
    for response in responses:
        value = {
            "latency": response.latency_s,
            "first_token": response.first_token_s,
            "input_tokens": response.n_input_tokens,
            "output_tokens": response.n_output_tokens,
            "cost": run.price.of(response) if run.price is not None else None,
        }[metric]
        if value is not None and response.question in ids:
            yield ids[response.question], float(value)
