"""Cases in groups: 100 cases in 5 to 40 groups of equal or very unequal sizes.

Groups are independent, cases of one group are not: a latent normal score has the intraclass
correlation named. Group sizes are drawn anew for every data set and do not depend on the scores.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from tuneornot.stats import studentised

Floats = NDArray[np.float64]
N = 100
RATES = (0.025, 0.05)


@dataclass(frozen=True)
class Grouped:
    kind: str
    n_groups: int
    sizes: str
    correlation: float

    @property
    def name(self) -> str:
        return f"{self.kind}, {self.n_groups} {self.sizes} groups, icc {self.correlation}"

    def truth(self) -> float:
        return {"normal": 0.0, "0/1": 0.07, "rare wins": 0.05, "exponential": 1.0}[self.kind]

    def scores(self, latent: Floats) -> Floats:
        """Differences with the kind's distribution from standard normal ones."""
        if self.kind == "normal":
            return latent
        uniform = special.ndtr(latent)
        if self.kind == "0/1":
            return np.where(uniform > 0.85, 1.0, np.where(uniform < 0.08, -1.0, 0.0))
        if self.kind == "rare wins":
            return np.where(uniform > 0.95, 1.0, 0.0)
        return -np.log1p(-uniform)

    def draw(self, rng: np.random.Generator) -> tuple[Floats, NDArray[np.intp]]:
        weights = np.ones(self.n_groups)
        if self.sizes == "unequal":
            weights = np.exp(rng.standard_normal(self.n_groups))
        elif self.sizes == "one-half":
            weights[0] = self.n_groups - 1
        sizes = np.maximum(1, np.round(N * weights / weights.sum())).astype(np.intp)
        codes = np.repeat(np.arange(self.n_groups), sizes)
        common = rng.standard_normal(self.n_groups)[codes]
        own = rng.standard_normal(len(codes))
        mixed = np.sqrt(self.correlation) * common + np.sqrt(1 - self.correlation) * own
        return self.scores(mixed), codes


def scenarios(quick: bool) -> Iterator[Grouped]:
    for kind in ("normal", "0/1", "rare wins", "exponential"):
        for n_groups in (10, 40) if quick else (5, 10, 20, 40):
            for sizes in ("equal", "unequal", "one-half"):
                for correlation in (0.1,) if quick else (0.0, 0.1, 0.5):
                    yield Grouped(kind, n_groups, sizes, correlation)


def bounds(d: Floats, codes: NDArray[np.intp], span: float | None) -> dict[str, list[float]]:
    """For each method [low, high, lower, upper] of one data set."""
    n, groups = len(d), int(codes.max()) + 1
    mean = float(d.mean())
    sums = np.bincount(codes, weights=d - mean)
    share = np.bincount(codes) / n
    naive = float(d.std(ddof=1)) / np.sqrt(n)
    cr1 = float(np.sqrt(sums @ sums * groups / (groups - 1))) / n
    cr2 = float(np.sqrt((sums**2 / (1 - share)).sum())) / n
    df = studentised.effective_groups(codes) - 1
    plain = {"t, groups ignored": (naive, n - 1), "CR1 t": (cr1, groups - 1), "CR2 t": (cr2, df)}
    found: dict[str, list[float]] = {}
    for name, (error, freedom) in plain.items():
        t = [float(stats.t.isf(rate, freedom)) for rate in RATES]
        found[name] = [mean + k * error for k in (-t[0], t[0], -t[1], t[1])]
    ours = studentised.skew_t(d, codes, span=span, name="t")
    found["shipped"] = [f(rate) for rate in RATES for f in (ours.lower, ours.upper)]
    return found


def run(scenario: Grouped, n_sets: int, seed: int) -> dict[str, list[float]]:
    """For each method [coverage, error of lower, error of upper, mean width]."""
    rng = np.random.default_rng(seed)
    span = 1.0 if scenario.kind in ("0/1", "rare wins") else None
    rows: dict[str, list[list[float]]] = {}
    for _ in range(n_sets):
        d, codes = scenario.draw(rng)
        for name, row in bounds(d, codes, span).items():
            rows.setdefault(name, []).append(row)
    truth = scenario.truth()
    return {name: rates(np.array(found).T, truth) for name, found in rows.items()}


def rates(found: Floats, truth: float) -> list[float]:
    """[coverage, error of lower, error of upper, mean width] of bounds (4, sets)."""
    low, high, lower, upper = found
    return [
        float(np.mean((low <= truth + 1e-9) & (truth <= high + 1e-9))),
        float(np.mean(lower > truth + 1e-9)),
        float(np.mean(upper < truth - 1e-9)),
        float(np.mean(high - low)),
    ]
