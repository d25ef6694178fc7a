"""A prompt that takes steps: each is asked by itself, kept like an answer, and counted."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from msgspec import UNSET

from tests import world
from tests.baseline.scripted import DEV, START, TRAIN, Scripted
from tests.test_measure import Memory, dataset
from tests.world import NEW, OLD
from tuneornot import baseline, findings, fingerprint, forecast, latency, measure
from tuneornot.asking import Entrant
from tuneornot.baseline.race import Budget
from tuneornot.baseline.space import Offers, Space
from tuneornot.errors import LeakageError, StudyError
from tuneornot.formats import promptfile
from tuneornot.metrics import registry
from tuneornot.models.base import Reply, Request
from tuneornot.models.scripted import ScriptedModel
from tuneornot.records import Arm, Case, Prompt, Sampling, Step
from tuneornot.study import By

NOTE, MORE = Step(ask="Note it.", max_tokens=9), Step(ask="Note more.", max_tokens=8)
TWO = Prompt(instructions="Say it.", steps=(NOTE,))
THREE = msgspec.structs.replace(TWO, steps=(NOTE, MORE))
FORM: dict[str, object] = {"type": "object"}


def arm(prompt: Prompt, **sampling: object) -> Arm:
    how = msgspec.convert({"max_tokens": 5, **sampling}, Sampling)
    return Arm(name="a", kind="prompted", model="noting", prompt=prompt, sampling=how)


class Noting:
    """Says ``note 0`` to ``NOTE`` about ``q0``, and answers ``a0`` once it is shown that note."""

    def __init__(self, broken: str = "") -> None:
        self.asked: list[Request] = []
        self.broken = broken
        self.model = ScriptedModel("noting", self._reply)

    def _reply(self, request: Request) -> Reply:
        self.asked.append(request)
        system, user = (message.content for message in request.messages)
        number = user[1]
        if system == self.broken:
            return Reply(error="status 500", n_tries=3)
        if system == NOTE.ask:
            return self._said(f"note {number}")
        if system == MORE.ask:
            return self._said(f"more {number}" if f"note {number}" in user else "nothing")
        return self._said(f"a{number}" if f"\n\nNotes on it:\nnote {number}" in user else "?")

    def _said(self, text: str) -> Reply:
        return Reply(
            text=text, n_input_tokens=10, n_output_tokens=2, latency_s=0.5, first_token_s=0.25
        )

    @property
    def systems(self) -> list[str]:
        return [request.messages[0].content for request in self.asked]


EXACT = registry.build("exact_match")


def test_the_answer_is_asked_for_with_the_notes_and_counts_all_calls() -> None:
    memory, noting = Memory(), Noting()
    told: list[tuple[int, int]] = []
    run = measure.run(
        noting.model,
        arm(TWO, form=FORM, stop=["\n"]),
        dataset(3),
        [EXACT],
        known=memory.known,
        keep=memory.keep,
        on_answer=lambda n, n_all: told.append((n, n_all)),
    )
    assert noting.systems == ["Note it."] * 3 + ["Say it."] * 3
    assert [score.value for score in run.scores] == [1, 1, 1]
    first = run.responses[0]
    assert (first.n_input_tokens, first.n_output_tokens, first.latency_s) == (20, 4, 1.0)
    assert (first.first_token_s, first.reasoning) == (0.75, "note 0")
    assert told == [(1, 3), (2, 3), (3, 3)]
    step, last = noting.asked[0].sampling, noting.asked[-1].sampling
    assert (step.max_tokens, step.form, step.stop) == (9, None, ())
    assert (last.max_tokens, last.form, last.stop) == (5, FORM, ("\n",))


def test_each_step_is_shown_what_those_before_found() -> None:
    noting = Noting()
    run = measure.run(noting.model, arm(THREE), dataset(2), [EXACT], known={}, keep=Memory().keep)
    assert noting.systems == ["Note it."] * 2 + ["Note more."] * 2 + ["Say it."] * 2
    assert [response.reasoning for response in run.responses] == [
        "note 0\n\nmore 0",
        "note 1\n\nmore 1",
    ]
    assert run.responses[0].n_input_tokens == 30
    assert THREE.n_calls == 3
    assert THREE.before == Prompt(instructions="Note more.", steps=(NOTE,))


def test_an_interrupted_run_asks_no_step_again_and_prompts_share_them() -> None:
    memory, noting = Memory(), Noting()
    kept = 0

    def stopping(response: object) -> None:
        nonlocal kept
        if kept == 4:
            raise KeyboardInterrupt
        kept += 1
        memory.keep(response)  # type: ignore[arg-type]

    with pytest.raises(KeyboardInterrupt):
        measure.run(noting.model, arm(TWO), dataset(3), [], known=memory.known, keep=stopping)
    noting.asked.clear()
    again = measure.run(
        noting.model, arm(TWO), dataset(3), [EXACT], known=memory.known, keep=memory.keep
    )
    assert noting.systems == ["Say it."] * 2
    assert [score.value for score in again.scores] == [1, 1, 1]
    noting.asked.clear()
    other = msgspec.structs.replace(TWO, instructions="Tell it.")
    measure.run(noting.model, arm(other), dataset(3), [], known=memory.known, keep=memory.keep)
    assert noting.systems == ["Tell it."] * 3


def test_where_a_step_fails_the_question_fails_and_is_not_asked() -> None:
    memory, noting = Memory(), Noting(broken=NOTE.ask)
    entrant = Entrant(noting.model, arm(TWO))
    failed = measure.in_turns([entrant], [dataset(2)], known=memory.known, keep=memory.keep)
    assert noting.systems == ["Note it."] * 2
    assert {one.error for one in failed.values()} == {"a step before it failed: status 500"}
    run = measure.run(
        *entrant[:2], dataset(2), [EXACT], failed=failed, known=memory.known, keep=memory.keep
    )
    assert len(noting.asked) == 2
    assert [score.value for score in run.scores] == [None, None]
    noting.broken = ""
    run = measure.run(*entrant[:2], dataset(2), [EXACT], known=memory.known, keep=memory.keep)
    assert [score.value for score in run.scores] == [1, 1]


def test_a_timing_waits_for_the_steps() -> None:
    memory, noting = Memory(), Noting()
    entrant = Entrant(noting.model, arm(TWO))
    found = latency.timings([entrant], dataset(2), known=memory.known, keep=memory.keep)
    assert [(one.latency_s, one.first_token_s) for one in found["a"]] == [(1.0, 0.75)] * 2
    assert noting.systems == ["Note it.", "Say it."] * 3
    noting.broken = NOTE.ask
    [failed, _] = latency.timings([entrant], dataset(2), known={}, keep=memory.keep)["a"]
    assert failed.error == "a step before it failed: status 500"


class TestPrompt:
    def test_prompts_without_steps_keep_their_fingerprints(self) -> None:
        plain = Prompt(instructions="Do.")
        fields = ("instructions", "format_hint", "demonstrations", "nearest", "reasoning", "form")
        before = {name: getattr(plain, name) for name in fields}
        assert plain.fingerprint == fingerprint.of({**before, "demonstrations": []})
        assert plain.n_calls == 1
        assert arm(plain).before is None

    def test_a_file_holds_them(self, tmp_path: Path) -> None:
        file = tmp_path / "prompt.yaml"
        file.write_text(promptfile.written(THREE))
        assert "steps:\n- ask: Note it.\n  max_tokens: 9\n" in file.read_text()
        assert promptfile.read(file) == THREE

    @pytest.mark.parametrize(
        ("step", "fault"),
        [
            ("ask: ' '", r"steps\[0\].ask: asks nothing"),
            (
                "{ask: Note it., max_tokens: 0}",
                r"steps\[0\].max_tokens: found 0, expected 1 or",
            ),
            ("{max_tokens: 3}", "steps"),
        ],
    )
    def test_what_no_step_can_be_is_told(self, tmp_path: Path, step: str, fault: str) -> None:
        file = tmp_path / "prompt.yaml"
        file.write_text(f"steps:\n- {step}\n")
        with pytest.raises(StudyError, match=fault):
            promptfile.read(file)


class TestSearch:
    OFFERS = Offers(steps=50)

    @pytest.mark.parametrize("by", ["race", "optuna"])
    @pytest.mark.parametrize("start", [START, msgspec.structs.replace(START, steps=(NOTE,))])
    def test_what_is_better_so_is_found_within_the_budget(self, by: By, start: Prompt) -> None:
        model = Scripted(lambda prompt: 0.8 if bool(prompt.steps) != bool(start.steps) else 0.4)
        budget = Budget(calls=1200)
        ledger = baseline.search(
            model, TRAIN, DEV, start=start, budget=budget, offers=self.OFFERS, by=by
        )
        assert bool(baseline.winner(ledger).steps) != bool(start.steps)
        asked = sum(model.prompts[mark].n_calls for mark, _ in model.asked)
        assert ledger.n_calls == asked <= 1200
        assert "steps: also with a call before the answer" in ledger.notes
        assert any("2 calls" in one.name for one in ledger.candidates)

    def test_a_prompt_of_the_user_keeps_its_own_in_every_frame(self) -> None:
        start = msgspec.structs.replace(START, steps=(NOTE,))
        field = Space(start, TRAIN.cases, 0).first()
        assert {one.prompt.steps for one in field} == {(NOTE,)}

    def test_nothing_of_it_is_tried_where_the_study_does_not_want_it(self) -> None:
        field = Space(START, TRAIN.cases, 0).first()
        assert {one.prompt.steps for one in field} == {UNSET}

    def test_the_step_tells_the_task(self) -> None:
        field = Space(START, TRAIN.cases, 0, self.OFFERS).first()
        [step] = {one.prompt.steps for one in field if one.prompt.steps}
        assert step[0].max_tokens == 50
        assert step[0].ask.endswith(f"Task: {START.instructions}")


def noted(name: str) -> ScriptedModel:
    """Knows every price once it has noted the good."""
    right = world.right(500)

    def reply(request: Request) -> Reply:
        asked = request.messages[-1].content
        question, _, notes = asked.partition("\n\nNotes on it:\n")
        said = right[question] if notes == f"about: {question}" else f"about: {question}"
        return Reply(text=said, n_input_tokens=len(asked) // 3, n_output_tokens=len(said) // 3)

    return ScriptedModel(name, reply)


class TestStudy:
    def written(self, folder: Path, prompt: Prompt = TWO) -> Path:
        file = world.write(folder, n_eval=60)
        (folder / "mine.yaml").write_text(promptfile.written(prompt))
        taken = f'model: "{NEW}", prompt: mine.yaml'
        file.write_text(file.read_text().replace(f'model: "{NEW}"', taken))
        return file

    def test_the_report_shows_them_and_the_estimate_counts_them(self, tmp_path: Path) -> None:
        file = self.written(tmp_path)
        with closing(world.opened(file, world.model(OLD, 0.4), noted(NEW))) as protocol:
            [expected] = [
                one for one in forecast.of(protocol).outlays if one.step == "measure other"
            ]
            found = findings.of(protocol)
            [run] = protocol.runs["other"]
            assert all(score.value == 1.0 for score in run.scores)
            [phase] = [one for one in found.phases if one.name == "measure other"]
            assert (expected.n_calls, phase.n_asked) == (120, 120)
            page = findings.write(found, protocol.results).read_text()
            assert "Call 1, before the answer" in page
            assert "it wrote first: about: What do" in page
            [left] = [one for one in forecast.of(protocol).outlays if one.step == "measure other"]
            assert (left.n_calls, left.n_known) == (0, 120)

    def test_a_step_may_not_quote_a_case_that_judges(self, tmp_path: Path) -> None:
        file = self.written(tmp_path)
        with closing(world.opened(file, world.model(OLD, 0.4), noted(NEW))) as protocol:
            quoted = protocol.splits.eval.cases[0].text
        prompt = Prompt(instructions="Say it.", steps=(Step(ask=f"Think of: {quoted}"),))
        (tmp_path / "mine.yaml").write_text(promptfile.written(prompt))
        with (
            closing(world.opened(file, world.model(OLD, 0.4), noted(NEW))) as protocol,
            pytest.raises(LeakageError, match="a prompt of 'other' quotes eval"),
        ):
            findings.of(protocol)

    def test_a_tuned_arm_takes_none(self, tmp_path: Path) -> None:
        file = self.written(tmp_path)
        text = file.read_text().replace("prompt: mine.yaml", "prompt: mine.yaml, tune: {}")
        file.write_text(text)
        with (
            closing(world.opened(file, world.model(OLD, 0.4), noted(NEW))) as protocol,
            pytest.raises(StudyError, match="steps: a tuned model is taught and checked"),
        ):
            protocol.start("other")


def test_the_notes_stand_behind_the_question() -> None:
    case = Case(id="c", input="q1", context="Some.")
    [_, asked] = TWO.messages(case, "found")
    assert asked.content == "Context:\nSome.\n\nq1\n\nNotes on it:\nfound"
    assert TWO.messages(case)[1].content == "Context:\nSome.\n\nq1"
