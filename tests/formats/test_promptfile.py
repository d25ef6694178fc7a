from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuneornot.errors import StudyError
from tuneornot.formats import promptfile
from tuneornot.records import Case, Message, Prompt

TEXTS = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    TEXTS | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
CASES = st.builds(
    Case,
    id=TEXTS,
    input=TEXTS.filter(bool)
    | st.lists(st.builds(Message, role=st.just("user"), content=TEXTS), min_size=1, max_size=2).map(
        tuple
    ),
    expected=JSON,
    context=st.none() | TEXTS,
    slice=st.none() | TEXTS,
)
PROMPT = Prompt(
    instructions="Turn it into JSON.\n\nReply with nothing else.",
    format_hint='Its keys: "page".',
    demonstrations=(Case(id="t1", input="410 U. S. 113", expected={"page": 113}),),
)


@given(
    st.builds(
        Prompt,
        instructions=TEXTS,
        format_hint=TEXTS,
        demonstrations=st.lists(CASES, max_size=2).map(tuple),
    )
)
def test_what_is_written_reads_back_as_the_same_prompt(
    tmp_path_factory: pytest.TempPathFactory, prompt: Prompt
) -> None:
    file = tmp_path_factory.getbasetemp() / "prompt.yaml"
    file.write_text(promptfile.written(prompt, about="two\nlines"), encoding="utf-8", newline="")
    assert promptfile.read(file) == prompt


def test_it_reads_like_a_page(tmp_path: Path) -> None:
    text = promptfile.written(PROMPT, about="of prompted")
    assert text == (
        f"# of prompted\n# prompt {PROMPT.fingerprint}\n"
        "instructions: |-\n  Turn it into JSON.\n\n  Reply with nothing else.\n"
        "format_hint: 'Its keys: \"page\".'\n"
        "demonstrations:\n- id: t1\n  input: 410 U. S. 113\n  expected: {page: 113}\n"
    )
    file = tmp_path / "empty.yaml"
    file.write_text(promptfile.written(Prompt()))
    assert promptfile.read(file) == Prompt()


def test_a_short_prompt_has_a_line_for_each_part_too() -> None:
    shown = (Case(id="t", input="a", expected="b"),)
    text = promptfile.written(Prompt(instructions="Say it.", demonstrations=shown))
    assert text.splitlines()[1:] == [
        "instructions: Say it.",
        "demonstrations:",
        "- id: t",
        "  input: a",
        "  expected: b",
    ]


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "prompt.yaml"
    file.write_text("instruction: x\nnearest: none\ndemonstrations: [{input: a}]\n")
    with pytest.raises(StudyError) as caught:
        promptfile.read(file)
    assert len(caught.value.faults) == 3
    assert "did you mean 'instructions'?" in str(caught.value)
    file.write_text("nearest: 0\ndemonstrations: [{id: a, input: ''}]\n")
    with pytest.raises(StudyError) as caught:
        promptfile.read(file)
    assert len(caught.value.faults) == 3
    file.write_text("reasoning: 0\nform: json\n")
    with pytest.raises(StudyError) as caught:
        promptfile.read(file)
    assert len(caught.value.faults) == 2
    file.write_text("nearest: 2\n")
    with pytest.raises(StudyError, match="no demonstrations to choose from"):
        promptfile.read(file)


@pytest.mark.parametrize("text", ["{", "- a", "\0", "a: b: c"])
def test_a_file_that_is_none_is_a_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "prompt.yaml"
    file.write_text(text)
    with pytest.raises(StudyError, match=r"prompt\.yaml"):
        promptfile.read(file)


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="cannot be read: No such file"):
        promptfile.read(tmp_path / "missing.yaml")
    (tmp_path / "latin.yaml").write_bytes("instructions: é".encode("latin-1"))
    with pytest.raises(StudyError, match="not UTF-8"):
        promptfile.read(tmp_path / "latin.yaml")


def test_a_difference_names_both_and_shows_what_moved() -> None:
    new = Prompt(instructions="Turn it into XML.\n\nReply with nothing else.")
    told = promptfile.difference(PROMPT, new, ("prompted", "mine.yaml"))
    assert told.startswith("--- prompted\n+++ mine.yaml\n")
    assert "-  Turn it into JSON.\n+  Turn it into XML.\n" in told
    assert "-- id: t1" in told
    assert promptfile.difference(PROMPT, PROMPT, ("a", "b")) == ""
