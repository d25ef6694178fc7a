"""The files of a model in this process: found in a package that carries them, told apart by bytes.

It opens no model and imports nothing heavy, so that a command that only reads a study stays quick.
"""

from __future__ import annotations

import importlib.util
import os
from contextlib import suppress
from pathlib import Path

from tuneornot import fingerprint

WEIGHTS = ("*.safetensors", "*.bin", "*.gguf")
READING = ("*.json", "*.jinja", "*.model", "*.txt")
"""Configuration, tokenizer and chat template: they shape an answer as much as the weights do."""


def carried(module: str, pattern: str) -> Path | None:
    """The first file or folder of this name in an installed package, or ``None``.

    The package is found, not imported: what it imports itself is often neither needed nor there.
    """
    spec = importlib.util.find_spec(module)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).glob(pattern)):
            return path
    return None


def identity(place: Path) -> str:
    """Fingerprint of the bytes of one file, or of all files of a folder that shape an answer."""
    if place.is_file():
        return _of_file(place)
    files = sorted({path for pattern in (*WEIGHTS, *READING) for path in place.glob(pattern)})
    return fingerprint.of({path.name: _of_file(path) for path in files})


def cache_folder() -> Path:
    """Where expanded weights and fingerprints are kept; it may not exist yet."""
    return Path(os.environ.get("TUNEORNOT_CACHE") or "~/.cache/tuneornot").expanduser()


def _of_file(path: Path) -> str:
    """Fingerprint of a file's bytes, remembered by path, size and time of change."""
    stat = path.stat()
    key = fingerprint.of([str(path.resolve()), stat.st_size, stat.st_mtime_ns])
    note = cache_folder() / "identities" / key
    with suppress(OSError):
        if known := note.read_text(encoding="ascii"):
            return known
    found = fingerprint.of_file(path)
    with suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        partial = note.with_name(f"{note.name}.{os.getpid()}")
        partial.write_text(found, encoding="ascii")
        partial.replace(note)
    return found
