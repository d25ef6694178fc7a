"""What makes two records the same: a hash of their content in canonical JSON.

A fingerprint depends on values only, never on key order, file names, time or machine. It says
nothing about meaning: two paraphrases have different fingerprints (see ``cases.overlap``).
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

LENGTH = 20
"""Hex digits kept: 80 bits, so that among a million records a collision has a chance of 4e-13."""


def of(value: object) -> str:
    """Fingerprint of a value made of JSON types (str, int, float, bool, None, list, dict).

    Raises:
        TypeError: the value holds something that is not JSON.
        ValueError: the value holds NaN or an infinity, which have no canonical JSON.
    """
    text = json.dumps(
        value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False
    )
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:LENGTH]


def of_file(path: Path) -> str:
    """Fingerprint of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:LENGTH]


def of_folder(folder: Path, pattern: str = "*") -> str:
    """Fingerprint of the names and bytes of the files directly in a folder that match a pattern."""
    files = sorted(path for path in folder.glob(pattern) if path.is_file())
    return of({path.name: of_file(path) for path in files})
