from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from tuneornot.stats.multiplicity import holm


def test_an_example_by_hand() -> None:
    # Sorted .005 .01 .03 .04: 4(.005), 3(.01), 2(.03), then not below what came before.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_agrees_with_closed_testing_by_bonferroni() -> None:
    """Holm is the closed procedure of Bonferroni tests: enumerate every intersection."""
    rng = np.random.default_rng(3)
    for size in (1, 2, 3, 5):
        for p in rng.random((20, size)) ** 3:
            for claim in range(size):
                worst = max(
                    min(1.0, len(chosen) * min(p[list(chosen)]))
                    for k in range(1, size + 1)
                    for chosen in itertools.combinations(range(size), k)
                    if claim in chosen
                )
                assert holm(p)[claim] == pytest.approx(worst)


def test_an_absent_p_value_is_no_claim() -> None:
    adjusted = holm([0.02, math.nan, 0.03])
    assert adjusted[[0, 2]] == pytest.approx([0.04, 0.04])
    assert math.isnan(adjusted[1])
    assert len(holm([])) == 0
