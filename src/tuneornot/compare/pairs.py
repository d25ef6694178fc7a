"""Runs to contrasts: one dataset at a time, then all of a candidate's datasets together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tuneornot.compare.contrasts import Names, contrast
from tuneornot.compare.labelled import corrected
from tuneornot.compare.sides import Rng
from tuneornot.compare.tables import tables
from tuneornot.compare.whole import contrast as of_whole
from tuneornot.errors import DataError
from tuneornot.metrics.base import Whole
from tuneornot.records import Check, Comparison, Contrast, Run

Candidate = Run | Sequence[Run]
"""One run, or one for each training seed of the same arm."""


def runs(
    baseline: Run,
    candidate: Candidate,
    *,
    alpha: float = 0.05,
    margins: Mapping[str, float] | None = None,
    whole: Mapping[str, Whole] | None = None,
    rng: Rng = 0,
) -> tuple[Contrast, ...]:
    """Contrasts of two arms on one dataset, paired by case.

    Every metric of the runs gives one; ``latency`` where both arms were timed under the same load,
    ``input_tokens`` and ``output_tokens`` where both report them, ``cost`` where both have a price,
    each with its ratio. With several training seeds a case's score is the mean over seeds (and
    repeats); intervals then speak of the average of these trainings, and ``seed_spread`` of how one
    differs from the next.

    Args:
        baseline: the run to compare with.
        candidate: the run, or the runs of several training seeds.
        alpha: error rate of every interval and one-sided bound.
        margins: by metric, the gain whose posterior probability is told; 0 where none is given.
        whole: the whole-run metrics by name, which know their figures.
        rng: seed or generator of all resampling.

    Raises:
        DataError: the runs have different cases, metrics or scales, or a whole-run metric that is
            not among ``whole``.
    """
    candidates = (candidate,) if isinstance(candidate, Run) else tuple(candidate)
    found = tables(baseline, candidates)
    names = Names(baseline.dataset.name, baseline.arm.name, _name(candidates))
    wanted = margins or {}
    said = _caveats(candidates)
    made = (
        contrast(table, names, alpha=alpha, margin=wanted.get(table.metric, 0.0), rng=rng)
        if table.parts is None
        else of_whole(table, names, whole or {}, alpha=alpha, rng=rng)
        for table in (each.with_caveats(said) for each in found)
    )
    return tuple(corrected(each, baseline, candidates, alpha=alpha) for each in made)


def comparison(
    pairs: Sequence[tuple[Run, Candidate]],
    *,
    alpha: float = 0.05,
    margins: Mapping[str, float] | None = None,
    whole: Mapping[str, Whole] | None = None,
    rng: Rng = 0,
) -> Comparison:
    """All contrasts of one candidate arm against the baseline, with the candidate's checks.

    Args:
        pairs: for each dataset the baseline's run and the candidate's (or its runs by seed).
        alpha: as in ``runs``.
        margins: as in ``runs``.
        whole: as in ``runs``.
        rng: as in ``runs``.

    Raises:
        DataError: as ``runs``; or the pairs are of more than one baseline or candidate, or none.
    """
    each = [
        (first, (second,) if isinstance(second, Run) else tuple(second)) for first, second in pairs
    ]
    names = sorted({(first.arm.name, _name(second)) for first, second in each})
    if len(names) != 1:
        raise DataError(
            "comparison",
            [f"found the pairs of arms {names!r}, expected one pair of names on every dataset"],
            "Make one comparison for each candidate.",
        )
    contrasts = [
        found
        for first, second in each
        for found in runs(first, second, alpha=alpha, margins=margins, whole=whole, rng=rng)
    ]
    baseline, candidate = names[0]
    return Comparison(
        baseline=baseline,
        candidate=candidate,
        alpha=alpha,
        contrasts=tuple(contrasts),
        checks=_checks([run for _, second in each for run in second]),
    )


def _name(candidates: Sequence[Run]) -> str:
    return candidates[0].arm.name if candidates else ""


def _checks(candidates: Sequence[Run]) -> tuple[Check, ...]:
    """The checks of every adapter once; with several trainings each tells its seed."""
    adapters = {run.arm.adapter.weights: run.arm.adapter for run in candidates if run.arm.adapter}
    if len(adapters) == 1:
        return next(iter(adapters.values())).checks
    return tuple(
        Check(
            name=f"{check.name} (seed {adapter.seed})",
            passed=check.passed,
            detail=check.detail,
            blocking=check.blocking,
        )
        for adapter in adapters.values()
        for check in adapter.checks
    )


def _caveats(candidates: Sequence[Run]) -> tuple[str, ...]:
    if len(candidates) == 1 and candidates[0].arm.kind == "tuned":
        what = "one training seed" if candidates[0].arm.adapter else "one training, done elsewhere"
        return (f"{what}: how much another training would differ is not known",)
    return ()
