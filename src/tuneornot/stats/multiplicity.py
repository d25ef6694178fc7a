"""Several claims at once: p values adjusted so that all of them hold together.

Only for claims of which any one may be picked out (which slice changed, which further metric). A
verdict that needs all of its claims pays nothing (see ``decide``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tuneornot.stats.cases import Floats


def holm(p_values: ArrayLike) -> Floats:
    """Holm's adjusted p values: (k,) in, (k,) out, in the same order.

    With p_(1) <= ... <= p_(k), adjusted p_(j) = max over i <= j of min(1, (k - i + 1) p_(i)).
    Claims whose adjusted p is below alpha all hold together with probability of at least 1 - alpha,
    however they depend on each other. NaN is no claim: it stays NaN and is not counted.

    Source: Holm, S. (1979), A simple sequentially rejective multiple test procedure, Scandinavian
    Journal of Statistics 6, 65-70.
    """
    given = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(given.shape, np.nan)
    claims = np.flatnonzero(~np.isnan(given))
    order = claims[np.argsort(given[claims], kind="stable")]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * given[order]), 1.0)
    return adjusted
