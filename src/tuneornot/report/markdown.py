"""The report as compact Markdown, fit for a pull request or a chat.

Verdict, reasons, one table, what limits the conclusion and how long it took; no pictures and no
cases: those are in the HTML. Texts of users and models are escaped so that they stay text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from tuneornot.records import Comparison, Contrast, Findings, Verdict
from tuneornot.report import (
    amounts,
    beside,
    export,
    judges,
    money,
    profile,
    rarity,
    remarks,
    safety,
    schooling,
    sentences,
    stress,
    upkeep,
)

_MARKS = {"holds": "✅", "broken": "❌", "unresolved": "❔"}
_SPECIAL = re.compile(r"([\\`*_\[\]<>|#])")


def render(findings: Findings) -> str:
    """The whole report as Markdown, ending in a line end."""
    blocks = [f"# {_text(findings.study)}", _text(findings.task)]
    if not findings.verdicts:
        blocks.append("**No verdict: nothing has been compared yet.**")
    recommendation = sentences.recommendation(findings)
    if recommendation:
        blocks.append(f"**{_text(recommendation)}**")
    for verdict in findings.verdicts:
        blocks += _verdict(verdict, findings)
    limits = remarks.limits(findings)
    if limits:
        told = "\n".join(f"- {_text(each)}" for each in limits)
        blocks.append(
            f"<details><summary>What limits the conclusion ({len(limits)})</summary>\n\n"
            f"{told}\n\n</details>"
        )
    blocks += [
        *_safety(findings),
        _beside(findings),
        _profile(findings),
        _upkeep(findings),
        _judges(findings),
        _schooling(findings),
        _effort(findings),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def write(findings: Findings, path: Path) -> Path:
    """Write the Markdown, whole or not at all, and return its path.

    Raises:
        StoreError: the file cannot be written.
    """
    return export.save(render(findings).encode("utf-8", "replace"), path)


def _text(text: str) -> str:
    """Text as one line without any Markdown or HTML in it."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))


def _verdict(verdict: Verdict, findings: Findings) -> list[str]:
    comparison = sentences.comparison_of(verdict, findings)
    reasons = []
    for reason in sentences.by_weight(verdict):
        state = sentences.STATES[reason.holds]
        told = _text(sentences.reason(reason, comparison))
        reasons.append(f"- {_MARKS[state]} {state}: {told}")
    return [
        f"## {_text(sentences.headline(verdict, findings))}",
        _text(sentences.advice(verdict)),
        "\n".join(reasons),
        _table(comparison) if comparison is not None and comparison.contrasts else "",
        "\n".join(f"- {_text(said)}" for said in _corrected(comparison)),
        *([] if comparison is None else map(_details, comparison.contrasts)),
        _stress(comparison, findings) if comparison is not None and comparison.drops else "",
        _rarity(comparison) if comparison is not None and comparison.bands else "",
        _text(money.per_success(comparison, findings)) if comparison is not None else "",
        _sensitivity(verdict, findings),
    ]


def _corrected(comparison: Comparison | None) -> list[str]:
    contrasts = () if comparison is None else comparison.contrasts
    return [said for each in contrasts if (said := judges.of(each))]


def _details(contrast: Contrast) -> str:
    """The further figures of a whole-run metric, folded away."""
    if not contrast.details:
        return ""
    head = ("figure", contrast.baseline, contrast.candidate, "difference")
    rows = [
        (
            each.name,
            amounts.level(each.baseline.value, contrast.scale),
            amounts.level(each.candidate.value, contrast.scale),
            f"{amounts.apart(each.difference.value, contrast.scale)}"
            f" ({amounts.apart_span(each.difference, contrast.scale)})",
        )
        for each in contrast.details
    ]
    of = _text(f"{amounts.title(contrast.metric)} on {contrast.dataset}")
    table = _lines((head, *rows), "|---|--:|--:|--:|")
    return f"<details><summary>{of}, figure by figure</summary>\n\n{table}\n\n</details>"


def _lines(rows: Sequence[Sequence[str]], rule: str) -> str:
    """A table: its head, the rule under it, and the other rows."""
    first, *others = ["| " + " | ".join(_text(cell) for cell in row) + " |" for row in rows]
    return "\n".join([first, rule, *others])


def _table(comparison: Comparison) -> str:
    head = ("metric", "set", comparison.baseline, comparison.candidate, "difference", "+ / = / −")
    rows = [
        (
            amounts.title(each.metric),
            f"{each.dataset} ({each.n})",
            amounts.level(each.baseline_mean.value, each.scale),
            amounts.level(each.candidate_mean.value, each.scale),
            f"{amounts.apart(each.mean.value, each.scale)}"
            f" ({amounts.apart_span(each.mean, each.scale)})",
            f"{each.wins} / {each.ties} / {each.losses}",
        )
        for each in comparison.contrasts
    ]
    return _lines((head, *rows), "|---|---|--:|--:|--:|--:|")


def _rarity(comparison: Comparison) -> str:
    head = ("metric", "rarity", comparison.baseline, comparison.candidate, "difference", "p")
    return _lines((head, *rarity.lines(comparison)), "|---|---|--:|--:|--:|--:|")


def _stress(comparison: Comparison, findings: Findings) -> str:
    head = ("metric", "asked with", comparison.baseline, comparison.candidate, "difference", "p")
    table = _lines((head, *stress.lines(comparison)), "|---|---|--:|--:|--:|--:|")
    return f"{_text(stress.told(comparison, findings.rule.primary))}\n\n{table}".lstrip()


def _sensitivity(verdict: Verdict, findings: Findings) -> str:
    other = [
        f"{remarks.sensitivity(each, findings)}: {each.outcome}"
        for each in verdict.sensitivity
        if each.outcome != verdict.outcome
    ]
    if verdict.outcome == "blocked":
        return remarks.no_sensitivity(verdict)
    if not verdict.sensitivity:
        return ""
    if not other:
        return f"The verdict is the same under {len(verdict.sensitivity)} other choices."
    return "The verdict would change: " + _text("; ".join(other)) + "."


def _safety(findings: Findings) -> list[str]:
    """What the red team found: what was asked, both rates, a table of categories."""
    found = findings.redteam
    if found is None:
        return []
    blocks = ["### Safety", "\n".join(f"- {_text(each)}" for each in safety.suite(found))]
    for given in found.attacked:
        first = "before" if given.tuning else _text(given.baseline)
        second = _text(given.candidate)
        head = ("category", "severity", "n", first, second, "difference", "p (Holm)")
        lines = [" | ".join(head), "|".join(["---"] * len(head))]
        lines += [
            " | ".join(_text(cell) for cell in (row.name, row.severity, *row[2:]))
            for row in safety.rows(given)
        ]
        blocks += [
            f"**{_text(safety.title(given))}**",
            "\n".join(f"- {_text(each)}" for each in safety.told(given)),
            "\n".join(f"| {line} |" for line in lines),
        ]
    return blocks


def _judges(findings: Findings) -> str:
    if not findings.judges:
        return ""
    told = "\n".join(
        f"- {_text(each.metric)}, judged by {_text(each.judge)}: {_text(said)}"
        for each in findings.judges
        for said in judges.told(each)
    )
    return f"<details><summary>The judges</summary>\n\n{told}\n\n</details>"


def _schooling(findings: Findings) -> str:
    """What was tried around each training."""
    told = "\n".join(
        f"- {_text(arm)}: {_text(said)}"
        for arm in findings.adapters
        for said in schooling.told(findings, arm)
    )
    return f"Around the training:\n\n{told}" if told else ""


def _beside(findings: Findings) -> str:
    told = "\n".join(f"- {_text(each)}" for each in beside.told(findings))
    return f"Beside the verdict:\n\n{told}" if told else ""


def _profile(findings: Findings) -> str:
    told = "\n".join(f"- {_text(each)}" for each in profile.told(findings))
    return f"What is said of fine-tuning, here:\n\n{told}" if told else ""


def _upkeep(findings: Findings) -> str:
    """Money over the months: the arms' totals and each candidate's balance."""
    found = findings.economics
    if found is None:
        return ""
    lines = [upkeep.head(found), *(upkeep.row(each, found) for each in found.totals)]
    rows = [f"| {' | '.join(_text(cell) for cell in cells)} |" for cells in lines]
    rows.insert(1, f"|---|{'--:|' * (len(lines[0]) - 1)}")
    told = [_text(said) for each in found.balances for said in upkeep.balance(each, found)]
    head = f"Over {found.months} months, in {_text(found.currency)}, beside the verdict:"
    return "\n\n".join([head, "\n".join(rows), *told])


def _effort(findings: Findings) -> str:
    parts = [f"plan `{findings.plan}`"] if findings.plan else []
    parts += [f"{name}: {amounts.count(n, 'case')}" for name, n in findings.splits.items()]
    if findings.phases:
        total = sum(phase.seconds for phase in findings.phases)
        parts.append(f"{amounts.duration(total)} in all")
        told = money.spent(findings.phases, findings.currency).rstrip(".")
        parts += [_text(told)] if told else []
    if findings.version:
        parts.append(f"tuneornot {findings.version}")
    return f"<sub>{' · '.join(parts)}</sub>"
