"""The whole protocol with scripted arms: the verdict is the one that the truth deserves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import world
from tests.world import NEW, OLD, running
from tuneornot import findings
from tuneornot.cli import begin
from tuneornot.errors import BudgetExceeded, DataError, LeakageError, ModelError
from tuneornot.models.base import Reply, Request
from tuneornot.models.scripted import ScriptedModel


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [(0.3, 0.8, "tune"), (0.6, 0.6, "keep-prompting"), (0.7, 0.3, "keep-prompting")],
)
def test_the_verdict_that_the_truth_deserves(
    tmp_path: Path, before: float, after: float, outcome: str
) -> None:
    file = world.write(tmp_path, n_eval=600)
    with running(file, world.model(OLD, before), world.model(NEW, after)) as protocol:
        found = findings.of(protocol)
    assert [verdict.outcome for verdict in found.verdicts] == [outcome]
    assert found.verdicts[0].plan == found.plan
    assert {look.arm for look in found.looks} == {"prompted", "other"}


def test_few_cases_decide_nothing(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=40)
    with running(file, world.model(OLD, 0.5), world.model(NEW, 0.62)) as protocol:
        [verdict] = findings.of(protocol).verdicts
    assert verdict.outcome == "not-yet"
    assert any("n < 50" in caveat or "40 cases" in caveat for caveat in verdict.caveats)


def test_the_second_time_asks_nothing(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=100, metrics="[exact_match, latency]")
    first = world.model(OLD, 0.4), world.model(NEW, 0.6)
    with running(file, *first) as protocol:
        before = findings.of(protocol)
    assert all(model.n_asked > 100 for model in first)
    second = world.model(OLD, 0.4), world.model(NEW, 0.6)
    with running(file, *second) as protocol:
        after = findings.of(protocol)
    assert [model.n_asked for model in second] == [0, 0]
    assert after.comparisons == before.comparisons
    assert after.plan == before.plan
    assert after.plan_changes == ()


def breaking_after(n: int, model: ScriptedModel) -> ScriptedModel:
    """The same model, but the server goes away after n answers."""
    answer: Callable[[Request], Reply | str] = model._answers
    left = [n]

    def reply(request: Request) -> Reply | str:
        if not left[0]:
            raise ModelError("The server is gone. Start it and run the same command again.")
        left[0] -= 1
        return answer(request)

    return ScriptedModel(model.name, reply)


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=200)
    with (
        running(file, world.model(OLD, 0.4), breaking_after(70, world.model(NEW, 0.6))) as protocol,
        pytest.raises(ModelError, match="The server is gone"),
    ):
        findings.of(protocol)
    again = world.model(OLD, 0.4), world.model(NEW, 0.6)
    with running(file, *again) as protocol:
        findings.of(protocol)
    assert [model.n_asked for model in again] == [0, 130]


def test_failures_are_counted_apart_and_asked_again(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=200)
    with running(file, world.model(OLD, 0.4), world.model(NEW, 0.6, errors=0.2)) as protocol:
        found = findings.of(protocol)
    [contrast] = found.comparisons[0].contrasts[:1]
    failed = contrast.n_unscored[1]
    assert 10 < failed < 80
    assert contrast.n == 200 - failed
    well = world.model(OLD, 0.4), world.model(NEW, 0.6)
    with running(file, *well) as protocol:
        assert findings.of(protocol).comparisons[0].contrasts[0].n == 200
    assert [model.n_asked for model in well] == [0, failed]


def test_a_changed_plan_is_a_new_plan_and_the_findings_say_so(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=100)
    arms = world.model(OLD, 0.4), world.model(NEW, 0.6)
    with running(file, *arms) as protocol:
        first = findings.of(protocol)
    file.write_text(file.read_text().replace("worthwhile: 0.1", "worthwhile: 0.01"))
    with running(file, *arms) as protocol:
        second = findings.of(protocol)
    assert second.plan != first.plan
    assert second.plan_changes == (first.plan,)


def test_a_changed_split_is_refused_while_its_results_stand(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=100)
    with running(file) as protocol:
        assert len(protocol.splits.eval) == 100
    file.write_text(file.read_text().replace("seed: 1", "seed: 2"))
    with running(file) as protocol, pytest.raises(DataError, match="seed"):
        _ = protocol.splits


def test_a_leak_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    rows = world.questions(60)
    leaked = {**rows[45], "id": "copy", "input": rows[45]["input"].upper()}
    parts = {"train": [*rows[:20], leaked], "dev": rows[20:40], "eval": rows[40:]}
    for name, part in parts.items():
        text = "".join(json.dumps(row) + "\n" for row in part)
        (tmp_path / f"{name}.jsonl").write_text(text)
    file = world.write(tmp_path, n_eval=40)
    text = file.read_text()
    start, end = text.index("  cases:"), text.index("arms:")
    given = "".join(f"  {name}: {name}.jsonl\n" for name in parts)
    file.write_text(text[:start] + given + text[end:])
    arms = world.model(OLD, 0.4), world.model(NEW, 0.6)
    with (
        running(file, *arms) as protocol,
        pytest.raises(LeakageError, match="copy") as caught,
    ):
        findings.of(protocol)
    assert "q45" in str(caught.value)
    assert [model.n_asked for model in arms] == [0, 0]


def test_a_search_is_done_once_and_its_prompt_is_used(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    text = file.read_text().replace(
        f'{{model: "{OLD}"}}', f'{{model: "{OLD}", search: {{calls: 300}}}}'
    )
    file.write_text(text)
    with running(file, world.model(OLD, 0.4), world.model(NEW, 0.6)) as protocol:
        found = findings.of(protocol)
    ledger = found.ledgers["prompted"]
    assert len(ledger.candidates) >= 8
    assert ledger.n_calls <= 300
    again = world.model(OLD, 0.4), world.model(NEW, 0.6)
    with running(file, *again) as protocol:
        assert findings.of(protocol).ledgers["prompted"] == ledger
    assert [model.n_asked for model in again] == [0, 0]


def test_a_search_that_hardly_began_ends_the_work_before_eval_is_looked_at(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=600)
    text = file.read_text()
    file.write_text(text.replace(f'"{OLD}"}}', f'"{OLD}", search: {{calls: 40}}}}'))
    with running(file, world.model(OLD, 0.3), world.model(NEW, 0.8)) as protocol:
        with pytest.raises(BudgetExceeded, match="at least 8 are needed"):
            findings.of(protocol)
        assert protocol.store.looks() == ()
    assert BudgetExceeded.exit_code == 3


def test_a_prompt_taken_as_given_is_a_caveat(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    with running(file, world.model(OLD, 0.4), world.model(NEW, 0.6)) as protocol:
        [verdict] = findings.of(protocol).verdicts
    assert any("plans no search" in caveat for caveat in verdict.caveats)


def test_reports_are_written(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    with running(file, world.model(OLD, 0.4), world.model(NEW, 0.6)) as protocol:
        found = findings.of(protocol)
        page = findings.write(found, protocol.results)
    assert page.read_text().startswith("<!doctype html>")
    report = json.loads((tmp_path / "results" / "report.json").read_text())
    assert report["verdicts"][0]["outcome"] == found.verdicts[0].outcome
    assert "prices" in (tmp_path / "results" / "report.md").read_text()


def test_three_arms_share_the_error_rate_and_one_is_recommended(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=300)
    more = '  best: {model: "local:best"}\nmetrics:'
    file.write_text(file.read_text().replace("metrics:", more, 1))
    models = world.model(OLD, 0.3), world.model(NEW, 0.6), world.model("local:best", 0.95)
    with running(file, *models) as protocol:
        found = findings.of(protocol)
        page = findings.write(found, protocol.results).read_text()
    assert [verdict.outcome for verdict in found.verdicts] == ["tune", "tune"]
    assert [comparison.alpha for comparison in found.comparisons] == [0.025, 0.025]
    assert found.recommended == "best"
    assert "Of all 3 arms best is recommended" in page
    assert "Of all 3 arms best is recommended" in (tmp_path / "results" / "report.md").read_text()


def test_a_rule_may_adjust_for_what_was_known_of_the_cases(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=200, decide="  adjust: [length, slice]\n")
    with running(file, world.model(OLD, 0.3), world.model(NEW, 0.8)) as protocol:
        [comparison], [verdict] = protocol.comparisons, protocol.verdicts
    contrast = comparison.contrast("exact_match", "eval")
    assert contrast is not None
    assert contrast.mean.method.startswith("regression-adjusted paired t")
    plain = contrast.candidate_mean.value - contrast.baseline_mean.value
    assert contrast.mean.value == pytest.approx(plain, abs=0.05)
    assert verdict.outcome == "tune"
    assert any(
        f"adjusted for length and slice; as it was measured it is {plain:+.3g}" in caveat
        for caveat in verdict.caveats
    )
    assert "adjust=nothing" in {one.change for one in verdict.sensitivity}


def test_a_guardrail_beyond_these_cases_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    guarded = "  guardrails: {json_valid: 0.02, exact_match: 0.10}\n"
    file = world.write(tmp_path, n_eval=100, decide=guarded, metrics="[exact_match, json_valid]")
    old = world.model(OLD, 0.4)
    with running(file, old, world.model(NEW, 0.6)) as protocol:
        [said] = begin.beyond(protocol)
    assert said == (
        "the guardrail json_valid 0.02 on eval cannot be shown by its 100 cases even if the arms "
        "never differ: it takes at least 149"
    )
    assert old.n_asked == 0


def added(file: Path, n: int, first: int, name: str) -> None:
    """Further eval cases for a study, in a file of their own."""
    rows = world.questions(n, first=first)
    (file.parent / name).write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = file.read_text()
    if "  more: [" in text:
        text = text.replace("  more: [", f"  more: [{name}, ")
    else:
        text = text.replace("  cases:", f"  more: [{name}]\n  cases:")
    file.write_text(text)


def test_eval_grows_by_further_cases_and_a_second_look_is_told(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=40)
    with running(file, world.model(OLD, 0.5), world.model(NEW, 0.62)) as protocol:
        first = findings.of(protocol)
    added(file, 60, 500, "more.jsonl")
    arms = world.model(OLD, 0.5), world.model(NEW, 0.62)
    with running(file, *arms) as protocol:
        second = findings.of(protocol)
        page = findings.write(second, protocol.results).read_text()
    assert [model.n_asked for model in arms] == [60, 60]
    assert second.splits["eval"] == 100
    assert first.verdicts[0].stage is not None
    assert first.verdicts[0].stage.earlier == ()
    assert second.verdicts[0].stage is not None
    assert second.verdicts[0].stage.earlier == (40,)
    assert second.plan_changes == ()
    assert "look 2 at a growing eval set" in second.verdicts[0].caveats[0]
    assert first.verdicts[0].n_more is not None
    assert first.verdicts[0].further is not None
    assert first.verdicts[0].further.n_calls == 2 * first.verdicts[0].n_more
    assert "This is look 2 at a growing eval set" in page
    with running(file, *arms) as protocol:
        assert findings.of(protocol).verdicts[0].outcome == second.verdicts[0].outcome


def test_planned_looks_share_the_error_rate(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=100, decide="  looks: [100, 200]\n")
    arms = world.model(OLD, 0.5), world.model(NEW, 0.62)
    with running(file, *arms) as protocol:
        first = findings.of(protocol)
    added(file, 100, 500, "more.jsonl")
    with running(file, *arms) as protocol:
        second = findings.of(protocol)
    for found in (first, second):
        assert not any("look" in caveat for caveat in found.verdicts[0].caveats)
        assert 0.025 < found.comparisons[0].alpha < 0.05
    assert second.verdicts[0].stage is not None
    assert second.verdicts[0].stage.look == 2


def test_what_was_added_is_frozen_too(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=40)
    added(file, 10, 500, "more.jsonl")
    with running(file) as protocol:
        assert len(protocol.splits.eval) == 50
    more = tmp_path / "more.jsonl"
    kept = more.read_text()
    more.write_text(kept.replace("fair", "market", 1))
    with running(file) as protocol, pytest.raises(DataError, match="changed"):
        _ = protocol.splits
    more.write_text(kept)
    with running(file) as protocol:
        assert len(protocol.splits.eval) == 50


def test_further_files_stay_in_the_order_in_which_they_were_added(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=40)
    added(file, 10, 500, "second.jsonl")
    with running(file) as protocol:
        assert len(protocol.splits.eval) == 50
    added(file, 10, 600, "third.jsonl")
    assert "more: [third.jsonl, second.jsonl]" in file.read_text()
    said = r"found 'third.jsonl' as file 1, where 'second.jsonl' was .*\n.*new ones last"
    with running(file) as protocol, pytest.raises(DataError, match=said):
        _ = protocol.splits
    file.write_text(file.read_text().replace("third.jsonl, second", "second.jsonl, third"))
    for _again in range(2):
        with running(file) as protocol:
            assert len(protocol.splits.eval) == 60


def test_added_cases_need_ids_of_their_own_and_must_not_teach(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=40)
    added(file, 2, 0, "more.jsonl")
    with running(file) as protocol, pytest.raises(DataError, match="ids of their own"):
        _ = protocol.splits
    rows = [json.loads(line) for line in (tmp_path / "cases.jsonl").read_text().splitlines()]
    copies = [{**row, "id": f"copy-{row['id']}"} for row in rows]
    (tmp_path / "more.jsonl").write_text("".join(json.dumps(row) + "\n" for row in copies))
    with running(file) as protocol, pytest.raises(LeakageError):
        _ = protocol.splits
