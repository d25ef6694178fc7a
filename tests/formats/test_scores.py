from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tuneornot import compare
from tuneornot.errors import DataError
from tuneornot.formats import scores


def jsonl(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_rows_are_paired_by_case_id_whatever_their_order(tmp_path: Path) -> None:
    a = jsonl(tmp_path / "a.jsonl", [{"case_id": i, "score": i / 10} for i in range(5)])
    b = jsonl(tmp_path / "b.jsonl", [{"case_id": str(i), "score": i / 5} for i in (4, 2, 0, 1, 3)])
    (found,) = scores.read(a, b)
    assert found.metric == "score"
    assert found.case_ids == ("0", "1", "2", "3", "4")
    assert found.baseline[:, 0].tolist() == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert found.candidate[:, 0].tolist() == [0.0, 0.2, 0.4, 0.6, 0.8]
    assert found.groups is None
    assert found.n_unpaired == (0, 0)


def test_unpaired_cases_are_counted_and_stay_unscored(tmp_path: Path) -> None:
    a = jsonl(tmp_path / "a.jsonl", [{"case_id": i, "score": 1} for i in "abcd"])
    b = jsonl(tmp_path / "b.jsonl", [{"case_id": i, "score": 0} for i in "cdbxyz"])
    (found,) = scores.read(a, b)
    assert found.n_unpaired == (1, 3)
    assert found.case_ids == ("a", "b", "c", "d", "x", "y", "z")
    made = compare.scores(found.baseline, found.candidate, case_ids=found.case_ids)
    assert (made.n, made.n_unscored) == (3, (3, 1))
    assert {flip.case_id for flip in made.flips} == {"b", "c", "d"}


def test_csv_with_metrics_repeats_and_groups(tmp_path: Path) -> None:
    a = tmp_path / "a.csv"
    a.write_text(
        "case_id,metric,score,repeat,group,note\n"
        "1,exact,1,1,red,x\n1,exact,0,2,red,\n2,exact,,1,,\n2,exact,1,2,,\n1,form,true,,red,\n"
        "2,form,false,,,\n",
        encoding="utf-8",
    )
    b = tmp_path / "b.csv"
    b.write_text(
        "score,case_id,metric\n0.5,1,exact\n0.25,2,exact\n1,2,form\n1,1,form\n", encoding="utf-8"
    )
    exact, form = scores.read(a, b)
    assert (exact.metric, form.metric) == ("exact", "form")
    np.testing.assert_array_equal(exact.baseline, [[1, 0], [np.nan, 1]])
    np.testing.assert_array_equal(exact.candidate, [[0.5], [0.25]])
    np.testing.assert_array_equal(form.baseline, [[1], [0]])
    assert exact.groups is not None
    assert exact.groups[0] == "red"
    assert exact.groups[1] != "red"


def test_every_fault_is_told_at_once_with_file_and_line(tmp_path: Path) -> None:
    a = jsonl(
        tmp_path / "a.jsonl",
        [
            {"case_id": "1", "score": "good"},
            {"case_id": "2"},
            {"score": 1},
            {"case_id": "3", "score": float("inf")},
            {"case_id": "4", "score": 1},
            {"case_id": "4", "score": 0},
            {"case_id": "5", "score": 1, "repeat": -1},
            {"case_id": "6", "score": 1, "group": "g"},
        ],
    )
    b = jsonl(tmp_path / "b.jsonl", [{"case_id": "6", "score": None, "group": "h"}])
    b.write_text(b.read_text() + "\nnot json\n")
    with pytest.raises(DataError) as caught:
        scores.read(a, b)
    told = str(caught.value)
    for place, what in [
        ("line 1", "'good'"),
        ("line 2", "has no score"),
        ("line 3", "case_id None"),
        ("line 6", "another score"),
        ("line 7", "repeat -1"),
        ("line 2", "not JSON"),
    ]:
        assert any(place in fault and what in fault for fault in caught.value.faults), (place, told)
    assert any("'g'" in fault and "'h'" in fault for fault in caught.value.faults)
    assert "number the repeats" in told


def test_a_file_without_a_line_of_names_is_one_fault(tmp_path: Path) -> None:
    named, nameless = tmp_path / "named.csv", tmp_path / "nameless.csv"
    named.write_text("case_id,score\na,1\nb,0\n")
    nameless.write_text("a,1\nb,0\nc,0\nd,1\n")
    with pytest.raises(DataError) as raised:
        scores.read(named, nameless)
    assert raised.value.faults == (
        f"{nameless}: no row has case_id or score, found the columns ['1', 'a']",
    )


def test_files_without_a_case_or_metric_in_common_are_refused(tmp_path: Path) -> None:
    a = jsonl(tmp_path / "a.jsonl", [{"case_id": "1", "score": 1}])
    b = jsonl(tmp_path / "b.jsonl", [{"case_id": "2", "score": 1}])
    c = jsonl(tmp_path / "c.jsonl", [{"case_id": "1", "score": 1, "metric": "exact"}])
    with pytest.raises(DataError, match="no case_id of 'score' stands in both"):
        scores.read(a, b)
    with pytest.raises(DataError, match="'exact' stands in this file only"):
        scores.read(a, c)
