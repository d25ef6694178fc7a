"""Demonstrations by difficulty: what is hard, what it costs to know, and where it pays."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests import world
from tests.baseline import scripted
from tests.baseline.scripted import START, Scripted, cases
from tests.world import NEW, OLD
from tuneornot import baseline, findings, study
from tuneornot.baseline import demonstrations, tried
from tuneornot.baseline.demonstrations import Sorted
from tuneornot.baseline.space import Offers
from tuneornot.baseline.tried import Tried
from tuneornot.errors import StudyError
from tuneornot.records import Case, Ledger, Prompt
from tuneornot.report import remarks

WANTED = Offers(difficulty=True)


def is_hard(case: Case) -> bool:
    """A third of the train cases, whatever their slice."""
    return case.id.startswith("t") and int(case.id[1:]) % 9 < 3


def quality(prompt: Prompt) -> float:
    """Better the more hard cases are shown."""
    shown = prompt.demonstrations
    return 0.2 + (0.5 * sum(map(is_hard, shown)) / len(shown) if shown else 0.0)


class Knowing(Scripted):
    """Right on train cases that are not hard; of ``blind`` prompts, on none."""

    blind: str | None = None

    def right(self, prompt: Prompt, case: Case) -> bool:
        if case.id.startswith("t"):
            return not is_hard(case) and prompt.fingerprint != self.blind
        return super().right(prompt, case)


def searched(model: Scripted, offers: Offers = WANTED, calls: int = 700, seed: int = 0) -> Ledger:
    return scripted.searched(model, calls, offers=offers, seed=seed)


def test_hard_demonstrations_win_where_they_teach_more() -> None:
    model = Knowing(quality)
    ledger = searched(model)
    won = baseline.winner(ledger)
    assert all(is_hard(case) for case in won.demonstrations)
    assert quality(won) == 0.7
    usual = [quality(baseline.winner(searched(Knowing(quality), Offers(), 700, k))) for k in (0, 1)]
    assert max(usual) < 0.6
    assert ledger.n_calls == len(model.asked) <= 700
    [note] = ledger.notes
    assert "of 40 train cases were hard for the bare prompt" in note
    assert {"8 hard", "8 mixed"} <= {one.name.split(", ")[-1] for one in ledger.candidates}


def test_where_the_bare_prompt_tells_nothing_the_leader_is_asked() -> None:
    model = Knowing(quality)
    model.blind = START.fingerprint
    ledger = searched(model, calls=1500)
    bare, leader = ledger.notes
    assert "the bare prompt did equally on all of 40 train cases" in bare
    assert "were hard for the leader" in leader
    assert any("hard" in one.name or "mixed" in one.name for one in ledger.candidates)


def test_a_budget_that_does_not_carry_it_is_kept_and_told() -> None:
    model = Knowing(quality)
    ledger = searched(model, calls=100)
    assert len(model.asked) == ledger.n_calls <= 100
    assert ledger.notes == (
        "difficulty: the budget did not carry asking train cases under the bare prompt",
    )


def test_the_same_seed_asks_the_same() -> None:
    first, again = Knowing(quality), Knowing(quality)
    assert searched(first, seed=3) == searched(again, seed=3)
    assert first.asked == again.asked


def test_nobody_asks_train_cases_where_the_study_does_not_want_it() -> None:
    model = Knowing(quality)
    assert searched(model, Offers()).notes == ()
    assert not [case for _, case in model.asked if case.startswith("t")]


class TestSorted:
    def marked(self, *marks: float) -> list[Tried]:
        some = cases("t", len(marks))
        return [Tried(case, "", mark, mark == 1.0) for case, mark in zip(some, marks, strict=True)]

    def test_below_the_mean_is_hard_and_the_hardest_stands_first(self) -> None:
        known = tried.by_difficulty(self.marked(1.0, 0.4, 0.9, 0.0, 0.8))
        assert [case.id for case in known.hard] == ["t3", "t1"]
        assert {case.id for case in known.easy} == {"t0", "t2", "t4"}

    @pytest.mark.parametrize("mark", [0.0, 0.1, 1.0])
    def test_cases_that_are_marked_alike_are_not_hard(self, mark: float) -> None:
        assert tried.by_difficulty(self.marked(*[mark] * 7)).hard == ()
        assert tried.by_difficulty([]) == Sorted()

    def test_half_of_mixed_ones_are_easy_and_too_few_are_told(self) -> None:
        known = Sorted(cases("h", 30), cases("e", 30))
        draw = demonstrations.draw_sorted
        found = draw(known, 5, random.Random(1), mixed=True, labelled=False)
        assert found is not None
        assert sum(case.id.startswith("h") for case in found.cases) == 3
        hardest = {case.id for case in known.hard[:12]}
        only = draw(known, 4, random.Random(1), mixed=False, labelled=False)
        assert only is not None
        assert {case.id for case in only.cases} <= hardest
        few = known._replace(hard=known.hard[:3])
        assert draw(few, 4, random.Random(1), mixed=False, labelled=False) is None
        assert draw(few, 6, random.Random(1), mixed=True, labelled=False) is not None


class TestStudy:
    def planned(self, folder: Path, search: str) -> Path:
        file = world.write(folder, n_eval=60)
        plain, wanted = f'model: "{OLD}"', f'model: "{OLD}", search: {search}'
        file.write_text(file.read_text().replace(plain, wanted))
        return file

    def test_a_study_reaches_it_and_the_report_tells_of_it(self, tmp_path: Path) -> None:
        file = self.planned(tmp_path, "{calls: 300, vary: [difficulty]}")
        protocol = world.opened(file, world.model(OLD, 0.4), world.model(NEW, 0.6))
        try:
            found = findings.of(protocol)
        finally:
            protocol.close()
        ledger = found.ledgers["prompted"]
        assert any(note.startswith("difficulty: ") for note in ledger.notes)
        assert f"As the study wants: {ledger.notes[0]}" in remarks.ledger(ledger, None)[0]

    def test_what_cannot_be_varied_is_told(self, tmp_path: Path) -> None:
        file = self.planned(tmp_path, "{calls: 300, vary: [colour]}")
        with pytest.raises(StudyError, match=r"arms\.prompted\.search\.vary.*'colour'"):
            study.read(file)

    def test_a_study_that_varies_nothing_further_is_written_as_before(self, tmp_path: Path) -> None:
        plain, wanted = (
            study.read(self.planned(tmp_path, search))
            for search in ("{calls: 300}", "{calls: 300, vary: [difficulty]}")
        )
        assert "vary" not in study.text(plain)
        assert "vary" in study.text(wanted)
        assert study.parse(study.text(wanted)).arms == wanted.arms
