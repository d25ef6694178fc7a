"""How often verdicts are right, on draws with a known truth; benchmarks/verdicts has the whole.

The draws are seeded, so a rate is the same at every run: a test fails when a method changes for the
worse, not by chance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from benchmarks import whole_run
from benchmarks.verdicts import (
    coverage,
    labelled,
    listing,
    others,
    ours,
    power,
    run,
    several,
    simulate,
    wholes,
)
from benchmarks.verdicts.scenarios import PRIMARY, Drawn, Scenario, Scores, rule, wrong

from tuneornot import compare, decide
from tuneornot.records import Arm, Case, Dataset, Response, Run, Scale, Score, Verdict

SCENARIOS = {f"{each.family}: {each.name}": each for each in listing.scenarios()}
PARTS = (("a", "old"), ("b", "kept"))
N_SETS = 400
NOISE = simulate.noise(simulate.PROMISE, N_SETS)
EDGES = (
    ("0/1 scores: gain 0.05", 50),
    ("0/1, near ceiling: 95% to 100%", 50),
    ("grades: gain 0.05", 30),
    ("grades: gain 0.05", 100),
    ("grades, near ceiling: gain 0.05", 50),
    ("lognormal penalties: gain 0.05", 50),
    ("Student t, 3 df: gain 0.05", 50),
    ("one lognormal tail: gain 0.05", 30),
    ("grades, 5% total losses: gain 0.05", 30),
    ("grades, 5% total losses: gain 0.05", 50),
    ("grades, 2% total losses: gain 0.05", 100),
    ("grades, a tenth missing: gain 0.05", 50),
    ("groups of 3 to 10, correlation 0.2: gain 0.05", 100),
    ("groups of 3 to 10, correlation 0.5: gain 0.05", 50),
    ("groups of 3 to 10 that change as one: 8% win, 3% lose", 100),
    ("3 repeats: gain 0.05", 50),
    ("guardrail: format: format loses 0.05, margin 0.05", 50),
    ("guardrail: spread below 1.25: gain 0.15, spread x 1.25", 50),
    ("guardrail: worst tenth within 0.05: gain 0.15, 4.5% fail (tail -0.05)", 50),
    ("grades, 5% total losses: gain 0.05, guardrail: worst tenth within 0.05", 30),
    ("equivalent within 0.05 and 3 times faster: loses 0.05, 4 times faster", 50),
    ("equivalent within 0.05 and 3 times faster: same quality, 3 times faster", 100),
    (
        "equivalent within 0.05, 3 times faster, format within 0.05: "
        "same quality, 4 times faster, format loses 0.05",
        100,
    ),
)
DECIDED = (
    ("grades: gain 0.15", 100, "tune", 0.8),
    ("grades: no gain", 100, "keep-prompting", 0.4),
    ("guardrail: spread below 1.25: gain 0.15, spread x 1.6", 50, "keep-prompting", 0.4),
    ("guardrail: worst tenth within 0.05: gain 0.18, nothing fails", 100, "tune", 0.9),
)


def arm_of(metric: str, scale: Scale, side: str, data: Dataset, scores: np.ndarray) -> Run:
    """A run of one metric; scores in seconds become timings."""
    arm = Arm(name=side, kind="tuned" if side == "tuned" else "prompted", model="local:x")
    table = scores.reshape(len(scores), -1)
    timed = scale.unit == "s"
    return Run(
        arm=arm,
        dataset=data,
        metrics={} if timed else {metric: scale},
        n_repeats=table.shape[1],
        responses=(),
        scores=()
        if timed
        else tuple(
            Score(
                metric=metric,
                case_id=case.id,
                repeat=repeat,
                value=None if math.isnan(value) else value,
                reason="the call failed",
            )
            for case, row in zip(data.cases, table.tolist(), strict=True)
            for repeat, value in enumerate(row)
        ),
        timings=tuple(
            Response(
                arm=arm.fingerprint,
                question=case.question,
                purpose="latency",
                text="",
                latency_s=seconds,
            )
            for case, (seconds,) in zip(data.cases, table.tolist(), strict=True)
        )
        if timed
        else (),
    )


def measured(drawn: Drawn, scales: Mapping[str, Scale]) -> list[tuple[Run, Run]]:
    """Runs of every metric and set, as a study would have them."""
    made = []
    for (metric, where), scores in drawn.items():
        n = len(scores.baseline)
        labels = [None] * n if scores.groups is None else [f"{g:04}" for g in scores.groups]
        cases = tuple(
            Case(id=f"{i}", input=f"question {i}", group=label) for i, label in enumerate(labels)
        )
        data = Dataset(name=where, cases=cases)
        sides = ("prompted", scores.baseline), ("tuned", scores.candidate)
        first, second = (arm_of(metric, scales[metric], side, data, table) for side, table in sides)
        made.append((first, second))
    return made


@pytest.mark.parametrize(
    "name",
    [
        "0/1, a tenth missing: gain 0.15",
        "grades, a tenth missing: gain 0.05",
        "groups of 3 to 10, correlation 0.5: gain 0.15",
        "3 repeats, instability within 0.05: gain 0.2, more stable",
        "lognormal penalties: gain 0.4",
        "format within 0.02, spread and worst tenth of a grade: 55% to 80%, format 99%",
        "guardrail: an extra set of n/2 rare cases, margin 0.05: gain 0.2, rare slice loses 0.2",
        "equivalent within 0.05 and 3 times faster: same quality, 4 times faster",
    ],
)
def test_the_short_way_gives_the_verdict_of_whole_runs(name: str) -> None:
    scenario = SCENARIOS[name]
    for seed in range(2):
        drawn = scenario.draw(np.random.default_rng(seed), 60)
        pairs = measured(drawn, scenario.scales)
        evidence = compare.Evidence(pairs)
        whole = decide.verdict(compare.comparison(pairs), evidence, scenario.rule)
        short = ours.verdict(scenario, drawn)
        assert short.outcome == whole.outcome
        assert bounds(short) == pytest.approx(bounds(whole))
        assert [one.n_more for one in short.reasons] == [one.n_more for one in whole.reasons]


def bounds(verdict: Verdict) -> list[float]:
    found = [reason.estimate for reason in verdict.reasons]
    return [end for one in found if one is not None for end in (one.low, one.high, one.lower)]


@pytest.mark.parametrize("name", SCENARIOS)
def test_truths_are_those_of_a_large_draw(name: str) -> None:
    scenario = SCENARIOS[name]
    n = 20_000
    drawn = scenario.draw(np.random.default_rng(3), n)
    for (metric, where, quantity), truth in scenario.truths.items():
        scores = drawn[(metric, where)]
        made = ours.estimate(quantity, scenario.scales[metric], scores, 0.05)
        if len(scores.baseline) > 12:  # a latency of twelve timed cases shows nothing
            # Three times half the 95% interval is six standard errors.
            assert abs(made.value - truth) <= 1.5 * (made.high - made.low), quantity


def test_what_arms_deserve_follows_from_the_truth() -> None:
    deserved = {name: each.deserved() for name, each in SCENARIOS.items()}
    assert deserved["0/1 scores: no gain"] == "keep-prompting"
    assert deserved["0/1 scores: gain 0.05"] == "edge"
    assert deserved["0/1 scores: gain 0.08"] == "tune"
    assert deserved["guardrail: spread below 1.25: gain 0.15, spread x 1.6"] == "keep-prompting"
    economy = "equivalent within 0.05 and 3 times faster: "
    assert deserved[f"{economy}same quality, 4 times faster"] == "tune"
    assert deserved[f"{economy}same quality, 3 times faster"] == "edge"
    assert deserved[f"{economy}same quality, as fast"] == "keep-prompting"


def test_at_an_edge_every_decision_is_wrong_and_not_yet_never_is() -> None:
    assert wrong("edge", "tune")
    assert wrong("edge", "keep-prompting")
    assert not wrong("edge", "not-yet")
    assert not wrong("tune", "tune")
    assert wrong("keep-prompting", "tune")


def test_rules_of_others_agree_with_what_they_are_named_after() -> None:
    wins_only = others.means(Scores(np.zeros(20), np.r_[np.ones(6), np.zeros(14)]), 0.05)
    # Exact McNemar of 6 against 0 is 2/64.
    assert others.mcnemar(wins_only) == "tune"
    assert others.mlflow(wins_only) == "tune"
    five = others.means(Scores(np.zeros(5), np.ones(5)), 0.05)
    assert others.mlflow(five) == "not-yet"
    assert others.averages(five) == "tune"
    # An unpaired test of 6 of 20 against 0 of 20 has z = 0.3 / sqrt(0.21 / 19) = 2.85.
    assert others.z_unpaired(wins_only) == "tune"
    rng = np.random.default_rng(1)
    level = rng.normal(size=100)
    paired_only = others.means(Scores(level, level + 0.2 + 0.1 * rng.normal(size=100)), 0.05)
    assert others.z_unpaired(paired_only) == "not-yet"
    assert others.t_interval(paired_only) == "tune"
    assert others.mcnemar(paired_only) is None


@pytest.mark.slow
def test_wrong_verdicts_are_as_rare_as_promised() -> None:
    found = {edge: simulate.rates(SCENARIOS[edge[0]], edge[1], N_SETS) for edge in EDGES}
    broken = {edge: rates for edge, rates in found.items() if simulate.broken(rates, errors=3)}
    assert not broken
    mean_tune = np.mean([rates.wrong_tune for rates in found.values()])
    mean_keep = np.mean([rates.wrong_keep for rates in found.values()])
    # Over all edges together the noise is a quarter of that of one.
    assert max(mean_tune, mean_keep) <= simulate.PROMISE + NOISE / 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gain 0.05, 3 times faster", "loses 0.05, 3 times faster"])
def test_two_routes_together_are_as_rarely_wrong(name: str) -> None:
    scenario = SCENARIOS[f"equivalent within 0.05 and 3 times faster: {name}"]
    assert not simulate.broken(simulate.rates(scenario, 300, N_SETS))


@pytest.mark.slow
def test_planned_looks_together_are_as_rarely_wrong_as_one() -> None:
    scenario = SCENARIOS["0/1 scores: gain 0.05"]
    *_, (tune, keep, _) = power.planned_looks(scenario, (60, 120, 240), N_SETS)
    assert max(tune, keep) <= simulate.PROMISE + 3 * NOISE
    *_, (tune, keep, _) = power.looks(scenario, 60, 3, N_SETS)
    # The instrument itself: looks that nobody planned break it.
    assert max(tune, keep) > simulate.PROMISE + 3 * NOISE


@pytest.mark.slow
def test_several_candidates_together_are_as_rarely_wrong_as_one() -> None:
    """Three that gain exactly what is worthwhile over one baseline: none deserves ``tune``."""
    together, alone = (
        simulate.counts(field.name, 100, N_SETS, field.once, n_anew=None)
        for field in several.fields()
        if field.gains == (0.05,) * 3 and field.scale.binary
    )
    # Three wrong refusals are needed for the baseline, one wrong claim for a candidate.
    assert together.wrong_tune <= simulate.PROMISE + 3 * NOISE
    # The instrument itself: candidates that do not share the rate break it.
    assert alone.wrong_tune > simulate.PROMISE + 3 * NOISE


@pytest.mark.parametrize("field", several.fields(), ids=lambda field: field.name)
def test_candidates_gain_what_is_said(field: several.Field) -> None:
    n = 40_000
    drawn = field.draw(np.random.default_rng(1), n)
    for scores, gain in zip(drawn, field.gains, strict=True):
        apart = scores[PRIMARY].candidate - scores[PRIMARY].baseline
        assert abs(apart.mean() - gain) <= 4 * apart.std() / math.sqrt(n)


def test_what_is_recommended_among_several_is_held_against_the_truth() -> None:
    rng = np.random.default_rng(5)
    good, poor, even = (
        several.Field("f", gains, Scale()) for gains in ((0.0, 0.3), (-0.2, -0.3), (0.0, 0.05))
    )
    assert good.once(rng, 400) == ("tune", False)
    assert poor.once(rng, 400) == ("keep-prompting", False)
    # With 20,000 cases 0 is refuted, and a claim about 0.05 would be wrong either way.
    assert even.once(rng, 20_000) == ("not-yet", False)


def test_a_whole_run_figure_is_judged_by_its_population() -> None:
    [population] = whole_run.populations("macro-F1, 2 even labels, same")
    same = wholes.Figured(population, 1.0)
    better = wholes.Figured(
        population._replace(arms=(population.arms[0], perfect(population.arms[1]))), 0.5
    )
    assert abs(same.gain) < 0.01
    assert better.gain == pytest.approx(0.2, abs=0.01)
    assert better.once(np.random.default_rng(2), 200) == ("tune", False)
    assert better.worthwhile == pytest.approx(better.gain / 2)


def perfect(parts: np.ndarray) -> np.ndarray:
    """Every label named right: what was expected stands last."""
    expected = parts[:, 4:]
    return np.hstack([expected, expected, expected])


def test_a_judge_errs_as_said_and_people_label_both_arms() -> None:
    usual = labelled.Judging("f", 0.2, n_labels=2000)
    rng = np.random.default_rng(3)
    for side, rate in zip(usual.runs(rng, 2000), (0.6, 0.8), strict=True):
        told = np.array([score.value for score in side.scores], dtype=float)
        labels = {label.case_id: label.value for label in side.labels}
        truth = np.array([labels[score.case_id] for score in side.scores], dtype=float)
        # Four errors of a rate of about 0.7 among 800 and more.
        assert abs(truth.mean() - rate) < 0.045
        assert abs(told[truth == 1].mean() - 0.8) < 0.06
        assert abs(told[truth == 0].mean() - 0.3) < 0.09


def test_a_judge_that_favours_the_candidate_misleads_without_labels_only() -> None:
    lenient = (0.95, 0.4)
    corrected, plain = (
        labelled.Judging("f", 0.05, n_labels=n, of_candidate=lenient) for n in (100, 0)
    )
    assert corrected.promised
    assert not plain.promised
    rng = np.random.default_rng(4)
    mistaken = [[one.once(rng, 200)[1] for _ in range(25)] for one in (corrected, plain)]
    assert sum(mistaken[0]) <= 5
    assert sum(mistaken[1]) >= 15


def test_a_broken_promise_is_drawn_anew_only_where_there_is_one() -> None:
    always = ("tune", True)
    assert simulate.counts("f", 5, 20, lambda rng, n: always, n_anew=30).n_sets == 30
    assert simulate.counts("f", 5, 20, lambda rng, n: always, n_anew=None).n_sets == 20
    kept = simulate.counts("f", 5, 20, lambda rng, n: ("keep-prompting", False), n_anew=30)
    assert (kept.n_sets, kept.keep, kept.worst) == (20, 1.0, 0.0)


def test_a_part_of_the_page_is_replaced_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    marked = (f"<!-- {name}: begin -->\n{old}\n<!-- {name}: end -->" for name, old in PARTS)
    text = "# Rates\n\n" + "\n\n".join(marked) + "\n"
    page.write_text(text)
    run.put("a", "new", page)
    assert page.read_text() == text.replace("\nold\n", "\n\nnew\n\n")
    with pytest.raises(SystemExit, match="c: begin"):
        run.put("c", "new", page)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "n", "outcome", "least"), DECIDED)
def test_what_is_plain_is_decided(name: str, n: int, outcome: str, least: float) -> None:
    scenario = SCENARIOS[name]
    rates = simulate.rates(scenario, n, 100)
    assert scenario.deserved() == outcome
    assert rates.tune + rates.keep - rates.wrong_tune - rates.wrong_keep >= least


def test_where_an_interval_falls_short_a_caveat_says_so() -> None:
    """One group in ten is lost as a whole, and 15 groups show none of them in 21% of draws."""

    def draw(rng: np.random.Generator, n: int) -> Drawn:
        groups = np.arange(n) // 3
        lost = (rng.random(groups[-1] + 1) < 0.1)[groups]
        gain = np.where(lost, -0.5, 0.08 + 0.05 * rng.standard_normal(n))
        return {PRIMARY: Scores(np.full(n, 0.5), 0.5 + gain, groups=groups)}

    scenario = Scenario(
        family="grades",
        name="groups lost as a whole",
        rule=rule(),
        draw=draw,
        truths={(*PRIMARY, "mean"): 0.9 * 0.08 - 0.1 * 0.5},
        scales={"score": Scale()},
    )
    few = coverage.cell(scenario, 45, 200, 200)
    assert few.short
    assert few.told > 0.95
    assert not coverage.cell(scenario, 900, 200, 200).short


def test_a_cell_outside_of_the_range_is_drawn_anew_and_marked() -> None:
    """Groups of which few ever change: wider than need be, and told."""
    scenario = SCENARIOS["groups of 3 to 10 that change as one: 8% win, 3% lose"]
    found = coverage.cell(scenario, 50, 400, 300)
    assert found.n_sets == 300
    assert found.long
    assert not found.short
    line = list(coverage.table([scenario], 20, 20))[-1]
    assert line.startswith("| groups of 3 to 10 that change as one: 8% win, 3% lose |  |")


def test_a_rule_that_ignores_its_margin_is_caught() -> None:
    """The instrument itself: a claim of a mere gain breaks the promise where 0.05 is wanted."""
    scenario = SCENARIOS["grades: gain 0.05"]
    lax = Scenario(
        family="grades",
        name="judged against nothing",
        rule=rule(0.0),
        draw=scenario.draw,
        truths=scenario.truths,
        scales=scenario.scales,
    )
    rng = np.random.default_rng(2)
    outcomes = [ours.verdict(lax, lax.draw(rng, 100)).outcome for _ in range(100)]
    mistakes = np.mean([wrong(scenario.deserved(), outcome) for outcome in outcomes])
    assert mistakes > 4 * simulate.PROMISE
    assert PRIMARY == ("score", "eval")
