"""How often corrected and uncorrected intervals of a judged difference hold the truth.

    python benchmarks/judges.py

Draws the tables of docs/concepts/judges.md by the simulation of tests/stats/test_judged.py.
"""

from __future__ import annotations

import sys

from tests.stats.test_judged import ALIKE, APART, Judge, coverage, escaped

SETTINGS: tuple[tuple[str, Judge, int, int], ...] = (
    ("0.8 / 0.7 on both arms", ALIKE, 100, 1),
    ("0.8 / 0.7 on both arms", ALIKE, 50, 1),
    ("0.8 / 0.7 on both arms", ALIKE, 30, 1),
    ("0.8 / 0.7 on both arms", ALIKE, 100, 5),
    ("0.8 / 0.7 and 0.95 / 0.5", APART, 100, 1),
    ("0.97 / 0.97 on both arms", Judge((0.97, 0.97), (0.97, 0.97)), 50, 1),
)


def main() -> None:
    """Print the rows of both tables."""
    for name, judge, labels, per_group in SETTINGS:
        held = coverage(judge, labels=labels, per_group=per_group)
        shares = " | ".join(f"{held[method]:.1%}" for method in held)
        sys.stdout.write(f"| {name} | {labels} | {per_group} | {shares} |\n")
    for share in (0.0, 0.02, 0.03, 0.05):
        for labels in (50, 100):
            rates = " | ".join(f"{rate:.1%}" for rate in escaped(share, labels))
            sys.stdout.write(f"| {share:.0%} | {labels} | {rates} |\n")


if __name__ == "__main__":
    main()
