from __future__ import annotations

from tests.training import tiny
from tuneornot.records import Case, Message, Prompt
from tuneornot.training import examples


def test_an_example_is_the_serving_prompt_then_the_answer_then_the_end() -> None:
    words = tiny.tokenizer()
    case = Case(id="a", input="What?", expected="This.")
    (row,) = examples.build([case], tiny.PROMPT, words, longest=500).kept
    assert words.decode(list(row.prompt)) == (
        "<|system|>Say it back in JSON.<|end|>\n<|user|>What?<|end|>\n<|assistant|>"
    )
    assert words.decode(list(row.answer)) == "This.<|end|>"
    assert row.labels == (examples.IGNORED,) * len(row.prompt) + row.answer
    assert examples.agrees_with_template(words, case, tiny.PROMPT, row)


def test_the_end_of_a_turn_is_read_off_the_template() -> None:
    words = tiny.tokenizer()
    assert examples.end_of_turn(words) == words.convert_tokens_to_ids("<|end|>")
    words.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    assert examples.end_of_turn(words) == words.eos_token_id


def test_too_long_and_unanswered_cases_are_left_out_by_name() -> None:
    given = [
        Case(id="fits", input="a", expected="b"),
        Case(id="long", input="a" * 100, expected="b"),
        Case(id="bare", input="a"),
        Case(id="empty", input="a", expected=""),
    ]
    built = examples.build(given, Prompt(), tiny.tokenizer(), longest=60)
    assert [row.case_id for row in built.kept] == ["fits"]
    assert built.too_long == ("long",)
    assert built.unanswered == ("bare", "empty")


def test_the_longest_example_may_be_exactly_as_long_as_allowed() -> None:
    case = Case(id="a", input="a", expected="b")
    words = tiny.tokenizer()
    (row,) = examples.build([case], Prompt(), words, longest=500).kept
    assert examples.build([case], Prompt(), words, longest=len(row)).kept == (row,)
    assert not examples.build([case], Prompt(), words, longest=len(row) - 1).kept


def test_a_template_that_renders_finished_chats_otherwise_is_noticed() -> None:
    words = tiny.tokenizer()
    case = Case(id="a", input="What?", expected=" This. ")
    words.chat_template = tiny.TEMPLATE.replace("m['content']", "m['content'] | trim")
    (row,) = examples.build([case], tiny.PROMPT, words, longest=500).kept
    assert not examples.agrees_with_template(words, case, tiny.PROMPT, row)


def test_a_system_message_moves_into_the_question_where_the_template_knows_none() -> None:
    words = tiny.tokenizer()
    words.chat_template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        + tiny.TEMPLATE
    )
    chat = [Message(role="system", content="Be brief."), Message(role="user", content="Why?")]
    assert examples.rendered(words, chat) == ("<|user|>Be brief.\n\nWhy?<|end|>\n<|assistant|>")
