from __future__ import annotations

import pytest

from tests.metrics.marking import mark, value
from tuneornot.errors import StudyError
from tuneornot.metrics import registry
from tuneornot.metrics.abstention import FORMS, WHOLE


@pytest.mark.parametrize("form", FORMS)
def test_every_form_declines_wherever_it_stands(form: str) -> None:
    assert value("declines", form) == 1
    assert value("declines", f"Well, {form.upper()}. Sorry!") == 1


@pytest.mark.parametrize("form", WHOLE)
def test_some_words_decline_only_by_themselves(form: str) -> None:
    assert value("declines", f"{form.title()}.") == 1
    assert value("declines", f"The tomb of the {form} soldier") == 0


@pytest.mark.parametrize(
    "answer", ["Paris", "", "You don't know Jack", "I don’t knowingly lie", "no informations"]
)
def test_other_answers_do_not(answer: str) -> None:
    assert value("declines", answer) == 0


def test_curly_apostrophes_are_apostrophes() -> None:
    assert mark("declines", "I don’t know.").reason == 'found: "I don\'t know"'


def test_forms_of_the_study() -> None:
    assert value({"declines": {"forms": ["weiß ich nicht"]}}, "Das weiß ich nicht!") == 1
    assert value({"declines": {"forms": ["keine Ahnung"]}}, "I don't know") == 1
    assert value({"declines": {"forms": ["keine Ahnung"], "only": True}}, "I don't know") == 0


def test_the_study_says_which_way_is_better() -> None:
    assert registry.build("declines").scale.better == "lower"
    assert registry.build({"declines": {"better": "higher"}}).scale.better == "higher"


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"forms": ["?!"]}, "must have a word"), ({"only": True}, "must stand beside `forms`")],
)
def test_faults(settings: dict[str, object], said: str) -> None:
    with pytest.raises(StudyError, match=said):
        registry.build({"declines": settings})  # type: ignore[dict-item]


def test_answered_judges_what_does_not_decline() -> None:
    assert value("answered", "Paris", "Paris") == 1
    assert value("answered", "Rome", "Paris") == 0
    assert mark("answered", "I don't know", "Paris").value is None
    assert "declines" in str(mark("answered", "I don't know", "Paris").reason)


def test_answered_takes_any_metric_with_its_scale() -> None:
    entry = {"answered": {"of": {"length": {"max": 5}}}}
    made = registry.build(entry)
    inner = registry.build({"length": {"max": 5}})
    assert made.scale == inner.scale
    assert made.settings()["of"] == inner.settings()
    with pytest.raises(StudyError, match="answered: of: exact_mach: there is no"):
        registry.build({"answered": {"of": "exact_mach"}})
