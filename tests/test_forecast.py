"""The estimate against what really happens."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from tests import world
from tests.cli.test_cli import answered, at, shop, tuneornot
from tests.judge import HELPFUL, fallible
from tests.retrieval import fair
from tests.world import NEW, OLD
from tuneornot import findings, forecast
from tuneornot.errors import BudgetExceeded
from tuneornot.forecast import Forecast, Outlay
from tuneornot.models.base import Reply, Request
from tuneornot.models.scripted import ScriptedModel
from tuneornot.protocol import Protocol
from tuneornot.records import Message, Phase
from tuneornot.spending import Tally

RATES = "{input_per_million: 1000, output_per_million: 3000}"


def slow(name: str, characters_per_token: float = 3.0) -> ScriptedModel:
    """A model that takes 4 ms and counts tokens in its own way."""
    known = world.right(2000)

    def answer(request: Request) -> Reply:
        said = sum(len(message.content) for message in request.messages)
        text = known[request.messages[-1].content]
        return Reply(
            text=text,
            n_input_tokens=round(said / characters_per_token),
            n_output_tokens=len(text),
            latency_s=0.004,
        )

    return ScriptedModel(name, answer, pause=time.sleep)


def study(
    folder: Path,
    *,
    budget: str = "{}",
    search: str = "",
    metrics: str = "[exact_match]",
    prices: str = "",
) -> Path:
    file = world.write(folder, n_eval=100, metrics=metrics)
    text = file.read_text().replace(f'{{model: "{OLD}"}}', f'{{model: "{OLD}"{search}}}')
    file.write_text(f"budget: {budget}\n{prices}{text}")
    rates = f'{{"{OLD}": {RATES}, "{NEW}": {RATES}}}'
    (folder / "prices.yaml").write_text(f"as_of: 2026-11-20\ncurrency: EUR\nmodels: {rates}\n")
    return file


def opened(file: Path) -> Protocol:
    return world.opened(file, slow(OLD), slow(NEW))


def outlay(found: Forecast, step: str, arm: str | None = None) -> Outlay:
    [one] = [one for one in found.outlays if one.step == step and arm in (None, one.arm)]
    return one


def used(phases: Sequence[Phase], name: str) -> Phase:
    return next(phase for phase in phases if phase.name == name)


def test_a_probed_estimate_comes_true_within_a_fifth_and_its_time_within_threefold(
    tmp_path: Path,
) -> None:
    file = study(
        tmp_path,
        search=", search: {calls: 300}",
        metrics="[exact_match, latency]",
        prices="prices: prices.yaml\n",
    )
    with closing(opened(file)) as protocol:
        for name in protocol.study.arms:
            forecast.probe(protocol, name, 8)
        looks = protocol.store.looks()
        told = forecast.of(protocol)
        n_before = len(protocol.store.phases())
        found = findings.of(protocol)
        done = protocol.store.phases()[n_before:]
    assert looks == ()
    other = used(done, "measure other")
    expected = outlay(told, "measure other")
    assert expected.n_calls == other.n_asked == 100
    assert expected.n_input_tokens == pytest.approx(other.spent[0].n_input_tokens, rel=0.05)
    assert expected.n_output_tokens == pytest.approx(other.spent[0].n_output_tokens, rel=0.1)
    search = used(done, "engineer the prompt of prompted")
    expected = outlay(told, "engineer the prompt of prompted")
    assert expected.at_most
    assert expected.n_calls is not None
    assert search.n_asked <= expected.n_calls == 300
    timing = used(done, "time every arm")
    assert sum(one.n_calls or 0 for one in told.outlays if one.step == timing.name) == 26
    assert timing.n_asked == 26
    # All together: the winner's length is not known before, the rest is.
    total = sum(one.n_calls for phase in done for one in phase.spent)
    assert told.total.calls == pytest.approx(total, rel=0.2)
    waited = sum(one.seconds for phase in done for one in phase.spent)
    assert told.total.minutes is not None
    assert waited / 3 < 60 * told.total.minutes < 3 * waited
    money = sum(phase.money or 0 for phase in found.phases)
    assert told.total.money is not None
    assert told.spent.money is not None
    assert money / 2 < told.total.money + told.spent.money < 2 * money


def test_without_anything_measured_the_estimate_says_what_it_rests_on(tmp_path: Path) -> None:
    models = slow(OLD), slow(NEW)
    with closing(world.opened(study(tmp_path), *models)) as protocol:
        told = forecast.of(protocol)
        cases = protocol.splits.eval.cases
        start = protocol.start("other").messages(cases[0])
    assert [model.n_asked for model in models] == [0, 0]
    one = outlay(told, "measure other")
    assert (one.n_calls, one.n_known) == (100, 0)
    fixed = len(start[0].content)
    characters = sum(fixed + len(str(case.input)) for case in cases)
    assert one.n_input_tokens == pytest.approx(characters / 4)
    assert one.n_output_tokens == pytest.approx(100 + sum(len(case.answer) for case in cases) / 4)
    assert one.minutes is None
    assert told.total.minutes is None
    assert told.total.money is None
    assert "a rule of thumb" in one.basis[0]
    assert "--probe" in one.basis[2]


def test_what_was_measured_corrects_the_rule_of_thumb(tmp_path: Path) -> None:
    with closing(opened(study(tmp_path))) as protocol:
        before = outlay(forecast.of(protocol), "measure other").n_input_tokens
        forecast.probe(protocol, "other", 10)
        after = outlay(forecast.of(protocol), "measure other").n_input_tokens
    assert before is not None
    assert after == pytest.approx(before * 4 / 3, rel=0.02)


def test_what_is_known_need_not_be_asked(tmp_path: Path) -> None:
    file = study(tmp_path, budget="{calls: 130}", metrics="[exact_match, latency]")
    with closing(opened(file)) as protocol:
        told = forecast.of(protocol)
        assert told.short == {"calls": 226.0}
        with pytest.raises(Exception, match="budget"):
            findings.of(protocol)
    with closing(opened(file)) as protocol:
        told = forecast.of(protocol)
    assert (outlay(told, "measure prompted").n_known, told.spent.calls) == (100, 130)
    assert outlay(told, "time every arm", "other").n_calls == 0
    assert outlay(told, "measure other").n_calls == 96
    file.write_text(file.read_text().replace("calls: 130", "calls: 226"))
    with closing(opened(file)) as protocol:
        assert forecast.of(protocol).short == {}
        findings.of(protocol)
        done = forecast.of(protocol)
    assert (done.total.calls, done.total.tokens, done.total.minutes) == (0, 0, 0)


def test_a_search_in_minutes_takes_as_many_calls_as_the_model_is_fast(tmp_path: Path) -> None:
    file = study(tmp_path, search=", search: {minutes: 0.5}")
    with closing(opened(file)) as protocol:
        unknown = outlay(forecast.of(protocol), "engineer the prompt of prompted")
        assert (unknown.n_calls, unknown.minutes) == (None, 0.5)
        forecast.probe(protocol, "prompted", 10)
        told = outlay(forecast.of(protocol), "engineer the prompt of prompted")
        [probed] = used(protocol.store.phases(), "probe prompted").spent
    assert told.n_calls == math.ceil(30 / (probed.seconds / probed.n_calls))
    assert told.minutes == pytest.approx(0.5, rel=0.01)


def test_a_tokenizer_in_this_process_is_asked_instead_of_guessing(tmp_path: Path) -> None:
    class Showing(ScriptedModel):
        def prompt_tokens(self, messages: Sequence[Message]) -> list[int]:
            return [0] * 77

    file = study(tmp_path)
    other = Showing(NEW, slow(NEW)._answers)
    with closing(world.opened(file, slow(OLD), other)) as protocol:
        one = outlay(forecast.of(protocol), "measure other")
    assert one.n_input_tokens == 7700
    assert one.basis[0] == "tokens read: the model's own tokenizer"


@pytest.mark.parametrize(("by", "asked", "most"), [("race", 2, 15), ("gepa", 0, 45)])
def test_the_writer_of_a_search_is_counted_until_it_is_done(
    tmp_path: Path, by: str, asked: int, most: int
) -> None:
    if by == "gepa":
        pytest.importorskip("gepa")
    author = ScriptedModel(
        "http://127.0.0.1:1/v1#author",
        lambda request: Reply(
            text="<instructions>Name the price.</instructions>",
            n_input_tokens=100,
            n_output_tokens=10,
        ),
    )
    search = f', search: {{calls: 300, writer: "{author.name}", by: {by}}}'
    file = study(tmp_path, search=search)
    (tmp_path / "prices.yaml").write_text(
        f'as_of: 2026-11-20\ncurrency: EUR\nmodels: {{"{author.name}": {RATES}}}\n'
    )
    file.write_text("prices: prices.yaml\n" + file.read_text())
    models = (slow(OLD), slow(NEW), author)
    with closing(world.opened(file, *models)) as protocol:
        told = written(forecast.of(protocol), author.name)
        assert author.n_asked == 0
        task = protocol.start("prompted").instructions
        findings.of(protocol)
        done = forecast.of(protocol)
    assert told.n_calls is not None
    assert told.n_input_tokens is not None
    assert asked <= author.n_asked <= told.n_calls <= most
    assert told.n_input_tokens > told.n_calls * len(task) / 4
    assert told.n_output_tokens == told.n_calls * 1024
    assert told.money == pytest.approx(
        (told.n_input_tokens * 1000 + told.n_output_tokens * 3000) / 1e6, rel=1e-3
    )
    assert told.minutes is None
    assert "writer: 4 characters a token" in told.basis[0]
    assert all(one.model != author.name for one in done.outlays)


def test_the_writer_of_a_search_that_was_stopped_is_counted_by_what_it_wrote(
    tmp_path: Path,
) -> None:
    author = ScriptedModel(
        "http://127.0.0.1:1/v1#author",
        lambda request: Reply(text="No.", n_input_tokens=100, n_output_tokens=10),
    )
    search = f', search: {{minutes: 1, writer: "{author.name}"}}'
    file = study(tmp_path, search=search, budget="{calls: 30}")
    models = (slow(OLD), slow(NEW), author)
    with closing(world.opened(file, *models)) as protocol:
        unknown = written(forecast.of(protocol), author.name)
        assert (unknown.n_calls, unknown.minutes) == (None, 0.0)
        with pytest.raises(BudgetExceeded):
            protocol.search("prompted")
    with closing(world.opened(file, *models)) as protocol:
        told = written(forecast.of(protocol), author.name)
    assert told.n_known == author.n_asked >= 2
    assert told.n_calls is not None
    assert told.n_output_tokens == 10 * told.n_calls
    assert told.minutes == 0.0
    assert f"writer: {author.n_asked} earlier questions to {author.name}" in told.basis


def written(found: Forecast, author: str) -> Outlay:
    [one] = [one for one in found.outlays if one.model == author]
    return one


def test_judges_are_asked_as_often_as_was_said(tmp_path: Path) -> None:
    file = study(tmp_path, metrics=f"[exact_match, {json.dumps(HELPFUL)}]")
    judge = fallible(world.right(2000), sensitivity=1, specificity=1)
    with closing(world.opened(file, slow(OLD), slow(NEW), judge)) as protocol:
        told = forecast.of(protocol)
        findings.of(protocol)
        phases, after = protocol.store.phases(), forecast.of(protocol)
    asked = Tally(one for phase in phases for one in phase.spent).of(judge.name).n_calls
    expected = [one for one in told.outlays if one.model == judge.name]
    assert [one.step for one in expected] == ["judge prompted", "judge other"]
    # Both arms are always right here, so they give the same answers: each is judged once.
    assert sum(one.n_calls or 0 for one in expected) == 200
    assert asked == 100
    assert after.total.calls == 0


def test_an_arm_that_looks_up_is_known_by_what_it_was_asked(tmp_path: Path) -> None:
    file = fair.write(tmp_path)
    name = "local:reader"
    for left in (120, 0):
        with closing(world.opened(file, ScriptedModel(name, fair.reply))) as protocol:
            told = forecast.of(protocol)
            bare, looked = outlay(told, "measure bare"), outlay(told, "measure looked-up")
            assert told.total.calls == left
            if left:
                assert bare.n_input_tokens is not None
                assert looked.n_input_tokens is not None
                assert looked.n_input_tokens > 1.5 * bare.n_input_tokens
            findings.of(protocol)


@pytest.mark.slow
def test_the_command(tmp_path: Path) -> None:
    count = tmp_path / "asked"
    with shop(count) as base:
        file = at(world.write(tmp_path, n_eval=60), base)
        file.write_text("budget: {calls: 100}\n" + file.read_text())
        told = tuneornot("estimate", file)
        assert told.returncode == 0, told.stderr
        assert answered(count) == 0
        assert "calls: 100 allowed, 0 spent before, 120 to come: NOT ENOUGH" in told.stdout
        probed = json.loads(tuneornot("estimate", file, "--probe", "5", "--json").stdout)
        assert answered(count) == 10
        assert probed["short"] == {"calls": 130.0}
        asked = {json.loads(line.partition(" ")[2]) for line in count.read_text().splitlines()}
        with closing(world.opened(file)) as protocol:
            assert asked == {case.input for case in protocol.splits.dev.cases[:5]}
        again = tuneornot("estimate", file, "--probe", "5")
        assert answered(count) == 10
        assert "as in 5 known answers" in again.stdout
        assert tuneornot("estimate", file, "--probe", "-1").returncode == 2
