from __future__ import annotations

import json
from pathlib import Path

import pytest

from tuneornot.errors import DataError
from tuneornot.records import Case, Passage
from tuneornot.retrieval import knowledge, words


def file(folder: Path, *rows: object) -> Path:
    path = folder / "knowledge.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_rows_become_passages(tmp_path: Path) -> None:
    path = file(tmp_path, {"id": 1, "text": "x", "more": 3}, {"id": "b", "text": "y", "title": "T"})
    assert knowledge.read(path) == (
        Passage(id="1", text="x"),
        Passage(id="b", text="y", title="T"),
    )


def test_csv_with_an_empty_title(tmp_path: Path) -> None:
    path = tmp_path / "k.csv"
    path.write_text("id,title,text\n1,,some text\n", encoding="utf-8")
    assert knowledge.read(path) == (Passage(id="1", text="some text"),)


def test_every_fault_is_told_with_its_line(tmp_path: Path) -> None:
    path = file(
        tmp_path,
        {"id": "a", "text": "x"},
        {"id": "a", "text": "y"},
        {"text": "no id"},
        {"id": "c", "text": " "},
        {"id": True, "text": 5, "title": 7},
    )
    with pytest.raises(DataError) as caught:
        knowledge.read(path)
    assert caught.value.faults == (
        "line 2: the id 'a' stands on line 1 already",
        "line 3: id: found nothing, expected a text or a whole number",
        "line 4: text: found ' ', expected a text",
        "line 5: text: found 5, expected a text",
        "line 5: id: found True, expected a text or a whole number",
        "line 5: title: found 7, expected a text",
    )


def case(name: str, asked: str, expected: object = "Paris") -> Case:
    return Case(id=name, input=asked, expected=expected)  # type: ignore[arg-type]


ASKED = "What is the capital of France?"


@pytest.mark.parametrize(
    ("text", "copied"),
    [
        ("Q: what is the CAPITAL of france? A: Paris.", True),
        ("Paris. What is the capital of France", True),
        ("Paris is the capital of France.", False),
        ("What is the capital of France? It is well known.", False),
        ("What is the capital of France? Parisian food is famous.", False),
    ],
)
def test_a_copy_is_the_question_with_its_answer(text: str, copied: bool) -> None:
    found = list(knowledge.copies([case("c", ASKED)], [Passage(id="p", text=text)]))
    assert found == ([("c", "p")] if copied else [])


def test_copies_are_told_once_with_the_first_passage() -> None:
    text = f"{ASKED} Paris"
    both = [Passage(id="p", text=text), Passage(id="q", text=text)]
    cases = [case("a", ASKED), case("b", ASKED, "Rome"), case("c", "Who? Paris")]
    assert list(knowledge.copies(cases, both)) == [("a", "p")]


def test_cases_without_an_answer_are_no_copies() -> None:
    passage = Passage(id="p", text=f"{ASKED} null")
    assert list(knowledge.copies([case("a", ASKED, None)], [passage])) == []


def test_words_stand_together_or_not_at_all() -> None:
    assert words.within(["b", "c"], ["a", "b", "c"])
    assert not words.within(["b", "c"], ["b", "x", "c"])
    assert words.of("Ｆulmen, 3.5 €/kg!") == ["fulmen", "3", "5", "kg"]
