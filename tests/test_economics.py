"""Money over the months, against algebra, enumeration and scipy."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from scipy import stats

from tests import world
from tests.cli.test_cli import shop, tuneornot
from tuneornot import economics, study
from tuneornot.economics import frontier, measured, pace
from tuneornot.errors import StudyError
from tuneornot.records import (
    Arm,
    ArmCosts,
    Case,
    Dataset,
    Economics,
    EconomicsPlan,
    Phase,
    Price,
    Rates,
    Response,
    Run,
    Scale,
    Score,
)
from tuneornot.report import upkeep

SCALE = Scale(low=0.0, high=1.0, binary=True)


def run(arm: str, tokens: list[int], right: list[int], *, groups: list[str] | None = None) -> Run:
    """A run whose answers cost a millionth for each token."""
    cases = [
        Case(id=f"c{i}", input=f"q{i}", expected="x", group=groups[i] if groups else None)
        for i in range(len(tokens))
    ]
    return Run(
        arm=Arm(name=arm, kind="prompted", model=arm),
        dataset=Dataset(name="eval", cases=tuple(cases)),
        metrics={"exact_match": SCALE},
        n_repeats=1,
        responses=tuple(
            Response(
                arm=arm,
                question=case.question,
                repeat=0,
                text="a",
                n_input_tokens=n,
                n_output_tokens=0,
                latency_s=2.0,
                load=4,
            )
            for case, n in zip(cases, tokens, strict=True)
        ),
        scores=tuple(
            Score(metric="exact_match", case_id=case.id, repeat=0, value=float(value))
            for case, value in zip(cases, right, strict=True)
        ),
        price=Price(rates=Rates(input_per_million=1.0), currency="EUR", as_of="2026-11-01"),
    )


def told(plan: EconomicsPlan, runs: list[Run], phases: list[Phase] | None = None) -> Economics:
    return economics.of(
        plan, runs, phases or [], primary="exact_match", baseline="prompted", currency="EUR"
    )


def test_points_give_what_algebra_gives() -> None:
    plan = EconomicsPlan(
        calls_per_month=10_000.0,
        months=24,
        week=5000.0,
        label=2.0,
        arms={
            "prompted": ArmCosts(weeks=1.0, per_call=0.02),
            "tuned": ArmCosts(
                weeks=3.0,
                labels=500.0,
                training=100.0,
                per_year=2.0,
                weeks_again=0.5,
                labels_again=100.0,
                life=9.0,
                hosting=50.0,
                per_call=0.004,
            ),
        },
    )
    found = told(plan, [run("prompted", [9, 9], [1, 0]), run("tuned", [9, 9], [1, 1])])
    prompted, tuned = found.totals
    assert prompted.once.value == 5000
    assert prompted.total.value == 5000 + 24 * 200
    once = 3 * 5000 + 500 * 2 + 100
    n_again = 2 * 24 / 12 + 2  # the base model ends after 9 and 18 months
    fixed = once + n_again * (0.5 * 5000 + 100 * 2 + 100) + 24 * 50
    assert tuned.once.value == once
    assert tuned.per_month.value == pytest.approx(10_000 * 0.004 + 50)
    assert tuned.total.value == pytest.approx(fixed + 24 * 40)
    assert (tuned.total.low, tuned.total.high) == (tuned.total.value, tuned.total.value)
    (balance,) = found.balances
    assert balance.saving.value == pytest.approx(prompted.total.value - tuned.total.value)
    assert balance.break_even.value == pytest.approx((fixed - 5000) / (24 * 0.016))
    assert (balance.chance, balance.chance_never, balance.swings) == (0.0, 0.0, ())


@pytest.mark.parametrize(
    ("weeks", "per_call", "volume", "never"),
    [(0.0, 0.5, 0.0, 0.0), (2.0, 1.0, math.inf, 1.0), (0.0, 2.0, math.inf, 1.0)],
)
def test_no_volume_or_any(weeks: float, per_call: float, volume: float, never: float) -> None:
    arms = {
        "prompted": ArmCosts(weeks=1.0, per_call=1.0),
        "tuned": ArmCosts(weeks=weeks, per_call=per_call),
    }
    plan = EconomicsPlan(calls_per_month=1.0, week=10.0, arms=arms)
    (balance,) = told(plan, [run("prompted", [1], [1]), run("tuned", [1], [1])]).balances
    assert balance.break_even.value == volume
    assert balance.chance_never == never


def test_answers_of_one_price_but_for_rounding_have_no_volume() -> None:
    arms = {
        "prompted": ArmCosts(per_call=0.1 + 0.2),
        "tuned": ArmCosts(weeks=2.0, per_call=0.3),  # less by 5e-17
    }
    plan = EconomicsPlan(calls_per_month=1.0, week=10.0, arms=arms)
    found = told(plan, [run("prompted", [1], [1]), run("tuned", [1], [1])])
    assert found.balances[0].break_even.value == math.inf
    assert "No volume makes tuned the cheaper one" in upkeep.balance(found.balances[0], found)[1]


def test_what_saves_without_cheaper_answers_is_not_said_to_be_the_dearer_one() -> None:
    arms = {"prompted": ArmCosts(weeks=5.0, per_call=1.0), "tuned": ArmCosts(per_call=2.0)}
    plan = EconomicsPlan(calls_per_month=1.0, months=12, week=10.0, arms=arms)
    found = told(plan, [run("prompted", [1], [1]), run("tuned", [1], [1])])
    saves, volume = upkeep.balance(found.balances[0], found)
    assert "tuned saves 38" in saves
    assert volume == "More calls do not make it save more: its answers do not cost less."


def test_a_range_is_uniform_and_moves_the_saving_between_its_ends() -> None:
    arms = {
        "prompted": ArmCosts(per_call=1.0),
        "tuned": ArmCosts(weeks=(1.0, 3.0), training=(0.0, 1.0), per_call=0.5),
    }
    plan = EconomicsPlan(calls_per_month=(10.0, 30.0), months=10, week=10.0, arms=arms)
    (balance,) = told(plan, [run("prompted", [1], [1]), run("tuned", [1], [1])]).balances
    assert [swing.name for swing in balance.swings] == [
        "calls a month",
        "tuned: weeks of engineering",
        "tuned: a training",
    ]
    calls = balance.swings[0]
    assert (calls.at_least, calls.at_most) == (10 * 10 * 0.5 - 20.5, 10 * 30 * 0.5 - 20.5)
    assert balance.middle == 10 * 20 * 0.5 - 20.5
    # A sum of uniforms: its moments and the chance that it is above 0 by numerical convolution.
    rng = np.random.default_rng(1)
    parts = rng.uniform([10, 1, 0], [30, 3, 1], size=(400_000, 3))
    truth = 10 * parts[:, 0] * 0.5 - 10 * parts[:, 1] - parts[:, 2]
    assert balance.chance == pytest.approx((truth > 0).mean(), abs=0.005)
    assert balance.saving.low == pytest.approx(np.quantile(truth, 0.025), abs=1.5)
    assert balance.saving.high == pytest.approx(np.quantile(truth, 0.975), abs=1.5)


def test_measured_costs_carry_the_error_of_their_mean() -> None:
    rng = np.random.default_rng(3)
    tokens = rng.integers(100, 1000, size=200)
    runs = [
        run("prompted", tokens.tolist(), [1] * 200),
        run("tuned", (tokens // 4).tolist(), [1, 0] * 100),
    ]
    found = told(EconomicsPlan(calls_per_month=1.0), runs)
    prompted, tuned = found.totals
    half = stats.sem(tokens) * 1e-6 * stats.norm.ppf(0.975)
    assert prompted.per_call.value == pytest.approx(tokens.mean() * 1e-6, rel=0.01)
    assert (prompted.per_call.high - prompted.per_call.low) / 2 == pytest.approx(half, rel=0.05)
    # Both arms answered the same cases, so their ratio is known far better than each cost.
    assert tuned.per_success is not None
    assert tuned.per_success.value == pytest.approx(tokens.mean() / 4 / 0.5 * 1e-6, rel=0.02)
    (balance,) = found.balances
    assert balance.chance == 1.0
    assert {swing.name for swing in balance.swings} == {"prompted: an answer", "tuned: an answer"}


def test_cases_of_one_group_are_no_further_evidence() -> None:
    tokens = [100, 300, 500, 900]
    plain = measured.means([run("a", tokens, [1] * 4)], "cost", ["a"])
    groups = [name for name in "wxyz" for _ in range(5)]
    repeated = [value for value in tokens for _ in range(5)]
    grouped = measured.means([run("a", repeated, [1] * 20, groups=groups)], "cost", ["a"])
    assert plain is not None
    assert grouped is not None
    assert plain.error[0, 0] == pytest.approx(np.var(tokens, ddof=1) / 4 * 1e-12)
    assert grouped.error[0, 0] == pytest.approx(plain.error[0, 0])


def test_a_training_costs_what_the_studys_own_did() -> None:
    phases = [
        Phase(name="train tuned, seed 1", seconds=60, money=3.0),
        Phase(name="train tuned, seed 2", seconds=60, money=5.0),
        Phase(name="train tuned, seed 3", seconds=9, money=1.0, finished=False),
    ]
    found = told(
        EconomicsPlan(calls_per_month=1.0),
        [run("prompted", [9, 8], [1, 1]), run("tuned", [9, 8], [1, 1])],
        phases,
    )
    assert found.totals[1].once.value == 4.0
    assert found.basis == ("a training of tuned costs what the study's own did (2 trained)",)


def test_who_is_left_behind() -> None:
    better = {"a": np.array([2.0, 2, 1]), "b": np.array([1.0, 1, 2]), "c": np.array([2.0, 1, 2])}
    cheaper = {"a": np.array([5.0, 5, 5]), "b": np.array([5.0, 5, 5]), "c": np.array([5.0, 5, 9])}
    # Draw 1: a and c are alike and leave b behind. 2: a is ahead of both. 3: c is ahead of both.
    found = frontier.efficient([better, cheaper])
    assert found == pytest.approx({"a": 2 / 3, "b": 0.0, "c": 2 / 3})


def test_latencys_quantiles_and_answers_a_second() -> None:
    timings = tuple(
        Response(
            arm="a", question=f"q{i}", repeat=0, purpose="latency", text="x", latency_s=float(i)
        )
        for i in range(1, 61)
    )
    timed = msgspec.structs.replace(run("a", [1, 1], [1, 1]), timings=timings)
    found = pace.of("a", [timed])
    assert found is not None
    assert (found.n, found.load, found.per_second) == (60, 4.0, 2.0)
    median = found.quantiles["p50"]
    # Binomial(60, 1/2): the 22nd and 39th of 60 hold the median with 95%, as published in tables.
    assert (median.value, median.low, median.high) == (30.5, 22.0, 39.0)
    assert math.isnan(found.quantiles["p99"].high)
    assert pace.of("nobody", [timed]) is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{calls_per_month: 0, currency: EUR}", "economics.calls_per_month: found 0"),
        ("{calls_per_month: [9, 3], currency: EUR}", "found [9, 3]"),
        ("{calls_per_month: 9, months: 0, currency: EUR}", "economics.months: found 0"),
        ("{calls_per_month: 9}", "economics.currency: missing"),
        ("{calls_per_month: 9, currency: EUR}", "needs a price file"),
        ("{calls_per_month: 9, currency: EUR, arms: {othr: {}}}", "did you mean 'other'?"),
        ("{calls_per_month: 9, currency: EUR, arms: {other: {life: 0}}}", "arms.other.life"),
        ("{calls_per_month: 9, currency: EUR, arms: {other: {weeks: -1}}}", "arms.other.weeks"),
    ],
)
def test_faults_of_the_section(tmp_path: Path, written: str, said: str) -> None:
    file = world.write(tmp_path, n_eval=60)
    file.write_text(f"{file.read_text()}economics: {written}\n")
    with pytest.raises(StudyError) as caught:
        study.read(file)
    assert any(said in fault for fault in caught.value.faults), caught.value.faults


def test_a_fault_of_the_price_file_is_told_once(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    (tmp_path / "prices.yaml").write_text("as_of: 2026-11-01\ncurrency: EUR\nmodels: 3\n")
    written = f"prices: prices.yaml\n{file.read_text()}economics: {{calls_per_month: 9}}\n"
    file.write_text(written)
    with pytest.raises(StudyError) as caught:
        study.read(file)
    told_of = [fault for fault in caught.value.faults if "prices.yaml: models" in fault]
    assert len(told_of) == 1


def test_it_is_no_part_of_the_plan(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    before = study.text(study.read(file))
    arms = "arms: {prompted: {per_call: 1}, other: {per_call: 0}}"
    file.write_text(f"{file.read_text()}economics: {{calls_per_month: 9, currency: EUR, {arms}}}\n")
    assert study.text(study.read(file)) == before


def test_a_study_tells_it_in_terminal_page_and_json(tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text(
        "as_of: 2026-11-01\ncurrency: EUR\nmodels:\n"
        + "".join(
            f'  "http://127.0.0.1:1/v1#{name}": '
            f"{{input_per_million: {price}, output_per_million: 0}}\n"
            for name, price in (("old", 100), ("new", 25))
        )
    )
    file = world.write(tmp_path, n_eval=60)
    with shop(tmp_path / "asked") as base:
        text = file.read_text().replace(world.OLD, f"{base}#old").replace(world.NEW, f"{base}#new")
        prices = tmp_path / "prices.yaml"
        prices.write_text(prices.read_text().replace("http://127.0.0.1:1/v1", base))
        file.write_text(
            f"{text}prices: prices.yaml\n"
            "economics: {calls_per_month: [1e6, 3e6], week: 4000, "
            "arms: {other: {weeks: [1, 2]}}}\n"
        )
        said = tuneornot("economics", file)
        as_json = tuneornot("economics", file, "--json")
        whole = tuneornot("run", file)
    assert said.returncode == 0, said.stderr
    assert "calls a month on other costs less" in said.stdout
    found: dict[str, Any] = json.loads(as_json.stdout)
    assert found["currency"] == "EUR"
    (balance,) = found["balances"]
    # 12 words a question: 0.0012 against 0.0003 EUR an answer, 24 months, 1.5 weeks in the middle.
    assert balance["middle"] == pytest.approx(24 * 2e6 * 0.0009 - 6000, rel=0.02)
    assert whole.returncode == 0, whole.stderr
    page = (tmp_path / "results" / "report.html").read_text()
    assert "What it costs over 24 months" in page
    assert "calls a month on other costs less" in (tmp_path / "results" / "report.md").read_text()


def test_a_study_without_it_says_so(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    done = subprocess.run(
        [sys.executable, "-m", "tuneornot", "economics", str(file)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0
    assert "no `economics`" in done.stderr
