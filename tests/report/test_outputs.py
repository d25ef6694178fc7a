"""The terminal's summary, Markdown and JSON."""

from __future__ import annotations

import io
import json
import math
import re
from pathlib import Path

import msgspec
import pytest
from rich.console import Console

from tests.report import fixture
from tests.report.test_sentences import NAN
from tuneornot.errors import DataError
from tuneornot.records import Findings
from tuneornot.report import export, markdown, sentences, terminal


def shown(findings: Findings, *, width: int = 100, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    console = Console(file=file, width=width, force_terminal=False, color_system=None)
    terminal.show(findings, console, report=Path("results/report.html"))
    file.flush()
    return raw.getvalue().decode(encoding)


def test_the_summary_names_verdict_reasons_time_and_report() -> None:
    findings = fixture.findings()
    text = " ".join(re.sub(r"[│╭╮╰╯─]", " ", shown(findings)).split())
    verdict = findings.verdicts[0]
    assert sentences.headline(verdict, findings) in text
    for reason in verdict.reasons:
        assert sentences.reason(reason, findings.comparisons[0]) in text
    assert "where the time went (6 min 20 s)" in text
    assert text.endswith("Report: results/report.html")


@pytest.mark.parametrize("width", [30, 50, 80, 100, 160])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    lines = shown(fixture.findings(), width=width).splitlines()
    assert max(len(line) for line in lines) <= width
    assert "Exact match" in "\n".join(lines)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_every_terminal_can_show_it(encoding: str) -> None:
    minus = "−" if encoding == "utf-8" else "-"
    assert f"{minus}0.6 points" in shown(fixture.findings(), encoding=encoding)


def test_without_colour_there_are_no_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    file = io.StringIO()
    terminal.show(fixture.findings(), Console(file=file, width=80))
    assert "\x1b" not in file.getvalue()


def test_square_brackets_are_text() -> None:
    findings = fixture.with_verdict(caveats=("all of [red]this[/red] stays",))
    assert "All of [red]this[/red] stays." in shown(findings)


@pytest.mark.parametrize("outcome", ["tune", "keep-prompting", "not-yet", "blocked"])
def test_every_outcome_in_terminal_markdown_and_json(outcome: str) -> None:
    findings = fixture.with_verdict(outcome=outcome)
    assert f"{outcome}: tuned against prompted" in shown(findings)
    headline = sentences.headline(findings.verdicts[0], findings)
    assert f"## {headline}" in markdown.render(findings)
    assert json.loads(export.render(findings))["verdicts"][0]["headline"] == headline


def test_a_study_without_comparison() -> None:
    assert "No verdict" in shown(fixture.bare())
    assert "**No verdict" in markdown.render(fixture.bare())
    assert json.loads(export.render(fixture.bare()))["verdicts"] == []


def test_markdown_has_a_row_for_every_contrast_with_equal_columns() -> None:
    findings = fixture.findings()
    rows = [line for line in markdown.render(findings).splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(findings.comparisons[0].contrasts)
    assert {row.count("|") for row in rows} == {7}
    assert rows[2].startswith("| Exact match | eval (119) | 19.3% | 49.6% | +30.3 points")


def test_markdown_of_hostile_names_stays_text() -> None:
    task = "a | b <script>x</script>\n# not a heading [link](http://x) `code`"
    text = markdown.render(msgspec.structs.replace(fixture.findings(), task=task))
    line = text.splitlines()[2]
    assert line.startswith("a \\| b \\<script\\>")
    assert "\\[link\\](http" in line
    assert not any(each.startswith("# not") for each in text.splitlines())


def test_markdown_is_written_as_it_is_rendered(tmp_path: Path) -> None:
    path = markdown.write(fixture.findings(), tmp_path / "report.md")
    assert path.read_text(encoding="utf-8") == markdown.render(fixture.findings())


def test_json_comes_back_as_it_was(tmp_path: Path) -> None:
    path = export.write(fixture.findings(), tmp_path / "report.json")
    assert export.read(path) == fixture.findings()


def test_json_is_strict_and_nan_comes_back(tmp_path: Path) -> None:
    given = fixture.findings()
    contrast = msgspec.structs.replace(given.comparisons[0].contrasts[0], mean=NAN, spread=NAN)
    comparison = msgspec.structs.replace(given.comparisons[0], contrasts=(contrast,))
    path = export.write(
        msgspec.structs.replace(given, comparisons=(comparison,)), tmp_path / "report.json"
    )

    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is not JSON")

    raw = json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)
    assert raw["findings"]["comparisons"][0]["contrasts"][0]["mean"]["value"] is None
    restored = export.read(path).comparisons[0].contrasts[0]
    assert math.isnan(restored.mean.low)
    assert restored.spread is not None
    assert math.isnan(restored.spread.value)
    # What may be absent stays absent.
    assert restored.mean.p_value is None
    assert restored.detectable == contrast.detectable


def test_the_documented_shape_of_the_json() -> None:
    raw = json.loads(export.render(fixture.findings()))
    assert list(raw) == [
        "schema",
        "schema_version",
        "version",
        "study",
        "plan",
        "verdicts",
        "limits",
        "findings",
    ]
    assert set(raw["verdicts"][0]["reasons"][0]) == {
        "state",
        "role",
        "metric",
        "dataset",
        "quantity",
        "sentence",
    }
    assert raw["schema_version"] == export.SCHEMA_VERSION == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"not json",
        b'{"schema": "tuneornot.report", "schema_version": 99, "findings": {}}',
        b'{"schema": "tuneornot.report", "schema_version": 1}',
        b'{"schema": "tuneornot.report", "schema_version": 1, "findings": {}}',
    ],
)
def test_what_is_no_report_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match="Give a report"):
        export.read(path)


def test_a_missing_report_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        export.read(tmp_path / "gone.json")
