"""Rules that people use today, on the same draws; none of them knows guardrails or slices.

    averages     the difference of the two averages is more than worthwhile
    McNemar      exact two-sided test of no difference, 0/1 scores only
    z, unpaired  each arm's standard error of the mean, as the model comparator of
                 lm-evaluation-harness combines them
    MLflow       the decision of 3.18's ``compare_evaluations``, written anew from its documented
                 behaviour: fewer than 6 pairs refused; McNemar for 0/1, exact below 25 differing
                 pairs, else chi-square with continuity correction; Wilcoxon signed rank for the
                 rest, exact up to 50 differences
    t interval   Student's paired 95% interval against what is worthwhile
    t bounds     Student's paired one-sided 95% bounds against it, for the reader who knows that
                 each decision needs one side only
    evalstats    ``compare`` with its defaults, where the package is installed: its test of no
                 difference, and its 95% interval against what is worthwhile

A test of no difference is read as its users read it: significantly better is ``tune``,
significantly worse ``keep-prompting``, anything else ``not-yet``. Cases without a score from both
arms are dropped and repeats averaged, as those tools do; groups are ignored, as they have none.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import io
import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast

import numpy as np
from benchmarks.verdicts.arms import Floats
from benchmarks.verdicts.scenarios import Scores
from scipy import stats

from tuneornot.records import Outcome

ALPHA = 0.05


class Means(NamedTuple):
    """What these rules see: one score for each case and arm."""

    baseline: Floats
    candidate: Floats
    worthwhile: float

    @property
    def gains(self) -> Floats:
        """(n,) candidate minus baseline."""
        return self.candidate - self.baseline

    @property
    def binary(self) -> bool:
        """Whether every score is 0 or 1."""
        return bool(np.isin(np.stack([self.baseline, self.candidate]), (0.0, 1.0)).all())


Decision = Callable[[Means], Outcome | None]
"""``None`` where a rule does not apply."""


def means(scores: Scores, worthwhile: float) -> Means:
    """Repeats averaged, cases without a score from both arms dropped."""
    arms = [each if each.ndim == 1 else each.mean(axis=1) for each in _arms(scores)]
    kept = ~(np.isnan(arms[0]) | np.isnan(arms[1]))
    return Means(arms[0][kept], arms[1][kept], worthwhile)


def averages(found: Means) -> Outcome:
    """Decides always."""
    return "tune" if found.gains.mean() > found.worthwhile else "keep-prompting"


def mcnemar(found: Means) -> Outcome | None:
    """Exact two-sided McNemar."""
    if not found.binary:
        return None
    wins, losses = int((found.gains > 0).sum()), int((found.gains < 0).sum())
    return _significant(_exact(wins, losses), wins - losses)


def z_unpaired(found: Means) -> Outcome:
    """Two-sided z test that takes the two arms for independent samples."""
    difference = float(found.gains.mean())
    variance = (found.baseline.var(ddof=1) + found.candidate.var(ddof=1)) / len(found.gains)
    if variance == 0:
        return "not-yet"
    p_value = 2 * float(stats.norm.sf(abs(difference) / math.sqrt(variance)))
    return _significant(p_value, difference)


def mlflow(found: Means) -> Outcome:
    """Improved as ``assert_improved`` has it: p below alpha in the better direction."""
    gains = found.gains
    moved = gains[gains != 0]
    if len(gains) < 6 or not len(moved):
        return "not-yet"
    if found.binary:
        wins, losses = int((gains > 0).sum()), int((gains < 0).sum())
        if wins + losses < 25:
            p_value = _exact(wins, losses)
        else:
            p_value = float(stats.chi2.sf((abs(wins - losses) - 1) ** 2 / (wins + losses), 1))
    else:
        method = "exact" if len(moved) <= 50 else "asymptotic"
        p_value = float(stats.wilcoxon(moved, method=method).pvalue)
    return _significant(p_value, float(gains.mean()))


def t_interval(found: Means) -> Outcome:
    """Whether Student's paired interval lies on one side of what is worthwhile."""
    return _by_t(found, ALPHA / 2)


def t_bounds(found: Means) -> Outcome:
    """Whether one of Student's paired one-sided bounds lies beyond what is worthwhile."""
    return _by_t(found, ALPHA)


def evalstats_test(found: Means) -> Outcome | None:
    """The p value of ``evalstats.compare``."""
    made = _evalstats(found)
    return None if made is None else _significant(made.p_value, made.difference)


def evalstats_interval(found: Means) -> Outcome | None:
    """The interval of ``evalstats.compare`` against what is worthwhile."""
    made = _evalstats(found)
    return None if made is None else _beyond(made.low, made.high, found.worthwhile)


RULES: Mapping[str, Decision] = {
    "averages": averages,
    "McNemar": mcnemar,
    "z, unpaired": z_unpaired,
    "MLflow": mlflow,
    "t interval": t_interval,
    "t bounds": t_bounds,
}
EVALSTATS: Mapping[str, Decision] = {
    "evalstats, test": evalstats_test,
    "evalstats, interval": evalstats_interval,
}


def has_evalstats() -> bool:
    """Whether the package can be imported."""
    return importlib.util.find_spec("evalstats") is not None


class _Made(NamedTuple):
    difference: float
    low: float
    high: float
    p_value: float


def _evalstats(found: Means) -> _Made | None:
    """One call of its public function; ``None`` where it refuses the data."""
    return _compared(found.baseline.tobytes(), found.candidate.tobytes())


@functools.lru_cache(maxsize=8)
def _compared(baseline: bytes, candidate: bytes) -> _Made | None:
    package = cast(Any, importlib.import_module("evalstats"))
    pandas = cast(Any, importlib.import_module("pandas"))
    arms = [np.frombuffer(arm) for arm in (candidate, baseline)]
    n = len(arms[0])
    frame = pandas.DataFrame(
        {
            "prompt": ["c"] * n + ["b"] * n,
            "item": [*range(n), *range(n)],
            "score": np.concatenate(arms),
        }
    )
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            made = package.compare(package.load_from(frame), factors="prompt")
        except ValueError:
            return None
    pair = made.pairwise.get("c", "b")
    return _Made(*(float(v) for v in (pair.point_diff, pair.ci_low, pair.ci_high, pair.p_value)))


def _arms(scores: Scores) -> tuple[Floats, Floats]:
    return scores.baseline, scores.candidate


def _by_t(found: Means, tail: float) -> Outcome:
    gains = found.gains
    error = float(gains.std(ddof=1)) / math.sqrt(len(gains))
    reach = error * float(stats.t.isf(tail, len(gains) - 1))
    return _beyond(gains.mean() - reach, gains.mean() + reach, found.worthwhile)


def _exact(wins: int, losses: int) -> float:
    return min(1.0, 2 * float(stats.binom.cdf(min(wins, losses), wins + losses, 0.5)))


def _significant(p_value: float, difference: float) -> Outcome:
    if not p_value < ALPHA or difference == 0:
        return "not-yet"
    return "tune" if difference > 0 else "keep-prompting"


def _beyond(low: float, high: float, worthwhile: float) -> Outcome:
    if low > worthwhile:
        return "tune"
    return "keep-prompting" if high < worthwhile else "not-yet"
