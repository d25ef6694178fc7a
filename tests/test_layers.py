"""One direction of imports: a file imports only from the rows below its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "tuneornot"
ROWS: dict[str, int] = {
    **dict.fromkeys(["errors", "fingerprint", "listener", "nearness"], 0),
    **dict.fromkeys(["functions", "records"], 1),
    **dict.fromkeys(["cases", "formats", "stats", "training", "drift", "store", "report"], 2),
    **dict.fromkeys(["attacks", "models", "budget", "retrieval", "stress"], 3),
    **dict.fromkeys(["metrics", "soundness", "hosting"], 4),
    **dict.fromkeys(["asking", "study", "scoring"], 5),
    **dict.fromkeys(
        [
            "dataset",
            "latency",
            "measure",
            "judging",
            "labelling",
            "calibration",
            "finetune",
            "learning",
            "brought",
            "leaks",
            "ordering",
            "compare",
            "decide",
            "stages",
            "further",
        ],
        6,
    ),
    **dict.fromkeys(["safety", "spending"], 6),
    **dict.fromkeys(
        [
            "asides",
            "economics",
            "gather",
            "mixing",
            "baseline",
            "pairing",
            "profile",
            "prompts",
            "judges",
            "session",
            "shift",
            "tuning",
            "redteam",
            "watch",
        ],
        7,
    ),
    "elsewhere": 8,
    **dict.fromkeys(["protocol", "examples"], 9),
    **dict.fromkeys(["feasible", "findings", "forecast"], 10),
    **dict.fromkeys(["cli", "web"], 11),
    "__main__": 12,
}
STATS_MAY_IMPORT = {"numpy", "scipy", "tuneornot"}
TORCH_STANDS_IN = ("training/", "models/local/")
FILES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


def part(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Full names of all modules that a file imports, deferred imports as well."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def inner(names: set[str]) -> set[str]:
    """The parts of this package among them."""
    parts = {name.split(".")[1] for name in names if name.startswith("tuneornot.")}
    return parts & set(ROWS)


def test_every_part_has_a_row() -> None:
    assert {part(path) for path in FILES} <= set(ROWS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_down(path: Path) -> None:
    own = part(path)
    for other in inner(imports(path)) - {own}:
        assert ROWS[other] < ROWS[own], f"{own} (row {ROWS[own]}) imports {other}"


def test_statistics_know_no_more_than_arrays_and_the_estimate() -> None:
    for path in FILES:
        if part(path) == "stats":
            outside = {name for name in imports(path) if not name.startswith("tuneornot.stats")}
            ours = {name for name in outside if name.startswith("tuneornot.")}
            assert ours <= {"tuneornot.records.Estimate"}, path
            third = {name.split(".")[0] for name in outside}
            standard = {"__future__", "collections", "dataclasses", "functools", "math", "typing"}
            standard |= {"itertools", "warnings"}
            assert third <= STATS_MAY_IMPORT | standard, path


def test_torch_stays_where_it_belongs() -> None:
    heavy = {"torch", "transformers", "peft", "trl", "datasets", "accelerate"}
    for path in FILES:
        if {name.split(".")[0] for name in imports(path)} & heavy:
            place = str(path.relative_to(SOURCE))
            assert place.startswith(TORCH_STANDS_IN), f"{place} imports torch or its kin"


def test_the_check_itself_sees_a_wrong_import(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from tuneornot import cli\ndef f():\n    import tuneornot.protocol\n")
    assert inner(imports(wrong)) == {"cli", "protocol"}
