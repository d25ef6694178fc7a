"""Pictures of single cases: both distributions of a metric, and the paired differences.

Binary scores have no shape worth a histogram; they are shown as who got which cases right. Scores
between 0 and 1 are binned, unbounded ones are drawn as cumulative shares, which need no bins.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tuneornot.records import Contrast, Run
from tuneornot.report import amounts, casewise, drawing, figures
from tuneornot.report.drawing import Figure, Row, Spec

N_BINS = 10


def distributions(runs: Sequence[Run], contrast: Contrast) -> Figure | None:
    """Both arms' scores, whole."""
    if contrast.scale.binary or contrast.scale.whole:
        return figures.levels([contrast])
    baseline, candidate = casewise.pair(runs, contrast)
    if not baseline or not candidate or len({*baseline.values(), *candidate.values()}) == 1:
        return None
    arms = (
        (contrast.baseline, list(baseline.values())),
        (contrast.candidate, list(candidate.values())),
    )
    if amounts.is_share(contrast.scale):
        return _histogram(arms, contrast)
    return _cumulative(arms, contrast)


def differences(runs: Sequence[Run], contrast: Contrast) -> Figure | None:
    """What changed case by case."""
    gains = casewise.gains(runs, contrast)
    if len(set(gains)) < 2:  # one bar says no more than its number
        return None
    if (contrast.scale.binary or contrast.scale.whole) and set(gains) <= {-1.0, 0.0, 1.0}:
        return _who_got_what(runs, contrast)
    return _gains(gains, contrast)


def _histogram(arms: Sequence[tuple[str, list[float]]], contrast: Contrast) -> Figure:
    levels = sorted({round(100 * value, 1) for _, values in arms for value in values})
    few = len(levels) <= N_BINS + 1
    rows: list[Row] = []
    for arm, values in arms:
        counted = Counter(_bin(value, few=few) for value in values)
        for label in sorted(counted):
            share = 100 * counted[label] / len(values)
            rows.append({"arm": arm, "bin": label[1], "at": label[0], "share": share})
    names = tuple(arm for arm, _ in arms)

    def build(width: int) -> Spec:
        encoding = {
            "x": {
                "field": "bin",
                "type": "ordinal",
                "sort": {"field": "at", "op": "min"},
                "title": f"{amounts.title(contrast.metric)}, percent",
                "axis": {"labelAngle": 0},
            },
            "xOffset": {"field": "arm", "sort": list(names)},
            "y": drawing.quantity("share", "Share of the cases, percent", ticks=5),
            "color": drawing.colours(names, (drawing.BASELINE, drawing.CANDIDATE), "arm"),
        }
        return {**drawing.layer(rows, {"type": "bar"}, encoding), "height": 220}

    return drawing.draw(
        build,
        alt_text=_summary(arms, contrast),
        caption=f"How the scores of all {contrast.n} cases are distributed in both arms.",
    )


def _bin(value: float, *, few: bool) -> tuple[float, str]:
    if few:
        return value, f"{100 * value:.3g}"
    start = min(int(value * N_BINS), N_BINS - 1) * 100 // N_BINS
    return start, f"{start}–{start + 100 // N_BINS}"


def _cumulative(arms: Sequence[tuple[str, list[float]]], contrast: Contrast) -> Figure:
    rows: list[Row] = []
    for arm, values in arms:
        ordered = sorted(values)
        step = max(1, len(ordered) // 200)  # 200 points draw the same curve as 100,000
        rows.append({"arm": arm, "value": ordered[0], "share": 0.0})
        for i in [*range(0, len(ordered), step), len(ordered) - 1]:
            share = 100 * (i + 1) / len(ordered)
            rows.append({"arm": arm, "value": ordered[i], "share": share})
    names = tuple(arm for arm, _ in arms)
    unit = f", {contrast.scale.unit}" if contrast.scale.unit else ""

    def build(width: int) -> Spec:
        title = f"{amounts.title(contrast.metric)}{unit}"
        encoding = {
            "x": drawing.quantity("value", title, ticks=6 if width > 500 else 4, zero=False),
            "y": drawing.quantity("share", "Cases up to here, percent", ticks=5),
            "color": drawing.colours(names, (drawing.BASELINE, drawing.CANDIDATE), "arm"),
        }
        mark = {"type": "line", "interpolate": "step-after", "strokeWidth": 2.5}
        return {**drawing.layer(rows, mark, encoding), "height": 220}

    better = "left" if contrast.scale.better == "lower" else "right"
    return drawing.draw(
        build,
        alt_text=_summary(arms, contrast),
        caption=f"Share of the cases at or below each value; a curve further {better} is better.",
    )


def _summary(arms: Sequence[tuple[str, list[float]]], contrast: Contrast) -> str:
    told = []
    for arm, values in arms:
        ordered = sorted(values)
        at = [ordered[int(q * (len(ordered) - 1))] for q in (0.1, 0.5, 0.9)]
        shown = ", ".join(amounts.level(value, contrast.scale) for value in at)
        told.append(f"{arm}: 10%, 50% and 90% quantiles {shown}")
    return f"Distributions of {amounts.title(contrast.metric)}. {'; '.join(told)}."


def _who_got_what(runs: Sequence[Run], contrast: Contrast) -> Figure:
    baseline, candidate = casewise.pair(runs, contrast)
    good = 1.0 if contrast.scale.better == "higher" else 0.0
    states = Counter(
        (baseline[case] == good, candidate[case] == good) for case in baseline if case in candidate
    )
    parts = (
        ("both right", states[True, True], drawing.MUTED),
        (f"only {contrast.candidate}", states[False, True], drawing.CANDIDATE),
        (f"only {contrast.baseline}", states[True, False], drawing.BASELINE),
        ("both wrong", states[False, False], drawing.LINE),
    )
    names = tuple(name for name, _, _ in parts)
    colours = tuple(colour for _, _, colour in parts)
    total = sum(n for _, n, _ in parts)
    rows: list[Row] = []
    start = 0
    for i, (name, n, _) in enumerate(parts):
        middle = start + n / 2
        rows.append({"part": name, "n": n, "from": start, "to": start + n, "at": middle, "i": i})
        start += n

    def build(width: int) -> Spec:
        x = drawing.quantity("from", "Cases", domain=[0, total], nice=False)
        shades = drawing.colours(names, colours, "part", columns=4 if width > 500 else 2)
        # A number only where it fits into its part of the bar.
        labelled = [row for row in rows if int(str(row["n"])) * width > 24 * total]
        bars = drawing.layer(
            rows,
            {"type": "bar", "height": 28, "yOffset": 10},
            {"x": x, "x2": {"field": "to"}, "color": shades},
        )
        numbers = drawing.layer(
            labelled,
            {"type": "text", "fontWeight": "bold", "yOffset": -16},
            {"x": drawing.quantity("at"), "text": {"field": "n"}},
        )
        return {"layer": [bars, numbers], "height": 58}

    told = ", ".join(f"{name}: {n}" for name, n, _ in parts)
    return drawing.draw(
        build,
        alt_text=f"{amounts.title(contrast.metric)} by case. {told}.",
        caption=f"The same {total} cases under both arms; only the two coloured parts differ.",
    )


def _gains(gains: list[float], contrast: Contrast) -> Figure:
    unit = 100.0 if amounts.is_share(contrast.scale) else 1.0
    scaled = [unit * gain for gain in gains]
    most = max(abs(gain) for gain in scaled) or 1.0
    half = N_BINS
    counted = Counter(
        0
        if gain == 0
        else (1 if gain > 0 else -1) * max(1, min(half, -(-abs(gain) * half // most)))
        for gain in scaled
    )
    rows: list[Row] = []
    width_of_bin = most / half
    for bin_, n in sorted(counted.items()):
        side = "better" if bin_ > 0 else "worse" if bin_ < 0 else "equal"
        middle = (bin_ - (0.5 if bin_ > 0 else -0.5 if bin_ < 0 else 0)) * width_of_bin
        # "Equal" is one value, not a range: a thin bar between its neighbours.
        reach = (0.36 if bin_ else 0.12) * width_of_bin
        rows.append(
            {
                "side": side,
                "n": n,
                "from": middle - reach,
                "to": middle + reach,
                "zero": 0,
            }
        )
    points = "points" if amounts.is_share(contrast.scale) else contrast.scale.unit or "value"

    def build(width: int) -> Spec:
        sides = ("better", "equal", "worse")
        title = f"Gain of {contrast.candidate}, {points}"
        encoding = {
            "x": drawing.quantity("from", title, ticks=8 if width > 500 else 4),
            "x2": {"field": "to"},
            "y": drawing.quantity("n", "Cases", ticks=5, step=1),
            "y2": {"field": "zero"},
            "color": drawing.colours(sides, (drawing.GOOD, drawing.MUTED, drawing.BAD), "side"),
        }
        return {**drawing.layer(rows, {"type": "bar"}, encoding), "height": 200}

    return drawing.draw(
        build,
        alt_text=(
            f"Differences case by case in {amounts.title(contrast.metric)}: better on"
            f" {contrast.wins}, equal on {contrast.ties}, worse on {contrast.losses}."
        ),
        caption="Paired differences, one for each case; right of zero the candidate is better.",
    )
