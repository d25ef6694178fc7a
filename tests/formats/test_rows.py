from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tuneornot.errors import DataError
from tuneornot.formats import rows


def read(path: Path) -> tuple[list[rows.Row], list[str]]:
    faults: list[str] = []
    return rows.read(path, faults), faults


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_jsonl_gives_lines_and_goes_on_after_faults(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", '{"a": 1}\n\n{"a": \n[1]\n"x"\n{"a": 2}\r\n')
    found, faults = read(path)
    assert found == [rows.Row("line 1", {"a": 1}), rows.Row("line 6", {"a": 2})]
    assert [fault.split(":")[0] for fault in faults] == ["line 3", "line 4", "line 5"]
    assert "is not JSON" in faults[0]
    assert "'[1]', expected a JSON object" in faults[1]


def test_a_unicode_line_separator_does_not_end_a_line(tmp_path: Path) -> None:
    found, faults = read(written(tmp_path, "a.jsonl", '{"a": "x\u2028y\x85z"}'))
    assert (found[0].values, faults) == ({"a": "x\u2028y\x85z"}, [])


def test_jsonl_with_bad_bytes_or_nesting_tells_the_line(tmp_path: Path) -> None:
    content = b'{"a": "\xff"}\n' + b"[" * 100_000 + b'\n{"a": NaN}\n{"a": 1}'
    found, faults = read(written(tmp_path, "a.jsonl", content))
    assert [row.place for row in found] == ["line 4"]
    assert [fault.split(":")[0] for fault in faults] == ["line 1", "line 2", "line 3"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_a_byte_order_mark_is_ignored(tmp_path: Path, name: str) -> None:
    content = '{"q": "é"}' if name == "a.jsonl" else "q\né\n"
    found, _ = read(written(tmp_path, name, content.encode("utf-8-sig")))
    assert found[0].values == {"q": "é"}


def test_csv_quoting_and_line_numbers(tmp_path: Path) -> None:
    content = 'q,a\r\n"two\nlines, ""quoted""",1\r\n\r\nplain,2\r\nshort\r\nx,3,4\r\n'
    found, faults = read(written(tmp_path, "a.csv", content))
    assert found == [
        rows.Row("line 2", {"q": 'two\nlines, "quoted"', "a": "1"}),
        rows.Row("line 5", {"q": "plain", "a": "2"}),
    ]
    assert faults == [
        "line 6: found 1 cells, expected 2 as in the first line",
        "line 7: found 3 cells, expected 2 as in the first line",
    ]


def test_a_long_csv_cell_is_read_and_the_limit_of_others_is_left_alone(tmp_path: Path) -> None:
    import csv

    before = csv.field_size_limit()
    found, _ = read(written(tmp_path, "a.csv", "q\n" + "x" * 200_000 + "\n"))
    assert len(found[0].values["q"]) == 200_000
    assert csv.field_size_limit() == before


def test_parquet_keeps_types_and_nesting(tmp_path: Path) -> None:
    content: list[dict[str, object]] = [
        {"q": "x", "n": 1, "m": {"t": ["a"]}},
        {"q": None, "n": 2, "m": {"t": []}},
    ]
    pq.write_table(pa.Table.from_pylist(content), tmp_path / "a.parquet")
    found, _ = read(tmp_path / "a.parquet")
    assert found == [rows.Row("row 1", content[0]), rows.Row("row 2", content[1])]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.jsonl", b"", "holds no rows"),
        ("a.jsonl", b"\n \n", "holds no rows"),
        ("a.csv", b"q,a\n", "holds no rows"),
        ("a.jsonl", b'[{"a": 1}]', "is one JSON array"),
        ("a.jsonl", '{"a": 1}'.encode("utf-16"), "is UTF-16 or UTF-32"),
        ("a.csv", b"q,a\nx,1\ncaf\xe9,2\n", r"line 3: the byte b'\xe9' is not UTF-8"),
        ("a.csv", b'q,a\n"x,1\n', "is not CSV"),
        ("a.csv", b"q,q\nx,1\n", "the column 'q' stands there twice"),
        ("a.csv", b"q;a\nx;1\n", "expected cells separated by commas"),
        ("a.parquet", b"no", "is not a Parquet file"),
        ("a.xlsx", b"PK", "found the ending '.xlsx', expected one of .jsonl"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(written(tmp_path, name, content))
    assert len(caught.value.faults) == 1
    assert expected in caught.value.faults[0]
    assert caught.value.advice.endswith(".")
    assert caught.value.source == str(tmp_path / name)


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file"):
        read(tmp_path / "none.jsonl")
    with pytest.raises(DataError, match="is a folder"):
        read(tmp_path)
