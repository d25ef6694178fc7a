"""Studies that build their cases from data packages: real cases, no download.

Each example is a module with ``write(folder) -> paths``; ``tuneornot init NAME DIR`` calls it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tuneornot.examples import icd10, legal_citations

EXAMPLES: dict[str, tuple[str, Callable[[Path], tuple[Path, ...]]]] = {
    "legal-citations": (
        "legal citations in many spellings to JSON with the standard reporter abbreviation",
        legal_citations.write,
    ),
    "icd10-terms": (
        "clinical phrases to the standard term of ICD-10-CM: terminology",
        icd10.write_terms,
    ),
    "icd10-codes": (
        "clinical phrases to the ICD-10-CM code: facts, with a retrieval arm over the code table",
        icd10.write_codes,
    ),
}
"""Name to (one line of what it is about, the function that writes it)."""
