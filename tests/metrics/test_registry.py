from __future__ import annotations

import importlib.metadata
import json
import re
from pathlib import Path

import pytest

from tuneornot import scoring
from tuneornot.errors import StudyError
from tuneornot.metrics import registry
from tuneornot.metrics.base import Mark
from tuneornot.metrics.registry import Entry
from tuneornot.records import Case, Json, Response, Scale

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
CASE = Case(id="c", input="q", expected="yes")
ANSWER = Response(arm="a", question="q", text="yes")


def test_a_metric_can_appear_twice_under_two_names() -> None:
    short = registry.build({"length": {"name": "short", "max": 5}})
    long = registry.build({"length": {"name": "long", "min": 50}})
    assert (short.name, long.name) == ("short", "long")
    assert short.settings() != long.settings()


def test_a_name_is_no_part_of_the_settings() -> None:
    renamed = registry.build({"exact_match": {"name": "right"}})
    assert renamed.settings() == registry.build("exact_match").settings()


@pytest.mark.parametrize("entry", ["exact_match", {"exact_match": {}}, {"exact_match": None}])
def test_forms_of_an_entry(entry: Entry) -> None:
    assert registry.build(entry).name == "exact_match"


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("exct_match", r"no metric 'exct_match' \(did you mean 'exact_match'\?\); known are exact"),
        ("zzz", r"no metric 'zzz'; known are .*json_schema.*module:function"),
        ({"length": {"mox": 1}}, r"no setting 'mox' \(did you mean 'max'\?\); known are min, max"),
        ({"length": {"max": "x"}}, r"Expected `int \| null`, got `str` - at `\$.max`"),
        ({"length": {"unit": "miles", "max": 1}}, "miles"),
        ({"length": {}}, "needs min or max"),
        ({"length": {"min": 5, "max": 2}}, "min must not exceed max, got 5 and 2"),
        ({"regex": {}}, "required field `pattern`"),
        ({"regex": {"pattern": "("}}, r"regular expression, got '\('"),
        ({"contains": {"texts": [""]}}, "must not be empty"),
        ({"json_schema": {"schema": "none.json"}}, "none.json.*study's folder"),
        ({"a": {}, "b": {}}, "an entry of its own"),
        ({"length": [1]}, "settings must be names with values"),
        ("latency", "observed with every answer"),
        ("nomodule:f", "must be importable, got 'nomodule:f'"),
        ("math:nothing", "no function 'nothing'"),
        ("math:exp", r"must take \(case, text\)"),
    ],
)
def test_what_is_wrong_is_one_sentence(entry: Entry, sentence: str) -> None:
    with pytest.raises(StudyError) as error:
        registry.build(entry)
    assert len(error.value.faults) == 1
    assert re.search(sentence, error.value.faults[0]), error.value.faults[0]
    assert error.value.exit_code == 2


def test_a_schema_can_stand_in_a_file_beside_the_study(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps({"type": "object"}))
    metric = registry.build({"json_schema": {"schema": "s.json"}}, folder=tmp_path)
    assert metric.score(CASE, ANSWER).value == 0
    assert metric.settings()["schema"] == {"type": "object"}


FUNCTIONS = """
from tuneornot.metrics.base import Mark

def same(case, text) -> bool:
    return text == case.expected

def graded(case, text) -> float | None:
    return {"yes": 0.5, "no": None}.get(text, 7.0)

def explained(case, text) -> Mark:
    return Mark(0.0, "too short")

def broken(case, text) -> bool:
    raise KeyError(text)
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "judging.py").write_text(FUNCTIONS)
    return tmp_path


def answered(text: str) -> Response:
    return Response(arm="a", question="q", text=text)


def test_a_function_of_the_study(study: Path) -> None:
    metric = registry.build("judging:same", folder=study)
    assert metric.name == "same"
    assert metric.scale == Scale(binary=True)
    assert metric.score(CASE, answered("yes")) == Mark(1.0)
    assert metric.score(CASE, answered("no")) == Mark(0.0)


def test_a_function_that_cannot_judge_leaves_its_range_or_raises(study: Path) -> None:
    entries = ("judging:graded", "judging:explained", "judging:broken")
    metrics = [registry.build(entry, folder=study) for entry in entries]
    assert [metric.scale.binary for metric in metrics] == [False, False, True]
    by_text = {
        text: [
            (score.value, score.reason) for score in scoring.judge(metrics, CASE, answered(text))
        ]
        for text in ("yes", "no", "else")
    }
    assert by_text["yes"][0] == (0.5, None)
    assert by_text["yes"][1] == (0.0, "too short")
    assert by_text["yes"][2] == (None, "judging:broken raised KeyError('yes')")
    assert by_text["no"][0] == (None, "judging:graded could not judge the answer")
    assert by_text["else"][0] == (None, "the metric 'graded' gave 7.0, which its scale excludes")


def test_an_edited_function_is_another_metric(study: Path) -> None:
    before = registry.build("judging:same", folder=study)
    (study / "judging.py").write_text(FUNCTIONS.replace("text ==", "text.lower() =="))
    after = registry.build("judging:same", folder=study)
    assert before.settings() != after.settings()
    assert after.score(CASE, answered("YES")).value == 1


def test_two_studies_may_have_a_module_of_one_name(study: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "judging.py").write_text("def same(case, text) -> bool:\n    return False\n")
    assert registry.build("judging:same", folder=study).score(CASE, ANSWER).value == 1
    assert registry.build("judging:same", folder=other).score(CASE, ANSWER).value == 0


def test_the_scale_of_a_function_can_be_given(study: Path) -> None:
    settings: dict[str, Json] = {"low": None, "high": None, "better": "lower", "unit": "s"}
    metric = registry.build({"judging:graded": settings}, folder=study)
    assert metric.scale == Scale(low=None, high=None, better="lower", unit="s")
    assert scoring.judge([metric], CASE, answered("else"))[0].value == 7.0


class Shouting:
    """1 if the answer is in capitals, else 0."""

    scale = Scale(binary=True)

    def __init__(self, *, name: str, least: int = 1) -> None:
        self.name = name
        self.least = least

    def settings(self) -> dict[str, Json]:
        return {"metric": "shouting", "least": self.least}

    def score(self, case: Case, response: Response) -> Mark:
        return Mark(float((response.text or "").isupper()))


def test_other_packages_bring_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    point = importlib.metadata.EntryPoint("shouting", f"{__name__}:Shouting", registry.GROUP)
    points = importlib.metadata.EntryPoints([point])
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: points)
    assert registry.build("shouting").score(CASE, answered("YES")).value == 1
    assert registry.build({"shouting": {"name": "loud", "least": 3}}).name == "loud"
    assert registry.known()["shouting"].options == ("least",)
    with pytest.raises(StudyError, match=r"no setting 'most'.*known are least, name"):
        registry.build({"shouting": {"most": 3}})


def test_the_reference_lists_every_metric_and_setting() -> None:
    sections = dict(
        re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", REFERENCE.read_text(), re.M | re.S)
    )
    known = registry.known()
    assert set(sections) == set(known)
    for name, (_, options) in known.items():
        assert set(re.findall(r"^- `(\w+)`", sections[name], re.M)) == set(options), name


def test_every_example_of_the_reference_scores_as_it_says() -> None:
    rows = re.findall(
        r"^\| (`.+?`) \| (`.*?`) \| (`.+?`|–) \| (\S+) \|$", REFERENCE.read_text(), re.M
    )
    assert len(rows) > 15
    grounded = re.findall(
        r"^\| (`.+?`) \| (`.*?`) \| context (`.+?`) \| (\S+) \|$", REFERENCE.read_text(), re.M
    )
    assert len(grounded) >= 6
    for entry, answer, context, score in grounded:
        case = Case(id="c", input="q", context=json.loads(context.strip("`")))
        response = answered(json.loads(answer.strip("`")))
        found = registry.build(json.loads(entry.strip("`"))).score(case, response).value
        assert found == pytest.approx(float(score)), entry
    for entry, answer, expected, score in rows:
        metric = registry.build(json.loads(entry.strip("`")))
        wanted: Json = None if expected == "–" else json.loads(expected.strip("`"))
        response = answered(json.loads(answer.strip("`")))
        found = metric.score(Case(id="c", input="q", expected=wanted), response).value
        assert (found is None) if score == "None" else (found == pytest.approx(float(score)))


def test_the_function_of_the_reference_is_a_metric(tmp_path: Path) -> None:
    [example] = re.findall(r"```python\n(.*?)```", REFERENCE.read_text(), re.DOTALL)
    (tmp_path / "courts.py").write_text(example)
    metric = registry.build("courts:same_court", folder=tmp_path)
    assert metric.scale.binary
    assert metric.score(CASE, answered("I say yes ")).value == 1
    assert metric.score(CASE, answered("yes or no")).value == 0
