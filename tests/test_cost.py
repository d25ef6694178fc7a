"""Cost as a metric: from the price file through the comparison to the verdict and the report."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import world
from tests.world import NEW, OLD
from tuneornot import findings, study
from tuneornot.errors import StudyError
from tuneornot.models.base import Reply, Request
from tuneornot.models.scripted import ScriptedModel
from tuneornot.records import Contrast, Findings
from tuneornot.report import markdown, pages

TODAY = datetime.datetime.now(datetime.UTC).date()
TOKENS = "{input_per_million: 100, output_per_million: 1000}"


def priced(
    folder: Path,
    prices: Mapping[str, str],
    *,
    n_days_old: int = 3,
    decide: str = "",
    metrics: str = "[exact_match, cost]",
) -> Path:
    """The study of the world with a price file."""
    file = world.write(folder, n_eval=100, decide=decide, metrics=metrics)
    file.write_text("prices: prices.yaml\n" + file.read_text())
    as_of = TODAY - datetime.timedelta(days=n_days_old)
    lines = "".join(f'  "{name}": {rates}\n' for name, rates in prices.items())
    (folder / "prices.yaml").write_text(f"as_of: {as_of}\ncurrency: EUR\nmodels:\n{lines}")
    return file


def using(name: str, n_input: int, n_output: int, latency_s: float = 0.5) -> ScriptedModel:
    """A model that is always right and uses as much as it is told, a little more now and then."""
    known = world.right(2000)

    def answer(request: Request) -> Reply:
        asked = request.messages[-1].content
        more = len(asked) % 3
        return Reply(
            text=known[asked],
            finish="stop",
            n_input_tokens=n_input + more,
            n_output_tokens=n_output,
            latency_s=latency_s * (1 + 0.01 * more),
        )

    return ScriptedModel(name, answer)


def found(file: Path, *models: ScriptedModel) -> Findings:
    protocol = world.opened(file, *models)
    try:
        return findings.of(protocol)
    finally:
        protocol.close()


def cost(given: Findings) -> Contrast:
    made = given.comparisons[0].contrast("cost", "eval")
    assert made is not None
    return made


def test_tokens_times_prices_give_the_ratio(tmp_path: Path) -> None:
    file = priced(tmp_path, {OLD: TOKENS, NEW: TOKENS})
    given = found(file, using(OLD, 1000, 10), using(NEW, 100, 10))
    made = cost(given)
    assert made.n == 100
    assert made.scale.unit == "EUR"
    more = [len(case.input) % 3 for case in given.runs[0].dataset.cases]
    old = [100e-6 * (1000 + each) + 0.01 for each in more]
    new = [100e-6 * (100 + each) + 0.01 for each in more]
    assert made.baseline_mean.value == pytest.approx(sum(old) / 100)
    assert made.candidate_mean.value == pytest.approx(sum(new) / 100)
    assert made.ratio is not None
    assert made.ratio.value == pytest.approx(sum(new) / sum(old))
    assert not any("prices" in caveat for caveat in made.caveats)
    assert "EUR" in markdown.render(given)
    assert "Latency and cost" in pages.render(given)


def test_equivalent_and_three_times_cheaper_is_a_reason_to_tune(tmp_path: Path) -> None:
    decide = "  economy: {cost: 3}\n  equivalent: 0.1\n"
    file = priced(tmp_path, {OLD: TOKENS, NEW: TOKENS}, decide=decide)
    [verdict] = found(file, using(OLD, 1000, 10), using(NEW, 100, 10)).verdicts
    assert verdict.outcome == "tune"
    assert {reason.role: reason.holds for reason in verdict.reasons}["economy"]


def test_a_guardrail_of_cost_is_broken_by_a_dear_arm(tmp_path: Path) -> None:
    file = priced(tmp_path, {OLD: TOKENS, NEW: TOKENS}, decide="  guardrails: {cost: 1.5}\n")
    [verdict] = found(file, using(OLD, 100, 10), using(NEW, 1000, 10)).verdicts
    assert verdict.outcome == "keep-prompting"


def test_a_machine_is_paid_by_the_time_of_answers_asked_alone(tmp_path: Path) -> None:
    hour = "{per_machine_hour: 3.6}"
    file = priced(tmp_path, {OLD: TOKENS, NEW: hour})
    made = cost(found(file, using(OLD, 1000, 10), using(NEW, 100, 10, latency_s=2.0)))
    assert made.n == 12
    assert made.candidate_mean.value == pytest.approx(0.002, rel=0.03)
    assert made.n_unscored == (0, 0)
    assert any("stands idle" in caveat for caveat in made.caveats)


def test_old_prices_are_a_caveat_of_what_rests_on_them(tmp_path: Path) -> None:
    file = priced(
        tmp_path,
        {OLD: TOKENS, NEW: TOKENS},
        n_days_old=91,
        decide="  guardrails: {cost: 1.5}\n",
    )
    given = found(file, using(OLD, 1000, 10), using(NEW, 100, 10))
    assert any("91 days before" in caveat for caveat in cost(given).caveats)
    assert any("91 days before" in caveat for caveat in given.verdicts[0].caveats)


def test_prices_belong_to_the_plan_where_the_rule_rests_on_cost(tmp_path: Path) -> None:
    rests = "  guardrails: {cost: 1.5}\n"
    dearer = TOKENS.replace("1000", "1100")
    plans = {}
    for name, decide in (("rests", rests), ("not", "")):
        (tmp_path / name).mkdir()
        for rates in (TOKENS, dearer):
            for days in (3, 4):
                file = priced(tmp_path / name, {OLD: TOKENS, NEW: rates}, n_days_old=days)
                file.write_text(file.read_text() + decide)
                protocol = world.opened(file)
                plans[name, rates, days] = protocol.plan
                protocol.close()
    assert plans["rests", TOKENS, 3] == plans["rests", TOKENS, 4]
    assert plans["rests", TOKENS, 3] != plans["rests", dearer, 3]
    assert len({plans["not", rates, days] for rates in (TOKENS, dearer) for days in (3, 4)}) == 1


def test_money_without_prices_is_a_fault(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60, metrics="[exact_match, cost]")
    file.write_text("budget: {money: 5, calls: 0}\n" + file.read_text())
    with pytest.raises(StudyError) as caught:
        study.read(file)
    told = caught.value.faults
    assert "budget.calls: found 0, expected more than 0" in told
    assert "metrics: `cost` needs a price file; name one with `prices: FILE`" in told
    assert "budget.money needs a price file; name one with `prices: FILE`" in told


def test_a_model_without_a_price_is_a_fault(tmp_path: Path) -> None:
    file = priced(tmp_path, {OLD: TOKENS})
    with pytest.raises(StudyError, match=r"'prices.yaml' has none of 'local:new'"):
        study.read(file)
    (tmp_path / "prices.yaml").write_text("as_of: 2026-01-01\n")
    with pytest.raises(StudyError, match="currency: missing") as caught:
        study.read(file)
    assert len(caught.value.faults) == 2


def test_prices_without_cost_among_the_metrics_may_miss_a_model(tmp_path: Path) -> None:
    file = priced(tmp_path, {OLD: TOKENS}, metrics="[exact_match]")
    given = found(file, using(OLD, 10, 10), using(NEW, 10, 10))
    assert given.comparisons[0].contrast("cost", "eval") is None


def test_a_number_with_an_exponent_is_a_number(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    file.write_text("budget: {tokens: 2e6, calls: 1e3, minutes: 5e-1}\n" + file.read_text())
    budget = study.read(file).budget
    assert (budget.tokens, budget.calls, budget.minutes) == (2e6, 1000, 0.5)
    file.write_text(file.read_text().replace("1e3", "1e-3"))
    with pytest.raises(StudyError, match=r"budget.calls: found '1e-3', expected `int \| null`"):
        study.read(file)


def test_the_budget_is_no_part_of_the_plan(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    before = study.text(study.read(file))
    file.write_text("budget: {calls: 10}\n" + file.read_text())
    assert study.text(study.read(file)) == before
