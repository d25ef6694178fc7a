"""The budget of a study: ends the work cleanly, is raised, and the work goes on from there."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests import world
from tests.cli.test_cli import answered, at, refused, shop, tuneornot
from tests.models.misbehaving import misbehaving
from tests.world import NEW, OLD
from tuneornot import findings
from tuneornot.errors import BudgetExceeded
from tuneornot.models.base import Reply, Request
from tuneornot.models.scripted import ScriptedModel
from tuneornot.protocol import Protocol
from tuneornot.report import markdown, pages


def budgeted(file: Path, budget: str) -> Path:
    text = re.sub(r"^budget:.*\n", "", file.read_text(), flags=re.M)
    file.write_text(f"budget: {budget}\n{text}")
    return file


def opened(file: Path) -> Protocol:
    return world.opened(file, world.model(OLD, 0.4), world.model(NEW, 0.8))


def n_kept(protocol: Protocol) -> int:
    return protocol.store.counts()["responses"]


def test_the_budget_ends_the_work_and_raised_it_goes_on(tmp_path: Path) -> None:
    file = budgeted(world.write(tmp_path, n_eval=60), "{calls: 45}")
    with closing(opened(file)) as protocol:
        with pytest.raises(BudgetExceeded, match=r"45 calls, .* tokens in all"):
            findings.of(protocol)
        assert n_kept(protocol) == 45
        plan = protocol.plan
    with closing(opened(file)) as protocol:  # the same budget again: not one question more
        with pytest.raises(BudgetExceeded, match="15 questions of this step"):
            findings.of(protocol)
        assert n_kept(protocol) == 45
    with closing(opened(budgeted(file, "{calls: 120}"))) as protocol:
        found = findings.of(protocol)
    assert found.plan == plan
    assert found.plan_changes == ()
    assert sum(phase.n_asked for phase in found.phases) == 120
    with closing(opened(budgeted(file, "{calls: 1}"))) as protocol:
        # Nothing is left to be asked, so nothing is refused.
        assert findings.of(protocol).comparisons == found.comparisons


def test_a_budget_that_ends_a_search_lets_it_go_on_later(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    file.write_text(
        file.read_text().replace(
            f'{{model: "{OLD}"}}', f'{{model: "{OLD}", search: {{calls: 300}}}}'
        )
    )
    with closing(opened(file)) as protocol:
        whole = protocol.search("prompted")
    again = tmp_path / "again"
    again.mkdir()
    for name in ("study.yaml", "cases.jsonl"):
        (again / name).write_bytes((tmp_path / name).read_bytes())
    file = budgeted(again / "study.yaml", "{calls: 100}")
    with closing(opened(file)) as protocol, pytest.raises(BudgetExceeded):
        protocol.search("prompted")
    with closing(opened(budgeted(file, "{calls: 1000}"))) as protocol:
        assert protocol.search("prompted").best == whole.best
        spent = [phase.n_asked for phase in protocol.store.phases()]
    assert spent[0] == 100
    assert sum(spent) == whole.n_calls


def test_what_was_spent_is_kept_on_the_way(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=200)
    old = world.model(OLD, 0.4)
    answer, seen = old._answers, list[int]()

    def watching(request: Request) -> Reply | str:
        phases = protocol.store.phases()
        seen.append(sum(phase.n_asked for phase in phases))
        assert not any(phase.finished for phase in phases)
        return answer(request)

    protocol = world.opened(file, ScriptedModel(OLD, watching), world.model(NEW, 0.8))
    with closing(protocol):
        found = findings.of(protocol)
    # A kill at any moment leaves no more than 64 answers uncounted.
    assert all(n - 64 <= kept <= n for n, kept in enumerate(seen))
    assert [phase.n_asked for phase in found.phases if phase.n_asked] == [200, 200]


def test_the_report_says_what_was_spent(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    rates = "{input_per_million: 1000, output_per_million: 0}"
    (tmp_path / "prices.yaml").write_text(
        f'as_of: 2026-11-20\ncurrency: EUR\nmodels: {{"{OLD}": {rates}, "{NEW}": {rates}}}\n'
    )
    file.write_text("prices: prices.yaml\n" + file.read_text())
    with closing(opened(file)) as protocol:
        found = findings.of(protocol)
    [prompted] = [phase for phase in found.phases if phase.name == "measure prompted"]
    [used] = prompted.spent
    read = [response.n_input_tokens or 0 for response in found.runs[0].responses]
    assert (used.model, used.n_calls, used.n_input_tokens) == (OLD, 60, sum(read))
    assert prompted.money == pytest.approx(sum(read) / 1000)
    total = sum(one.n_input_tokens for phase in found.phases for one in phase.spent)
    for text in (markdown.render(found), pages.render(found)):
        assert f"Asked: 120 questions, {total:,} tokens read" in text
        assert "EUR" in text
        assert "Cost of an answer that succeeds in Exact match: prompted" in text


def test_in_flight_is_all_that_a_real_server_answers_beyond_the_budget(tmp_path: Path) -> None:
    with misbehaving() as server:
        server.pause_s = 0.01
        server.offered = [{"id": "old"}, {"id": "new"}]
        file = at(world.write(tmp_path, n_eval=200), server.base)
        # 14 tokens an answer, and nobody knows that before the first one.
        protocol = world.opened(budgeted(file, "{tokens: 1000}"))
        with closing(protocol), pytest.raises(BudgetExceeded, match="allows tokens: 1000"):
            findings.of(protocol)
        n_first = len(server.bodies)
        assert 1000 <= 14 * n_first <= 1000 + 14 * server.most_in_flight
        protocol = world.opened(file)
        with closing(protocol):
            assert n_kept(protocol) == n_first
            assert server.n_cancelled == 0
        protocol = world.opened(budgeted(file, "{calls: 401}"))
        with closing(protocol):
            findings.of(protocol)
        asked = Counter(str(body) for body in server.bodies)
    assert len(asked) == sum(asked.values()) == 400


@pytest.mark.slow
def test_the_command_ends_with_3_and_goes_on(tmp_path: Path) -> None:
    count = tmp_path / "asked"
    with shop(count) as base:
        file = budgeted(at(world.write(tmp_path, n_eval=60), base), "{calls: 70}")
        told = refused(3, "run", file)
        assert "BudgetExceeded" in told
        assert "it allows calls: 70, and 70 calls" in told
        assert "50 questions of this step" in told
        assert answered(count) == 70
        assert tuneornot("run", budgeted(file, "{calls: 1e3}")).returncode == 0
        assert answered(count) == 120
