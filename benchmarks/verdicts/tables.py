"""Rates to Markdown tables, each with its Monte Carlo error; cells are in percent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from benchmarks.verdicts import (
    coverage,
    labelled,
    listing,
    others,
    power,
    published,
    several,
    simulate,
    wholes,
)
from benchmarks.verdicts.scenarios import PRIMARY, Scenario, wrong
from benchmarks.verdicts.simulate import Counts, Rates

LOOKS = (100, 200, 400)
"""Numbers of cases at planned looks."""
BEYOND = (100, 300)
"""Numbers of cases where there are several candidates, a whole-run or a judged primary."""
DESERVED = {"tune": "tune", "keep-prompting": "keep", "edge": "neither"}


@dataclass(frozen=True)
class Effort:
    """How many draws a cell gets."""

    edge: int = 600
    """At thresholds, where error rates are greatest."""
    inside: int = 150
    """Elsewhere, where wrong verdicts are rare and the share decided is the question."""
    beyond: int = 300
    """Where a draw takes several verdicts, resamples or whole runs."""
    slow: int = 100
    """For a rule of others that takes long."""
    again: int = 2000
    """Anew, for a cell above the promise by more than two Monte Carlo errors."""

    @staticmethod
    def quick() -> Effort:
        """About a tenth."""
        return Effort(edge=60, inside=20, beyond=30, slow=10, again=200)

    def of(self, scenario: Scenario) -> int:
        """Draws of one cell."""
        return self.edge if scenario.deserved() == "edge" else self.inside


class Drawable(Protocol):
    """Anything that ends in a verdict."""

    @property
    def name(self) -> str:
        """Of the row."""
        ...

    @property
    def promised(self) -> bool:
        """Whether error rates are promised; other rows stand beside to be compared."""
        ...

    def once(self, rng: np.random.Generator, n: int) -> tuple[str, bool]:
        """The outcome of one draw, and whether it is a wrong decision."""
        ...


Row = tuple[Scenario, int, Rates]


def simulated(effort: Effort) -> list[Row]:
    """Every scenario at every size."""
    return [
        (scenario, n, _rates(scenario, n, effort))
        for scenario in listing.scenarios()
        for n in scenario.sizes
    ]


def verdicts(rows: Sequence[Row]) -> Iterator[str]:
    """Broken promises, then families, then every cell."""
    yield "### Verdicts where the truth is known"
    yield ""
    yield from _summary(rows)
    yield ""
    yield from _families(rows)
    yield ""
    yield "<details><summary>Every scenario at every number of cases</summary>"
    yield ""
    yield from _table(rows)
    yield ""
    yield "</details>"


def intervals(effort: Effort, folder: Path | None) -> Iterator[str]:
    """Coverage of the interval of the gain, simulated and published."""
    yield "### Coverage of the interval of the gain"
    yield ""
    yield from coverage.table(list(coverage.chosen(listing.scenarios())), effort.edge, effort.again)
    if folder is not None and folder.is_dir():
        yield ""
        found = coverage.chosen(list(published.scenarios(folder)))
        yield from coverage.table(list(found), effort.edge, effort.again)


def rules(effort: Effort, rows: Sequence[Row]) -> Iterator[str]:
    """Ours beside the rules of others at 100 cases: wrong verdicts / right decisions."""
    found = dict(others.RULES)
    if others.has_evalstats():
        found.update(others.EVALSTATS)
    yield "### The rules that people use, on the same draws, 100 cases"
    yield ""
    yield (
        f"Wrong decisions / right decisions in percent; Monte Carlo error {_error(effort.edge)} "
        f"points at 5% (evalstats: {effort.slow} draws, {_error(effort.slow)})."
    )
    yield ""
    yield f"| scenario | deserves | ours | {' | '.join(found)} |"
    yield "|--" * (3 + len(found)) + "|"
    for scenario, n, own in rows:
        if n != 100:
            continue
        cells = [_beside(scenario, 100, name, found[name], effort) for name in found]
        yield (
            f"| {scenario.family}: {scenario.name} | {DESERVED[scenario.deserved()]} "
            f"| {_pair(own.wrong_tune + own.wrong_keep, _right(own))} | {' | '.join(cells)} |"
        )


def published_results(effort: Effort, folder: Path | None) -> Iterator[str]:
    """Published results as the truth: at the edge, and with something worthwhile."""
    yield "### Published results taken as the truth"
    yield ""
    if folder is None or not folder.is_dir():
        yield "No folder of results was given (`--data`)."
        return
    found = list(published.scenarios(folder))
    yield "Where exactly the true difference is worthwhile, so that every decision is wrong:"
    yield ""
    edges = [published.at_the_edge(each) for each in found if not each.rule.guardrails]
    yield from _table([(each, n, _rates(each, n, effort)) for each in edges for n in each.sizes])
    yield ""
    yield "Where 0.05 is worthwhile (error points: 0.25); wrong / right decisions:"
    yield ""
    yield f"| pair | n | deserves | ours | {' | '.join(others.RULES)} |"
    yield "|--" * (4 + len(others.RULES)) + "|"
    for each in found:
        for n in each.sizes:
            own = simulate.rates(each, n, effort.inside)
            cells = [_beside(each, n, name, others.RULES[name], effort) for name in others.RULES]
            yield (
                f"| {each.family}: {each.name} | {n} | {DESERVED[each.deserved()]} "
                f"| {_pair(own.wrong_tune + own.wrong_keep, _right(own))} | {' | '.join(cells)} |"
            )


def more_power(effort: Effort, folder: Path | None) -> Iterator[str]:
    """Covariates, repeats, further looks."""
    yield "### More from the same cases"
    yield ""
    yield "| what | n | shown above 0.05 | coverage | low/high errors |"
    yield "|--" * 5 + "|"
    if folder is not None and folder.is_dir():
        bbh = published.read(folder, "bbh_codex_cot_vs_direct")
        xstest = published.read(folder, "xstest_5models")
        prompts = ("code-davinci-002/direct", "code-davinci-002/cot")
        small, great = ("llama2orig", "llama2new"), ("mistralinstruct", "mistralguard")
        for n in (50, 100, 300):
            for name, (plain, better) in {
                "XSTest, llama2, safe or not": power.by_slice(xstest, small, n, effort.edge),
                "XSTest, mistral, safe or not": power.by_slice(xstest, great, n, effort.edge),
                "BIG-Bench Hard, gain on dev": power.by_dev(bbh, prompts, n, effort.edge),
            }.items():
                yield _claims(f"{name}: plain", n, plain)
                yield _claims(f"{name}: adjusted", n, better)
    for n_repeats in (1, 3, 5):
        for scenario in power.repeats(n_repeats):
            own = simulate.rates(scenario, 100, effort.edge)
            yield (
                f"| {scenario.family}, {scenario.name} | 100 | {_percent(own.tune)} "
                f"| {_percent(own.covered)} "
                f"| {_percent(own.low_errors)} / {_percent(own.high_errors)} |"
            )
    yield ""
    yield from _looks(effort)


def beyond(effort: Effort) -> Iterator[str]:
    """Several candidates, whole-run primaries, judged primaries."""
    found: dict[str, Iterable[Drawable]] = {
        "Several candidates against one baseline": several.fields(),
        "A primary of the whole run": wholes.figured(),
        "A judged primary": labelled.judgings(),
    }
    for title, rows in found.items():
        yield f"### {title}"
        yield ""
        yield "| truth | n | tune | keep | not-yet | wrong tune | wrong keep | draws |"
        yield "|--" * 8 + "|"
        for each in rows:
            again = effort.again if each.promised else None
            for n in BEYOND:
                made = simulate.counts(each.name, n, effort.beyond, each.once, n_anew=again)
                yield _counted(each.name, n, made)
        yield ""


def _counted(name: str, n: int, found: Counts) -> str:
    """With the Monte Carlo error of either rate."""
    rates = [
        f"{_percent(rate)} ± {100 * simulate.noise(rate, found.n_sets):.1f}"
        for rate in (found.wrong_tune, found.wrong_keep)
    ]
    return (
        f"| {name} | {n} | {_percent(found.tune)} | {_percent(found.keep)} "
        f"| {_percent(found.open)} | {' | '.join(rates)} | {found.n_sets} |"
    )


def _looks(effort: Effort) -> Iterator[str]:
    chosen = [
        scenario
        for scenario in listing.scenarios()
        if scenario.family == "0/1 scores" and scenario.name in ("gain 0.05", "gain 0.15")
    ]
    yield "Collecting what `not-yet` asks for and judging again; 0/1 scores, 100 cases first:"
    yield ""
    yield from _look_rows(
        (scenario, power.looks(scenario, 100, 3, effort.of(scenario))) for scenario in chosen
    )
    yield ""
    sizes = ", ".join(f"{n}" for n in LOOKS)
    yield f"The same with `decide.looks: [{sizes}]`, which share one error rate:"
    yield ""
    yield from _look_rows(
        (scenario, power.planned_looks(scenario, LOOKS, effort.of(scenario))) for scenario in chosen
    )


def _look_rows(
    found: Iterable[tuple[Scenario, Sequence[tuple[float, float, float]]]],
) -> Iterator[str]:
    yield "| truth | look | tune | keep | mean cases |"
    yield "|--" * 5 + "|"
    for scenario, rows in found:
        for look, (tune, keep, cases) in enumerate(rows, 1):
            mistaken = tune if scenario.deserved() == "edge" else 0.0
            yield (
                f"| {scenario.name} | {look} | {_marked(tune, mistaken)} "
                f"| {_marked(keep, keep)} | {cases:.0f} |"
            )


def _rates(scenario: Scenario, n: int, effort: Effort) -> Rates:
    found = simulate.rates(scenario, n, effort.of(scenario))
    if simulate.broken(found):
        found = simulate.rates(scenario, n, effort.again, again=1)
    return found


def _summary(rows: Sequence[Row]) -> Iterator[str]:
    """How many cells keep the promises."""
    above = [row for row in rows if simulate.broken(row[2])]
    edges = [found for scenario, _, found in rows if scenario.deserved() == "edge"]
    yield (
        f"{len(rows)} cells, of them {len(edges)} at a threshold, where either decision is wrong. "
        f"There the mean rates are {_percent(_mean([e.wrong_tune for e in edges]))}% wrong `tune` "
        f"and {_percent(_mean([e.wrong_keep for e in edges]))}% wrong `keep-prompting`. "
        "Cells above 5% by more than two Monte Carlo errors are drawn anew with more sets; "
        f"above it still: {len(above)}."
    )
    for scenario, n, found in above:
        yield (
            f"- {scenario.family}: {scenario.name}, n = {n}: wrong `tune` "
            f"{_percent(found.wrong_tune)}%, wrong `keep-prompting` {_percent(found.wrong_keep)}% "
            f"(± {100 * simulate.noise(found.worst, found.n_sets):.1f})"
        )


def _families(rows: Sequence[Row]) -> Iterator[str]:
    """The greatest rates of each family, which are greatest of several and so partly luck."""
    yield (
        "Greatest rates of a wrong verdict in each family, the range of coverage from 50 cases on, "
        "and the decided share at 100 cases where one verdict is right:"
    )
    yield ""
    yield "| family | cells | wrong tune | wrong keep | coverage | decided at 100 |"
    yield "|--" * 6 + "|"
    for family in dict.fromkeys(scenario.family for scenario, _, _ in rows):
        own = [row for row in rows if row[0].family == family]
        covered = [found.covered for _, n, found in own if n >= 50]
        decided = [
            f"{scenario.name}: {_percent(_right(found))}"
            for scenario, n, found in own
            if n == 100 and scenario.deserved() != "edge"
        ]
        yield (
            f"| {family} | {len(own)} | {_percent(max(f.wrong_tune for _, _, f in own))} "
            f"| {_percent(max(f.wrong_keep for _, _, f in own))} "
            f"| {_percent(min(covered))} - {_percent(max(covered))} | {'; '.join(decided)} |"
        )


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield "| scenario | deserves | n | tune | keep | not-yet | coverage | low/high errors | draws |"
    yield "|--" * 9 + "|"
    for scenario, n, found in rows:
        tune = _marked(found.tune, found.wrong_tune)
        keep = _marked(found.keep, found.wrong_keep)
        yield (
            f"| {scenario.family}: {scenario.name} | {DESERVED[scenario.deserved()]} | {n} "
            f"| {tune} | {keep} | {_percent(found.open)} | {_percent(found.covered)} "
            f"| {_percent(found.low_errors)} / {_percent(found.high_errors)} | {found.n_sets} |"
        )


def _beside(scenario: Scenario, n: int, name: str, decide: others.Decision, effort: Effort) -> str:
    """Another rule on the same draws as ours."""
    rng = simulate.generator(scenario, n)
    n_sets = effort.slow if name in others.EVALSTATS else effort.of(scenario)
    deserved = scenario.deserved()
    mistakes = rights = applied = 0
    for _ in range(n_sets):
        drawn = scenario.draw(rng, n)[PRIMARY]
        outcome = decide(others.means(drawn, scenario.rule.worthwhile))
        if outcome is not None:
            applied += 1
            mistakes += wrong(deserved, outcome)
            rights += outcome == deserved
    return _pair(mistakes / applied, rights / applied) if applied else "-"


def _claims(name: str, n: int, found: power.Claims) -> str:
    return (
        f"| {name} | {n} | {_percent(found.shown)} | {_percent(found.covered)} "
        f"| {_percent(found.low_errors)} / {_percent(found.high_errors)} |"
    )


def _right(found: Rates) -> float:
    return max(0.0, found.tune + found.keep - found.wrong_tune - found.wrong_keep)


def _marked(rate: float, mistaken: float) -> str:
    """Bold where the decision is wrong."""
    return f"**{_percent(rate)}**" if mistaken > 0 else _percent(rate)


def _pair(mistakes: float, rights: float) -> str:
    return f"{_percent(mistakes)} / {_percent(rights)}"


def _percent(share: float) -> str:
    text = f"{100 * share:.1f}"
    return text.removesuffix(".0") if text in ("0.0", "100.0") else text


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _error(n_sets: int) -> str:
    return f"{100 * simulate.noise(0.05, n_sets):.1f}"
