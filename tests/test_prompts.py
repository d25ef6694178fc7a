"""The prompts of a study's arms: from files, and never with a case that judges."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests import world
from tests.world import NEW, OLD
from tuneornot import findings, study
from tuneornot.errors import LeakageError, StudyError
from tuneornot.formats import promptfile
from tuneornot.prompts import Prompts
from tuneornot.records import Case, Prompt, Splits

ROWS = world.questions(200)


def splits(file: Path) -> Splits:
    protocol = world.opened(file)
    try:
        return protocol.splits
    finally:
        protocol.close()


def planned(file: Path, what: str) -> Path:
    file.write_text(file.read_text().replace(f'model: "{OLD}"', f'model: "{OLD}", {what}'))
    return file


def taught(case: Case) -> Prompt:
    return Prompt(instructions="Tell the price.", demonstrations=(case,))


def by_words(case: Case) -> Prompt:
    return Prompt(instructions=f"Tell the price. {case.text} {case.answer}!")


def by_hint(case: Case) -> Prompt:
    return Prompt(instructions="Tell the price.", format_hint=f"As to: {case.text.upper()}")


@pytest.mark.parametrize("leak", [taught, by_words, by_hint])
def test_a_prompt_file_that_holds_a_case_that_judges_is_refused_before_anything_is_asked(
    tmp_path: Path, leak: Callable[[Case], Prompt]
) -> None:
    file = world.write(tmp_path, n_eval=60)
    case = splits(file).eval.cases[7]
    (tmp_path / "mine.yaml").write_text(promptfile.written(leak(case)))
    old = world.model(OLD, 0.4)
    protocol = world.opened(planned(file, "prompt: mine.yaml"), old, world.model(NEW, 0.6))
    try:
        with pytest.raises(LeakageError, match=case.id):
            findings.of(protocol)
        assert old.n_asked == 0
        assert protocol.store.looks() == ()
    finally:
        protocol.close()


def test_a_demonstration_that_passed_as_a_case_of_train_passes_in_a_prompt(tmp_path: Path) -> None:
    """An answer that many cases of train have is rare among a few demonstrations."""
    rows = [{**row, "expected": "8"} if 99 < n < 105 else row for n, row in enumerate(ROWS)]
    rows[0] = {**rows[0], "input": "the 13th of this month", "expected": "8"}
    rows[100] = {**rows[100], "input": "the 3rd of this month"}
    for part, kept in (("eval", rows[:60]), ("train", rows[60:170]), ("dev", rows[170:])):
        lines = "".join(json.dumps(row) + "\n" for row in kept)
        (tmp_path / f"{part}.jsonl").write_text(lines)
    file = world.write(tmp_path, n_eval=60)
    parts = "train: train.jsonl\n  dev: dev.jsonl\n  eval: eval.jsonl\n"
    text = re.sub(r"cases: cases.jsonl\n.*\n", parts, file.read_text())
    file.write_text(text)
    taught, found = Prompts(study.read(file), tmp_path), splits(file)
    case = next(case for case in found.train.cases if case.id == "q100")
    taught.refuse_quotes("prompted", [Prompt(demonstrations=(case,))], found)
    brought = msgspec.structs.replace(case, id="another")
    with pytest.raises(LeakageError, match="demonstrations 'another' asks nearly the same"):
        taught.refuse_quotes("prompted", [Prompt(demonstrations=(brought,))], found)


def test_a_task_that_quotes_a_case_is_refused(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    case = splits(file).eval.cases[0]
    quoted = f"task: 'Tell the price. {case.text} {case.answer}'"
    file.write_text(file.read_text().replace("task: Tell the price.", quoted))
    protocol = world.opened(file)
    try:
        with pytest.raises(LeakageError, match=f"quotes eval '{case.id}'"):
            protocol.start("other")
    finally:
        protocol.close()


def test_a_prompt_file_is_what_an_arm_begins_with_and_part_of_the_plan(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    before = world.opened(file)
    shown = before.splits.train.cases[:3]
    given = Prompt(instructions="Prices!", demonstrations=shown, nearest=2)
    (tmp_path / "mine.yaml").write_text(promptfile.written(given))
    protocol = world.opened(
        planned(file, "prompt: mine.yaml"), world.model(OLD, 0.4), world.model(NEW, 0.6)
    )
    try:
        assert protocol.start("prompted") == given
        assert protocol.start("other") == Prompt(instructions="Tell the price.")
        found = findings.of(protocol)
        assert protocol.runs["prompted"][0].arm.prompt == given
        [check] = [one for one in found.comparisons[0].checks if "quote" in one.name]
        assert check.passed
        assert "none of 60 cases" in check.detail
        assert "2 different wordings" in check.detail
        assert "3 demonstrations" in check.detail
        page = findings.write(found, protocol.results).read_text()
        assert "the 2 of them that are worded most like it" in page
    finally:
        before.close()
        protocol.close()
    (tmp_path / "mine.yaml").write_text(promptfile.written(Prompt(instructions="Price?")))
    changed = world.opened(file)
    try:
        assert changed.plan != found.plan
    finally:
        changed.close()


def test_a_search_starts_from_the_file_and_its_candidates_are_looked_at(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    (tmp_path / "mine.yaml").write_text("instructions: Prices!\nformat_hint: One word.\n")
    protocol = world.opened(
        planned(file, "prompt: mine.yaml, search: {calls: 300}"), world.model(OLD, 0.4)
    )
    try:
        ledger = protocol.search("prompted")
        assert ledger.candidates[0].prompt.format_hint == "One word."
        assert all("Prices!" in one.prompt.instructions for one in ledger.candidates)
        assert any(one.prompt.nearest for one in ledger.candidates)
    finally:
        protocol.close()


def test_a_file_with_faults_and_two_sources_of_words_are_sentences(tmp_path: Path) -> None:
    file = planned(world.write(tmp_path, n_eval=60), "prompt: mine.yaml, instructions: x")
    with pytest.raises(StudyError, match=r"arms.prompted: `instructions` and `prompt`"):
        study.read(file)
    file.write_text(file.read_text().replace(", instructions: x", ""))
    protocol = world.opened(file)
    try:
        with pytest.raises(StudyError, match="cannot be read: No such file"):
            _ = protocol.plan
    finally:
        protocol.close()
