from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneornot.errors import ModelError, StudyError
from tuneornot.records import Case, Dataset, Message, Passage, Prompt, Retrieval
from tuneornot.retrieval import lookup
from tuneornot.retrieval.library import Library
from tuneornot.retrieval.plan import RetrievePlan

ROWS = [
    {"id": "anvils", "text": "Anvils cost five florins.", "title": "Smithy"},
    {"id": "drums", "text": "Drums cost nine florins."},
]


def knowledge(folder: Path, rows: list[dict[str, str]] = ROWS) -> RetrievePlan:
    (folder / "knowledge.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return RetrievePlan(knowledge="knowledge.jsonl", top=1)


def own(folder: Path, body: str, **fields: object) -> RetrievePlan:
    (folder / "shelf.py").write_text(f"def find(question, k, **settings):\n    {body}\n")
    return RetrievePlan(how="shelf:find", **fields)  # type: ignore[arg-type]


def test_passages_stand_where_context_stands_after_the_own_one(tmp_path: Path) -> None:
    opened = lookup.open(knowledge(tmp_path), tmp_path)
    case = Case(id="c", input="What do anvils cost?", context="It is 1480.")
    [_, asked] = Prompt(instructions="Say it.").messages(case.grounded(opened(case)))
    assert asked.content == (
        "Context:\nIt is 1480.\n\nSmithy\nAnvils cost five florins.\n\nWhat do anvils cost?"
    )


def test_demonstrations_keep_their_own_form(tmp_path: Path) -> None:
    opened = lookup.open(knowledge(tmp_path), tmp_path)
    shown = Case(id="d", input="What do drums cost?", expected="nine")
    case = Case(id="c", input="What do anvils cost?")
    turns = Prompt(demonstrations=(shown,)).messages(case.grounded(opened(case)))
    assert [turn.content for turn in turns[:2]] == ["What do drums cost?", "nine"]
    assert turns[2].content.startswith("Context:\nSmithy\n")


def test_of_a_chat_the_turns_of_the_user_are_looked_up(tmp_path: Path) -> None:
    opened = lookup.open(knowledge(tmp_path), tmp_path)
    turns = (
        Message(role="system", content="drums drums drums"),
        Message(role="user", content="I need anvils."),
        Message(role="assistant", content="Or drums?"),
        Message(role="user", content="No."),
    )
    assert [one.id for one in opened(Case(id="c", input=turns))] == ["anvils"]


def test_the_fingerprint_follows_knowledge_and_settings(tmp_path: Path) -> None:
    plan = knowledge(tmp_path)
    first = lookup.open(plan, tmp_path).retrieval.fingerprint
    assert lookup.open(plan, tmp_path).retrieval.fingerprint == first
    more = RetrievePlan(knowledge=plan.knowledge, top=2)
    assert lookup.open(more, tmp_path).retrieval.fingerprint != first
    tuned = RetrievePlan(knowledge=plan.knowledge, top=1, settings={"k1": 1.2})
    assert lookup.open(tuned, tmp_path).retrieval.fingerprint != first
    knowledge(tmp_path, [ROWS[0], {**ROWS[1], "text": "Drums cost ten florins."}])
    assert lookup.open(plan, tmp_path).retrieval.fingerprint != first


def test_what_is_told_of_a_set(tmp_path: Path) -> None:
    opened = lookup.open(knowledge(tmp_path), tmp_path)
    cases = (
        Case(id="right", input="Anvils?", expected="Five florins"),
        Case(id="wrong", input="Drums?", expected="five"),
        Case(id="none", input="Zithers?", expected="two"),
        Case(id="json", input="Anvils, as JSON?", expected={"price": 5}),
        Case(id="signs", input="Drums, really?", expected="!"),
    )
    told = opened.told(Dataset(name="dev", cases=cases))
    assert told.answered == {"right": True, "wrong": False, "none": False}
    assert told.shown["none"] == ()
    assert [one.id for one in told.of("json")] == ["anvils"]
    assert {one.id for one in told.passages} == {"anvils", "drums"}


def test_timed_looks_anew() -> None:
    asked: list[str] = []

    def find(question: str, k: int) -> list[Passage]:
        asked.append(question)
        return [Passage(id="p", text="t")]

    opened = lookup.Lookup(find, Retrieval(knowledge="k"))
    case = Case(id="c", input="q")
    opened(case), opened(case)
    assert asked == ["q"]
    grounded, seconds = opened.timed(case)
    assert asked == ["q", "q"]
    assert (grounded.context, seconds > 0) == ("t", True)


def test_ones_own_retriever_may_give_texts_mappings_and_passages(tmp_path: Path) -> None:
    body = "return [question, {'text': 'b', 'id': 7}, {'text': 'c', 'title': settings['x']}][:k]"
    opened = lookup.open(own(tmp_path, body, top=3, settings={"x": "T"}), tmp_path)
    first, second, third = opened(Case(id="c", input="anvils"))
    assert (first.text, second.id, third.shown) == ("anvils", "7", "T\nc")
    assert len(first.id) == 12


def test_an_edit_of_ones_own_retriever_is_noticed(tmp_path: Path) -> None:
    plan = own(tmp_path, "return ['a']")
    first = lookup.open(plan, tmp_path).retrieval.fingerprint
    own(tmp_path, "return ['b']")
    assert lookup.open(plan, tmp_path).retrieval.fingerprint != first


def test_so_is_a_change_of_the_file_that_it_names(tmp_path: Path) -> None:
    index = tmp_path / "index.bin"
    index.write_bytes(b"one")
    plan = own(tmp_path, "return []", knowledge="index.bin")
    first = lookup.open(plan, tmp_path).retrieval.fingerprint
    index.write_bytes(b"two")
    assert lookup.open(plan, tmp_path).retrieval.fingerprint != first


@pytest.mark.parametrize(
    "body", ["return 5", "raise KeyError('gone')", "return [5]", "return [{'id': 'a'}]"]
)
def test_a_retriever_that_fails_is_told_in_one_sentence(tmp_path: Path, body: str) -> None:
    opened = lookup.open(own(tmp_path, body), tmp_path)
    with pytest.raises(ModelError, match=r"must give a list of passages .* 'shelf:find' gave"):
        opened(Case(id="c", input="anvils"))


def test_two_passages_may_not_share_an_id(tmp_path: Path) -> None:
    opened = lookup.open(own(tmp_path, "return [{'id': 1, 'text': question}]"), tmp_path)
    cases = tuple(Case(id=name, input=name) for name in "ab")
    with pytest.raises(ModelError, match="id must be its own"):
        opened.told(Dataset(name="dev", cases=cases))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"how": "shelf:gone"}, "no function 'gone'"),
        ({"how": "nowhere:find"}, "must be importable"),
        ({"how": "shelf:find", "knowledge": "gone.bin"}, "from: 'gone.bin' cannot be read"),
    ],
)
def test_a_retriever_that_cannot_be_opened(
    tmp_path: Path, fields: dict[str, str], said: str
) -> None:
    own(tmp_path, "return []")
    with pytest.raises(StudyError, match=said):
        lookup.open(RetrievePlan(**fields), tmp_path)  # type: ignore[arg-type]


def test_a_retriever_must_take_the_settings(tmp_path: Path) -> None:
    (tmp_path / "shelf.py").write_text("def find(question, k):\n    return []\n")
    with pytest.raises(StudyError, match=r"settings \['x'\]"):
        lookup.open(RetrievePlan(how="shelf:find", settings={"x": 1}), tmp_path)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({}, "from: missing"),
        ({"knowledge": "k", "top": 0}, "top: found 0"),
        ({"knowledge": "k", "how": "dense"}, "how: found 'dense'"),
        ({"knowledge": "k", "settings": {"k2": 1}}, "settings.k2: unknown setting"),
        ({"knowledge": "k", "settings": {"b": 2}}, "settings.b: found 2"),
        ({"knowledge": "k", "settings": {"k1": "x"}}, "settings.k1: found 'x'"),
    ],
)
def test_faults_of_a_plan(fields: dict[str, object], fault: str) -> None:
    [found] = RetrievePlan(**fields).faults()  # type: ignore[arg-type]
    assert found.startswith(fault)


def test_the_arm_is_named_whose_retriever_cannot_be_opened(tmp_path: Path) -> None:
    own(tmp_path, "return []")
    library = Library({"rag": RetrievePlan(how="shelf:gone")}, tmp_path)
    with pytest.raises(StudyError, match=r"^arms.rag.retrieve: 1 fault"):
        library.of("rag")


def test_a_case_in_the_knowledge_is_a_caveat(tmp_path: Path) -> None:
    plan = knowledge(tmp_path, [{"id": "p", "text": "What do anvils cost now? Five."}])
    library = Library({"rag": plan, "bare": None}, tmp_path)
    judging = Dataset(
        name="eval",
        cases=(
            Case(id="a", input="What do anvils cost now?", expected="five"),
            Case(id="b", input="What do drums cost now?", expected="five"),
        ),
    )
    check = library.check("rag", [judging])
    assert check is not None
    assert (check.name, check.passed, check.blocking) == ("knowledge-of-rag", False, False)
    assert check.detail.startswith("1 of 2 cases stand in it word for word")
    assert "a in p" in check.detail
    assert library.check("bare", [judging]) is None


def test_of_an_unknown_knowledge_what_was_shown_is_looked_at(tmp_path: Path) -> None:
    library = Library({"rag": own(tmp_path, "return []")}, tmp_path)
    judging = Dataset(
        name="eval", cases=(Case(id="a", input="What do anvils cost?", expected="five"),)
    )
    shown = [Passage(id="x", text="What do anvils cost? Five.")]
    found = library.check("rag", [judging], shown=shown)
    assert found is not None
    assert not found.passed
