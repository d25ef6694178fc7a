"""What was tried around a training, in words and a picture: recipes, and sizes of the train split.

Only phrases what the records hold; what a curve answers was decided where it was computed.
"""

from __future__ import annotations

from tuneornot.records import Findings, Learning, Scale, Trial, Trials
from tuneornot.report import amounts, drawing
from tuneornot.report.drawing import Figure, Row, Spec

_ANSWERS = {
    "enough": "The gain is worthwhile with the data that is there; more would not change that.",
    "probably": "Twice the data would probably make the gain worthwhile.",
    "probably-not": "Twice the data would probably not make the gain worthwhile.",
    "open": "Whether twice the data would make the gain worthwhile cannot be told from this.",
}
_SEARCHED = ("rank", "rate", "epochs")


def told(findings: Findings, arm: str) -> tuple[str, ...]:
    """Everything about one arm, a sentence each; empty where nothing was tried."""
    said = trials(findings.trials.get(arm))
    if arm in findings.learning:
        said += learning(findings.learning[arm], scale(findings, findings.learning[arm].metric))
    return said


def trials(given: Trials | None) -> tuple[str, ...]:
    """The effort behind the recipe, and what was chosen; empty where the study gives it."""
    if given is None:
        return ()
    diverged = sum(one.dev_loss is None for one in given.tried)
    effort = (
        f"The search for the recipe took {amounts.count(len(given.tried), 'training')} and"
        f" {amounts.duration(given.seconds)}"
    )
    effort += f"; {amounts.count(diverged, 'of them')} diverged." if diverged else "."
    best = given.tried[given.best]
    if best.dev_loss is None:
        return (f"{effort} The recipe that was given is kept.",)
    first = given.tried[0]
    against = (
        f" (as given: {first.dev_loss:.3g} after {amounts.count(_epochs(first), 'epoch')})"
        if given.best and first.dev_loss is not None
        else ""
    )
    return (
        effort,
        f"Chosen was {recipe(best)}, with a loss of {best.dev_loss:.3g} nats per answer token on"
        f" dev{against}; being the least of several it is a little flattered.",
    )


def recipe(given: Trial) -> str:
    """What is searched of a recipe: ``rank 16, rate 0.001, epochs 2``; a full one has no rank."""
    return ", ".join(f"{name} {given.recipe[name]}" for name in _SEARCHED if name in given.recipe)


def learning(given: Learning, shown: Scale) -> tuple[str, ...]:
    """The curve and its forecast."""
    steps = ", ".join(
        f"{amounts.level(point.mean, shown)} with {point.n:,}" for point in given.points
    )
    found = (
        f"After training on shares of the train cases {amounts.title(given.metric)} on"
        f" {amounts.count(given.n_dev, 'dev case')} is {steps}; the baseline has"
        f" {amounts.level(given.baseline_mean, shown)} there."
    )
    forecast = (
        f"With twice the data the gain over the baseline may be"
        f" {amounts.difference(given.twice.value, shown)} ({amounts.interval(given.twice, shown)});"
        f" now it is {amounts.difference(given.now.value, shown)}"
        f" ({amounts.interval(given.now, shown)}), and worthwhile is more than"
        f" {amounts.margin(given.worthwhile, shown)}."
    )
    limits = f" It rests on: {'; '.join(given.caveats)}." if given.caveats else ""
    return found, f"{_ANSWERS[given.answer]} {forecast}{limits}"


def figure(given: Learning, shown: Scale) -> Figure:
    """The gains by size, and the forecast with its interval."""
    unit = 100.0 if amounts.is_share(shown) else 1.0
    rows: list[Row] = [
        {"n": point.n, "gain": unit * point.gain, "low": None, "high": None, "kind": "measured"}
        for point in given.points
    ]
    twice = given.twice
    rows.append(
        {
            "n": 2 * given.points[-1].n,
            "gain": unit * twice.value,
            "low": unit * twice.low,
            "high": unit * twice.high,
            "kind": "forecast",
        }
    )

    def build(width: int) -> Spec:
        x = drawing.quantity("n", "Train cases", ticks=5)
        title = f"Gain in {amounts.title(given.metric)} on dev{', points' if unit == 100 else ''}"
        y = drawing.quantity("gain", title, ticks=5)
        colour = drawing.colours(
            ("measured", "forecast"), (drawing.CANDIDATE, drawing.MUTED), "kind"
        )
        bars = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}, "color": colour}
        spec = drawing.layer(rows, {"type": "point", "filled": True, "size": 70}, {})
        return {
            "data": spec["data"],
            "layer": [
                {"mark": {"type": "rule", "strokeWidth": 2}, "encoding": bars},
                {"mark": spec["mark"], "encoding": {"x": x, "y": y, "color": colour}},
            ],
            "height": 220,
        }

    ends = "; ".join(f"{unit * point.gain:.3g} with {point.n:,}" for point in given.points)
    return drawing.draw(
        build,
        alt_text=(
            f"Gain over the baseline by train cases: {ends}; forecast for twice as many"
            f" {unit * twice.value:.3g}, from {unit * twice.low:.3g} to {unit * twice.high:.3g}."
        ),
        caption="Gain over the baseline on dev by train cases, and what twice as many may bring.",
    )


def scale(findings: Findings, metric: str) -> Scale:
    """Of a metric, as the runs have it."""
    scales = (run.metrics[metric] for run in findings.runs if metric in run.metrics)
    return next(scales, Scale(low=None, high=None))


def _epochs(given: Trial) -> int:
    found = given.recipe["epochs"]
    assert isinstance(found, int), "a recipe's epochs are a whole number"
    return found
