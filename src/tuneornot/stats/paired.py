"""Means of paired scores: the difference of two arms, one arm's level, the ratio of two means.

The method is chosen by what is known before any score is seen (binary or not, groups or not),
never by a test on the scores. Interval, one-sided bounds and p values come from one method at a
time (``bounds``), so they agree. Which direction is better is the caller's business; so are
multiplicity and margins. Spread, tails and whole distributions stand elsewhere.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from tuneornot.records import Estimate
from tuneornot.stats import bounds, cases, unseen
from tuneornot.stats.binary import PairedScore, Rate
from tuneornot.stats.cases import Cases, Codes, Floats, Scale
from tuneornot.stats.resampled import Outer
from tuneornot.stats.studentised import SkewT, effective_groups, skew_t, skewness

Rng = int | np.random.Generator
FEW_CASES, FEW_DIFFERING, FEW_GROUPS = 50, 10, 10
LARGE_SHARE = 1 / 3
LONG_TAIL = 0.15
"""Skewness over sqrt(n) from which a mean without a bound is called uncertain on its long side. In
simulations of lognormal scores nearly all draws of up to 100 cases reach it."""
WIDER = 1.05
"""How much further out a bound lies for unseen scores before a caveat names them."""
HIDDEN = 0.05
"""How probable it is that scores of the share that a caveat names have not shown."""
NAN = Estimate(value=math.nan, low=math.nan, high=math.nan, lower=math.nan, upper=math.nan)


def difference(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    scale: Scale = (None, None),
    binary: bool | None = None,
    alpha: float = 0.05,
    rng: Rng = 0,
) -> Estimate:
    """Mean over cases of candidate minus baseline, with its interval, bounds and test.

    Args:
        baseline: (n,) or (n, repeats), NaN for unscored; paired by row with ``candidate``.
        candidate: the same for the same cases.
        groups: (n,) labels; cases of one group are not independent of each other.
        scale: least and greatest possible score, ``None`` where there is none.
        binary: whether scores are 0 or 1; ``None``: if they all are. Say it where it is known.
        alpha: error rate of the interval, and of each one-sided bound.
        rng: taken so that all estimates are called alike; the methods chosen here draw nothing.

    Returns:
        In units of the scores. ``p_value`` is two-sided, of no mean difference. All NaN with fewer
        than two cases (or groups) that both arms have a score for.
    """
    found = cases.two(baseline, candidate, groups)
    if found.n_groups < 2:
        return NAN
    method = _of_difference(found, binary=binary, scale=scale)
    span = _span(_ends(scale, binary))
    made = bounds.estimate(method, alpha=alpha, null=0.0, noise=method.noise)
    return made if span is None else bounds.within(made, -span, span)


def level(
    scores: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    scale: Scale = (None, None),
    binary: bool | None = None,
    alpha: float = 0.05,
    rng: Rng = 0,
) -> Estimate:
    """Mean over cases of one arm's scores, with its interval and bounds (no test).

    Arguments as in ``difference``; bounds stay within ``scale``.
    """
    found = cases.one(scores, groups)
    if found.n_groups < 2:
        return NAN
    if _is_binary(found, binary):
        method: bounds.Bounds = Rate(successes=int(found.values.sum()), n=found.n)
    else:
        method = skew_t(found.values, found.codes, span=_span(_ends(scale, binary)), name="t")
    made = bounds.estimate(method, alpha=alpha, null=None)
    return bounds.within(made, *scale)


def ratio(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    alpha: float = 0.05,
    rng: Rng = 0,
) -> Estimate:
    """Mean of the candidate over mean of the baseline, for positive quantities without a bound.

    The interval is made for the logarithm of the ratio from its influence values
    c_i / mean(c) - b_i / mean(b) (delta method), then taken back. ``p_value`` is of equal means.
    NaN where a mean is not positive or there are fewer than two cases.
    """
    found = cases.two(baseline, candidate, groups)
    means = found.values.mean(axis=0) if found.n else np.zeros(2)
    if found.n_groups < 2 or not np.all(means > 0):
        return NAN
    logged = math.log(means[1] / means[0])
    influence = logged + found.values[:, 1] / means[1] - found.values[:, 0] / means[0]
    made = bounds.estimate(
        skew_t(influence, found.codes, span=None, name="log-ratio t"), alpha=alpha, null=0.0
    )
    return Estimate(
        value=math.exp(made.value),
        low=math.exp(made.low),
        high=math.exp(made.high),
        lower=math.exp(made.lower),
        upper=math.exp(made.upper),
        level=made.level,
        method=made.method,
        p_value=made.p_value,
    )


def p_value_against(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    margin: float,
    alternative: Literal["greater", "less"] = "greater",
    groups: ArrayLike | None = None,
    scale: Scale = (None, None),
    binary: bool | None = None,
) -> float:
    """One-sided p value that the mean difference is greater (less) than ``margin``.

    Below alpha just when the one-sided bound of ``difference`` at that alpha lies beyond the
    margin. With a negative margin and ``greater`` this is the test of non-inferiority.
    """
    found = cases.two(baseline, candidate, groups)
    if found.n_groups < 2:
        return math.nan
    method = _of_difference(found, binary=binary, scale=scale)
    return method.p_above(margin) if alternative == "greater" else method.p_below(margin)


def equivalence(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    margin: float,
    groups: ArrayLike | None = None,
    scale: Scale = (None, None),
    binary: bool | None = None,
) -> float:
    """p value that the mean difference lies within (-margin, margin): two one-sided tests.

    The greater of the two one-sided p values; below alpha just when both one-sided bounds of
    ``difference`` at that alpha lie within the margin.

    Source: Schuirmann, D. J. (1987), Journal of Pharmacokinetics and Biopharmaceutics 15, 657-680.
    """
    if not margin > 0:
        raise ValueError(f"margin is the largest loss that counts as none, above 0, not {margin!r}")
    found = cases.two(baseline, candidate, groups)
    if found.n_groups < 2:
        return math.nan
    method = _of_difference(found, binary=binary, scale=scale)
    return max(method.p_above(-margin), method.p_below(margin))


def caveats(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    scale: Scale = (None, None),
    binary: bool | None = None,
) -> tuple[str, ...]:
    """What limits the interval of ``difference``, one sentence each; empty if nothing is known.

    The limits are those that the simulations of docs/decisions/0001 showed: under 50 cases, under
    10 cases on which the arms differ, under 10 groups' worth of independence, one case or group
    that makes up more than a third of all the variation, skewness without a bound, and scores at
    the end of the scale that may not have shown and would move the mean beyond its bounds.
    """
    found = cases.two(baseline, candidate, groups)
    if found.n_groups < 2:
        return ("fewer than two independent cases have a score from both arms",)
    said = _scarce(found)
    differences = found.values[:, 1] - found.values[:, 0]
    if (
        np.count_nonzero(differences) >= FEW_DIFFERING
        and not _is_binary(found, binary)
        and _largest_share(differences, found.codes) > LARGE_SHARE
    ):
        said.append(
            "one case or group makes up more than a third of the variation: "
            "the mean may hinge on rare large values"
        )
    if not _is_binary(found, binary):
        said += _on_rare_values(found, _ends(scale, binary))
    if found.n_unscored:
        said.append(f"{found.n_unscored} cases without a score from both arms are left out")
    return tuple(said)


def scarcity(
    baseline: ArrayLike, candidate: ArrayLike, *, groups: ArrayLike | None = None
) -> tuple[str, ...]:
    """Those ``caveats`` that hold of any paired figure: few cases, groups, differing cases."""
    return tuple(_scarce(cases.two(baseline, candidate, groups)))


def _scarce(found: Cases) -> list[str]:
    said = []
    if found.n < FEW_CASES:
        said.append(f"n < {FEW_CASES}: {found.n} cases show large differences only")
    said += _on_groups(found.codes)
    differing = int(np.count_nonzero(found.values[:, 1] - found.values[:, 0]))
    if differing < FEW_DIFFERING:
        said.append(
            f"the arms differ on {differing} of {found.n} cases: "
            "the interval rests on so few that it is wider or rougher than its level says"
        )
    return said


def _on_rare_values(found: Cases, scale: Scale) -> list[str]:
    """What rare large values may do that no case has shown."""
    seen, noise, hidden = _seen_and_unseen(found, scale)
    if None in scale:
        centred = found.values[:, 1] - found.values[:, 0] - hidden.value
        codes = found.codes
        apart = centred if codes is None else np.bincount(codes, weights=centred).astype(np.float64)
        if abs(skewness(apart)) < LONG_TAIL:
            return []
        return [
            "differences have no bound and are skewed: the bounds of the mean allow for values "
            "further out than any seen, and may still err a little more often than their level "
            "says; compare times and the like as ratios"
        ]
    of_groups = unseen.share(found.n_groups, HIDDEN)
    if found.codes is not None and (
        of_groups * hidden.fall > seen.value - seen.lower(HIDDEN)
        or of_groups * hidden.rise > seen.upper(HIDDEN) - seen.value
    ):
        return [
            f"up to {of_groups:.1%} of groups may lie at the end of the scale as a whole without "
            f"having shown, which would move the mean by {of_groups * hidden.fall:.2g}: more than "
            "its bounds allow for"
        ]
    allowed = unseen.outer(seen, noise, hidden)
    if (seen.value - allowed.lower(HIDDEN)) <= WIDER * (seen.value - seen.lower(HIDDEN)) and (
        allowed.upper(HIDDEN) - seen.value
    ) <= WIDER * (seen.upper(HIDDEN) - seen.value):
        return []
    return [
        f"up to {unseen.share(found.n, HIDDEN):.1%} of cases may lie at the end of the scale "
        "without having shown: the bounds of the mean allow for them, which makes them wider than "
        "what was seen"
    ]


def _on_groups(codes: Codes | None) -> list[str]:
    if codes is None:
        return []
    effective = effective_groups(codes)
    if effective >= FEW_GROUPS:
        return []
    n_groups = int(codes.max()) + 1
    return [
        f"{n_groups} groups worth {effective:.1f} equal ones: cases of one group are not "
        f"independent, and under {FEW_GROUPS} groups an interval is wide and its level rough"
    ]


def _largest_share(differences: Floats, codes: Codes | None) -> float:
    """Largest part of the sum of squares that one independent unit has."""
    centred = differences - differences.mean()
    squares = (centred if codes is None else np.bincount(codes, weights=centred)) ** 2
    total = float(squares.sum())
    return float(squares.max()) / total if total > 0 else 0.0


def _of_difference(found: Cases, *, binary: bool | None, scale: Scale) -> PairedScore | Outer:
    differences = found.values[:, 1] - found.values[:, 0]
    if _is_binary(found, binary):
        return PairedScore(
            wins=int(np.sum(differences > 0)), losses=int(np.sum(differences < 0)), n=found.n
        )
    seen, noise, hidden = _seen_and_unseen(found, _ends(scale, binary))
    return unseen.outer(seen, noise, hidden)


def _seen_and_unseen(found: Cases, scale: Scale) -> tuple[SkewT, SkewT, unseen.UnseenMean]:
    """What the cases say of the mean difference, with and without the range of the scale in it,
    and what they leave possible."""
    gains = found.values[:, 1] - found.values[:, 0]
    seen, noise = (
        skew_t(gains, found.codes, span=_span(scale), name="paired t", ranged=ranged)
        for ranged in (True, False)
    )
    return seen, noise, unseen.mean(found.values, gains, seen.value, scale)


def _is_binary(found: Cases, binary: bool | None) -> bool:
    """Whether the methods for counts apply: 0/1 scores, independent cases, one repeat."""
    if found.codes is not None or found.n_repeats > 1:
        return False
    only = bool(np.all((found.values == 0) | (found.values == 1)))
    if binary and not only:
        raise ValueError("Scores said to be binary must all be 0 or 1; say binary=False for grades")
    return only if binary is None else binary


def _ends(scale: Scale, binary: bool | None) -> Scale:
    """Least and greatest possible score: those of 0/1 scores need not be said."""
    return (0.0, 1.0) if binary else scale


def _span(scale: Scale) -> float | None:
    """Largest possible distance between two scores, which is also that of a difference from 0."""
    return None if scale[0] is None or scale[1] is None else scale[1] - scale[0]
