from __future__ import annotations

from pathlib import Path

import pytest

from tests import world
from tuneornot import dataset, gather, leaks, study
from tuneornot.errors import DataError, LeakageError, StoreError, StudyError
from tuneornot.records import Audit, Case, Dataset, Overlap
from tuneornot.study import DataPlan


def hit(name: str) -> Overlap:
    return Overlap(
        kind="near",
        eval_id="e1",
        eval_set="eval",
        other_id="t1",
        other_set="train",
        similarity=0.9,
        span="what do anvils",
        pair=name,
    )


def audit() -> Audit:
    cases = tuple(Case(id=str(i), input=f"What is {i}?", expected=str(i)) for i in range(60))
    return dataset.audit(Dataset(name="eval", cases=cases))


def test_rulings_are_kept_beside_the_study_and_told_in_the_audit(tmp_path: Path) -> None:
    assert leaks.terms(DataPlan(), tmp_path).passed == frozenset()
    assert leaks.noted(audit(), tmp_path) == audit()
    assert leaks.rule([hit("a"), hit("b")], ["a", "a"], tmp_path, why="two people", by="Ida") == 1
    assert leaks.rule([hit("b")], ["b"], tmp_path, why="a form", by="Jon") == 2
    assert leaks.terms(DataPlan(), tmp_path).passed == {"a", "b"}
    told = leaks.noted(audit(), tmp_path).warnings[-1]
    assert "2 pairs" in told
    assert "train t1 and eval e1 (near; Ida: two people)" in told
    assert leaks.withdraw(["a"], tmp_path) == 1
    assert leaks.terms(DataPlan(), tmp_path).passed == {"b"}


def test_what_is_no_ruling_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="expected a reason"):
        leaks.rule([hit("a")], ["a"], tmp_path, why=" ", by="Ida")
    with pytest.raises(StudyError, match="found 'z', expected one of"):
        leaks.rule([hit("a")], ["z"], tmp_path, why="so", by="Ida")
    with pytest.raises(StudyError, match="found 'z'"):
        leaks.withdraw(["z"], tmp_path)
    with pytest.raises(StoreError, match="rulings cannot be written"):
        leaks.rule([hit("a")], ["a"], tmp_path / "nowhere", why="so", by="Ida")
    (tmp_path / "leaks.jsonl").write_text('{"pair": 3}\n\nno json\n')
    with pytest.raises(DataError, match=r"line 1(.|\n)*line 3"):
        leaks.terms(DataPlan(), tmp_path)


def test_what_was_found_clean_is_searched_again_only_if_something_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = study.read(world.write(tmp_path, n_eval=60)).data
    searched = []
    search = dataset.refuse_overlap

    def counting(*args: object, **named: object) -> None:
        searched.append(named)
        search(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(dataset, "refuse_overlap", counting)
    manifest = tmp_path / "splits.json"
    first = gather.frozen(plan, tmp_path, manifest)
    assert gather.frozen(plan, tmp_path, manifest) == first
    assert len(searched) == 1
    leaks.rule([hit("a")], ["a"], tmp_path, why="so", by="Ida")
    gather.frozen(plan, tmp_path, manifest)
    assert len(searched) == 2
    again = first.eval.cases[0]
    (tmp_path / "seeds.csv").write_text(f'input,expected\n"{again.text}",{again.answer}\n')
    seeded = study.DataPlan(cases=plan.cases, split=plan.split, taught={"seeds": "seeds.csv"})
    with pytest.raises(LeakageError, match=r"seeds .* asks exactly the same as eval"):
        gather.frozen(seeded, tmp_path, manifest)
