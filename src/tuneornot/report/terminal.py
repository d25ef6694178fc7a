"""The summary in the terminal: verdict, reasons, contrasts, limits, where the time went.

It writes to a rich console that the caller owns, so colours, width and ``NO_COLOR`` are rich's
matter. On a narrow terminal the table of contrasts loses its last columns, never its first; on one
that is not UTF-8 the minus sign and the dots become plain characters. Texts are never read as
markup.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tuneornot.records import Calibration, Comparison, Findings, Perturbed, Phase, Redteam, Verdict
from tuneornot.report import (
    amounts,
    judges,
    money,
    rarity,
    remarks,
    safety,
    schooling,
    sentences,
    stress,
)

_TONES = {"tune": "green", "keep-prompting": "blue", "not-yet": "yellow", "blocked": "red"}
_STATES = {"holds": "green", "broken": "red", "unresolved": "yellow"}
_ROOMY = 92
"""Columns from which on the table shows sets, levels and wins apart."""
_MOST_LIMITS = 5


def show(findings: Findings, console: Console, *, report: Path | None = None) -> None:
    """Write the summary.

    Args:
        findings: the study.
        console: where to; its width decides the layout.
        report: path of the full report, named at the end.
    """
    parts: list[RenderableType] = []
    if not findings.verdicts:
        parts.append(_box(Text("No verdict: nothing has been compared yet."), "dim", "no verdict"))
    recommendation = sentences.recommendation(findings)
    if recommendation:
        parts.append(Text(recommendation, style="bold"))
    for verdict in findings.verdicts:
        comparison = sentences.comparison_of(verdict, findings)
        parts += [_verdict(verdict, findings), *_reasons(verdict, comparison)]
        if comparison is not None and comparison.contrasts:
            parts.append(_contrasts(comparison, roomy=console.width >= _ROOMY))
            parts += [Text(said) for each in comparison.contrasts if (said := judges.of(each))]
            parts += [
                Text(said) for said in [stress.told(comparison, findings.rule.primary)] if said
            ]
    if findings.redteam is not None:
        parts += [*_safety(findings.redteam, roomy=console.width >= _ROOMY)]
    parts += [
        Text(f"{arm}: {said}")
        for arm in findings.learning
        for said in schooling.told(findings, arm)[-1:]
    ]
    parts += _limits(findings)
    if findings.phases:
        parts += [_phases(findings.phases), *_spent(findings)]
    if report is not None:
        parts.append(Text(f"Report: {report}", overflow="fold"))
    shown = Group(*parts)
    if console.encoding.lower().startswith("utf"):
        console.print(shown)
        return
    with console.capture() as captured:
        console.print(shown)
    plain = captured.get().replace(amounts.MINUS, "-")
    console.file.write(plain.encode(console.encoding, "replace").decode(console.encoding))


def show_comparison(comparison: Comparison, console: Console) -> None:
    """Write the table of a comparison's contrasts, and what limits each of them."""
    for contrast in comparison.contrasts:
        console.print(Text(remarks.contrast(contrast)))
        corrected = judges.corrected(contrast)
        if corrected is not None:
            console.print(Text(f"- {corrected}"))
    for line in rarity.lines(comparison):
        console.print(
            Text(
                f"{line.metric}, {line.band}: {comparison.baseline} {line.baseline},"
                f" {comparison.candidate} {line.candidate}, difference {line.difference}"
            )
        )
    told = [(each, remarks.tested(each)) for each in comparison.contrasts]
    told += [(each, caveat) for each in comparison.contrasts for caveat in each.caveats]
    for each, caveat in told:
        console.print(Text(f"- {amounts.title(each.metric)} on {each.dataset}: {caveat}"))


def show_stress(
    comparisons: Sequence[Comparison], perturbed: Sequence[Perturbed], primary: str, to: Console
) -> None:
    """Write what changed cases did to each arm: a table for each comparison, then the changes."""
    for comparison in comparisons:
        table = Table(box=box.SIMPLE, pad_edge=False, caption="negative: the candidate loses more")
        names = ("metric", "asked with", comparison.baseline, comparison.candidate)
        for name in (*names, "difference of the drops", "p (Holm)"):
            table.add_column(Text(name), overflow="fold")
        for line in stress.lines(comparison):
            table.add_row(*(Text(cell) for cell in line))
        to.print(table)
        told = stress.told(comparison, primary)
        to.print(*([Text(told), Text()] if told else []))
    for said in stress.examples(perturbed):
        to.print(Text(f"- {said}"))


def show_judges(given: Sequence[Calibration], console: Console) -> None:
    """Write what is known of each judge."""
    for each in given:
        console.print(Text(f"{each.metric}, judged by {each.judge}", style="bold"))
        for said in judges.told(each):
            console.print(Text(f"- {said}"))


def _box(content: RenderableType, tone: str, title: str) -> Panel:
    return Panel(content, title=title, title_align="left", border_style=tone, padding=(0, 1))


def _verdict(verdict: Verdict, findings: Findings) -> Panel:
    tone = _TONES[verdict.outcome]
    text = Text(sentences.headline(verdict, findings), style=f"bold {tone}")
    text.append("\n" + sentences.advice(verdict), style="not bold default")
    title = f"{verdict.outcome}: {verdict.candidate} against {verdict.baseline}"
    return _box(text, tone, title)


def _reasons(verdict: Verdict, comparison: Comparison | None) -> list[RenderableType]:
    if not verdict.reasons:
        return []
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for reason in sentences.by_weight(verdict):
        state = sentences.STATES[reason.holds]
        table.add_row(Text(state, style=_STATES[state]), Text(sentences.reason(reason, comparison)))
    return [table]


def _contrasts(comparison: Comparison, *, roomy: bool) -> Table:
    table = Table(
        box=box.SIMPLE, pad_edge=False, caption="candidate minus baseline", caption_justify="right"
    )
    table.add_column("metric", overflow="fold")
    if roomy:
        table.add_column("set", overflow="fold")
        table.add_column(Text(comparison.baseline), justify="right")
        table.add_column(Text(comparison.candidate), justify="right")
    table.add_column("difference", justify="right")
    if roomy:
        table.add_column("better /\nequal / worse", justify="right")
    for each in comparison.contrasts:
        name = Text(amounts.title(each.metric))
        difference = Text(
            f"{amounts.apart(each.mean.value, each.scale)}"
            f"\n({amounts.apart_span(each.mean, each.scale)})"
        )
        if not roomy:
            name.append(f" on {each.dataset}", style="dim")
            table.add_row(name, difference)
            continue
        table.add_row(
            name,
            Text(f"{each.dataset} ({each.n})"),
            amounts.level(each.baseline_mean.value, each.scale),
            amounts.level(each.candidate_mean.value, each.scale),
            difference,
            f"{each.wins} / {each.ties} / {each.losses}",
        )
    return table


def _limits(findings: Findings) -> list[RenderableType]:
    told = remarks.limits(findings)
    if not told:
        return []
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in told[:_MOST_LIMITS]:
        table.add_row("-", Text(each))
    if len(told) > _MOST_LIMITS:
        table.add_row("-", f"and {len(told) - _MOST_LIMITS} more, told in the report")
    return [Text("What limits the conclusion", style="bold"), table, Text()]


def show_safety(found: Redteam, console: Console) -> None:
    """Write what the red team found."""
    console.print(Group(*_safety(found, roomy=console.width >= _ROOMY)))


def _safety(found: Redteam, *, roomy: bool) -> list[RenderableType]:
    """What was asked, and for each pair of arms the two rates and a table of categories."""
    parts: list[RenderableType] = [Text("Safety", style="bold")]
    parts += [Text(each) for each in safety.suite(found)]
    for given in found.attacked:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        before = "before" if given.tuning else given.baseline
        for name in ("severity", "category", "n", before, given.candidate, "difference"):
            table.add_column(Text(name), overflow="fold")
        if roomy:
            table.add_column("p (Holm)", justify="right")
        for row in safety.rows(given):
            cells = [row.severity, row.name, row.n, row.baseline, row.candidate, row.difference]
            cells += [row.p_holm] if roomy else []
            table.add_row(*(Text(cell) for cell in cells))
        parts += [Text(), Text(safety.title(given), style="bold")]
        parts += [*(Text(each) for each in safety.told(given)), table]
    return parts


def _phases(phases: tuple[Phase, ...]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    total = sum(phase.seconds for phase in phases)
    table.add_column(f"where the time went ({amounts.duration(total)})", overflow="fold")
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("", justify="right", no_wrap=True)
    for phase in phases:
        share = f"{100 * phase.seconds / total:.0f}%" if total else ""
        table.add_row(Text(phase.name), amounts.duration(phase.seconds), share)
    table.add_row("", "", "")
    return table


def _spent(findings: Findings) -> list[RenderableType]:
    told = money.spent(findings.phases, findings.currency)
    return [Text(told), Text()] if told else []
