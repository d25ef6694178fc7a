"""Instructions that gepa evolves: raced, counted, repeated and refused as all others are."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests import world
from tests.baseline import scripted
from tests.baseline.scripted import DEV, START, TRAIN, Quality, Scripted
from tests.baseline.test_writing import AUTHOR, RULE, quality
from tests.world import NEW, OLD
from tuneornot import baseline, findings, study
from tuneornot.baseline import evolving
from tuneornot.baseline.effort import LEAST
from tuneornot.baseline.evolving import IDLE, REFLECTED
from tuneornot.baseline.space import Offers
from tuneornot.errors import BudgetExceeded, DataError, ModelError, StudyError
from tuneornot.models.base import Reply, Request
from tuneornot.models.scripted import Script, ScriptedModel, answers
from tuneornot.records import Case, Dataset, Ledger, Prompt, Run, Scale, Step

pytest.importorskip("gepa")

STEPPED = msgspec.structs.replace(START, steps=(Step(ask="Note it."),))


class Author:
    """Knows the rule once it is shown a failure; every text of its is another one."""

    def __init__(self) -> None:
        self.questions: list[str] = []

    def __call__(self, question: str) -> str | None:
        self.questions.append(question)
        rule = f" {RULE}" if "The right answer is" in question else ""
        return f"Here:\n```\nTurn it, {len(self.questions)}.{rule}\n```\nDone."


def searched(
    model: Scripted, write: baseline.Write | None, calls: int = 1000, **others: Any
) -> Ledger:
    return scripted.searched(model, calls, by="gepa", write=write, **others)


@pytest.mark.parametrize("calls", [400, 1500])
def test_what_failures_teach_the_writer_wins(calls: int) -> None:
    author, model = Author(), Scripted(quality)
    ledger = searched(model, author, calls)
    assert quality(baseline.winner(ledger)) == 0.8
    assert "gepa" in ledger.best
    assert ledger.notes == ("proposed by gepa",)
    assert ledger.n_calls == len(model.asked) <= calls
    first, rest = ledger.candidates[:LEAST], ledger.candidates[LEAST:]
    assert first[0].prompt == START
    leader = max((one for one in first if one.dropped is None), key=lambda one: one.mean)
    for one in rest:  # words are all that gepa changes
        words = one.prompt.instructions
        assert msgspec.structs.replace(leader.prompt, instructions=words) == one.prompt
        assert one.name.startswith("gepa")


def test_the_same_seed_asks_the_same() -> None:
    authors = Author(), Author(), Author()
    first, again, other = Scripted(quality), Scripted(quality), Scripted(quality)
    ledger = searched(first, authors[0], seed=4)
    assert searched(again, authors[1], seed=4) == ledger
    assert first.asked == again.asked
    assert authors[0].questions == authors[1].questions
    searched(other, authors[2], seed=5)
    assert other.asked != first.asked


def test_the_writer_and_gepa_never_meet_what_the_choice_is_made_on() -> None:
    author, model = Author(), Scripted(quality)
    ledger = searched(model, author)
    assert ledger.n_choosing == 20
    kept = {case.id for case in DEV.cases[40:]}
    when = [position for position, (_, case) in enumerate(model.asked) if case in kept]
    assert when == list(range(when[0], len(model.asked)))  # after all that gepa asked for
    for question in author.questions:
        assert any(case.text in question for case in TRAIN.cases)
        assert not any(case.text in question for case in DEV.cases)
    held = {case.id for case in ledger.candidates[-1].prompt.demonstrations}
    assert held
    assert not held & {case for _, case in model.asked}


@pytest.mark.parametrize("calls", [7, 60, 200, 306, 350, 400])
def test_a_budget_of_calls_is_kept_and_said(calls: int) -> None:
    model = Scripted(lambda prompt: 0.2 + 0.0002 * len(prompt.instructions) % 0.5)
    ledger = searched(model, Author(), calls)
    assert len(model.asked) == ledger.n_calls <= calls
    spent = ledger.ended == f"the budget of {calls} calls was spent"
    assert spent or ledger.ended == "what is left of the budget carries no further rewriting"


@pytest.mark.parametrize("start", [START, STEPPED])
@pytest.mark.parametrize("n_dev", [1, 12, 31, 60, 150])
def test_a_search_with_the_least_calls_races_one_of_gepas(n_dev: int, start: Prompt) -> None:
    dev = Dataset(name="dev", cases=tuple(cases_of("d", n_dev)))
    least = evolving.least_calls(n_dev) * start.n_calls
    for calls, told in ((least - 1, False), (least, True)):
        model = Scripted(lambda prompt: 0.99 if "Turn it, " in prompt.instructions else 0.01)
        ledger = searched(model, Author(), calls, dev=dev, start=start)
        assert any("gepa" in one.name for one in ledger.candidates) is told


def cases_of(prefix: str, n: int) -> list[Case]:
    return [Case(id=f"{prefix}{i}", input=f"question {prefix} {i}", expected=i) for i in range(n)]


@pytest.mark.parametrize("calls", [20, 60, 300, 1500])
@pytest.mark.parametrize("n_dev", [1, 12, 31, 60])
@pytest.mark.parametrize("n_train", [6, 120])
def test_no_search_asks_its_writer_more_often_than_was_said(
    calls: int, n_dev: int, n_train: int
) -> None:
    asked: list[str] = []

    def silent(question: str) -> str | None:
        asked.append(question)
        return None

    train, dev = (
        Dataset(name=part.name, cases=part.cases[:n])
        for part, n in ((TRAIN, n_train), (DEV, n_dev))
    )
    for write in (Author(), silent):
        model = Scripted(lambda prompt: 0.3 + len(prompt.fingerprint) % 7 / 20)
        searched(model, write, calls, train=train, dev=dev)
        n_asked = len(write.questions) if isinstance(write, Author) else len(asked)
        assert n_asked <= evolving.most_asked(calls, n_dev=n_dev)


@pytest.mark.parametrize(
    ("truth", "train", "ended"),
    [
        (lambda prompt: 1.0, TRAIN, "no dev case is left to win"),
        (
            lambda prompt: 0.3 if prompt.n_shown else 0.01,
            TRAIN,
            f"{IDLE} rewritings of gepa's in a row brought nothing better",
        ),
        (
            lambda prompt: 0.3,
            Dataset(name="train", cases=TRAIN.cases[: REFLECTED - 1]),
            f"fewer than {REFLECTED} solved train cases are left that are not shown",
        ),
    ],
    ids=["won", "idle", "no train"],
)
def test_it_ends_when_more_would_bring_nothing(truth: Quality, train: Dataset, ended: str) -> None:
    assert searched(Scripted(truth), Author(), 100_000, train=train).ended == ended


def test_a_prompt_that_thinks_first_goes_on_thinking() -> None:
    def truth(prompt: Prompt) -> float:
        return quality(prompt) if prompt.reasoning else 0.05

    ledger = searched(Scripted(truth), Author(), offers=Offers(reasoning=100))
    prompt = baseline.winner(ledger)
    assert "gepa" in ledger.best
    assert (prompt.reasoning, "Answer:" in prompt.instructions) == (100, True)


def test_what_is_varied_comes_besides_the_first_field() -> None:
    offers = Offers(lookup=True, steps=120)
    ledger = searched(Scripted(quality), Author(), offers=offers)
    assert [one for one in ledger.candidates if one.prompt.looks_up is False]
    assert [one for one in ledger.candidates if one.prompt.steps]
    assert sum("gepa" not in one.name for one in ledger.candidates) == LEAST + 4


def test_lower_may_be_better() -> None:
    model = Scripted(quality, scale=Scale(better="lower", low=0.0, high=1.0))
    author = Author()
    ledger = searched(model, author, 1500)
    assert RULE in baseline.winner(ledger).instructions
    assert all("m: 1. The right answer is: " in text for text in author.questions)


@pytest.mark.parametrize("error", [BudgetExceeded("spent"), ModelError("away"), KeyboardInterrupt])
@pytest.mark.parametrize("whose", ["writer", "model"])
def test_what_is_raised_goes_through_at_once(
    error: BaseException | type[BaseException], whose: str
) -> None:
    n_asked = 0

    def write(question: str) -> str | None:
        nonlocal n_asked
        n_asked += 1
        raise error

    class Failing(Scripted):
        def __call__(self, prompt: Prompt, asked: tuple[Case, ...]) -> Run:  # type: ignore[override]
            if "Turn it, " in prompt.instructions:
                raise error
            return super().__call__(prompt, asked)

    kind = error if isinstance(error, type) else type(error)
    model, author = (Scripted, write) if whose == "writer" else (Failing, Author())
    with pytest.raises(kind) as told:
        searched(model(quality), author)
    assert n_asked == (whose == "writer")
    assert isinstance(error, type) or told.value is error


def test_it_says_and_keeps_nothing_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    searched(Scripted(quality), Author())
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []
    assert "litellm" not in sys.modules


def test_without_a_writer_it_cannot_begin() -> None:
    with pytest.raises(DataError, match="gepa has no writer"):
        searched(Scripted(quality), None)


def answering(n: int) -> ScriptedModel:
    """Right on two questions of five, with the rule on more; after n answers it is interrupted."""
    poor = answers(world.right(200), Script(quality=0.4, spread=0.1, seed=3))
    better = answers(world.right(200), Script(quality=0.8, spread=0.1, seed=3))
    left = iter(range(n))

    def reply(request: Request) -> Reply | str:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return (better if RULE in str(request.messages) else poor)(request)

    return ScriptedModel(OLD, reply)


def author(said: str = RULE) -> ScriptedModel:
    """Finds the rule when it is shown a failure."""

    def reply(request: Request) -> Reply:
        asked = request.messages[-1].content
        found = f" {said}" if "The right answer is" in asked else ""
        n = len(re.findall("[02468]", asked))
        return Reply(text=f"```\nSay the number, {n}.{found}\n```", finish="stop")

    return ScriptedModel(AUTHOR, reply)


class TestStudy:
    def planned(self, folder: Path, search: str = f'writer: "{AUTHOR}", by: gepa') -> Path:
        folder.mkdir()
        file = world.write(folder, n_eval=60)
        wanted = f'model: "{OLD}", search: {{calls: 400, {search}}}'
        file.write_text(file.read_text().replace(f'model: "{OLD}"', wanted))
        return file

    def ledger(self, file: Path, *models: ScriptedModel) -> Ledger:
        protocol = world.opened(file, *models, world.model(NEW, 0.6))
        try:
            return protocol.search("prompted")
        finally:
            protocol.close()

    def test_an_interrupted_search_goes_on_where_it_stopped(self, tmp_path: Path) -> None:
        whole, first, second = answering(10_000), answering(180), answering(10_000)
        writers = author(), author(), author()
        told = self.ledger(self.planned(tmp_path / "whole"), whole, writers[0])
        assert any("gepa" in one.name for one in told.candidates)
        file = self.planned(tmp_path / "cut")
        with pytest.raises(KeyboardInterrupt):
            self.ledger(file, first, writers[1])
        again = self.ledger(file, second, writers[2])
        assert [(one.name, one.mean) for one in again.candidates] == [
            (one.name, one.mean) for one in told.candidates
        ]
        assert first.n_asked == 180
        assert writers[1].n_asked > 0
        assert whole.n_asked == first.n_asked + second.n_asked
        assert writers[0].n_asked == writers[1].n_asked + writers[2].n_asked

    def test_a_text_that_quotes_a_case_that_judges_is_not_taken(self, tmp_path: Path) -> None:
        before = world.opened(world.write(tmp_path, n_eval=60))
        case = before.splits.eval.cases[3]
        before.close()
        file = self.planned(tmp_path / "study")
        protocol = world.opened(
            file, answering(10_000), author(f"{case.text} {case.answer}"), world.model(NEW, 0.6)
        )
        try:
            found = findings.of(protocol)
        finally:
            protocol.close()
        tried = "\n".join(one.prompt.instructions for one in found.ledgers["prompted"].candidates)
        assert case.text not in tried
        assert AUTHOR in {one.model for phase in found.phases for one in phase.spent}

    def test_without_the_package_or_a_writer_the_study_says_so(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = self.planned(tmp_path / "writerless", "by: gepa")
        with pytest.raises(StudyError, match=r"arms.prompted.search.by: gepa .* as `writer`"):
            study.read(file)
        file = self.planned(tmp_path / "study")
        assert "by: gepa" in study.text(study.read(file))
        found = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: None if name == "gepa" else found(name)
        )
        with pytest.raises(StudyError, match=r"arms.prompted.search.by: .*tuneornot\[gepa\]"):
            study.read(file)
