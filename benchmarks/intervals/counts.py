"""Paired 0/1 scores: exact coverage of each interval by summing over every possible outcome.

No simulation, so no Monte Carlo error. Outcomes are (both right, wins, losses, both wrong).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special, stats

from tuneornot.stats.binary import PairedScore

Floats = NDArray[np.float64]
RATES = (0.025, 0.05)
Lower = Callable[[int, int, int, int, float], float]
"""Lower bound from (both right, wins, losses, n, error rate); upper ones follow by symmetry."""


def truths() -> list[tuple[float, float, float, float]]:
    """(both right, win, loss, both wrong) from marginal rates .02 to .98 and correlations."""
    found = []
    for rate in (0.02, 0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95, 0.98):
        for gain in (-0.2, -0.1, -0.05, 0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6):
            other = round(rate + gain, 6)
            if not 0.02 <= other <= 0.98:
                continue
            for correlation in (0.0, 0.4, 0.8):
                spread = np.sqrt(rate * (1 - rate) * other * (1 - other))
                both = min(rate * other + correlation * spread, rate, other)
                found.append((both, other - both, rate - both, 1 - rate - other + both))
    return found


def tango(both: int, wins: int, losses: int, n: int, rate: float) -> float:
    score = PairedScore(wins=wins, losses=losses, n=n)
    quantile = float(stats.norm.isf(rate))
    if score.statistic(-1.0) <= quantile:
        return -1.0
    start = score.value
    if score.statistic(start - 1e-12) > quantile:
        return start
    return float(optimize.brentq(lambda t: score.statistic(t) - quantile, -1.0, start))


def wald(both: int, wins: int, losses: int, n: int, rate: float) -> float:
    d = (wins - losses) / n
    return float(d - stats.norm.isf(rate) * np.sqrt((wins + losses) / n - d * d) / np.sqrt(n))


def bonett_price(both: int, wins: int, losses: int, n: int, rate: float) -> float:
    """Bonett & Price (2012): Wald after adding one win and one loss (Agresti & Min 2005)."""
    w, c = (wins + 1) / (n + 2), (losses + 1) / (n + 2)
    error = np.sqrt((w + c - (w - c) ** 2) / (n + 2))
    return max(-1.0, float(w - c - stats.norm.isf(rate) * error))


def newcombe(both: int, wins: int, losses: int, n: int, rate: float) -> float:
    """Newcombe (1998), method 10: Wilson limits squared and added, phi corrected."""
    z = float(stats.norm.isf(rate))
    first, second = (both + wins) / n, (both + losses) / n
    wrong = n - both - wins - losses

    def wilson(p: float) -> tuple[float, float]:
        centre, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)

    margins = (both + wins) * (losses + wrong) * (both + losses) * (wins + wrong)
    cross = both * wrong - wins * losses
    cross = max(cross - n / 2, 0) if cross > 0 else cross
    phi = cross / np.sqrt(margins) if margins else 0.0
    down, up = first - wilson(first)[0], wilson(second)[1] - second
    return float(first - second - np.sqrt(max(down**2 - 2 * phi * down * up + up**2, 0.0)))


def shipped(both: int, wins: int, losses: int, n: int, rate: float) -> float:
    return PairedScore(wins=wins, losses=losses, n=n).lower(rate)


METHODS: dict[str, tuple[Lower, bool]] = {
    "Wald": (wald, False),
    "Bonett-Price": (bonett_price, False),
    "Newcombe 10": (newcombe, True),
    "Tango": (tango, False),
    "shipped": (shipped, False),
}
"""With whether the concordant cases matter."""


def table(n: int, *, with_newcombe: bool) -> dict[str, Floats]:
    """For each method (truths, 4): two-sided coverage, errors below and above, mean width.

    Newcombe's method depends on all four cells: too many outcomes to enumerate where n is large.
    """
    return {
        name: _errors(n, lower, matters)
        for name, (lower, matters) in METHODS.items()
        if with_newcombe or not matters
    }


def _errors(n: int, lower: Lower, concordant_matters: bool) -> Floats:
    cells = [
        (both, wins, losses)
        for wins in range(n + 1)
        for losses in range(n + 1 - wins)
        for both in (range(n + 1 - wins - losses) if concordant_matters else [0])
    ]
    place = {cell: k for k, cell in enumerate(cells)}
    both, wins, losses = np.array(cells).T
    mirror = np.array([place[(b, loss, w)] for b, w, loss in cells])
    low = {r: np.array([lower(b, w, loss, n, r) for b, w, loss in cells]) for r in RATES}
    high = {r: -low[r][mirror] for r in RATES}
    rows = []
    for truth in truths():
        weight = _chance(n, both, wins, losses, truth, concordant_matters)
        d = truth[1] - truth[2]
        covered = (low[0.025] <= d + 1e-9) & (high[0.025] >= d - 1e-9)
        rows.append(
            [
                weight @ covered,
                weight @ (low[0.05] > d + 1e-9),
                weight @ (high[0.05] < d - 1e-9),
                weight @ (high[0.025] - low[0.025]),
            ]
        )
    return np.array(rows)


def _chance(
    n: int,
    both: NDArray[np.intp],
    wins: NDArray[np.intp],
    losses: NDArray[np.intp],
    truth: tuple[float, float, float, float],
    concordant_matters: bool,
) -> Floats:
    right, win, loss, wrong = (max(p, 0.0) for p in truth)
    rest = n - both - wins - losses
    counts = [(wins, win), (losses, loss)]
    counts += [(both, right), (rest, wrong)] if concordant_matters else [(rest, right + wrong)]
    logs = special.gammaln(n + 1) + sum(
        special.xlogy(k, p) - special.gammaln(k + 1) for k, p in counts
    )
    return np.asarray(np.exp(logs))
