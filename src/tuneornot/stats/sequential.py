"""Several looks at a growing set of cases: the error rate of each, so that all keep that of one.

Whoever looks at 100 cases, collects more because nothing was decided, and looks again, has two
chances to err. An error-spending function says how much of the whole error rate may be used up by
each share of the planned cases; the level of a look follows from it and from the looks before.

Only the largest number of cases has to be planned. Looks may come at other numbers than was meant,
as long as these do not depend on how near the last look was to a decision. Statistics of growing
sets are taken to be jointly normal with the correlation that independent cases give.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

Floats = NDArray[np.float64]
NODES = 200
"""Of the Gauss-Legendre rule; 100 give the same levels to seven digits."""
FAR = 8.0
"""Standard deviations below which nothing that matters lies."""


def spent(fraction: float, alpha: float) -> float:
    """How much of an error rate may be used up when a share of the planned cases is there.

    alpha ln(1 + (e - 1) t), with t the share, at most 1: about equally strict at every look.

    Source: Lan, K. K. G. & DeMets, D. L. (1983), Discrete sequential boundaries for clinical
    trials, Biometrika 70, 659-663.
    """
    if not fraction > 0:
        raise ValueError(f"fraction is a share of the planned cases, above 0, not {fraction!r}")
    return alpha * math.log1p((math.e - 1) * min(fraction, 1.0))


def level(sizes: Sequence[int], planned: int, alpha: float) -> float:
    """The error rate of a one-sided claim at the last of several looks.

    Each look rejects where its statistic Z_k exceeds c_k. With B_k = Z_k sqrt(n_k) a sum of
    independent increments, c_k is found from

        P(B_1 < c_1 sqrt(n_1), .., B_k >= c_k sqrt(n_k)) = spent(n_k) - spent(n_(k-1))

    by integrating the density of B_k over what the looks before let pass (Armitage, McPherson &
    Rowe 1969); the level is the upper tail of the normal distribution at c_k.

    Args:
        sizes: cases at every look so far, increasing; the last one is the present look.
        planned: the most cases that will ever be looked at.
        alpha: error rate of the claim over all looks together.

    Raises:
        ValueError: sizes do not increase, or the looks before have used up everything.

    Source: Armitage, P., McPherson, C. K. & Rowe, B. C. (1969), Repeated significance tests on
    accumulating data, Journal of the Royal Statistical Society A 132, 235-244.
    """
    if list(sizes) != sorted(set(sizes)) or not sizes or sizes[0] < 1:
        raise ValueError(f"sizes are numbers of cases that increase, not {[*sizes]!r}")
    if len(sizes) > 1 and sizes[-2] >= planned:
        raise ValueError(
            f"A look at {sizes[-2]!r} of {planned!r} planned cases has used up the error rate; "
            "plan more cases before the first look."
        )
    return _level(tuple(size / planned for size in sizes), alpha)


@functools.lru_cache(maxsize=256)
def _level(times: tuple[float, ...], alpha: float) -> float:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    used, before, found = 0.0, 0.0, alpha
    points, mass = np.zeros(1), np.ones(1)
    for time in times:
        step, now = math.sqrt(time - before), spent(time, alpha)
        found = now - used if before == 0 else _crossing(points, mass, step, now - used, time)
        end = -float(special.ndtri(found)) * math.sqrt(time)
        start = -FAR * math.sqrt(time)
        ahead = start + (end - start) * (nodes + 1) / 2
        density = _normal((ahead[:, np.newaxis] - points) / step) @ mass / step
        points, mass = ahead, density * weights * (end - start) / 2
        used, before = now, time
    return found


def _crossing(points: Floats, mass: Floats, step: float, share: float, time: float) -> float:
    """The level at which paths that have not crossed yet cross with the given probability."""

    def excess(log_level: float) -> float:
        end = -float(special.ndtri(math.exp(log_level))) * math.sqrt(time)
        return float(mass @ special.ndtr((points - end) / step)) - share

    # At its own share a look alone would cross as often; fewer paths are left, so it is laxer.
    return math.exp(float(optimize.brentq(excess, math.log(share / 2), math.log(0.5), xtol=1e-10)))


def _normal(values: Floats) -> Floats:
    density: Floats = np.exp(-values * values / 2) / math.sqrt(2 * math.pi)
    return density
