from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Literal

import pytest

from tuneornot import dataset
from tuneornot.errors import DataError, LeakageError, StoreError
from tuneornot.records import Case, Dataset, Splits
from tuneornot.stats import planning

WORDS = ["amber", "bishop", "cactus", "dune", "ember", "falcon", "garnet", "harbour", "ivory"]


def case(number: int, *, group: str | None = None, part: str | None = None) -> Case:
    rng = random.Random(number)
    asked = " ".join(rng.choice(WORDS) + str(rng.randrange(1000)) for _ in range(7))
    return Case(id=f"c{number}", input=asked, expected=f"a{number}", group=group, slice=part)


def data(n: int, *, groups: int | None = None, slices: int | None = None) -> Dataset:
    made = [
        case(
            i,
            group=f"g{i % groups}" if groups else None,
            part=f"s{i % slices}" if slices else None,
        )
        for i in range(n)
    ]
    return Dataset(name="data", cases=tuple(made))


def ids(part: Dataset) -> set[str]:
    return {one.id for one in part.cases}


def test_read_names_the_dataset_and_tells_all_faults_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "citations.jsonl"
    path.write_text('{"q": "a", "id": "1"}\n{"q": "b", "id": "2"}\n')
    assert dataset.read(path, fields={"input": "q"}).name == "citations"
    assert dataset.read(path, fields={"input": "q"}, name="x").name == "x"
    path.write_text('{"q": 1, "id": "1"}\nnonsense\n{"q": "b"}\n{"q": "c", "id": "c"}\n')
    with pytest.raises(DataError) as caught:
        dataset.read(path, fields={"input": "q"})
    assert len(caught.value.faults) == 3
    assert str(path) in str(caught.value)


class TestAudit:
    def test_counts_and_lengths(self) -> None:
        rows = [
            Case(id="1", input="What is it?", expected="Yes", context="abc", slice="s", group="g"),
            Case(id="2", input="what is it", expected="yes", context="ABC", slice="s", group="g"),
            Case(id="3", input="who", expected={"a": 1}),
            Case(id="4", input="Who?", expected={"a": 2}),
            Case(id="5", input=" ", expected="x"),
            Case(id="6", input="when", expected=""),
        ]
        found = dataset.audit(Dataset(name="d", cases=tuple(rows)))
        assert found.n == 6
        assert found.n_groups == 5
        assert found.duplicates == (("1", "2"), ("3", "4"))
        assert found.conflicts == (("3", "4"),)
        assert found.empty == ("5", "6")
        assert found.slices == {"s": 2, "": 4}
        assert found.input_characters == (1, 4, 14)
        assert found.answer_characters[0] == 0
        said = " ".join(found.warnings)
        for words in ("6 cases show only", "2 cases repeat a question", "1 questions have answers"):
            assert words in said
        assert "2 cases have an empty input" in said
        assert "little can be said: s (2)." in said
        assert "4 cases belong to no slice" in said
        assert "Only 5 groups" in said

    def test_the_detectable_difference_is_told_before_anything_is_spent(self) -> None:
        found = dataset.audit(data(100), worthwhile=0.05, alpha=0.05)
        assert found.detectable == planning.detectable(100, disagreement=0.2, alpha=0.05)
        assert found.n_wanted == planning.cases_needed(0.05, disagreement=0.2, alpha=0.05)
        assert found.warnings == (
            f"100 cases show differences of {found.detectable:.3f} or more, but 0.05 is "
            f"worthwhile: to show that needs about {found.n_wanted} cases.",
        )

    def test_enough_sound_cases_give_no_warning(self) -> None:
        assert dataset.audit(data(600, slices=3), worthwhile=0.1).warnings == ()

    def test_cases_without_answers_are_told_once(self) -> None:
        rows = tuple(Case(id=str(i), input=f"q{i}") for i in range(60))
        found = dataset.audit(Dataset(name="d", cases=rows))
        assert found.empty == ()
        assert found.answer_characters == (0, 0, 0)
        assert found.warnings == (
            "No case has an expected answer: only metrics without a reference can judge.",
        )


class TestSplit:
    def test_counts_shares_and_the_rest(self) -> None:
        splits = dataset.split(data(200), eval=100, dev=0.2, seed=1)
        assert [len(part) for part in (splits.eval, splits.dev, splits.train)] == [100, 40, 60]
        assert [splits.train.name, splits.dev.name, splits.eval.name] == ["train", "dev", "eval"]
        assert ids(splits.eval) | ids(splits.dev) | ids(splits.train) == ids(data(200))
        assert len(dataset.split(data(200), eval=10, dev=10, train=50).train) == 50

    def test_rows_in_another_order_give_the_same_split(self) -> None:
        whole = data(120, groups=31, slices=4)
        shuffled = Dataset(name="other", cases=tuple(random.Random(2).sample(whole.cases, 120)))
        for by in ("case", "group"):
            kind: Literal["case", "group"] = "group" if by == "group" else "case"
            first = dataset.split(whole, eval=40, dev=20, by=kind, seed=5)
            assert first == dataset.split(shuffled, eval=40, dev=20, by=kind, seed=5)
            assert first != dataset.split(whole, eval=40, dev=20, by=kind, seed=6)

    def test_groups_and_repeated_questions_stay_together(self) -> None:
        rows = list(data(300, groups=60).cases)
        rows += [
            Case(id=f"again{i}", input=rows[i].text.upper() + "!", group=None) for i in range(40)
        ]
        splits = dataset.split(
            Dataset(name="d", cases=tuple(rows)), eval=100, dev=60, by="group", seed=3
        )
        assert abs(len(splits.eval) - 100) <= 2
        assert abs(len(splits.dev) - 60) <= 2
        dataset.refuse_overlap(splits)

    def test_slices_are_spread_in_proportion(self) -> None:
        splits = dataset.split(data(400, slices=4), eval=100, dev=40, seed=0)
        counts = dataset.audit(splits.eval).slices
        assert all(abs(n - 25) <= 1 for n in counts.values())

    @pytest.mark.parametrize(
        ("n", "eval_size", "dev_size", "expected"),
        [
            (3, 1, 1, "holds 3 cases, and fewer than 10 cannot be split"),
            (
                150,
                100,
                60,
                "asked for eval 100, dev 60 and at least one for train, but it holds 150",
            ),
            (160, 100, 60, "and at least one for train, but it holds 160 cases"),
            (50, 1.5, 1, "eval: found 1.5, expected a number of cases or a share below 1"),
            (50, 10, -1, "dev: found -1"),
        ],
    )
    def test_too_little_is_one_sentence(
        self, n: int, eval_size: float, dev_size: float, expected: str
    ) -> None:
        with pytest.raises(DataError) as caught:
            dataset.split(data(n), eval=eval_size, dev=dev_size)
        assert len(caught.value.faults) == 1
        assert expected in caught.value.faults[0]

    def test_groups_too_coarse_for_the_sizes_are_told(self) -> None:
        with pytest.raises(DataError, match=r"they come in 2 blocks .* none is left"):
            dataset.split(data(60, groups=2), eval=30, dev=20, by="group")

    def test_given_parts_take_the_names_of_a_split(self) -> None:
        splits = dataset.given(train=data(5), dev=data(4), eval=data(3), extra=(data(2),))
        assert [part.name for part in (splits.train, splits.dev, *splits.measured)] == [
            "train",
            "dev",
            "eval",
            "data",
        ]


class TestManifest:
    def test_it_restores_the_split_from_the_cases(self, tmp_path: Path) -> None:
        whole, other = data(100), Dataset(name="shift", cases=(case(900), case(901)))
        splits = dataset.split(whole, eval=30, dev=20, seed=4, extra=(other,))
        path = tmp_path / "splits.json"
        made = dataset.manifest(splits, source=whole, by="case", seed=4)
        dataset.write_manifest(made, path)
        assert dataset.read_manifest(path, made, whole, extra=(other,)) == splits
        kept = json.loads(path.read_text())
        assert (kept["seed"], kept["by"], kept["source"]) == (4, "case", whole.fingerprint)
        assert list(kept["parts"]) == ["train", "dev", "eval", "shift"]
        assert list(tmp_path.iterdir()) == [path]

    def test_it_says_which_cases_changed(self, tmp_path: Path) -> None:
        whole = data(40)
        splits = dataset.split(whole, eval=10, dev=10)
        path = tmp_path / "splits.json"
        made = dataset.manifest(splits)
        dataset.write_manifest(made, path)
        changed, gone = splits.eval.cases[0], splits.dev.cases[0]
        rows = [
            Case(id=one.id, input=one.input, expected="new") if one == changed else one
            for one in whole.cases
            if one != gone
        ]
        with pytest.raises(DataError) as caught:
            dataset.read_manifest(path, made, Dataset(name="d", cases=tuple(rows)))
        faults = caught.value.faults
        assert len(faults) == 2
        assert f"dev: case {gone.id!r} is gone" in faults
        assert any(fault.startswith(f"eval: case {changed.id!r} changed") for fault in faults)

    def test_it_says_how_the_rule_changed(self, tmp_path: Path) -> None:
        whole, path = data(40), tmp_path / "splits.json"
        first = dataset.split(whole, eval=10, dev=10, seed=1)
        dataset.write_manifest(dataset.manifest(first, source=whole, by="case", seed=1), path)
        other = dataset.split(whole, eval=12, dev=8, by="group", seed=2)
        made = dataset.manifest(other, source=whole, by="group", seed=2)
        with pytest.raises(DataError) as caught:
            dataset.read_manifest(path, made, whole)
        assert caught.value.faults == (
            "the cases were split with by 'case', the study says 'group' now",
            "the cases were split with seed 1, the study says 2 now",
            "dev has 10 cases, by the study as it is now it had 8",
            "eval has 10 cases, by the study as it is now it had 12",
        )

    @pytest.mark.parametrize("content", [None, '{"parts": 3}', '{"parts": {}}', "x"])
    def test_a_missing_or_broken_manifest_is_a_sentence(
        self, tmp_path: Path, content: str | None
    ) -> None:
        path = tmp_path / "splits.json"
        if content is not None:
            path.write_text(content)
        made = dataset.manifest(dataset.split(data(20), eval=5, dev=5))
        expected = "cannot be read" if content is None else "is not the manifest of a split"
        with pytest.raises(DataError, match=expected):
            dataset.read_manifest(path, made, data(20))

    def test_a_folder_that_is_not_there_loses_nothing(self, tmp_path: Path) -> None:
        splits = dataset.split(data(20), eval=5, dev=5)
        with pytest.raises(StoreError, match="cannot be written"):
            dataset.write_manifest(dataset.manifest(splits), tmp_path / "none" / "splits.json")


class TestOverlap:
    def leaky(self) -> Splits:
        """A repeats in train, in dev, of an extra set, and one of dev in train."""
        whole = data(90)
        rows = whole.cases
        copies = [
            Case(id=f"copy{i}", input=rows[i].text.upper(), expected=rows[i].expected)
            for i in (0, 35, 80)
        ]
        return Splits(
            train=Dataset(name="train", cases=(*rows[40:80], *copies)),
            dev=Dataset(name="dev", cases=(*rows[30:40], Case(id="dup", input=rows[1].input))),
            eval=Dataset(name="eval", cases=rows[:30]),
            extra=(Dataset(name="shift", cases=rows[80:]),),
        )

    def test_clean_splits_pass(self) -> None:
        dataset.refuse_overlap(dataset.split(data(200), eval=100, dev=40))

    def test_every_border_is_guarded_and_named(self) -> None:
        with pytest.raises(LeakageError) as caught:
            dataset.refuse_overlap(self.leaky(), demonstrations=(case(2),))
        told = "\n".join(caught.value.faults)
        assert len(caught.value.faults) == 5
        assert (
            "train 'copy0' asks the same, but for case, spacing or punctuation, as eval 'c0'"
            in told
        )
        assert "train 'copy35' asks the same" in told
        assert "as dev 'c35'" in told
        assert "as shift 'c80'" in told
        assert "dev 'dup' asks exactly the same as eval 'c1'" in told
        assert "demonstrations 'c2' asks exactly the same as eval 'c2'" in told
        assert case(2).text in told
        assert "without_overlap" in caught.value.advice

    def test_a_torn_group_asks_for_a_split_by_group(self) -> None:
        splits = dataset.split(data(100, groups=20), eval=40, dev=20, by="case")
        with pytest.raises(LeakageError, match="of the same group 'g") as caught:
            dataset.refuse_overlap(splits)
        assert caught.value.advice.startswith("Split by group")
        dataset.refuse_overlap(splits, groups=False)

    def test_the_repair_drops_what_teaches_and_never_what_judges(self) -> None:
        repaired, dropped = dataset.without_overlap(self.leaky())
        assert set(dropped) == {"copy0", "copy35", "copy80", "dup"}
        assert repaired.measured == self.leaky().measured
        assert ids(repaired.train) == ids(self.leaky().train) - set(dropped)
        dataset.refuse_overlap(repaired)

    def test_a_repair_that_leaves_nothing_is_refused(self) -> None:
        same = data(12)
        splits = Splits(
            train=Dataset(name="train", cases=same.cases),
            dev=Dataset(name="dev", cases=(case(50),)),
            eval=Dataset(name="eval", cases=same.cases),
        )
        with pytest.raises(DataError, match="all 12 cases repeat"):
            dataset.without_overlap(splits)
