"""A judged contrast put right by labels, where there are enough of them; else a caveat.

The rule is fixed before any label is seen. A correction is used when at least ``ENOUGH``
independent cases have labels of both arms, and these are at least ``COMPLETE`` of all cases that
have a label: labels of one arm only are no random draw. Means are then the corrected ones; spread,
tails, slices and wins stay the judge's own, and the contrast says so. It does not know who labelled
or how.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from scipy import special

from tuneornot.compare.tables import Floats
from tuneornot.records import Contrast, Correction, Estimate, Run, Scale, Score
from tuneornot.stats import judged, planning
from tuneornot.stats.bounds import within

ENOUGH = 50
COMPLETE = 0.9


class Sides(NamedTuple):
    """Means of each case over repeats and trainings; NaN where there are none."""

    judge: tuple[Floats, Floats]
    """(n,) of the baseline and of the candidate."""
    labels: tuple[Floats, Floats]
    groups: tuple[str, ...] | None
    paired: bool
    """Whether the baseline's scores are 0.5 by definition."""

    def n_units(self, rows: Floats) -> int:
        """Independent units among the rows that have a number."""
        there = np.flatnonzero(~np.isnan(rows)).tolist()
        return len(there) if self.groups is None else len({self.groups[row] for row in there})


def corrected(
    contrast: Contrast, baseline: Run, candidates: Sequence[Run], *, alpha: float
) -> Contrast:
    """The contrast with what labels make of it; unchanged where no judge scored the metric."""
    name = contrast.metric
    if name not in baseline.judged:
        return contrast
    sides = _sides(name, baseline, candidates)
    gains = sides.labels[1] - sides.labels[0]
    n_labelled = int(np.sum(~np.isnan(sides.labels[0]) | ~np.isnan(sides.labels[1])))
    n_both = int(np.sum(~np.isnan(gains)))
    if not n_labelled:
        return _with(contrast, _uncalibrated(baseline, name, "nobody labelled answers"))
    n_units = sides.n_units(gains)
    complete = n_both >= COMPLETE * n_labelled
    correction = Correction(
        n_labelled=n_labelled,
        n_both=n_both,
        used=n_units >= ENOUGH and complete,
        raw=contrast.mean,
        corrected=_difference(contrast, sides, alpha),
        pooled=_pooled(contrast, sides, alpha),
    )
    contrast = msgspec.structs.replace(contrast, correction=correction)
    if correction.used:
        return _with(_replaced(contrast, correction, sides, alpha), _used(n_both))
    if complete:
        said = f"{n_units} independent cases are labelled, {ENOUGH} are needed to correct it"
    else:
        said = f"of {n_labelled} labelled cases only {n_both} have labels of both arms"
    return _with(contrast, _uncalibrated(baseline, name, said))


def _uncalibrated(run: Run, metric: str, missing: str) -> str:
    """Whose opinion stands, what is missing, and what to do."""
    judges = " and ".join(map(repr, run.judged[metric]))
    who = f"the judge {judges}, which was" if judges else "rules that read words, which were"
    where = "" if run.dataset.name == "eval" else f" --set {run.dataset.name}"
    return (
        f"rests on {who} not calibrated: {missing}; `tuneornot label STUDY{where}` lets people "
        "judge some"
    )


def _used(n_both: int) -> str:
    return (
        f"the means are corrected by labels of {n_both} cases; spread, tails, slices and wins are "
        "the judge's own"
    )


def _replaced(contrast: Contrast, correction: Correction, sides: Sides, alpha: float) -> Contrast:
    """The same contrast with corrected means, and what follows from their error."""
    scale = contrast.scale
    levels = [
        within(
            judged.powered(
                sides.judge[arm],
                sides.labels[arm],
                groups=sides.groups,
                span=_span(contrast),
                reach=_room(contrast.scale, sides.labels[arm]),
                alpha=alpha,
            ),
            scale.low,
            scale.high,
        )
        for arm in (0, 1)
    ]
    if sides.paired:
        levels[0] = contrast.baseline_mean  # 0.5 by definition
    made = correction.corrected
    error = (made.high - made.low) / (2 * float(special.ndtri(1 - alpha / 2)))
    return msgspec.structs.replace(
        contrast,
        mean=made,
        baseline_mean=msgspec.structs.replace(levels[0], p_value=None),
        candidate_mean=msgspec.structs.replace(levels[1], p_value=None),
        gain_probability=None,
        detectable=planning.detectable(contrast.n, sd=error * math.sqrt(contrast.n), alpha=alpha),
    )


def _difference(contrast: Contrast, sides: Sides, alpha: float) -> Estimate:
    turn = 1.0 if contrast.scale.better == "higher" else -1.0
    made = judged.powered(
        turn * (sides.judge[1] - sides.judge[0]),
        turn * (sides.labels[1] - sides.labels[0]),
        groups=sides.groups,
        span=_span(contrast),
        reach=_reach(contrast.scale, sides),
        alpha=alpha,
    )
    span = _span(contrast)
    return made if span is None else within(made, -span, span)


def _reach(scale: Scale, sides: Sides) -> tuple[float, float] | None:
    """By how much the difference (positive if better) may fall and rise for each unit of a share of
    answers that no label has shown, of one arm while the other's are as usual."""
    rooms = [_room(scale, labels) for labels in sides.labels]
    (below, above), candidate = rooms[0] or (0.0, 0.0), rooms[1]
    if candidate is None:
        return None
    down, up = candidate
    if not sides.paired:  # else the baseline is 0.5 by definition
        down, up = max(down, above), max(up, below)
    return (down, up) if scale.better == "higher" else (up, down)


def _room(scale: Scale, labels: Floats) -> tuple[float, float] | None:
    """How far the mean of an arm's labels lies above and below the ends of the scale."""
    if scale.low is None or scale.high is None or np.all(np.isnan(labels)):
        return None
    mean = float(np.nanmean(labels))
    return mean - scale.low, scale.high - mean


def _pooled(contrast: Contrast, sides: Sides, alpha: float) -> Estimate | None:
    """Rogan and Gladen's difference, where judge and labels are 0 or 1 on every case."""
    values = np.concatenate([*sides.judge, *sides.labels])
    values = values[~np.isnan(values)]
    if not contrast.scale.binary or not np.all((values == 0) | (values == 1)):
        return None
    made = judged.rogan_gladen_difference(
        sides.judge, sides.labels, groups=sides.groups, alpha=alpha
    )
    return None if math.isnan(made.value) else made


def _span(contrast: Contrast) -> float | None:
    scale = contrast.scale
    return None if scale.low is None or scale.high is None else scale.high - scale.low


def _with(contrast: Contrast, caveat: str) -> Contrast:
    return msgspec.structs.replace(contrast, caveats=(*contrast.caveats, caveat))


def _sides(name: str, baseline: Run, candidates: Sequence[Run]) -> Sides:
    """Both arms' judge and labels, on the cases that both arms answered."""
    answered = [_answered([baseline]), _answered(candidates)]
    cases = [case for case in baseline.dataset.cases if all(case.id in each for each in answered)]
    rows = {case.id: row for row, case in enumerate(cases)}
    labels = [
        _means(name, [score for run in runs for score in run.labels], rows)
        for runs in ([baseline], candidates)
    ]
    if name in baseline.paired:
        # The baseline is what a preference is held against: 0.5 wherever somebody compared.
        labels[0] = np.where(np.isnan(labels[1]), np.nan, 0.5)
    grouped = any(case.group is not None for case in cases)
    return Sides(
        judge=(
            _means(name, baseline.scores, rows),
            _means(name, [score for run in candidates for score in run.scores], rows),
        ),
        labels=(labels[0], labels[1]),
        groups=tuple(f"\0{case.id}" if case.group is None else case.group for case in cases)
        if grouped
        else None,
        paired=name in baseline.paired,
    )


def _answered(runs: Sequence[Run]) -> set[str]:
    """Cases to which every one of the runs has an answer: only those can be labelled."""
    found = []
    for run in runs:
        texts = [response.text for response in run.responses]
        per_case = run.n_repeats
        found.append(
            {
                case.id
                for i, case in enumerate(run.dataset.cases)
                if any(text is not None for text in texts[i * per_case : (i + 1) * per_case])
            }
        )
    return set.intersection(*found)


def _means(name: str, scores: Sequence[Score], rows: Mapping[str, int]) -> Floats:
    """(n,) mean of each case over its scores of one metric; NaN where it has none."""
    sums, counts = np.zeros(len(rows)), np.zeros(len(rows))
    for score in scores:
        if score.metric == name and score.value is not None and score.case_id in rows:
            sums[rows[score.case_id]] += score.value
            counts[rows[score.case_id]] += 1
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
