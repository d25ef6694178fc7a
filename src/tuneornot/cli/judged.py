"""Two files of scores, compared: for results that were measured anywhere else."""

from __future__ import annotations

from pathlib import Path

import msgspec
from rich.console import Console

from tuneornot import compare
from tuneornot.cli.progress import console
from tuneornot.cli.working import print_json
from tuneornot.errors import StudyError
from tuneornot.formats import scores
from tuneornot.records import Comparison, Contrast
from tuneornot.report import terminal


def files(baseline: Path, candidate: Path, *, margin: float, alpha: float, as_json: bool) -> None:
    """Compare two files of scores, metric by metric; higher scores are better.

    Raises:
        DataError: a fault of a file.
        StudyError: an error rate that is none.
    """
    if not 0 < alpha < 0.5:
        raise StudyError("--alpha", [f"found {alpha!r}, expected a number between 0 and 0.5"])
    paired = scores.read(baseline, candidate)
    found = Comparison(
        baseline=baseline.name,
        candidate=candidate.name,
        alpha=alpha,
        contrasts=tuple(_contrast(one, margin, alpha, baseline, candidate) for one in paired),
    )
    if as_json:
        print_json(found)
        return
    for one in paired:
        left_out = sum(one.n_unpaired)
        if left_out:
            console.print(
                f"{one.metric}: {left_out} cases stand in one file only and are left out "
                f"({one.n_unpaired[0]} in {baseline}, {one.n_unpaired[1]} in {candidate})",
                markup=False,
            )
    out = Console(highlight=False)
    terminal.show_comparison(found, out)
    for contrast in found.contrasts:
        out.print(_verdict(contrast, margin, alpha), markup=False)


def _verdict(contrast: Contrast, margin: float, alpha: float) -> str:
    """What the one-sided bounds say of the margin."""
    sure = f"with {100 * (1 - alpha):g}% confidence"
    if contrast.mean.lower > margin:
        said = f"the gain exceeds {margin:g}; {sure} it is at least {contrast.mean.lower:.3g}"
    elif contrast.mean.upper < margin:
        said = f"the gain stays below {margin:g}; {sure} it is at most {contrast.mean.upper:.3g}"
    else:
        said = f"whether the gain exceeds {margin:g} is not decided {sure}"
    return f"{contrast.metric}: {said} (one-sided; the interval above is two-sided)."


def _contrast(
    one: scores.Paired, margin: float, alpha: float, baseline: Path, candidate: Path
) -> Contrast:
    made = compare.scores(
        one.baseline,
        one.candidate,
        groups=one.groups,
        margin=margin,
        alpha=alpha,
        metric=one.metric,
        case_ids=one.case_ids,
    )
    return msgspec.structs.replace(made, baseline=baseline.name, candidate=candidate.name)
