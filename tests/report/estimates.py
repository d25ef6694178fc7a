"""The simulated study's contrasts: percentile bootstraps over cases, independent of ``stats``.

The report must be testable without the statistics, and every figure in it must agree with the cases
that it shows.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from tests.report.simulated import METRICS
from tuneornot.records import (
    Case,
    Contrast,
    Estimate,
    Flip,
    QuantileShift,
    Run,
    Scale,
    SliceContrast,
)

Array = npt.NDArray[np.float64]


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


def contrast(baseline: Run, candidate: Run, metric: str) -> Contrast:
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


def latency(baseline: Run, candidate: Run) -> Contrast:
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
