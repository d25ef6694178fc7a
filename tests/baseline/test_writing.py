"""Instructions by another model: what it is shown, what is taken, and that it pays where it can."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import world
from tests.baseline.scripted import DEV, START, TRAIN, Scripted
from tests.world import NEW, OLD
from tuneornot import baseline, findings, study
from tuneornot.baseline import writing
from tuneornot.baseline.race import Budget
from tuneornot.errors import StudyError
from tuneornot.models.base import Reply, Request
from tuneornot.models.scripted import ScriptedModel
from tuneornot.records import Case, Dataset, Ledger, Prompt

RULE = "Mind the seventh rule."
AUTHOR = "http://127.0.0.1:1/v1#author"


class Author:
    """Knows the rule once it is shown a failure; before that it only says the task again."""

    def __init__(self) -> None:
        self.questions: list[str] = []

    def __call__(self, question: str) -> str | None:
        self.questions.append(question)
        if "answered wrongly" in question:
            return f"Here:\n<instructions>\nTurn it. {RULE}\n</instructions>\nDone."
        return "<instructions>Say it as JSON.</instructions>" if len(self.questions) > 1 else "No."


def quality(prompt: Prompt) -> float:
    shown = 0.2 if prompt.n_shown else 0.0
    return 0.3 + shown + 0.3 * (RULE in prompt.instructions)


def searched(author: Author | None, model: Scripted, calls: int = 1500) -> Ledger:
    budget = Budget(calls=calls)
    return baseline.search(
        model, TRAIN, DEV, start=START, budget=budget, write=author, clock=model.clock
    )


@pytest.mark.parametrize("calls", [300, 1500])
def test_what_failures_teach_the_writer_wins(calls: int) -> None:
    author, model = Author(), Scripted(quality)
    ledger = searched(author, model, calls)
    assert RULE in baseline.winner(ledger).instructions
    assert quality(baseline.winner(ledger)) == 0.8
    assert quality(baseline.winner(searched(None, Scripted(quality)))) == 0.5
    assert ledger.n_calls == len(model.asked) <= calls
    written = [one for one in ledger.candidates if "written" in one.name]
    assert any("Say it as JSON." in one.prompt.instructions for one in written)
    assert len({one.prompt.instructions for one in ledger.candidates}) >= 4


@pytest.mark.parametrize("calls", [20, 60, 300, 1500])
@pytest.mark.parametrize("n_dev", [1, 12, 31, 60])
@pytest.mark.parametrize("n_train", [6, 120])
def test_no_search_asks_its_writer_more_often_than_was_said(
    calls: int, n_dev: int, n_train: int
) -> None:
    author, model = Author(), Scripted(lambda prompt: 0.3 + len(prompt.fingerprint) % 7 / 20)
    train, dev = (
        Dataset(name=part.name, cases=part.cases[:n])
        for part, n in ((TRAIN, n_train), (DEV, n_dev))
    )
    baseline.search(
        model,
        train,
        dev,
        start=START,
        budget=Budget(calls=calls),
        write=author,
        clock=model.clock,
    )
    most = writing.most_asked(calls, n_train=n_train, n_dev=n_dev)
    assert 2 <= len(author.questions) <= most


def test_the_writer_is_shown_train_cases_alone() -> None:
    author, model = Author(), Scripted(quality)
    searched(author, model)
    assert len(author.questions) > 2
    for question in author.questions:
        assert START.instructions in question
        assert any(case.text in question for case in TRAIN.cases)
        assert not any(case.text in question for case in DEV.cases)
    failures = next(text for text in author.questions if "answered wrongly" in text)
    assert "What it answered: x" in failures
    assert failures.count("Message: ") <= 6


def test_where_nothing_fails_and_nothing_is_written_the_search_goes_on_without() -> None:
    author = Author()
    assert searched(author, Scripted(lambda prompt: 1.0)).dev_mean == 1.0
    assert len(author.questions) == 2

    def silent(question: str) -> str | None:
        return None

    model = Scripted(quality)
    ledger = baseline.search(
        model, TRAIN, DEV, start=START, budget=Budget(calls=600), write=silent, clock=model.clock
    )
    assert not any("written" in one.name for one in ledger.candidates)


def author_of(text: str) -> ScriptedModel:
    def reply(request: Request) -> Reply:
        return Reply(text=text, finish="stop")

    return ScriptedModel(AUTHOR, reply)


def planned(file: Path, writer: str, calls: int = 300) -> Path:
    searched = f'model: "{OLD}", search: {{calls: {calls}, writer: "{writer}"}}'
    file.write_text(file.read_text().replace(f'model: "{OLD}"', searched))
    return file


def instructions(ledger: Ledger) -> str:
    return "\n".join(one.prompt.instructions for one in ledger.candidates)


def test_a_text_that_quotes_a_case_that_judges_is_not_taken(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    before = world.opened(file)
    case: Case = before.splits.eval.cases[3]
    before.close()
    leak = f"<instructions>Prices. {case.text} {case.answer}</instructions>"
    said: Sequence[tuple[str, bool]] = [
        (leak, False),
        ("<instructions>Prices, to the letter.</instructions>", True),
    ]
    for number, (text, taken) in enumerate(said):
        folder = tmp_path / str(number)
        folder.mkdir()
        other = planned(world.write(folder, n_eval=60), AUTHOR)
        protocol = world.opened(
            other, world.model(OLD, 0.4), world.model(NEW, 0.6), author_of(text)
        )
        try:
            found = findings.of(protocol)
            assert ("Prices" in instructions(found.ledgers["prompted"])) is taken
            spent = {one.model for phase in found.phases for one in phase.spent}
            assert AUTHOR in spent
        finally:
            protocol.close()


def test_a_writer_needs_a_name_of_a_kind(tmp_path: Path) -> None:
    file = planned(world.write(tmp_path, n_eval=60), "gpt-9")
    with pytest.raises(StudyError, match=r"arms.prompted.search.writer: found .gpt-9."):
        study.read(file)
