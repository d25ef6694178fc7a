"""Whose turn a results folder is: at most one process measures in it at a time.

Two that measure at once would ask everything twice and train into the same folders. The turn is the
operating system's lock on a file of the folder: it ends with the process, however that ends, so
nothing stale is ever left behind. Commands that only look need no turn. On a network share it holds
as far as the share's locks do.
"""

from __future__ import annotations

import fcntl
import os
import time
import weakref
from pathlib import Path

from tuneornot.errors import StoreError

NAME = "at-work"
"""The file's name in the results folder; it holds the id of the process whose turn it is."""
TRIES = 20
PAUSE_S = 0.05
# Whoever looks whether the turn is taken holds it for a moment: no reason to refuse work.


class Turn:
    """The turn of one results folder, not taken yet.

    Args:
        folder: of the results; there already.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / NAME
        self._held: weakref.finalize[[int], Turn] | None = None
        """Closes the file, at the latest with this object."""

    def take(self) -> None:
        """Take the turn, or keep it.

        Raises:
            StoreError: another process has it, or the folder cannot be written.
        """
        if self._held is not None:
            return
        try:
            opened = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise StoreError(
                f"{str(self._file)!r} cannot be written: {error.strerror}. Name a results folder "
                "that can be, with --results."
            ) from error
        for _ in range(TRIES):
            if _locked(opened, fcntl.LOCK_EX):
                os.truncate(opened, 0)
                os.write(opened, str(os.getpid()).encode())
                self._held = weakref.finalize(self, os.close, opened)
                return
            time.sleep(PAUSE_S)
        os.close(opened)
        raise StoreError(
            f"One process at a time works in a results folder, and {holder(self._file.parent)} "
            f"works in {str(self._file.parent)!r}. Wait for it, or end it and run the same command "
            "again: what it measured is kept."
        )

    def release(self) -> None:
        """Let others have the turn."""
        if self._held is not None:
            self._held()
            self._held = None


def holder(folder: Path) -> str | None:
    """Who works in a results folder, such as ``process 1234``; ``None`` where nobody does."""
    try:
        with (folder / NAME).open(encoding="utf-8") as opened:
            if _locked(opened.fileno(), fcntl.LOCK_SH):
                return None
            return f"process {opened.read().strip() or 'unknown'}"
    except OSError:
        return None


def _locked(opened: int, kind: int) -> bool:
    """Whether the lock was there to be had; it goes with the closing of the file."""
    try:
        fcntl.flock(opened, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
