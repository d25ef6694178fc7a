"""Bare prompt, searched prompt and tuned model on public sets, as one table.

    python -m benchmarks.studies.run --data FOLDER --results FOLDER [--sets NAME ...]
        [--into docs/reference/studies.md] [--train 400] [--eval 500] [--calls 300]

Every set is a study of its own in the results folder, run by the command line as any other: stop it
when you like, the same command goes on from there. ``--into`` replaces what stands between the
marks of a Markdown page after each set.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from benchmarks.studies import sets

from tuneornot.records import Contrast, Findings
from tuneornot.report import export

MARKS = ("<!-- table: begin -->", "<!-- table: end -->")
HEAD = (
    "| set | eval cases | one answer to all | bare | searched | tuned | searched - bare |"
    " tuned - searched | verdict on tuned | minutes |\n|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", required=True, type=Path, help="the folder of the sets")
    parser.add_argument("--results", required=True, type=Path, help="where the studies are kept")
    parser.add_argument("--sets", nargs="+", default=[*sets.PLANS], choices=[*sets.PLANS])
    parser.add_argument("--into", type=Path, help="a Markdown page with the marks")
    for name in ("train", "dev", "eval", "calls"):
        parser.add_argument(f"--{name}", type=int, default=sets.Sizes._field_defaults[name])
    asked = parser.parse_args()
    sizes = sets.Sizes(asked.train, asked.dev, asked.eval, asked.calls)
    rows = []
    for name in asked.sets:
        file = sets.write(name, asked.data / name, asked.results / name, sizes)
        start = time.monotonic()
        subprocess.run([sys.executable, "-m", "tuneornot", "run", str(file)], check=True)
        print(f"{name}: {time.monotonic() - start:.0f} s", file=sys.stderr)
        found = export.read(file.parent / "results" / "report.json")
        rows.append(row(found, commonest(file.parent / "eval.jsonl")))
        show("\n".join([HEAD, *rows]), asked.into)


def commonest(cases: Path) -> float:
    """The share of cases that the commonest of their answers is right for."""
    expected = [json.loads(line)["expected"] for line in cases.read_text("utf-8").splitlines()]
    [(_, n)] = Counter(json.dumps(one, sort_keys=True) for one in expected).most_common(1)
    return n / len(expected)


def row(found: Findings, constant: float) -> str:
    """One line of the table: the primary metric of the three arms, and the two differences."""
    bare, tuned = (contrast(found, name) for name in ("bare", "tuned"))
    verdict = next(one.outcome for one in found.verdicts if one.candidate == "tuned")
    # The candidate is the bare prompt: the search's gain is its difference with the sign turned.
    gain = (-bare.mean.value, -bare.mean.high, -bare.mean.low)
    tune = (tuned.mean.value, tuned.mean.low, tuned.mean.high)
    minutes = sum(phase.seconds for phase in found.phases) / 60
    cells = [
        f"{found.study} ({tuned.metric})",
        str(tuned.n),
        f"{100 * constant:.1f}%",
        *(
            f"{100 * mean.value:.1f}%"
            for mean in (bare.candidate_mean, tuned.baseline_mean, tuned.candidate_mean)
        ),
        *("{:+.1f} ({:+.1f} to {:+.1f})".format(*(100 * part for part in d)) for d in (gain, tune)),
        f"`{verdict}`",
        f"{minutes:.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def contrast(found: Findings, candidate: str) -> Contrast:
    """The primary metric of a candidate against the searched prompt."""
    comparison = next(one for one in found.comparisons if one.candidate == candidate)
    made = comparison.contrast(found.rule.primary, "eval")
    assert made is not None, f"{found.study}: {found.rule.primary} was not measured"
    return made


def show(table: str, into: Path | None, marks: tuple[str, str] = MARKS) -> None:
    """Replace what stands between the marks of a page by a table; without a page print it."""
    if into is None:
        print(table, flush=True)
        return
    begin, end = marks
    before, _, rest = into.read_text(encoding="utf-8").partition(begin)
    after = rest.partition(end)[2]
    into.write_text(f"{before}{begin}\n\n{table}\n\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
