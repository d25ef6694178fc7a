"""An arm that looks things up, through the whole protocol."""

from __future__ import annotations

import json
import math
from pathlib import Path

import msgspec
import pytest

from tests import world
from tests.asking import CountingModel
from tests.retrieval import fair
from tuneornot import findings, finetune, study
from tuneornot.errors import DataError, StudyError
from tuneornot.models.base import Request
from tuneornot.models.scripted import ScriptedModel
from tuneornot.protocol import Protocol
from tuneornot.records import Adapter, Dataset, Message
from tuneornot.report import export, pages

NAME = "local:reader"


def reader() -> CountingModel:
    def answer(content: str) -> object:
        return fair.reply(Request(messages=(Message(role="user", content=content),)))

    return CountingModel(answer, name=NAME)  # type: ignore[arg-type]


def opened(file: Path, model: CountingModel | ScriptedModel) -> Protocol:
    return Protocol(
        study.read(file),
        file.parent,
        file.parent / "results",
        listener=world.Silence(),
        opened={NAME: model},
    )


def test_looking_up_wins_and_the_report_shows_what_was_read(tmp_path: Path) -> None:
    model = reader()
    protocol = opened(fair.write(tmp_path), model)
    found = findings.of(protocol)
    assert found.verdicts[0].outcome == "tune"
    kinds = {run.arm.name: run.arm.kind for run in found.runs}
    assert kinds == {"bare": "prompted", "looked-up": "retrieval"}
    bare, looked = found.runs
    assert bare.retrieved is None
    assert looked.retrieved is not None
    assert bare.dataset == looked.dataset
    assert all(looked.retrieved.answered.values())
    # The passages go to one arm alone, three with each question.
    with_context = [one for one in model.asked if "Context:\n" in one.messages[-1].content]
    assert len(with_context) == len(looked.dataset) == 60
    assert all(one.messages[-1].content.count("On day") == 3 for one in with_context)
    page = pages.render(found)
    assert page.count("3 passages shown with the question") == 60
    assert "3 passages by bm25" in page
    export.write(found, tmp_path / "report.json")
    assert export.read(tmp_path / "report.json") == found
    protocol.close()


def test_metrics_see_the_passages_that_were_shown(tmp_path: Path) -> None:
    file = fair.write(tmp_path)
    metrics = "[exact_match, number_support, declines, answered]"
    file.write_text(file.read_text().replace("[exact_match]", metrics))
    protocol = opened(file, reader())
    values = {
        (name, score.metric, score.case_id): score.value
        for name, [run] in protocol.runs.items()
        for score in run.scores
    }
    for case in protocol.splits.eval.cases:
        # Without passages there is no context to rest on.
        assert values["bare", "number_support", case.id] is None
        assert values["looked-up", "number_support", case.id] == 1
        declined = values["bare", "declines", case.id]
        assert declined in (0, 1)
        assert (values["bare", "answered", case.id] is None) == (declined == 1)
    # A metric that one arm has no score of is compared on no case, and said to be.
    [comparison] = protocol.comparisons
    support = comparison.contrast("number_support", "eval")
    assert support is not None
    assert (support.n, support.n_unscored, support.slices) == (0, (60, 0), ())
    assert math.isnan(support.mean.value)
    protocol.close()


def test_a_changed_knowledge_is_asked_anew_and_is_another_plan(tmp_path: Path) -> None:
    file = fair.write(tmp_path)
    first = opened(file, reader())
    plan = first.plan
    assert first.runs
    first.close()
    model = reader()
    again = opened(file, model)
    assert (again.plan, len(again.runs), model.asked) == (plan, 2, [])
    again.close()
    with (tmp_path / "knowledge.jsonl").open("a") as knowledge:
        knowledge.write(json.dumps({"id": "new", "text": "Nothing of note."}) + "\n")
    changed = opened(file, model)
    assert len(changed.runs) == 2
    assert changed.plan != plan
    assert len(model.asked) == 60
    assert all("Context:\n" in one.messages[-1].content for one in model.asked)
    changed.close()


def test_a_case_in_the_knowledge_is_told(tmp_path: Path) -> None:
    file = fair.write(tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "cases.jsonl").read_text().splitlines()]
    with (tmp_path / "knowledge.jsonl").open("a") as knowledge:
        for row in rows:
            text = f"Q: {row['input']} A: {row['expected']}"
            knowledge.write(json.dumps({"id": f"copy-{row['id']}", "text": text}) + "\n")
    protocol = opened(file, reader())
    [preview] = protocol.library.previews(protocol.splits.dev, protocol.splits.measured)
    assert preview.check is not None
    assert preview.check.detail.startswith("60 of 60 cases stand in it word for word")
    [verdict] = protocol.verdicts
    assert any("knowledge-of-looked-up" in text for text in verdict.caveats)
    protocol.close()


def test_a_search_shows_passages_with_the_question_alone(tmp_path: Path) -> None:
    file = fair.write(tmp_path)
    text = file.read_text().replace("top: 3}", "top: 3}, search: {calls: 400}")
    file.write_text(text)
    model = reader()
    protocol = opened(file, model)
    protocol.search("looked-up")
    shown = [
        [turn.content for turn in one.messages if turn.role == "user"]
        for one in model.asked
        if len(one.messages) > 2
    ]
    assert shown
    for *demonstrations, asked in shown:
        assert asked.startswith("Context:\n")
        assert not any("Context:" in turn for turn in demonstrations)
    protocol.close()


def test_a_tuned_arm_is_trained_on_what_it_will_be_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_on: list[Dataset] = []

    def finished(
        model: object, train: Dataset, dev: Dataset, *, job: finetune.Job, folder: Path
    ) -> Adapter:
        trained_on.extend((train, dev))
        return Adapter(path=str(folder), weights="w", model=NAME, data=train.fingerprint, seed=1)

    monkeypatch.setattr(finetune, "finished", finished)
    file = fair.write(tmp_path)
    file.write_text(file.read_text().replace("top: 3}", "top: 3}, tune: {}"))
    protocol = opened(file, reader())
    [arm] = protocol.arms("looked-up")
    assert (arm.kind, arm.retrieval is not None) == ("tuned", True)
    for part, plain in zip(trained_on, (protocol.splits.train, protocol.splits.dev), strict=True):
        for case, before in zip(part.cases, plain.cases, strict=True):
            assert case.context is not None
            assert before.answer in case.context
            assert msgspec.structs.replace(case, context=None) == before
    protocol.close()


def test_latency_counts_the_time_of_looking_up(tmp_path: Path) -> None:
    file = fair.write(tmp_path)
    (tmp_path / "slow.py").write_text(
        "import time\n\ndef find(question, k):\n    time.sleep(0.02)\n    return ['x']\n"
    )
    text = file.read_text().replace("from: knowledge.jsonl, top: 3", 'how: "slow:find"')
    file.write_text(text.replace("[exact_match]", "[exact_match, latency]") + "timed: 3\n")
    protocol = opened(file, reader())
    by_arm = {name: [one.latency_s for one in run.timings] for name, [run] in protocol.runs.items()}
    assert by_arm["bare"] == [0.01] * 3
    assert all(value is not None and value >= 0.03 for value in by_arm["looked-up"])
    protocol.close()


def test_faults_of_the_study_and_of_the_knowledge(tmp_path: Path) -> None:
    file = fair.write(tmp_path)
    text = file.read_text()
    file.write_text(text.replace("from: knowledge.jsonl, top: 3", "form: knowledge.jsonl, top: 0"))
    with pytest.raises(StudyError, match=r"arms.looked-up.retrieve.form: unknown field"):
        study.read(file)
    file.write_text(text.replace("from: knowledge.jsonl, top: 3", "top: 0"))
    with pytest.raises(StudyError) as caught:
        study.read(file)
    assert "arms.looked-up.retrieve.top: found 0" in str(caught.value)
    assert "arms.looked-up.retrieve.from: missing" in str(caught.value)
    file.write_text(text)
    (tmp_path / "knowledge.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(DataError, match="line 1: text: found nothing"):
        opened(file, reader()).library.of("looked-up")
