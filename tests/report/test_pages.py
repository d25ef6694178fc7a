from __future__ import annotations

import html.parser
import re
from pathlib import Path
from typing import Any

import altair as alt
import msgspec
import pytest
import vl_convert

from tests.report import fixture
from tests.report.test_sentences import NAN
from tuneornot.errors import StoreError
from tuneornot.records import Findings
from tuneornot.report import casebook, pages

SECTIONS = [
    *("verdict", "effects", "distributions", "slices", "shift", "costs", "search", "training"),
    *("cases", "sensitivity", "limits", "method"),
]


class Reader(html.parser.HTMLParser):
    """Collects what a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.open: list[str] = []
        self.unlabelled: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append(tag)
        if tag not in {"meta", "input", "br", "link", "img", "hr"}:
            self.open.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        self.links += [str(given[key]) for key in ("src", "href", "xlink:href") if key in given]
        if given.get("role") == "img" and not given.get("aria-label"):
            self.unlabelled.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes what it did not open"

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page() -> str:
    return pages.render(fixture.findings())


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that look at words only."""

    def blank(spec: dict[str, Any]) -> str:
        return "<svg ></svg>"

    monkeypatch.setattr(vl_convert, "vegalite_to_svg", blank)


def test_all_sections_stand_in_order_and_the_contents_point_at_them(page: str) -> None:
    read = Reader(page)
    assert [one for one in read.ids if one in SECTIONS] == SECTIONS
    targets = {link.removeprefix("#") for link in read.links}
    assert set(SECTIONS) <= targets <= set(read.ids)
    assert read.open == []


def test_the_page_loads_nothing(page: str) -> None:
    assert not re.search(r"https?:|//[a-z]|@import|url\(", page.replace("://127", ""))
    read = Reader(page)
    assert all(link.startswith("#") for link in read.links)
    assert not {"link", "img", "iframe", "object", "embed", "video"} & set(read.tags)
    assert "default-src 'none'" in page


def test_answers_cannot_become_markup(page: str) -> None:
    assert fixture.HOSTILE not in page
    assert "&lt;script&gt;alert(" in page
    assert Reader(page).tags.count("script") == 1


def test_no_text_of_a_study_can_become_markup() -> None:
    evil = "<script>alert(1)</script>\"'<img src=x onerror=alert(2)>"
    given = fixture.findings()
    data = msgspec.to_builtins(given)

    def poison(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: poison(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [poison(each) for each in value]
        if value in ("state", "federal", "prompted", "tuned", given.task, given.study):
            return value if value in ("prompted", "tuned") else evil
        return value

    poisoned = msgspec.convert(poison(data), Findings)
    read = Reader(pages.render(poisoned))
    assert read.tags.count("script") == 1
    assert "img" not in read.tags
    assert evil.split('"')[0] in read.text


def test_every_picture_is_described_and_every_table_has_a_caption(page: str) -> None:
    read = Reader(page)
    assert read.tags.count("figure") >= 12
    assert read.tags.count("svg") == 2 * read.tags.count("figure")
    assert read.unlabelled == []
    assert read.tags.count("table") == read.tags.count("caption") > 3
    assert read.tags.count("h1") == 1


def test_the_page_says_what_the_cases_say(page: str) -> None:
    text = Reader(page).text
    exact = fixture.findings().comparisons[0].contrasts[0]
    assert f"{100 * exact.baseline_mean.value:.1f}%" in text
    assert f"better {exact.wins}, equal {exact.ties}, worse {exact.losses}" in text
    assert "The server answered 500 after 3 tries." in text
    assert "nan" not in text.lower().split()


def test_the_page_is_small(page: str) -> None:
    assert len(page.encode()) < 2_000_000


def test_the_pictures_are_valid_by_the_published_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    specs: list[dict[str, Any]] = []

    def keep(spec: dict[str, Any]) -> str:
        specs.append(spec)
        return "<svg ></svg>"

    monkeypatch.setattr(vl_convert, "vegalite_to_svg", keep)
    pages.render(fixture.findings())
    assert len(specs) > 30
    # The wide and the narrow drawing of one kind differ only in numbers.
    for spec in [*specs[:4:2], *specs[4:26:4], *specs[26::2]]:
        kind = alt.LayerChart if "layer" in spec else alt.Chart
        kind.from_dict(spec).to_dict()


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("outcome", ["tune", "keep-prompting", "not-yet", "blocked"])
def test_every_outcome_has_its_banner(outcome: str) -> None:
    page = pages.render(fixture.with_verdict(outcome=outcome))
    assert f'class="banner {outcome}"' in page


@pytest.mark.usefixtures("undrawn")
def test_a_study_that_was_only_prompted() -> None:
    text = Reader(pages.render(fixture.bare())).text
    assert "No verdict: nothing has been compared yet." in text
    assert "Cases side by side" in text


@pytest.mark.usefixtures("undrawn")
def test_nothing_at_all() -> None:
    empty = msgspec.structs.replace(fixture.bare(), runs=(), phases=(), splits={})
    assert "No case was measured." in Reader(pages.render(empty)).text


@pytest.mark.usefixtures("undrawn")
def test_a_comparison_without_contrasts_and_a_verdict_without_reasons() -> None:
    given = fixture.with_verdict(reasons=(), sensitivity=(), caveats=())
    comparison = msgspec.structs.replace(given.comparisons[0], contrasts=(), checks=())
    text = Reader(pages.render(msgspec.structs.replace(given, comparisons=(comparison,)))).text
    assert "No metric was measured on both arms." in text
    assert "No other choice was tried." in text


@pytest.mark.usefixtures("undrawn")
def test_figures_that_the_data_do_not_determine() -> None:
    given = fixture.findings()
    contrasts = tuple(
        msgspec.structs.replace(
            each, mean=NAN, baseline_mean=NAN, candidate_mean=NAN, spread=NAN, worst_tenth=NAN
        )
        for each in given.comparisons[0].contrasts
    )
    reasons = tuple(
        msgspec.structs.replace(each, estimate=NAN, holds=None, n_more=None)
        for each in given.verdicts[0].reasons
    )
    comparison = msgspec.structs.replace(given.comparisons[0], contrasts=contrasts)
    verdict = msgspec.structs.replace(given.verdicts[0], reasons=reasons)
    page = pages.render(
        msgspec.structs.replace(given, comparisons=(comparison,), verdicts=(verdict,))
    )
    read = Reader(page)
    assert "is not determined by these data" in read.text
    assert not re.search(r"\bnan\b|NaN|Infinity", read.text)


@pytest.mark.usefixtures("undrawn")
def test_three_arms_have_a_part_each() -> None:
    given = fixture.findings()
    renamed = msgspec.structs.replace(given.comparisons[0], candidate="large", contrasts=())
    verdict = msgspec.structs.replace(given.verdicts[0], candidate="large", outcome="not-yet")
    page = pages.render(
        msgspec.structs.replace(
            given,
            comparisons=(*given.comparisons, renamed),
            verdicts=(*given.verdicts, verdict),
        )
    )
    text = Reader(page).text
    assert "tuned against prompted" in text
    assert "large against prompted" in text


@pytest.mark.usefixtures("undrawn")
def test_captions_tell_the_level_that_the_intervals_have() -> None:
    given = fixture.findings()
    assert "Mean paired differences with 95% intervals" in Reader(pages.render(given)).text
    shared = msgspec.structs.replace(given.comparisons[0], alpha=0.025)
    text = Reader(pages.render(msgspec.structs.replace(given, comparisons=(shared,)))).text
    assert "Mean paired differences with 97.5% intervals" in text
    assert "Candidate divided by baseline, with 97.5% intervals" in text


def test_writing_leaves_one_file(tmp_path: Path) -> None:
    path = pages.write(fixture.bare(), tmp_path / "new" / "report.html")
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match="needs a folder that can be written to"):
        pages.write(fixture.bare(), tmp_path / "file" / "report.html")


def test_cases_that_differ_come_first_then_failures() -> None:
    book = casebook.build(fixture.findings())
    ranks = [
        0 if {"better", "worse"} & set(entry.tags) else 1 if entry.tags else 2
        for entry in book.entries
    ]
    assert ranks == sorted(ranks)
    assert len(ranks) == book.n_total == 200
    assert {0, 1, 2} == set(ranks)


@pytest.mark.usefixtures("undrawn")
def test_a_page_of_thousands_of_cases_stays_small_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(casebook, "MOST", 30)
    book = casebook.build(fixture.findings())
    assert len(book.entries) == 30
    assert all({"better", "worse"} & set(entry.tags) for entry in book.entries)
    text = Reader(pages.render(fixture.findings())).text
    assert "30 of 200 cases are shown" in text


def test_long_answers_are_cut_and_their_room_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    given = fixture.findings()
    responses = tuple(
        msgspec.structs.replace(response, text="long " * 2_000, error=None)
        for response in given.runs[0].responses
    )
    longer = msgspec.structs.replace(
        given, runs=(msgspec.structs.replace(given.runs[0], responses=responses), *given.runs[1:])
    )
    answer = casebook.build(longer).entries[0].answers[0]
    assert answer.text.endswith("(8,400 more characters)")
    monkeypatch.setattr(casebook, "ROOM", 50_000)
    assert 5 < len(casebook.build(longer).entries) < 60


def test_several_answers_of_one_arm_are_said(undrawn: None) -> None:
    given = fixture.findings()
    twice = msgspec.structs.replace(given, runs=(*given.runs, given.runs[-1]))
    note = "Where an arm answered several times"
    assert note in Reader(pages.render(twice)).text
    assert note not in Reader(pages.render(given)).text
