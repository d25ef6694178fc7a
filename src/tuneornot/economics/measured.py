"""What every arm's answers cost, took and were worth, by case, and the error of their means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tuneornot.records import Run
from tuneornot.report import casewise

Floats = NDArray[np.float64]


class Means(NamedTuple):
    """Means of several arms on the same cases."""

    arms: tuple[str, ...]
    value: Floats
    """(arms,)"""
    error: Floats
    """(arms, arms) covariance of the means."""

    def draw(self, n: int, rng: np.random.Generator) -> dict[str, Floats]:
        """By arm (n,) values that its mean may have.

        The means are taken as normal, and arms as varying together, since they answered the same
        cases. Values below 0 become 0: neither money nor time nor a share can be.
        """
        drawn = rng.multivariate_normal(self.value, self.error, size=n, check_valid="ignore")
        return {arm: np.maximum(drawn[:, i], 0.0) for i, arm in enumerate(self.arms)}


def means(runs: Sequence[Run], metric: str, arms: Sequence[str]) -> Means | None:
    """Mean of a metric for every arm on the eval cases that all of them have a value for.

    The covariance of the means is that of independent groups (a case alone where it has none):
    with residuals r of the G groups' sums, G / (G - 1) x r'r / n^2 (Liang and Zeger, 1986,
    Biometrika 73, 13-22). One group alone tells no error: it is then 0.

    Args:
        runs: of all arms; those on other sets are left out.
        metric: a metric's name, or a measured quantity.
        arms: by name.

    Returns:
        ``None`` where an arm has no value for any case that the others have.
    """
    by_case = [casewise.values(casewise.of(runs, arm, "eval"), metric) for arm in arms]
    cases = [case for case in by_case[0] if all(case in values for values in by_case[1:])]
    if not cases:
        return None
    table = np.array([[values[case] for values in by_case] for case in cases])
    value = table.mean(axis=0)
    sums = _by_group(table - value, [_groups(runs).get(case) or case for case in cases])
    n_groups = len(sums)
    error = np.zeros((len(by_case), len(by_case)))
    if n_groups > 1:
        error = n_groups / (n_groups - 1) * (sums.T @ sums) / len(cases) ** 2
    return Means(tuple(arms), value, error)


def _groups(runs: Sequence[Run]) -> Mapping[str, str | None]:
    first = next(run for run in runs if run.dataset.name == "eval")
    return {case.id: case.group for case in first.dataset.cases}


def _by_group(rows: Floats, groups: Sequence[str]) -> Floats:
    names, place = np.unique(np.array(groups), return_inverse=True)
    sums = np.zeros((len(names), rows.shape[1]))
    np.add.at(sums, place, rows)
    return sums
