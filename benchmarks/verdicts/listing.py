"""All scenarios, by family. Gains are in units of the score; 0.05 is worthwhile unless said."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import numpy as np
from benchmarks.verdicts import arms
from benchmarks.verdicts.arms import Beta, Draw
from benchmarks.verdicts.scenarios import PRIMARY, Drawn, Place, Scenario, Scores, rail, rule
from scipy import optimize

from tuneornot.records import Economy, Guardrail, Quantity, Rule, Scale

BITS, SHARES, OPEN = Scale(binary=True), Scale(), Scale(low=None, high=None)
PENALTIES = Scale(low=None, high=0.0)
SECONDS = Scale(better="lower", low=0.0, high=None, unit="s")
FORMAT, FIELDS, LATENCY = ("format", "eval"), ("fields", "eval"), ("latency", "eval")
RARE = ("score", "rare")
GUARDED = (50, 100, 300)
Drawing = Callable[[np.random.Generator, int], Drawn]
GAINS = {
    "no gain": 0.0,
    "gain 0.02": 0.02,
    "gain 0.05": 0.05,
    "gain 0.08": 0.08,
    "gain 0.15": 0.15,
    "loss 0.05": -0.05,
}


def scenarios() -> tuple[Scenario, ...]:
    """Every scenario of the committed table."""
    families = (
        _binary, _ceiling, _graded, _tailed, _lost, _missing, _grouped, _together, _repeated,
        _format, _spread, _tail, _slice, _economy, _economy_guarded, _whole,
    )  # fmt: skip
    return tuple(scenario for family in families for scenario in family())


def _alone(
    family: str, name: str, draw: Draw, gain: float, *, scale: Scale, worthwhile: float = 0.05
) -> Scenario:
    """Nothing but the primary."""
    return Scenario(
        family=family,
        name=name,
        rule=rule(worthwhile),
        draw=_draws({PRIMARY: draw}),
        truths={(*PRIMARY, "mean"): gain},
        scales={"score": scale},
    )


def _draws(draws: Mapping[Place, Draw], shares: Mapping[Place, float] | None = None) -> Drawing:
    """Metrics drawn one after the other; ``shares``: how many of the n cases a place has."""
    sizes = shares or {}

    def draw(rng: np.random.Generator, n: int) -> Drawn:
        return {
            place: Scores(*each(rng, max(4, round(sizes.get(place, 1.0) * n))))
            for place, each in draws.items()
        }

    return draw


def _binary() -> Iterator[Scenario]:
    for name, gain in GAINS.items():
        draw = arms.binary(0.6, gain, 0.2)
        made = _alone("0/1 scores", name, draw, gain, scale=BITS)
        yield replace(made, sizes=(30, 50, 100, 300, 1000))


def _ceiling() -> Iterator[Scenario]:
    for name, rate, gain in (
        ("95%, no gain", 0.95, 0.0),
        ("95% to 100%", 0.95, 0.05),
        ("93% to 98%", 0.93, 0.05),
        ("85% to 97%", 0.85, 0.12),
        ("98% to 90%", 0.98, -0.08),
    ):
        draw = arms.binary(rate, gain, abs(gain) + 2 * min(0.01, 1 - rate - max(gain, 0)))
        yield _alone("0/1, near ceiling", name, draw, gain, scale=BITS)


def _graded() -> Iterator[Scenario]:
    for name in ("no gain", "gain 0.05", "gain 0.08", "gain 0.15"):
        gain = GAINS[name]
        draw = arms.graded(0.5, gain)
        yield _alone("grades", name, draw, gain, scale=SHARES)
    for name in ("no gain", "gain 0.05"):
        gain = GAINS[name]
        draw = arms.graded(1.0, gain, sd=0.35)
        yield _alone("grades, near ceiling", name, draw, gain, scale=SHARES)


def _tailed() -> Iterator[Scenario]:
    for gain in (0.0, 0.05, 0.4):
        draw = arms.penalties(gain)
        name = "no gain" if gain == 0 else f"gain {gain:g}"
        yield _alone("lognormal penalties", name, draw, gain, scale=PENALTIES)
    for gain in (0.0, 0.05, 0.2):
        name = "no gain" if gain == 0 else f"gain {gain:g}"
        yield _alone("Student t, 3 df", name, arms.long_tailed(gain), gain, scale=OPEN)


def _lost() -> Iterator[Scenario]:
    """Exactly what is worthwhile, with rare large values in it, without a bound and with one."""
    yield _alone("one lognormal tail", "gain 0.05", arms.one_sided(0.05), 0.05, scale=OPEN)
    for family, baseline, candidate in (
        ("grades, 2% total losses", Beta(0.6, 0.15), Beta(0.65 / 0.98, 0.12, 0.02)),
        ("grades, the baseline's 5% total losses", Beta(0.6 / 0.95, 0.15, 0.05), Beta(0.65, 0.12)),
    ):
        draw = arms.betas(baseline, candidate)
        yield _alone(family, "gain 0.05", draw, candidate.mean - baseline.mean, scale=SHARES)
    before, after = Beta(0.6, 0.15), Beta(0.65 / 0.95, 0.12, 0.05)
    draws = {PRIMARY: arms.betas(before, after)}
    for name, guardrails in (
        ("gain 0.05", ()),
        ("gain 0.05, guardrail: worst tenth within 0.05", (rail("worst_tenth", 0.05),)),
    ):
        yield _guarded(
            "grades, 5% total losses",
            name,
            draws,
            {
                (*PRIMARY, "mean"): 0.05,
                (*PRIMARY, "worst_tenth"): after.worst_tenth - before.worst_tenth,
            },
            guardrails,
            scale=SHARES,
            sizes=(30, 50, 100, 300),
        )


def _missing() -> Iterator[Scenario]:
    for name in ("no gain", "gain 0.05", "gain 0.15"):
        gain = GAINS[name]
        draw = arms.gaps(arms.binary(0.6, gain, 0.2), 0.1)
        yield _alone("0/1, a tenth missing", name, draw, gain, scale=BITS)
    draw = arms.gaps(arms.graded(0.5, 0.05), 0.1)
    yield _alone("grades, a tenth missing", "gain 0.05", draw, 0.05, scale=SHARES)


def _grouped() -> Iterator[Scenario]:
    for correlation in (0.2, 0.5):
        for name in ("no gain", "gain 0.05", "gain 0.15"):
            gain = GAINS[name]

            def draw(
                rng: np.random.Generator, n: int, gain: float = gain, within: float = correlation
            ) -> Drawn:
                labels = arms.group_labels(rng, n, 3, 10)
                pair = arms.grouped(0.6, gain, within, labels)(rng, n)
                return {PRIMARY: Scores(*pair, groups=labels)}

            yield Scenario(
                family=f"groups of 3 to 10, correlation {correlation:g}",
                name=name,
                rule=rule(),
                draw=draw,
                truths={(*PRIMARY, "mean"): gain},
                scales={"score": BITS},
            )


def _together() -> Iterator[Scenario]:
    """Whole groups that win or lose at once, and most never: the hardest groups there are."""
    for wins, losses in ((0.08, 0.03), (0.25, 0.2)):

        def draw(
            rng: np.random.Generator, n: int, edges: tuple[float, float] = (wins, wins + losses)
        ) -> Drawn:
            labels = arms.group_labels(rng, n, 3, 10)
            level = rng.random(n)[labels]
            same = rng.random(n) < 0.6
            winning, losing = level < edges[0], (level >= edges[0]) & (level < edges[1])
            baseline = np.where(winning, 0.0, np.where(losing, 1.0, same))
            candidate = np.where(winning, 1.0, np.where(losing, 0.0, same))
            return {PRIMARY: Scores(baseline, candidate, groups=labels)}

        yield Scenario(
            family="groups of 3 to 10 that change as one",
            name=f"{wins:.0%} win, {losses:.0%} lose",
            rule=rule(),
            draw=draw,
            truths={(*PRIMARY, "mean"): wins - losses},
            scales={"score": BITS},
            sizes=GUARDED,
        )


def _repeated() -> Iterator[Scenario]:
    steady, even = Beta(0.6, 0.4), Beta(0.65, 0.4)
    # Within a case the variance is E[p (1 - p)] = mean (1 - mean) - variance of p.
    edge = math.sqrt(0.8 * 0.2 - (steady.within + 0.05) ** 2)
    for name, candidate, guarded in (
        ("gain 0.05", even, False),
        ("gain 0.2, more stable", Beta(0.8, 0.3265), True),
        ("gain 0.2, less stable by 0.05", Beta(0.8, edge), True),
        ("gain 0.2, less stable by 0.09", Beta(0.8, 0.15), True),
    ):
        guardrails = (rail("instability", 0.05),) if guarded else ()
        yield Scenario(
            family="3 repeats, instability within 0.05" if guarded else "3 repeats",
            name=name,
            rule=rule(guardrails=guardrails),
            draw=_draws({PRIMARY: arms.repeated(steady, candidate, 3)}),
            truths={
                (*PRIMARY, "mean"): candidate.mean - steady.mean,
                (*PRIMARY, "instability"): candidate.within - steady.within,
            },
            scales={"score": BITS},
            sizes=GUARDED if guarded else (30, 50, 100, 300),
        )


def _format() -> Iterator[Scenario]:
    for name, margin, rate, gain, disagreement in (
        ("format never fails, margin 0.02", 0.02, 1.0, 0.0, 0.0),
        ("format 97%, margin 0.02", 0.02, 0.97, 0.0, 0.02),
        ("format loses 0.02, margin 0.02", 0.02, 0.97, -0.02, 0.03),
        ("format loses 0.05, margin 0.05", 0.05, 0.95, -0.05, 0.07),
        ("format loses 0.15, margin 0.05", 0.05, 0.95, -0.15, 0.19),
    ):
        yield _guarded(
            "guardrail: format",
            name,
            {PRIMARY: arms.binary(0.5, 0.2, 0.3), FORMAT: arms.binary(rate, gain, disagreement)},
            {(*PRIMARY, "mean"): 0.2, (*FORMAT, "mean"): gain},
            (rail("mean", margin, metric="format"),),
            sizes=(50, 100, 300, 1000),
        )


def _spread() -> Iterator[Scenario]:
    baseline = Beta(0.55, 0.15)
    for factor in (1.0, 1.25, 1.6):
        candidate = Beta(0.7, 0.15 * factor)
        yield _guarded(
            "guardrail: spread below 1.25",
            f"gain 0.15, spread x {factor:g}",
            {PRIMARY: arms.betas(baseline, candidate)},
            {(*PRIMARY, "mean"): 0.15, (*PRIMARY, "spread"): candidate.sd / baseline.sd},
            (rail("spread", 1.25),),
            scale=SHARES,
        )


def _tail() -> Iterator[Scenario]:
    baseline = Beta(0.6, 0.15)

    def loss(failing: float) -> float:
        return Beta(0.78, 0.12, failing).worst_tenth - baseline.worst_tenth

    edge = float(optimize.brentq(lambda failing: loss(failing) + 0.05, 0.0, 0.09, xtol=1e-14))
    for name, failing in (
        ("nothing fails", 0.0),
        (f"{edge:.1%} fail (tail -0.05)", edge),
        ("8% fail", 0.08),
    ):
        candidate = Beta(0.78, 0.12, failing)
        yield _guarded(
            "guardrail: worst tenth within 0.05",
            f"gain {candidate.mean - baseline.mean:.2f}, {name}",
            {PRIMARY: arms.betas(baseline, candidate)},
            {
                (*PRIMARY, "mean"): candidate.mean - baseline.mean,
                (*PRIMARY, "worst_tenth"): loss(failing),
            },
            (rail("worst_tenth", 0.05),),
            scale=SHARES,
        )


def _slice() -> Iterator[Scenario]:
    for name, harm in (("rare slice loses 0.05", -0.05), ("rare slice loses 0.2", -0.2)):
        yield _guarded(
            "guardrail: an extra set of n/2 rare cases, margin 0.05",
            f"gain 0.2, {name}",
            {PRIMARY: arms.binary(0.5, 0.2, 0.3), RARE: arms.binary(0.6, harm, 0.3)},
            {(*PRIMARY, "mean"): 0.2, (*RARE, "mean"): harm},
            (rail("mean", 0.05, dataset="rare"),),
            shares={RARE: 0.5},
        )


def _economy() -> Iterator[Scenario]:
    for name, gain, ratio, few in (
        ("same quality, 4 times faster", 0.0, 0.25, False),
        ("same quality, 3 times faster", 0.0, 1 / 3, False),
        ("loses 0.05, 4 times faster", -0.05, 0.25, False),
        ("loses 0.15, 4 times faster", -0.15, 0.25, False),
        ("same quality, as fast", 0.0, 1.0, False),
        ("gain 0.05, 3 times faster", 0.05, 1 / 3, False),
        ("loses 0.05, 3 times faster", -0.05, 1 / 3, False),
        ("same quality, 3 times faster, 12 timed", 0.0, 1 / 3, True),
    ):
        draws = {PRIMARY: arms.binary(0.7, gain, max(0.1, abs(gain) + 0.05))}
        yield Scenario(
            family="equivalent within 0.05 and 3 times faster",
            name=name,
            rule=Rule(
                primary="score",
                worthwhile=0.05,
                equivalent=0.05,
                economy=Economy(metric="latency", factor=3),
            ),
            draw=_timed(draws, arms.times(ratio), few),
            truths={(*PRIMARY, "mean"): gain, (*LATENCY, "ratio"): ratio},
            scales={"score": BITS, "latency": SECONDS},
            sizes=(50, 100, 300),
        )


def _economy_guarded() -> Iterator[Scenario]:
    """The second route with something to lose beside the primary."""
    for name, ratio, rate, loss in (
        ("4 times faster, format 97%", 0.25, 0.97, 0.0),
        ("3 times faster, format 97%", 1 / 3, 0.97, 0.0),
        ("4 times faster, format loses 0.05", 0.25, 0.95, -0.05),
        ("4 times faster, format loses 0.15", 0.25, 0.95, -0.15),
    ):
        draws = {
            PRIMARY: arms.binary(0.7, 0.0, 0.1),
            FORMAT: arms.binary(rate, loss, 0.02 - loss),
        }
        yield Scenario(
            family="equivalent within 0.05, 3 times faster, format within 0.05",
            name=f"same quality, {name}",
            rule=Rule(
                primary="score",
                worthwhile=0.05,
                guardrails=(rail("mean", 0.05, metric="format"),),
                equivalent=0.05,
                economy=Economy(metric="latency", factor=3),
            ),
            draw=_timed(draws, arms.times(ratio), few=False),
            truths={
                (*PRIMARY, "mean"): 0.0,
                (*FORMAT, "mean"): loss,
                (*LATENCY, "ratio"): ratio,
            },
            scales={"score": BITS, "format": BITS, "latency": SECONDS},
            sizes=GUARDED,
        )


def _timed(draws: Mapping[Place, Draw], latency: Draw, few: bool) -> Drawing:
    """Latency of every case, or of the twelve that a study times by default."""

    def draw(rng: np.random.Generator, n: int) -> Drawn:
        timed = Scores(*latency(rng, 12 if few else n))
        return {**_draws(draws)(rng, n), LATENCY: timed}

    return draw


def _whole() -> Iterator[Scenario]:
    """The rule of the usual study file: a 0/1 primary and three guardrails at once."""
    guardrails = (
        rail("mean", 0.02, metric="format"),
        rail("spread", 1.25, metric="fields"),
        rail("worst_tenth", 0.05, metric="fields"),
    )
    before, after = Beta(0.6, 0.2), Beta(0.75, 0.17)
    for name, gain, rate in (
        ("55% to 80%, format 100%", 0.25, 1.0),
        ("55% to 80%, format 99%", 0.25, 0.99),
        ("55% to 60%, format 100%", 0.05, 1.0),
    ):
        yield _guarded(
            "format within 0.02, spread and worst tenth of a grade",
            name,
            {
                PRIMARY: arms.binary(0.55, gain, gain + 0.1),
                FORMAT: arms.binary(rate, 0.0, 2 * min(0.002, 1 - rate)),
                FIELDS: arms.betas(before, after),
            },
            {
                (*PRIMARY, "mean"): gain,
                (*FORMAT, "mean"): 0.0,
                (*FIELDS, "spread"): after.sd / before.sd,
                (*FIELDS, "worst_tenth"): after.worst_tenth - before.worst_tenth,
            },
            guardrails,
        )


def _guarded(
    family: str,
    name: str,
    draws: Mapping[Place, Draw],
    truths: Mapping[tuple[str, str, Quantity], float],
    guardrails: tuple[Guardrail, ...],
    *,
    scale: Scale = BITS,
    sizes: tuple[int, ...] = GUARDED,
    shares: Mapping[Place, float] | None = None,
) -> Scenario:
    return Scenario(
        family=family,
        name=name,
        rule=rule(guardrails=guardrails),
        draw=_draws(draws, shares),
        truths=truths,
        scales={"score": scale, "format": BITS, "fields": SHARES},
        sizes=sizes,
    )
