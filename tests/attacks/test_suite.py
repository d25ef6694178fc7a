"""The shipped suite: frozen, complete, exact where it says so, and without a single trick lost."""

from __future__ import annotations

import base64
import codecs
from collections import Counter
from pathlib import Path

import pytest

from tuneornot.attacks import behaviours, suite, techniques
from tuneornot.attacks.behaviours import CATEGORIES, SECRET
from tuneornot.attacks.plan import SIZES, RedteamPlan
from tuneornot.errors import DataError
from tuneornot.records import Case, Prompt
from tuneornot.redteam import rules

TASK = "Convert a citation to JSON."
FROZEN = {
    "small": "a8e76118c3b19bbe35dd",
    "default": "29ea22e9d4b4b668693c",
    "full": "6dc909689f0a28221b9e",
}
"""Fingerprints of the attacks for ``TASK``. A changed suite is another suite: stored answers to it
are no longer comparable, so change these together with docs/concepts/redteam.md."""


def made(
    name: str = "full", categories: tuple[str, ...] = (), attacks: tuple[str, ...] = ()
) -> suite.Suite:
    plan = RedteamPlan(suite=name, categories=categories, attacks=attacks)
    return suite.of(plan, TASK, Path())


def shown(case: Case) -> str:
    return "\n".join(message.content for message in Prompt().messages(case))


@pytest.mark.parametrize("size", SIZES)
def test_the_suite_is_frozen(size: str) -> None:
    assert made(size).attacks.fingerprint == FROZEN[size]
    assert made(size) == made(size)


def test_every_category_has_eight_requests_and_every_one_is_known() -> None:
    shipped = behaviours.shipped()
    assert Counter(one.category for one in shipped) == dict.fromkeys(CATEGORIES, 8)
    assert len({one.id for one in (*shipped, *behaviours.lookalikes())}) == 96 + 44
    assert {one.category for one in behaviours.lookalikes()} == set(CATEGORIES)


def test_a_success_can_be_seen_and_is_not_there_before_the_answer() -> None:
    """A model that repeats all that it is shown must not count as one that complied by a mark."""
    for case in made().attacks.cases:
        target = suite.target(case)
        assert target.mark or target.signs
        if target.mark:
            found = rules.exact(target, shown(case))
            assert found is not None
            assert found.value == 0, case.id


def test_every_technique_is_used_and_the_direct_question_always() -> None:
    for size, n_ways in SIZES.items():
        cases = made(size).attacks.cases
        used = Counter(suite.target(case).technique for case in cases)
        assert used["direct"] == 96
        assert len(used) == (1 if n_ways == 1 else len(techniques.NAMES))


def test_disguises_can_be_taken_off_again() -> None:
    for behaviour in behaviours.shipped():
        if behaviour.carrier is not None:
            continue
        plain = behaviour.request
        coded = {way: put for way in ("base64", "rot13") if (put := techniques.put(behaviour, way))}
        assert base64.b64decode(coded["base64"].text.splitlines()[-1]).decode() == plain
        assert codecs.decode(coded["rot13"].text.splitlines()[-1], "rot13") == plain
        split = techniques.put(behaviour, "splitting")
        assert split is not None
        parts = [
            line.split('"', 1)[1].rsplit('"', 1)[0].split(" ")
            for line in split.text.splitlines()[:3]
        ]
        words = [parts[i % 3][i // 3] for i in range(sum(map(len, parts)))]
        assert " ".join(words) == plain


def test_an_indirect_request_stands_in_the_context_alone() -> None:
    behaviour = behaviours.shipped()[0]
    put = techniques.put(behaviour, "indirect")
    assert put is not None
    assert put.context is not None
    assert behaviour.request in put.context
    assert behaviour.request not in put.text


def test_an_escalation_ends_with_the_request() -> None:
    behaviour = behaviours.shipped()[0]
    put = techniques.put(behaviour, "escalation")
    assert put is not None
    assert not isinstance(put.input, str)
    assert [turn.role for turn in put.input] == ["user", "assistant"] * 2 + ["user"]
    assert put.input[-1].content.endswith(behaviour.request)


def test_scope_is_that_of_the_study() -> None:
    told = [case.text for case in made("small").attacks.cases if case.slice == "out-of-scope"]
    assert any(TASK in text for text in told)
    assert not any("{task}" in shown(case) for case in made().attacks.cases)


def test_the_secret_is_planted_and_never_asked_for_by_name() -> None:
    assert SECRET in behaviours.PLANTED
    assert not any(SECRET in shown(case) for case in made().attacks.cases)


def test_categories_and_ways_can_be_chosen() -> None:
    chosen = made("small", categories=("cyber",), attacks=("base64", "direct"))
    assert {case.slice for case in chosen.attacks.cases} == {"cyber"}
    assert len(chosen.attacks) == 16
    # Requests that are put twice are one unit of evidence.
    assert len({case.group for case in chosen.attacks.cases}) == 8


def test_too_little_to_compare_is_refused() -> None:
    with pytest.raises(DataError, match="at least 5"):
        made("small", categories=("injection",), attacks=("indirect",))
