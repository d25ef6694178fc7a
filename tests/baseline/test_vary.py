"""Sampling and looking up as things that the search varies, where the study wants it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from msgspec import UNSET

from tests import world
from tests.baseline.scripted import DEV, START, TRAIN, Quality, Scripted
from tests.retrieval import fair
from tuneornot import baseline, fingerprint, study
from tuneornot.baseline.race import Budget
from tuneornot.baseline.space import NOTHING, Drawing, Offers, Space
from tuneornot.errors import StudyError
from tuneornot.forecast.basis import Basis
from tuneornot.formats import promptfile
from tuneornot.models import sampling
from tuneornot.models.base import Request
from tuneornot.models.scripted import ScriptedModel
from tuneornot.protocol import Protocol
from tuneornot.records import Json, Ledger, Prompt, Sampling
from tuneornot.study import By

DRAWINGS = (Drawing(0.3, 1.0), Drawing(0.7, 0.9))
WANTED = Offers(sampled=DRAWINGS, lookup=True)
READER = "local:reader"


def searched(quality: Quality, by: By = "race", offers: Offers = WANTED) -> Ledger:
    model = Scripted(quality)
    return baseline.search(
        model, TRAIN, DEV, start=START, budget=Budget(calls=1200), offers=offers, by=by
    )


def cooler(prompt: Prompt) -> float:
    return 0.8 if prompt.temperature == 0.3 else 0.4


def unread(prompt: Prompt) -> float:
    return 0.8 if prompt.looks_up is False else 0.4


@pytest.mark.parametrize("by", ["race", "optuna"])
@pytest.mark.parametrize("quality", [cooler, unread])
def test_what_is_better_so_is_found(quality: Callable[[Prompt], float], by: By) -> None:
    ledger = searched(quality, by)
    assert quality(baseline.winner(ledger)) == 0.8
    word = "temperature 0.3" if quality is cooler else "nothing looked up"
    assert word in ledger.best
    assert any(word not in one.name for one in ledger.candidates)
    told = "; ".join(ledger.notes)
    assert "sampling: also temperature 0.3, top_p 1 or temperature 0.7, top_p 0.9" in told
    assert "retrieval: also without what is looked up" in told
    assert ("proposed by optuna" in told) == (by == "optuna")


def test_nothing_of_it_is_tried_where_the_study_does_not_want_it() -> None:
    ledger = searched(cooler, offers=NOTHING)
    prompts = [one.prompt for one in ledger.candidates]
    assert {(one.temperature, one.top_p, one.looks_up) for one in prompts} == {(UNSET,) * 3}
    assert ledger.notes == ()


def test_the_leader_is_also_tried_as_the_arm_says_it() -> None:
    space = Space(START, TRAIN.cases, 0, WANTED)
    field = space.first()
    off = next(one for one in field if one.prompt.looks_up is False)
    drawn = next(one for one in field if one.prompt.temperature == 0.7)
    assert drawn.name.endswith("temperature 0.7, top_p 0.9")
    assert any(one.prompt.looks_up is UNSET for one in space.variations(off, None))
    again = [one.prompt.temperature for _ in range(20) for one in space.variations(drawn, None)]
    assert UNSET in again


def test_a_prompt_of_the_user_keeps_its_own_in_every_frame() -> None:
    start = msgspec.structs.replace(START, temperature=0.5, looks_up=False)
    field = Space(start, TRAIN.cases, 0).first()
    assert {(one.prompt.temperature, one.prompt.looks_up) for one in field} == {(0.5, False)}


@pytest.mark.parametrize("by", ["race", "optuna"])
def test_passages_that_the_user_left_out_are_tried_too(by: By) -> None:
    start = msgspec.structs.replace(START, looks_up=False)
    model = Scripted(lambda prompt: 0.4 if prompt.looks_up is False else 0.8)
    ledger = baseline.search(
        model, TRAIN, DEV, start=start, budget=Budget(calls=1200), offers=WANTED, by=by
    )
    assert baseline.winner(ledger).looks_up is UNSET


class TestPrompt:
    full = Prompt(instructions="Do.", temperature=0.3, top_p=0.9, looks_up=False)

    def test_older_prompts_keep_their_fingerprints(self) -> None:
        before: dict[str, Json] = {
            "instructions": "Do.",
            "format_hint": "",
            "demonstrations": [],
            "nearest": None,
            "reasoning": 5,
            "form": None,
        }
        assert Prompt(instructions="Do.", reasoning=5).fingerprint == fingerprint.of(before)
        assert self.full.fingerprint != Prompt(instructions="Do.").fingerprint

    def test_its_own_drawing_goes_before_the_arms(self) -> None:
        arm = Sampling(temperature=0.9, top_p=0.5, max_tokens=7)
        under = sampling.under(self.full, arm)
        assert (under.temperature, under.top_p, under.max_tokens) == (0.3, 0.9, 7)
        assert sampling.under(Prompt(instructions="Do."), arm) == arm

    def test_a_file_holds_it(self, tmp_path: Path) -> None:
        file = tmp_path / "prompt.yaml"
        file.write_text(promptfile.written(self.full))
        assert promptfile.read(file) == self.full
        assert "looks_up" not in promptfile.written(Prompt(instructions="Do."))


class TestOffers:
    def offered(self, model: str, how: Sampling) -> Offers:
        return baseline.varied(NOTHING, ("sampling",), start=START, model=model, sampling=how)

    def test_what_the_arm_does_already_is_no_other_way(self) -> None:
        greedy = self.offered("local:x", Sampling()).sampled
        assert greedy == DRAWINGS
        warm = self.offered("local:x", Sampling(temperature=0.3)).sampled
        assert warm == (Drawing(0.0, 1.0), Drawing(0.7, 0.9))


class TestStudy:
    def planned(self, folder: Path, vary: str, more: str = "") -> Path:
        folder.mkdir(exist_ok=True)
        file = fair.write(folder)
        text = file.read_text().replace("top: 3}", f"top: 3}}, search: {{calls: 330, {vary}}}")
        file.write_text(text + more)
        return file

    def test_passages_that_mislead_are_left_out(self, tmp_path: Path) -> None:
        file = self.planned(tmp_path, "vary: [retrieval]")
        prices = {row["input"]: row["expected"] for row in world.questions(120)}

        def misled(request: Request) -> str:
            content = request.messages[-1].content
            return "a guess" if "Context:" in content else prices[content]

        model = ScriptedModel(READER, misled)
        protocol = Protocol(
            study.read(file),
            tmp_path,
            tmp_path / "results",
            listener=world.Silence(),
            opened={READER: model},
        )
        try:
            ledger = protocol.search("looked-up")
            assert baseline.winner(ledger).looks_up is False
            [arm] = protocol.arms("looked-up")
            assert (arm.retrieval, arm.kind) == (None, "prompted")
            [run] = protocol.runs["looked-up"]
            assert run.retrieved is None
            assert all(score.value == 1 for score in run.scores)
            [comparison] = protocol.comparisons
            assert not [one for one in comparison.checks if one.name.startswith("knowledge")]
            basis, some = Basis(protocol, "looked-up", {}), protocol.splits.dev.cases
            plain, looked = (
                basis.read([Prompt(instructions="Say.", looks_up=looks_up)], some).value
                for looks_up in (False, UNSET)
            )
            assert plain is not None
            assert looked is not None
            assert plain < looked / 2
        finally:
            protocol.close()

    def test_what_there_is_nothing_to_vary_of_is_told(self, tmp_path: Path) -> None:
        file = self.planned(tmp_path, "vary: [sampling]")
        with pytest.raises(StudyError, match=r"search\.vary: sampling .* repeats: 1 .* 2 or more"):
            study.read(file)
        study.read(self.planned(tmp_path, "vary: [sampling]", "repeats: 2\n"))
        file = world.write(tmp_path, n_eval=60)
        wanted = f'model: "{world.OLD}", search: {{calls: 300, vary: [retrieval]}}'
        file.write_text(file.read_text().replace(f'model: "{world.OLD}"', wanted))
        with pytest.raises(StudyError, match=r"search\.vary: retrieval .* give the arm `retrieve`"):
            study.read(file)
