"""What a study can write under `stress`, and what is told of its faults."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.test_study import PLAN
from tests.test_study import faults as told_of
from tuneornot import study
from tuneornot.errors import StudyError
from tuneornot.records import Case, Dataset, Guardrail
from tuneornot.stress import sets, written
from tuneornot.stress.plan import StressPlan

CASES = Dataset(
    name="eval",
    cases=tuple(
        Case(id=f"c{i}", input=f"Where does the morning train to town {i} stop?", expected="there")
        for i in range(30)
    ),
)


def plan(*entries: object, **more: object) -> StressPlan:
    return msgspec.convert({"perturbations": list(entries), **more}, StressPlan)


def made(given: StressPlan, folder: Path = Path()) -> dict[str, sets.ChangedSet]:
    return {each.told.name: each for each in sets.unwritten(given, CASES, folder)}


def test_a_plan_is_read_and_guarded() -> None:
    text = PLAN.replace(
        "latency: 2}", "latency: 2, drop: 0.05, drop@typos: 0.1, drop(field_match)@loud: 0.2}"
    )
    text += "stress: {perturbations: [typos, {casing: {strength: 0.6, name: loud}}], cases: 40}\n"
    found = study.parse(text)
    assert found.stress is not None
    assert found.stress.names == ("stress", "typos", "loud")
    assert [one.strength for one in found.stress.planned] == [0.3, 0.6]
    assert study.rule(found).guardrails[4:] == (
        Guardrail(metric="exact_match", dataset="stress", quantity="drop", margin=0.05),
        Guardrail(metric="exact_match", dataset="typos", quantity="drop", margin=0.1),
        Guardrail(metric="field_match", dataset="loud", quantity="drop", margin=0.2),
    )


def test_a_study_without_stress_keeps_its_fingerprint() -> None:
    assert "stress" not in study.text(study.parse(PLAN))
    stressed = study.parse(PLAN + "stress: {perturbations: [typos]}\n")
    assert "stress" in study.text(stressed)


@pytest.mark.parametrize(
    ("written_as", "told"),
    [
        ("{perturbations: []}", "stress.perturbations: none; name one or more of typos, casing"),
        ("{perturbations: [tpyos]}", "there is no perturbation 'tpyos'; did you mean 'typos'?"),
        ("{perturbations: [zzzz]}", "there is no perturbation 'zzzz'; known are typos"),
        ("{perturbations: [{typos: {strenght: 1}}]}", "did you mean 'strength'?"),
        ("{perturbations: [{typos: {strength: 2}}]}", "found 2.0, expected a number above 0"),
        ("{perturbations: [{typos: {to: Thai}}]}", "only a translation has a language"),
        ("{perturbations: [{typos: {keeps_meaning: false}}]}", "is known of built-in"),
        ("{perturbations: [typos, typos]}", "'typos' stands there twice"),
        ("{perturbations: [{typos: {name: stress}}]}", "'stress' names all of them together"),
        ("{perturbations: [{typos: {name: later}}]}", "'later' is the name of a set"),
        ("{perturbations: [{typos: {name: a@b}}]}", "expected a name without @"),
        ("{perturbations: [typos], strengths: [0.5, 0]}", "stress.strengths: found 0.0"),
        ("{perturbations: [typos], cases: 1}", "stress.cases: found 1, expected 2 or more"),
        ("{perturbations: [paraphrase]}", "stress.writer: missing; name the model"),
        ("{perturbations: [translation], writer: 'local:x'}", "translation.to: missing"),
        ("{perturbations: [typos], writer: 'local:x'}", "'local:x' has nothing to write"),
        ("{perturbations: [paraphrase], writer: nobody}", "stress.writer: 'nobody'"),
        ("{perturbations: [{typos: {}, casing: {}}]}", "one name with its settings"),
        ("{perturbations: [{paraphrase: {strength: 0.2}}], writer: 'local:x'}", "has none"),
    ],
)
def test_faults_are_told(written_as: str, told: str) -> None:
    assert told in told_of(f"{PLAN}stress: {written_as}\n")


def test_a_drop_can_be_guarded_only_where_it_is_measured() -> None:
    text = PLAN.replace("latency: 2}", "latency: 2, drop: 0.05}")
    assert "decide.guardrails.drop: needs `stress`" in told_of(text)
    on_set = study.parse(PLAN.replace("latency: 2}", "latency: 2, drop@later: 0.05}"))
    assert study.rule(on_set).guardrails[-1].dataset == "later"
    text = PLAN.replace("latency: 2}", "latency: 2, drop@casing: 0.05}")
    told = told_of(f"{text}stress: {{perturbations: [typos]}}\n")
    assert "'casing' is not among ['stress', 'typos', 'later']" in told


def test_sets_hold_changed_cases_with_their_answers() -> None:
    found = made(plan("typos", "dialect", strengths=[0.3, 0.6]))
    assert list(found) == ["typos", "typos 0.6", "dialect", "dialect 0.6"]
    typos = found["typos"]
    assert [case.id for case in typos.cases.cases] == [case.id for case in CASES.cases]
    assert {case.expected for case in typos.cases.cases} == {"there"}
    assert typos.told.before == "Where does the morning train to town 0 stop?"
    assert typos.told.after == typos.cases.cases[0].text != typos.told.before
    assert (typos.told.n, typos.told.n_same, typos.told.main) == (30, 0, True)
    assert not found["typos 0.6"].told.main
    # No word of these questions is in the list: nothing is asked again.
    assert (found["dialect"].told.n, found["dialect"].told.n_same) == (0, 30)


def test_a_text_does_not_hang_on_the_other_cases_of_the_set() -> None:
    few = Dataset(name="eval", cases=CASES.cases[10:20])
    [whole] = sets.unwritten(plan("typos"), CASES, Path())
    [part] = sets.unwritten(plan("typos"), few, Path())
    assert part.cases.cases == whole.cases.cases[10:20]
    [other] = sets.unwritten(plan("typos", seed=1), CASES, Path())
    assert other.cases.cases != whole.cases.cases


def test_some_of_the_cases_are_drawn_and_more_hold_the_fewer() -> None:
    ids = [{case.id for case in sets.chosen(CASES, plan("typos", cases=n))} for n in (8, 20, 99)]
    assert [len(each) for each in ids] == [8, 20, 30]
    assert ids[0] < ids[1] < ids[2]


def test_a_function_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "shifts.py").write_text(
        "import random\n"
        "def shout(text, strength, seed): return text.upper()\n"
        "def luck(text, strength, seed): return f'{text} {random.random()}'\n"
        "def broken(text, strength, seed): raise KeyError(seed)\n"
        "def none(text, strength, seed): return None\n"
    )
    given = plan({"shifts:shout": {"keeps_meaning": False}})
    found = made(given, tmp_path)
    assert found["shout"].cases.cases[0].text == "WHERE DOES THE MORNING TRAIN TO TOWN 0 STOP?"
    assert not found["shout"].told.keeps_meaning
    [source] = sets.sources(given, tmp_path)
    (tmp_path / "shifts.py").write_text("def shout(text, strength, seed): return text.lower()\n")
    assert sets.sources(given, tmp_path) != [source]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("luck", "gave two different texts"),
        ("broken", "raised KeyError"),
        ("none", "gave None"),
        ("absent", "has no function 'absent'"),
    ],
)
def test_a_function_that_cannot_be_used(tmp_path: Path, name: str, told: str) -> None:
    (tmp_path / "shifts.py").write_text(
        "import random\n"
        "def luck(text, strength, seed): return f'{text} {random.random()}'\n"
        "def broken(text, strength, seed): raise KeyError(seed)\n"
        "def none(text, strength, seed): return None\n"
    )
    with pytest.raises(StudyError, match=told):
        made(plan(f"shifts:{name}"), tmp_path)


@pytest.mark.parametrize(
    ("text", "stands"),
    [
        ("Please tell where the train to town 0 stops.", True),
        ("Where does the train to the town stop?", False),
        ("Where does the morning train to town 0 stop?", False),
        ("  ", False),
        (None, False),
    ],
)
def test_what_a_writer_wrote_stands_only_if_it_keeps_the_numbers(
    text: str | None, stands: bool
) -> None:
    found = written.kept(CASES.cases[0], text)
    assert (found is not None) == stands
    if found is not None:
        assert found.text == text
