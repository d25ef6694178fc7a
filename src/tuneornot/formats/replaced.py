"""A file put in the place of another in one step: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def write(content: bytes, path: Path) -> None:
    """Write a file beside its place and move it there.

    Raises:
        OSError: it cannot be written; what stood there is as it was, and nothing is left beside it.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise
