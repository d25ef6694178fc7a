"""A model that thinks before it answers: every metric and every reader sees the answer alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import world
from tests.world import NEW, OLD
from tuneornot import findings
from tuneornot.errors import StudyError
from tuneornot.formats import promptfile
from tuneornot.models.base import Reply, Request
from tuneornot.models.scripted import ScriptedModel
from tuneornot.records import Case, Message, Prompt, Sampling

THINKS = Prompt(instructions="Tell the price. Think first.", reasoning=50)


@pytest.mark.parametrize(
    ("said", "thought", "answer"),
    [
        ("First.\nThen.\nAnswer: 12 ar", "First.\nThen.", "12 ar"),
        ("An answer: no.\n**Answer:** `12`\n", "An answer: no.", "`12`"),
        ("Answer: 1\nNo.\nANSWER : **2**", "Answer: 1\nNo.", "2"),
        ('Answer:\n{"a":\n 1}', "", '{"a":\n 1}'),
        ("I do not know", None, "I do not know"),
        ("Thinking. Answer:", None, "Thinking. Answer:"),
        ("Thinking.\nAnswer:", "Thinking.", ""),
    ],
)
def test_the_answer_stands_after_the_last_marker(
    said: str, thought: str | None, answer: str
) -> None:
    assert THINKS.read(said) == (thought, answer)
    assert Prompt().read(said) == (None, said)


def test_demonstrations_stand_in_the_instructions_so_that_no_turn_leaves_thinking_out() -> None:
    shown = Case(id="t", input=(Message(role="user", content="q1"),), expected="a1", context="c1")
    prompt = Prompt(instructions="Do.", demonstrations=(shown,), reasoning=50)
    system, asked = prompt.messages(Case(id="e", input="q2"))
    assert (system.role, asked.role, asked.content) == ("system", "user", "q2")
    assert "c1" in system.content
    assert system.content.endswith("q1\nAnswer: a1")


def thinking(name: str, known: dict[str, str], asked: list[Sampling]) -> ScriptedModel:
    """Right about everything, after a thought that names a wrong price."""

    def reply(request: Request) -> Reply:
        asked.append(request.sampling)
        right = known[request.messages[-1].content]
        return Reply(
            text=f"It may be xx1 yy.\nAnswer: {right}", finish="stop", logprobs=(-0.1, -0.2)
        )

    return ScriptedModel(name, reply)


def test_metrics_and_reports_see_the_answer_and_the_thought_is_kept(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60)
    (tmp_path / "mine.yaml").write_text(promptfile.written(THINKS))
    text = file.read_text().replace(f'model: "{NEW}"', f'model: "{NEW}", prompt: mine.yaml')
    file.write_text(text)
    asked: list[Sampling] = []
    new = thinking(NEW, world.right(500), asked)
    protocol = world.opened(file, world.model(OLD, 0.4), new)
    try:
        found = findings.of(protocol)
        [run] = protocol.runs["other"]
        assert all(score.value == 1.0 for score in run.scores)
        assert {response.reasoning for response in run.responses} == {"It may be xx1 yy."}
        assert all(response.logprobs is None for response in run.responses)
        assert not any("Answer:" in (response.text or "") for response in run.responses)
        assert {one.max_tokens for one in asked} == {256 + 50}
        assert all(one.reasoning is None for one in protocol.runs["prompted"][0].responses)
        page = findings.write(found, protocol.results).read_text()
        assert "it wrote first: It may be xx1 yy." in page
    finally:
        protocol.close()
    again = world.opened(file, world.model(OLD, 0.4), thinking(NEW, {}, asked))
    try:
        assert again.runs["other"] == (run,)
    finally:
        again.close()


@pytest.mark.parametrize(
    ("model", "form", "fault"),
    [
        (OLD, "{type: nothing}", "form: found no JSON Schema"),
        ("anthropic:some", "json", "form: .*JSON Schema only"),
    ],
)
def test_a_form_in_a_prompt_file_must_be_one_that_the_model_can_be_held_to(
    tmp_path: Path, model: str, form: str, fault: str
) -> None:
    file = world.write(tmp_path, n_eval=60)
    (tmp_path / "mine.yaml").write_text(f"form: {form}\n")
    taken = f'model: "{model}", prompt: mine.yaml'
    file.write_text(file.read_text().replace(f'model: "{OLD}"', taken))
    protocol = world.opened(file)
    try:
        with pytest.raises(StudyError, match=fault):
            protocol.start("prompted")
    finally:
        protocol.close()
