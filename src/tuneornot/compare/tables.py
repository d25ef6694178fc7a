"""Two runs on one dataset as arrays: for each metric a row for each case, for both arms.

Refuses runs that cannot be compared. A failure is NaN here and never 0. Nothing is averaged except
over cases that ask the same question, which share an answer. It knows no statistics.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tuneornot.errors import DataError
from tuneornot.records import Case, Price, Response, Run, Scale

Floats = NDArray[np.float64]
Count = Literal["n_input_tokens", "n_output_tokens"]
Time = Literal["latency_s", "first_token_s"]

TIME = Scale(better="lower", low=0.0, high=None, unit="s")
TOKENS = Scale(better="lower", low=0.0, high=None, unit="tokens")
OLD_DAYS = 90
"""Age of a price file from which on it is a caveat."""
TIMED: Mapping[str, Time] = {"latency": "latency_s", "first_token": "first_token_s"}
MEASURED: Mapping[str, Count] = {
    "input_tokens": "n_input_tokens",
    "output_tokens": "n_output_tokens",
}


@dataclass(frozen=True, eq=False)
class Parts:
    """What each case adds to the sums of a whole-run metric: means over repeats, NaN for unscored.

    Its rows are those of the table that it belongs to.
    """

    baseline: Floats
    """(n, k)"""
    candidate: Floats
    """(seeds, n, k)"""


@dataclass(frozen=True, eq=False)
class Table:
    """One metric of both arms on the same cases in the same order."""

    metric: str
    scale: Scale
    case_ids: tuple[str, ...]
    baseline: Floats
    """(n, repeats) in units of the metric, NaN for unscored."""
    candidate: Floats
    """(seeds, n, repeats), one layer for each training seed."""
    groups: tuple[str, ...] | None = None
    """For each case its group; ``None`` where there are none."""
    slices: tuple[str, ...] | None = None
    caveats: tuple[str, ...] = ()
    parts: Parts | None = None
    """Of a whole-run metric (``scale.whole``)."""

    def with_caveats(self, more: tuple[str, ...]) -> Table:
        """The same table with further caveats."""
        return dataclasses.replace(self, caveats=(*self.caveats, *more))


def tables(baseline: Run, candidates: Sequence[Run]) -> tuple[Table, ...]:
    """Tables of every metric that was judged, then what was observed of both arms.

    Times where both were timed and tell them, tokens where both tell them, cost where both have a
    price.

    Args:
        baseline: the one run.
        candidates: at least one; several are trainings that differ in the seed only.

    Raises:
        DataError: the runs have different cases, metrics or scales.
    """
    _refuse(baseline, candidates)
    cases = baseline.dataset.cases
    first = _scored(baseline)
    others = [_scored(run) for run in candidates]
    judged = [
        _table(name, scale, cases, first[name], [scored[name] for scored in others])
        for name, scale in baseline.metrics.items()
    ]
    judged = [
        dataclasses.replace(table, parts=_parts(table.metric, baseline, candidates))
        if table.scale.whole
        else table
        for table in judged
    ]
    counted = [
        _table(name, TOKENS, cases, _counted(baseline, field), _each(candidates, field))
        for name, field in MEASURED.items()
        if name not in baseline.metrics
    ]
    timed = [
        table
        for name, field in TIMED.items()
        if name not in baseline.metrics
        for table in _timed(name, field, baseline, candidates)
    ]
    spent = [] if "cost" in baseline.metrics else _spent(baseline, candidates)
    return (*judged, *timed, *(table for table in [*counted, *spent] if _has_both(table)))


def _refuse(baseline: Run, candidates: Sequence[Run]) -> None:
    if not candidates:
        raise DataError(
            baseline.arm.name, ["there is no candidate run"], "Give at least one run to compare."
        )
    faults: list[str] = []
    for run in candidates:
        if run.dataset.fingerprint != baseline.dataset.fingerprint:
            faults.append(
                f"{run.arm.name!r} was measured on {run.dataset.name!r} with "
                f"{len(run.dataset)} cases (fingerprint {run.dataset.fingerprint!r}), "
                f"{baseline.arm.name!r} on {baseline.dataset.name!r} with "
                f"{len(baseline.dataset)} (fingerprint {baseline.dataset.fingerprint!r})"
            )
        for name in sorted({*run.metrics, *baseline.metrics}):
            ours, theirs = baseline.metrics.get(name), run.metrics.get(name)
            if ours is None or theirs is None:
                missing = baseline.arm.name if ours is None else run.arm.name
                faults.append(f"metric {name!r} was not judged for {missing!r}")
            elif ours != theirs:
                faults.append(f"metric {name!r} has the scales {ours!r} and {theirs!r}")
    if faults:
        raise DataError(
            f"{baseline.arm.name} against {candidates[0].arm.name}",
            faults,
            "Only runs on the same cases with the same metrics can be compared: "
            "measure both arms again on one dataset.",
        )


def _table(
    name: str, scale: Scale, cases: Sequence[Case], baseline: Floats, candidates: Sequence[Floats]
) -> Table:
    grouped = any(case.group is not None for case in cases)
    sliced = any(case.slice is not None for case in cases)
    return Table(
        metric=name,
        scale=scale,
        case_ids=tuple(case.id for case in cases),
        baseline=baseline,
        candidate=_stacked(candidates),
        # A case without a group is its own; the mark keeps it apart from any group's name.
        groups=tuple(f"\0{case.id}" if case.group is None else case.group for case in cases)
        if grouped
        else None,
        slices=tuple(case.slice or "" for case in cases) if sliced else None,
    )


def _stacked(layers: Sequence[Floats]) -> Floats:
    """(seeds, n, repeats) from layers whose repeats may differ in number."""
    repeats = max(layer.shape[1] for layer in layers)
    return np.stack(
        [
            np.pad(layer, ((0, 0), (0, repeats - layer.shape[1])), constant_values=np.nan)
            for layer in layers
        ]
    )


def _scored(run: Run) -> dict[str, Floats]:
    """For each metric the scores (n, repeats) in the order of the cases."""
    rows = {case.id: row for row, case in enumerate(run.dataset.cases)}
    shape = (len(rows), max(run.n_repeats, 1))
    found = {name: np.full(shape, np.nan) for name in run.metrics}
    for score in run.scores:
        if score.value is not None and score.metric in found:
            found[score.metric][rows[score.case_id], score.repeat] = score.value
    return found


def _parts(metric: str, baseline: Run, candidates: Sequence[Run]) -> Parts:
    return Parts(
        baseline=parts(baseline, metric),
        candidate=np.stack([parts(run, metric) for run in candidates]),
    )


def parts(run: Run, metric: str) -> Floats:
    """What each case adds to a metric's sums, (n, k): its mean over repeats, NaN for unscored."""
    rows = {case.id: row for row, case in enumerate(run.dataset.cases)}
    found = [
        (rows[score.case_id], score.parts)
        for score in run.scores
        if score.metric == metric and score.parts is not None
    ]
    if not found:
        return np.full((len(rows), 1), np.nan)
    sums = np.zeros((len(rows), len(found[0][1])))
    counts = np.zeros(len(rows))
    for row, values in found:
        sums[row] += values
        counts[row] += 1
    with np.errstate(invalid="ignore"):
        means: Floats = sums / counts[:, np.newaxis]
    return means


def _counted(run: Run, field: Count) -> Floats:
    """Tokens of each answer (n, repeats); cases that ask the same question share them."""
    counts = {
        (each.question, each.repeat): getattr(each, field)
        for each in run.responses
        if each.purpose == "answer" and getattr(each, field) is not None
    }
    repeats = range(max(run.n_repeats, 1))
    rows = [
        [counts.get((case.question, repeat), np.nan) for repeat in repeats]
        for case in run.dataset.cases
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(repeats))


def _spent(baseline: Run, candidates: Sequence[Run]) -> list[Table]:
    """What each answer cost; none where an arm has no price or another currency.

    A machine is paid by time, which only the answers asked alone tell: where one arm is paid so,
    the cases are those that it was timed on.
    """
    runs = (baseline, *candidates)
    prices = [run.price for run in runs if run.price is not None]
    if len(prices) < len(runs) or len({price.currency for price in prices}) > 1:
        return []
    asked: dict[str, Case] = {case.question: case for case in reversed(baseline.dataset.cases)}
    cases: Sequence[Case] = baseline.dataset.cases
    by_time = [run for run in runs if run.price is not None and run.price.rates.by_time]
    if by_time:
        timed = set.intersection(*({one.question for one in run.timings} for run in by_time))
        cases = [case for case in cases if case.question in timed and asked[case.question] is case]
    layers = [_costs(run, cases) for run in runs]
    scale = Scale(better="lower", low=0.0, high=None, unit=prices[0].currency)
    table = _table("cost", scale, cases, layers[0], layers[1:])
    return [table.with_caveats(_price_caveats(prices, timed=bool(by_time)))]


def _costs(run: Run, cases: Sequence[Case]) -> Floats:
    """Money for each answer (n, repeats), NaN where it is not known."""
    price = run.price
    assert price is not None, "only runs with a price have costs"
    found: dict[tuple[str, int], float | None] = {
        (one.question, one.repeat): price.of(one)
        for one in (run.timings if price.rates.by_time else run.responses)
    }
    repeats = range(1 if price.rates.by_time else max(run.n_repeats, 1))
    rows = [[found.get((case.question, repeat)) for repeat in repeats] for case in cases]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(repeats))


def _price_caveats(prices: Sequence[Price], *, timed: bool) -> tuple[str, ...]:
    oldest = max(prices, key=lambda price: price.n_days_old)
    said = []
    if oldest.n_days_old > OLD_DAYS:
        said.append(
            f"the prices are of {oldest.as_of}, {oldest.n_days_old} days before the measurement: "
            "look them up again"
        )
    if timed:
        said.append(
            "a machine is paid by the time of answers asked one at a time: hours in which it "
            "stands idle cost more, many answers at once cost less"
        )
    return tuple(said)


def _each(candidates: Sequence[Run], field: Count) -> list[Floats]:
    return [_counted(run, field) for run in candidates]


def _timed(name: str, field: Time, baseline: Run, candidates: Sequence[Run]) -> list[Table]:
    """A time of the questions that every arm was asked alone; none where there are none."""
    timings = [_times(run.timings, field) for run in (baseline, *candidates)]
    shared = set(timings[0]).intersection(*timings[1:])
    alike = {key for key in shared if len({timed[key][1] for timed in timings}) == 1}
    if not alike:
        return []
    asked: dict[str, Case] = {}
    for case in baseline.dataset.cases:
        asked.setdefault(case.question, case)
    questions = {question for question, _ in alike}
    cases = [case for question, case in asked.items() if question in questions]
    repeats = 1 + max(repeat for _, repeat in alike)
    layers = []
    for timed in timings:
        layer = np.full((len(cases), repeats), np.nan)
        for row, case in enumerate(cases):
            for repeat in range(repeats):
                if (case.question, repeat) in alike:
                    layer[row, repeat] = timed[(case.question, repeat)][0]
        layers.append(layer)
    table = _table(name, TIME, cases, layers[0], layers[1:])
    left_out = len(shared) - len(alike)
    if not left_out:
        return [table]
    said = f"{left_out} timings were taken under different load and are left out"
    return [table.with_caveats((said,))]


def _times(timings: Sequence[Response], field: Time) -> dict[tuple[str, int], tuple[float, int]]:
    """Time and load of each question and repeat that was timed and tells this time."""
    return {
        (each.question, each.repeat): (seconds, each.load)
        for each in timings
        if each.purpose == "latency" and each.error is None
        if (seconds := getattr(each, field)) is not None
    }


def _has_both(table: Table) -> bool:
    return not (np.all(np.isnan(table.baseline)) or np.all(np.isnan(table.candidate)))
