"""General data beside the task's: what is drawn, what is refused, and what is told of it."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from rapidfuzz import fuzz

from tests.finetune import small
from tests.finetune.test_trained import DEV, RECIPE, TRAIN, Answering, loaded, named, train
from tests.training import tiny
from tuneornot import finetune
from tuneornot.errors import DataError, LeakageError, TrainingError
from tuneornot.finetune import general, mixture
from tuneornot.finetune.mixture import Mixed
from tuneornot.models.base import Reply
from tuneornot.records import Adapter, Case, Dataset
from tuneornot.report import remarks

MIXED = Mixed(tiny.dataset("general", 5, first=80), 0.25, "some.jsonl")


def test_the_own_rows_teach_nothing_that_is_asked() -> None:
    rows = mixture.own().cases
    assert 60 <= len(rows) <= 100
    assert len({row.text for row in rows}) == len(rows)
    assert all(row.answer.strip() for row in rows)
    assert general.taught(rows) == frozenset()
    nearest = max(
        (fuzz.token_sort_ratio(row.text, one.text), row.text, one.text)
        for row in rows
        for one in general.PROBE
    )
    assert nearest[0] < 75, nearest


def test_every_row_is_taken_before_one_is_taken_again() -> None:
    words = tiny.tokenizer()
    drawn = mixture.draw(MIXED, 36, words, seed=1, longest=500)
    assert len(drawn.examples) == 12, "a quarter of 48"
    counts = Counter(one.case_id for one in drawn.examples)
    assert sorted(counts.values()) == [2, 2, 2, 3, 3]
    assert drawn == mixture.draw(MIXED, 36, words, seed=1, longest=500)
    assert drawn.examples != mixture.draw(MIXED, 36, words, seed=2, longest=500).examples
    # They are asked as they stand, without the arm's instructions.
    text = words.decode([*drawn.examples[0].tokens])
    assert tiny.PROMPT.instructions not in text


def test_a_training_is_told_what_was_mixed_in(tmp_path: Path) -> None:
    adapter = mixing(tmp_path)
    assert adapter.settings["mix"] == {"share": 0.25, "rows": MIXED.rows.fingerprint}
    assert named(adapter, "general-data").passed
    assert named(adapter, "general-data").detail == (
        "4 examples of 5 rows of general data (some.jsonl) are mixed into 12 of the task, "
        "25% of all."
    )
    assert "General data are 25% of its examples." in remarks.adapter(adapter)
    with pytest.raises(TrainingError, match=r"found another in .*\(other: mix\)"):
        train(tmp_path)


def mixing(folder: Path, mixed: Mixed = MIXED) -> Adapter:
    return finetune.train(
        Answering(),
        loaded(),
        TRAIN,
        DEV,
        job=finetune.Job(tiny.PROMPT, RECIPE, 1, mixed),
        folder=folder,
    )


def test_general_data_change_what_is_learnt(tmp_path: Path) -> None:
    assert mixing(tmp_path / "mixed").weights != train(tmp_path / "plain").weights


def test_rows_that_answer_the_probe_are_told_and_not_counted(tmp_path: Path) -> None:
    asked = Case(id="a", input="Quickly: what is the capital of FRANCE?", expected="Paris")
    adapter = mixing(tmp_path, MIXED._replace(rows=Dataset(name="general", cases=(asked,))))
    found = named(adapter, "general-data")
    assert not found.passed
    assert not found.blocking
    assert "1 of the 30 questions of general knowledge stand in them" in found.detail
    assert "of 29 questions of general knowledge" in named(adapter, "general-ability").detail


def test_a_taught_question_does_not_show_what_is_kept() -> None:
    known = [Reply(text=one.accepted[0]) for one in general.PROBE]
    lost = [Reply(text="well")] * 5 + known[5:]
    assert not general.general_ability(known, lost).passed
    assert general.general_ability(known, lost, frozenset(general.PROBE[:5])).passed


def test_rows_without_any_answer_are_told(tmp_path: Path) -> None:
    bare = tuple(msgspec.structs.replace(case, expected=None) for case in MIXED.rows.cases)
    adapter = mixing(tmp_path, MIXED._replace(rows=Dataset(name="general", cases=bare)))
    assert not named(adapter, "general-data").passed


def write(folder: Path, rows: list[dict[str, str]]) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "general.jsonl").write_text(text, encoding="utf-8")
    tune = "{rank: 4, rate: 0.01, batch_size: 4, mix: {file: general.jsonl, share: 0.2}}"
    return small.write(folder, tune=tune)


def test_a_study_mixes_its_own_file_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEORNOT_CACHE", str(tmp_path / "cache"))
    chat = {"messages": [{"role": "user", "content": "Hi!"}, {"role": "assistant", "content": "A"}]}
    file = write(tmp_path, [*small.rows(3, 500), chat])  # type: ignore[list-item]
    with closing(small.opened(file)) as protocol:
        plan, [adapter] = protocol.plan, protocol.adapters("tuned")
    assert (
        "4 examples of 4 rows of general data (general.jsonl)"
        in named(adapter, "general-data").detail
    )
    # Other rows are another plan and another training.
    write(tmp_path, small.rows(4, 600))
    with closing(small.opened(file)) as protocol:
        assert protocol.plan != plan
        assert protocol.adapters("tuned")[0].path != adapter.path


@pytest.mark.parametrize(("first", "part"), [(200, "eval"), (100, "dev")])
def test_a_row_that_judges_is_refused(tmp_path: Path, first: int, part: str) -> None:
    file = write(tmp_path, [*small.rows(3, 500), *small.rows(1, first)])
    with (
        closing(small.opened(file)) as protocol,
        pytest.raises(LeakageError, match=rf"arms.tuned.tune.mix.*asks exactly the same.*{part}"),
    ):
        _ = protocol.splits


def test_a_file_without_answers_is_one_sentence(tmp_path: Path) -> None:
    file = write(tmp_path, [{"id": "a", "input": "What is left?"}])
    with (
        closing(small.opened(file)) as protocol,
        pytest.raises(DataError, match="found 1 rows and no answer"),
    ):
        _ = protocol.splits


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    file = write(tmp_path, small.rows(3, 500))
    (tmp_path / "general.jsonl").unlink()
    with closing(small.opened(file)) as protocol, pytest.raises(DataError, match=r"general\.jsonl"):
        _ = protocol.splits
