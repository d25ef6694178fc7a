"""Disk full, read-only, held by others, not a store: one sentence, and nothing kept is lost."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from tests.store import kept
from tuneornot.errors import StoreError
from tuneornot.store.store import Store


def refused(where: str | Path) -> str:
    with pytest.raises(StoreError) as error:
        Store(where, wait_s=0.05)
    message = str(error.value)
    assert "\n" not in message
    assert error.value.exit_code == 6
    return message


def fill(store: Store) -> tuple[int, str]:
    """Keep until it is refused: how many were kept, and what was said."""
    for i in range(10_000):
        try:
            store.keep_response(kept.response(i, "x" * 500))
        except StoreError as error:
            return i, str(error)
    raise AssertionError("nothing stopped it")


def test_a_full_disk_loses_nothing_that_was_kept(tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    def small(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA max_page_count = 30")

    event.listen(Engine, "connect", small)
    try:
        with Store(path) as store:
            n_kept, complaint = fill(store)
            assert "disk is full; free some space and run the same command again" in complaint
            with pytest.raises(StoreError, match="disk is full"):
                store.keep_responses(kept.response(i, "x" * 500) for i in range(n_kept, 1000))
            assert store.counts()["responses"] == n_kept > 5
    finally:
        event.remove(Engine, "connect", small)
    with Store(path) as store:
        assert store.counts()["responses"] == n_kept
        store.keep_response(kept.response(n_kept, "x" * 500))
        assert store.counts()["responses"] == n_kept + 1


@pytest.mark.parametrize("place", ["/proc/store.db", "/proc/folder/store.db"])
def test_a_place_that_cannot_be_written(place: str) -> None:
    # The kernel's own file system: nothing can be made in it, not even by root.
    assert "could not be opened" in refused(place)
    assert "name a place" in refused(place)


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    assert "name a place whose folder can be made" in refused(tmp_path / "results" / "store.db")


def test_a_folder_where_the_file_should_be(tmp_path: Path) -> None:
    assert "unable to open database file" in refused(tmp_path)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("These are notes, and they are longer than a header. " * 40)
    assert "the file is something else: name another one" in refused(path)
    assert path.read_text().startswith("These are notes")


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "songs.db"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE songs (title TEXT)")
    other.close()
    assert "got one that holds ['songs']; name another file" in refused(path)
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("songs",)]
    other.close()


def test_a_store_that_another_process_is_writing(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Store(path, wait_s=0.05) as store:
        store.keep_response(kept.response(1))
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="another program holds it: let it end"):
            store.keep_response(kept.response(2))
        with pytest.raises(StoreError, match="another program holds it"):
            store.keep_responses([kept.response(2)])
        assert store.counts()["responses"] == 1
        other.execute("ROLLBACK")
        other.close()
        store.keep_response(kept.response(2))
        assert store.counts()["responses"] == 2


def test_a_damaged_record_is_told(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Store(path) as store:
        store.keep_response(kept.response(1))
        with sqlite3.connect(path) as other:
            other.execute("UPDATE responses SET body = '{\"arm\": 3}'")
        other.close()
        with pytest.raises(StoreError, match="a stored response must be readable"):
            list(store.each_response())


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("nosuch://host/x", "a URL that begins with postgresql"),
        ("postgresql+nosuch://host/x", "a URL that begins with postgresql"),
        ("://", "could not be opened"),
    ],
)
def test_a_wrong_url(url: str, advice: str) -> None:
    assert advice in refused(url)
