"""The report as one HTML file that needs nothing else: no network, no fonts, no libraries.

Everything is laid out here and written by the templates beside this file; sentences, pictures and
cases come from their modules. The page's own policy forbids it to load anything, so that a model's
answer cannot either; every text is escaped.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import jinja2
import msgspec
from markupsafe import Markup

from tuneornot.records import (
    SAFETY,
    Candidate,
    Comparison,
    Contrast,
    Findings,
    Ledger,
    Run,
    Scale,
    Verdict,
)
from tuneornot.report import (
    amounts,
    beside,
    casebook,
    casewise,
    efforts,
    export,
    figures,
    judges,
    money,
    profile,
    rarity,
    remarks,
    safety,
    schooling,
    sentences,
    shapes,
    stress,
    upkeep,
    whole,
)
from tuneornot.report.drawing import Figure

_TEMPLATES = Path(__file__).parent / "templates"


class Detail(NamedTuple):
    """One metric on one set: its sentences and pictures."""

    contrast: Contrast
    told: str
    tails: tuple[str, ...]
    distribution: Figure | None
    differences: Figure | None
    quantiles: Figure | None


class Stress(NamedTuple):
    """What changed cases did to both arms of one comparison."""

    told: str
    lines: tuple[stress.Line, ...]
    differences: Figure | None
    curves: tuple[Figure, ...]


class View(NamedTuple):
    """One comparison as the page shows it."""

    comparison: Comparison
    verdict: Verdict | None
    headline: str
    advice: str
    reasons: tuple[tuple[str, str], ...]
    """State and sentence of each reason."""
    effects: Figure | None
    ratios: Figure | None
    details: tuple[Detail, ...]
    slices: tuple[tuple[Contrast, Figure], ...]
    shift: tuple[tuple[str, Figure], ...]
    """By metric measured on several sets: its level on each."""
    stress: Stress | None
    rarity: tuple[rarity.Line, ...]
    costs: tuple[Detail, ...]
    """Latency, tokens, money."""


class Search(NamedTuple):
    """One prompt search as the page shows it."""

    arm: str
    ledger: Ledger
    candidates: tuple[Candidate, ...]
    """The chosen one, then by the dev cases they answered, then by their mean."""
    told: tuple[str, ...]
    figure: Figure | None
    scale: Scale


def write(findings: Findings, path: Path) -> Path:
    """Write the report to a file, whole or not at all, and return its path.

    Raises:
        StoreError: the file cannot be written.
    """
    return export.save(render(findings).encode("utf-8", "replace"), path)


def render(findings: Findings) -> str:
    """The whole page as text."""
    script = (_TEMPLATES / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = _environment().get_template("page.html.j2")
    return page.render(
        findings=findings,
        views=[_view(comparison, findings) for comparison in findings.comparisons],
        searches=[_search(arm, each, findings) for arm, each in findings.ledgers.items()],
        curves={arm: efforts.curve(each) for arm, each in findings.adapters.items()},
        learnt={
            arm: schooling.figure(each, schooling.scale(findings, each.metric))
            for arm, each in findings.learning.items()
        },
        book=casebook.build(findings),
        limits=remarks.limits(findings),
        beside=beside.told(findings),
        risks=beside.curves(findings),
        examples=stress.examples(findings.perturbed),
        arms=_arms(findings.runs),
        upkeep=None if findings.economics is None else upkeep.shown(findings.economics),
        style=Markup((_TEMPLATES / "page.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_digest=digest,
        several=len(findings.comparisons) > 1,
        recommendation=sentences.recommendation(findings),
        total_seconds=sum(phase.seconds for phase in findings.phases),
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        amounts=amounts,
        rarity=rarity,
        judges=judges,
        money=money,
        profile=profile,
        remarks=remarks,
        safety=safety,
        schooling=schooling,
        sentences=sentences,
    )
    environment.filters["settings"] = _settings
    return environment


def _settings(record: object) -> str:
    """A record's fields as one readable line."""
    fields = msgspec.to_builtins(record)
    return ", ".join(
        f"{key.replace('_', ' ')} {value if isinstance(value, str) else json.dumps(value)}"
        for key, value in fields.items()
        if value != []
    )


def _arms(runs: Sequence[Run]) -> tuple[Run, ...]:
    """The first run of every arm, in the order of measuring; seeds are arms of their own here."""
    first: dict[str, Run] = {}
    for run in runs:
        first.setdefault(run.arm.fingerprint, run)
    return tuple(first.values())


def _view(comparison: Comparison, findings: Findings) -> View:
    verdict = None
    for each in findings.verdicts:
        if (each.baseline, each.candidate) == (comparison.baseline, comparison.candidate):
            verdict = each
    # What the red team measured has a section of its own.
    judged = [
        each for each in comparison.contrasts if not _is_cost(each) and each.metric not in SAFETY
    ]
    costs = [each for each in comparison.contrasts if _is_cost(each)]
    # The primary first: it is what the reader looks for.
    judged.sort(key=lambda each: each.metric != findings.rule.primary)
    return View(
        comparison=comparison,
        verdict=verdict,
        headline=sentences.headline(verdict, findings) if verdict else "",
        advice=sentences.advice(verdict) if verdict else "",
        reasons=tuple(
            (sentences.STATES[reason.holds], sentences.reason(reason, comparison))
            for reason in (sentences.by_weight(verdict) if verdict else ())
        ),
        effects=figures.effects(comparison, verdict),
        ratios=figures.ratios(comparison, verdict),
        details=tuple(_detail(each, findings) for each in judged if _is_first_set(each, judged)),
        slices=_slices(judged),
        shift=_shift(judged),
        stress=_stress(comparison, findings) if comparison.drops else None,
        rarity=rarity.lines(comparison),
        costs=tuple(_detail(each, findings) for each in costs if _is_first_set(each, costs)),
    )


def _is_cost(contrast: Contrast) -> bool:
    return contrast.metric in casewise.MEASURED


def _is_first_set(contrast: Contrast, among: Sequence[Contrast]) -> bool:
    """Whether it is on the first set of its metric; further sets have a section of their own."""
    return contrast is next(each for each in among if each.metric == contrast.metric)


def _detail(contrast: Contrast, findings: Findings) -> Detail:
    return Detail(
        contrast=contrast,
        told=remarks.contrast(contrast),
        tails=(*remarks.tails(contrast), *whole.details(contrast)),
        distribution=shapes.distributions(findings.runs, contrast),
        differences=shapes.differences(findings.runs, contrast),
        quantiles=figures.quantiles(contrast),
    )


def _slices(contrasts: Sequence[Contrast]) -> tuple[tuple[Contrast, Figure], ...]:
    drawn = [
        (each, figures.slices(each))
        for each in contrasts
        if len(each.slices) > 1 and _is_first_set(each, contrasts)
    ]
    return tuple((each, figure) for each, figure in drawn if figure is not None)


def _shift(contrasts: Sequence[Contrast]) -> tuple[tuple[str, Figure], ...]:
    by_metric: dict[str, list[Contrast]] = {}
    for each in contrasts:
        by_metric.setdefault(each.metric, []).append(each)
    drawn = [(metric, figures.levels(each)) for metric, each in by_metric.items() if len(each) > 1]
    return tuple((metric, figure) for metric, figure in drawn if figure is not None)


def _stress(comparison: Comparison, findings: Findings) -> Stress:
    return Stress(
        told=stress.told(comparison, findings.rule.primary),
        lines=stress.lines(comparison),
        differences=stress.differences(comparison, findings),
        curves=stress.curves(comparison, findings.rule.primary),
    )


def _search(arm: str, ledger: Ledger, findings: Findings) -> Search:
    scales = (run.metrics[ledger.metric] for run in findings.runs if ledger.metric in run.metrics)
    scale = next(scales, Scale(low=None, high=None))
    sign = 1 if scale.better == "higher" else -1

    def place(tried: Candidate) -> tuple[bool, int, float]:
        return tried.name != ledger.best, -tried.n_cases, -sign * tried.mean

    return Search(
        arm=arm,
        ledger=ledger,
        candidates=tuple(sorted(ledger.candidates, key=place)),
        told=remarks.ledger(ledger, scale),
        figure=efforts.progress(ledger, scale),
        scale=scale,
    )
