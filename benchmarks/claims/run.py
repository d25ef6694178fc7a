"""What is commonly said of fine-tuning, held against real tunes of the examples, as one table.

    python -m benchmarks.claims.run --results FOLDER [--examples NAME ...]
        [--into docs/reference/claims.md]

Every example is written by ``init`` and asked more of: changed cases, attacks, confidence, rare
facts. It is an ordinary study in the results folder, run by the command line: stop it when you
like, the same command goes on from there. ``--into`` replaces what stands between the marks of a
Markdown page after each example.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
from benchmarks.studies.run import show

from tuneornot.records import Findings
from tuneornot.report import export, profile

HEAD = "| example | verdict on tuned | claim | here | by |\n|---|---|---|---|---|"
STRESS = {"perturbations": ["typos", "casing", "filler", "longer"], "cases": 60}
ASKED: dict[str, dict[str, Any]] = {
    "legal-citations": {
        "metrics": [{"confident_wrong": {"of": "exact_match"}}],
        "claims": {
            "terminology": ["eyecite_match"],
            "facts": ["confident_wrong", "exact_match@unseen"],
        },
        "facts": {"count": "expected.reporter"},
        "redteam": {"suite": "default"},
    },
    "icd10-terms": {
        "metrics": [
            {"confident_wrong": {"of": "normalised_match"}},
            {"regex": {"pattern": r"[A-Z][^\n]*[^\n.]", "name": "one_line"}},
        ],
        "claims": {
            "format": ["one_line"],
            "terminology": ["normalised_match", "token_f1"],
            "facts": ["confident_wrong", "normalised_match/far"],
        },
        "redteam": {"suite": "small"},
    },
    "icd10-codes": {
        "metrics": [
            {"confident_wrong": {"of": "exact_match"}},
            {"regex": {"pattern": r"[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?", "name": "form_of_a_code"}},
        ],
        "claims": {
            "format": ["form_of_a_code"],
            "terminology": ["real_code", "right_chapter"],
            "facts": ["exact_match", "confident_wrong"],
        },
        "redteam": {"suite": "small"},
    },
}
"""What each example is asked besides, and what speaks of the claims there."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--results", required=True, type=Path, help="where the studies are kept")
    parser.add_argument("--examples", nargs="+", default=[*ASKED], choices=[*ASKED])
    parser.add_argument("--into", type=Path, help="a Markdown page with the marks")
    asked = parser.parse_args()
    rows: list[str] = []
    for name in asked.examples:
        file = write(name, asked.results / name)
        tuneornot("run", str(file))
        rows.extend(lines(export.read(file.parent / "results" / "report.json")))
        show("\n".join([HEAD, *rows]), asked.into)


def write(name: str, folder: Path) -> Path:
    """Write an example that is asked more of; one that stands there is left as it is."""
    file = folder / "study.yaml"
    if not file.exists():
        tuneornot("init", name, str(folder))
        study = msgspec.yaml.decode(file.read_bytes(), type=dict[str, Any])
        more = {"stress": STRESS, **ASKED[name]}
        study["metrics"] += more.pop("metrics")
        study["sampling"]["logprobs"] = 0
        file.write_bytes(msgspec.yaml.encode({**study, **more}))
    return file


def tuneornot(*words: str) -> None:
    """Run a command of this package."""
    subprocess.run([sys.executable, "-m", "tuneornot", *words], check=True)


def lines(found: Findings) -> list[str]:
    """The table's lines of one study: a claim each."""
    outcome = next(one.outcome for one in found.verdicts if one.candidate == "tuned")
    return [
        f"| {found.study} | `{outcome}` | {line.claim} | {line.state} | {'; '.join(line.figures)} |"
        for line in profile.lines(found, "tuned")
    ]


if __name__ == "__main__":
    main()
