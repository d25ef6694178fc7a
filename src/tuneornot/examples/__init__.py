"""Studies that build their cases from data packages: real cases, no download.

Each example is a module with ``write(folder) -> paths``; ``tuneornot init NAME DIR`` calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tuneornot.examples import legal_citations

EXAMPLES: dict[str, tuple[str, Callable[[Path], tuple[Path, ...]]]] = {
    "legal-citations": (
        "legal citations in many spellings to JSON with the standard reporter abbreviation",
        legal_citations.write,
    ),
}
"""Name to (one line of what it is about, the function that writes it)."""
