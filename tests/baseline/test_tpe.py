"""Optuna's proposals: raced, counted and repeated like our own, and told where they cannot be."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from tests import world
from tests.baseline import scripted
from tests.baseline.scripted import DEV, START, TRAIN, Quality, Scripted, quality
from tests.world import NEW, OLD
from tuneornot import baseline, study
from tuneornot.baseline.race import Budget
from tuneornot.baseline.space import Offers, Parts, Space
from tuneornot.baseline.tpe import IDLE, STALE
from tuneornot.errors import StudyError
from tuneornot.models.base import Reply, Request
from tuneornot.models.scripted import Script, ScriptedModel, answers
from tuneornot.records import Dataset, Json, Ledger

searched = functools.partial(scripted.searched, by="optuna")


def test_the_same_seed_asks_the_same() -> None:
    first, again, other = Scripted(quality), Scripted(quality), Scripted(quality)
    ledger = searched(first, 900, seed=4)
    assert searched(again, 900, seed=4) == ledger
    assert first.asked == again.asked
    searched(other, 900, seed=5)
    assert other.asked != first.asked


def test_every_prompt_answers_the_same_cases_in_the_same_order() -> None:
    model = Scripted(quality)
    ledger = searched(model, 900)
    orders: dict[str, list[str]] = {}
    for prompt, case in model.asked:
        orders.setdefault(prompt, []).append(case)
    wanted = [case.id for case in DEV.cases]
    assert len(orders) == len(ledger.candidates) >= 8
    assert all(order == wanted[: len(order)] for order in orders.values())
    assert sum(len(order) == 60 for order in orders.values()) == 4


@pytest.mark.parametrize("calls", [7, 60, 130, 600])
def test_a_budget_of_calls_is_kept_and_said(calls: int) -> None:
    model = Scripted(quality)
    ledger = searched(model, calls)
    assert len(model.asked) == ledger.n_calls <= calls
    assert ledger.n_calls > calls - 20 - 60
    assert sum(one.n_cases for one in ledger.candidates) == ledger.n_calls
    assert ledger.ended == f"the budget of {calls} calls was spent"


def test_poor_prompts_end_early_and_say_so() -> None:
    ledger = searched(Scripted(quality), 1500)
    ended = [one for one in ledger.candidates if "below the median" in (one.dropped or "")]
    assert ended
    assert all(one.n_cases == 20 and one.p_value is None for one in ended)
    done = [one.mean for one in ledger.candidates if one.dropped is None]
    assert np.mean([one.mean for one in ended]) < np.mean(done)


def test_it_beats_the_users_own_prompt_by_far_where_there_is_something_to_gain() -> None:
    found = [
        quality(baseline.winner(searched(Scripted(quality, seed=seed), 1000, seed=seed)))
        for seed in range(3)
    ]
    assert np.mean(found) > 0.38 > quality(START) + 0.25


@pytest.mark.parametrize(
    ("truth", "train", "ended"),
    [
        (lambda prompt: 1.0, TRAIN, "no dev case is left to win"),
        (
            lambda prompt: 0.5 if prompt == START else 0.01,
            TRAIN,
            f"{IDLE} prompts of optuna's in a row brought nothing better",
        ),
        (
            lambda prompt: 0.3,
            Dataset(name="train", cases=()),
            f"optuna proposed nothing new {STALE} times in a row",
        ),
    ],
    ids=["won", "idle", "stale"],
)
def test_it_ends_when_more_would_bring_nothing(truth: Quality, train: Dataset, ended: str) -> None:
    assert searched(Scripted(truth), 100_000, train=train).ended == ended


def test_what_is_offered_is_tried() -> None:
    form: dict[str, Json] = {"type": "object"}
    model = Scripted(quality)
    ledger = searched(model, 2000, offers=Offers(form, 100, difficulty=True))
    prompts = [one.prompt for one in ledger.candidates]
    assert any(prompt.form for prompt in prompts)
    assert any(prompt.reasoning for prompt in prompts)
    assert not any(prompt.form and prompt.reasoning for prompt in prompts)
    assert any("hard" in one.name or "mixed" in one.name for one in ledger.candidates)
    assert ledger.notes


def test_instructions_of_a_writer_are_frames_too() -> None:
    def write(question: str) -> str:
        return "<instructions>Mind the rule.</instructions>"

    model = Scripted(lambda prompt: 0.7 if "rule" in prompt.instructions else 0.2)
    ledger = baseline.search(
        model, TRAIN, DEV, start=START, budget=Budget(calls=1500), write=write, by="optuna"
    )
    assert "Mind the rule." in baseline.winner(ledger).instructions


def test_the_same_parts_make_the_same_prompt_and_another_draw_other_cases() -> None:
    parts = Parts("task", "no hint", "random", 8)
    first, again = (Space(START, TRAIN.cases, 1).of(parts) for _ in range(2))
    other = Space(START, TRAIN.cases, 1).of(parts._replace(draw=1))
    assert first is not None
    assert other is not None
    assert first == again
    assert first.prompt.demonstrations != other.prompt.demonstrations
    assert Space(START, TRAIN.cases[:10], 1).of(parts._replace(how="nearest")) is None


def answering(n: int) -> ScriptedModel:
    """Right on two questions of five; after n answers somebody interrupts it."""
    known = answers(world.right(200), Script(quality=0.4, spread=0.1, seed=3))
    left = iter(range(n))

    def reply(request: Request) -> Reply | str:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return known(request)

    return ScriptedModel(OLD, reply)


class TestStudy:
    def planned(self, folder: Path) -> Path:
        folder.mkdir()
        file = world.write(folder, n_eval=60)
        wanted = f'model: "{OLD}", search: {{calls: 200, by: optuna}}'
        file.write_text(file.read_text().replace(f'model: "{OLD}"', wanted))
        return file

    def ledger(self, file: Path, model: ScriptedModel) -> Ledger:
        protocol = world.opened(file, model, world.model(NEW, 0.6))
        try:
            return protocol.search("prompted")
        finally:
            protocol.close()

    def test_an_interrupted_search_goes_on_where_it_stopped(self, tmp_path: Path) -> None:
        whole = answering(10_000)
        told = self.ledger(self.planned(tmp_path / "whole"), whole)
        file = self.planned(tmp_path / "cut")
        first, second = answering(70), answering(10_000)
        with pytest.raises(KeyboardInterrupt):
            self.ledger(file, first)
        again = self.ledger(file, second)
        assert [(one.name, one.mean) for one in again.candidates] == [
            (one.name, one.mean) for one in told.candidates
        ]
        assert first.n_asked == 70
        assert whole.n_asked == first.n_asked + second.n_asked

    def test_without_the_package_the_study_says_so(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = self.planned(tmp_path / "study")
        found = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: None if name == "optuna" else found(name)
        )
        with pytest.raises(StudyError, match=r"arms.prompted.search.by: .*tuneornot\[optuna\]"):
            study.read(file)

    def test_who_proposes_is_a_part_of_the_plan(self, tmp_path: Path) -> None:
        assert "by: optuna" in study.text(study.read(self.planned(tmp_path / "study")))
