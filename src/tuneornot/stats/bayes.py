"""What the data say as a probability: beside the tests, never instead of them.

A posterior probability depends on a prior, which is stated here; it carries no promise about how
often a decision by it is wrong, so no verdict rests on it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from tuneornot.stats import cases, units

DRAWS = 4000
BLOCK = 1_000_000
"""Random numbers held at once."""


def gain_probability(
    baseline: ArrayLike,
    candidate: ArrayLike,
    *,
    margin: float,
    groups: ArrayLike | None = None,
    rng: int | np.random.Generator = 0,
) -> float:
    """Posterior probability that the mean difference exceeds ``margin``, by Bayesian bootstrap.

    Independent units (cases, or groups) get Dirichlet weights: a Dirichlet prior of total mass two
    with one unit at either side, a win and a loss of the usual size (the root mean square of the
    differences of the arms), so that few or equal results cannot give certainty; and the
    improper Dirichlet(0) on what was seen. Groups weigh by their number of cases. More than a
    thousand units are merged at random, which leaves the spread as it is.

    Source: Rubin, D. B. (1981), The Bayesian bootstrap, Annals of Statistics 9, 130-134.
    """
    found = cases.two(baseline, candidate, groups)
    if found.n_groups < 2:
        return math.nan
    gains = found.values[:, 1] - found.values[:, 0]
    size = math.sqrt(float(gains @ gains) / max(int(np.count_nonzero(gains)), 1))
    random = np.random.default_rng(rng)
    apart = units.of(found, random)
    share = found.n / apart.count
    extra = size * found.n / found.n_groups
    sums = np.append(apart.sums(gains[:, np.newaxis])[:, 0], [extra, -extra])
    sizes = np.append(apart.sizes(), [share, share])
    above = 0
    step = max(1, BLOCK // len(sums))
    for start in range(0, DRAWS, step):
        weights = random.standard_exponential((min(step, DRAWS - start), len(sums)))
        above += int(np.sum(weights @ sums > margin * (weights @ sizes)))
    return above / DRAWS
