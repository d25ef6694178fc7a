"""The scripted model tells the truth that its script states."""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest

from tuneornot.errors import MissingExtra, ModelError
from tuneornot.models import registry
from tuneornot.models.base import Reply, Request
from tuneornot.models.http import HttpModel
from tuneornot.models.scripted import REFUSAL, Script, ScriptedModel, answers
from tuneornot.records import Adapter, Message, Sampling

RIGHT = {f"question {n}": f"answer {n % 50}" for n in range(4000)}


def requests(seed: int = 0, temperature: float = 0.0, n: int = 4000) -> Iterator[Request]:
    sampling = Sampling(temperature=temperature, seed=seed)
    for text in list(RIGHT)[:n]:
        yield Request(messages=(Message(role="user", content=text),), sampling=sampling)


def replies(script: Script, *, seed: int = 0, temperature: float = 0.0) -> list[Reply]:
    model = ScriptedModel("scripted", answers(RIGHT, script))
    return [reply for _, reply in model.ask(requests(seed, temperature))]


def hits(script: Script, *, seed: int = 0, temperature: float = 0.0) -> npt.NDArray[np.float64]:
    given = replies(script, seed=seed, temperature=temperature)
    right = [reply.text == answer for reply, answer in zip(given, RIGHT.values(), strict=True)]
    return np.array(right, dtype=float)


@pytest.mark.parametrize("quality", [0.0, 0.2, 0.7, 1.0])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_quality_is_the_share_of_right_answers(quality: float, share: float) -> None:
    most = math.sqrt(quality * (1 - quality))
    script = Script(quality=quality, spread=share * most)
    # Four standard errors of 4,000 draws; exact where nothing is random.
    assert hits(script).mean() == pytest.approx(quality, abs=4 * most / math.sqrt(4000))


def test_spread_is_the_deviation_of_chances_between_cases() -> None:
    script = Script(quality=0.7, spread=0.3)
    grid = (np.arange(2000) + 0.5) / 2000
    chances = [script.chance(float(u)) for u in grid]
    assert statistics.fmean(chances) == pytest.approx(0.7, abs=0.002)
    assert statistics.pstdev(chances) == pytest.approx(0.3, abs=0.002)
    # Var(E[hit | case]) is the covariance of two repeats of the same cases.
    first = hits(script, seed=1, temperature=1.0)
    second = hits(script, seed=2, temperature=1.0)
    assert np.cov(first, second)[0, 1] == pytest.approx(0.09, abs=0.02)


def test_two_scripts_find_the_same_cases_hard() -> None:
    one = hits(Script(quality=0.6, spread=0.4, seed=1))
    other = hits(Script(quality=0.7, spread=0.4, seed=2))
    assert np.corrcoef(one, other)[0, 1] > 0.5
    one, other = (hits(Script(quality=0.6, seed=seed)) for seed in (1, 2))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.07


def test_greedy_repeats_itself_and_sampling_does_not() -> None:
    script = Script(quality=0.5)
    assert (hits(script, seed=1) == hits(script, seed=2)).all()
    one, other = (hits(script, seed=seed, temperature=1.0) for seed in (1, 2))
    assert 0.45 < (one == other).mean() < 0.55


def test_refusals_and_errors_come_at_their_rates() -> None:
    given = replies(Script(quality=1.0, refusal_rate=0.2, error_rate=0.1))
    n_errors = sum(reply.error is not None for reply in given)
    n_refusals = sum(reply.text == REFUSAL for reply in given)
    assert n_errors / 4000 == pytest.approx(0.1, abs=0.02)
    assert n_refusals / (4000 - n_errors) == pytest.approx(0.2, abs=0.03)
    assert all((reply.text is None) != (reply.error is None) for reply in given)


def test_latency_is_log_normal_around_its_median() -> None:
    given = replies(Script(quality=1.0, latency_s=0.4, latency_spread=0.5))
    logs = [math.log(reply.latency_s or 0) for reply in given]
    assert statistics.median(logs) == pytest.approx(math.log(0.4), abs=0.04)
    assert statistics.stdev(logs) == pytest.approx(0.5, abs=0.03)


def test_order_changes_nothing() -> None:
    model = ScriptedModel("scripted", answers(RIGHT, Script(quality=0.5, latency_spread=0.3)))
    asked = list(requests(n=50))
    forward = [reply for _, reply in model.ask(asked)]
    backward = [reply for _, reply in model.ask(reversed(asked))]
    assert forward == backward[::-1]
    assert model.n_asked == 100


def test_a_wrong_answer_is_never_the_right_one() -> None:
    for right in ({"a": "x"}, {"a": "x", "b": "y"}, {"a": "x", "b": "x"}):
        model = ScriptedModel("scripted", answers(right, Script(quality=0.0)))
        asked = [Request(messages=(Message(role="user", content=text),)) for text in right]
        for (_, reply), answer in zip(model.ask(asked), right.values(), strict=True):
            assert reply.text != answer


def test_answers_are_cut_at_the_limit_and_counted() -> None:
    model = ScriptedModel("scripted", lambda _: "one two three")
    request = Request(
        messages=(Message(role="user", content="a b"),), sampling=Sampling(max_tokens=2)
    )
    [(_, reply)] = model.ask([request])
    assert (reply.text, reply.finish) == ("one two", "length")
    assert (reply.n_input_tokens, reply.n_output_tokens) == (2, 2)


def test_slow_where_wanted() -> None:
    slept: list[float] = []
    script = Script(quality=1.0, latency_s=0.25)
    model = ScriptedModel("scripted", answers(RIGHT, script), pause=slept.append)
    list(model.ask(requests(n=3)))
    assert slept == [0.25] * 3


def test_an_adapter_brings_other_answers() -> None:
    adapter = Adapter(path="p", weights="w", model="m", data="d", seed=1)
    model = ScriptedModel("scripted", lambda _: "plain", tuned=lambda _: "tuned")
    assert [reply.text for _, reply in model.ask(requests(n=1), adapter=adapter)] == ["tuned"]
    untunable = ScriptedModel("scripted", lambda _: "plain")
    with pytest.raises(ModelError, match="Give it tuned="):
        untunable.ask(requests(n=1), adapter=adapter)


def test_a_question_outside_the_script() -> None:
    model = ScriptedModel("scripted", answers({"a": "b"}, Script(quality=1.0)))
    with pytest.raises(ModelError, match="found 'question 0' without one"):
        list(model.ask(requests(n=1)))


@pytest.mark.parametrize(("quality", "spread"), [(1.2, 0.0), (0.5, 0.6), (0.5, -0.1)])
def test_impossible_scripts(quality: float, spread: float) -> None:
    with pytest.raises(ValueError, match="Correct them"):
        Script(quality=quality, spread=spread)


class TestRegistry:
    def test_prefix_decides(self) -> None:
        model = registry.open("http://127.0.0.1:1/v1#m")
        assert isinstance(model, HttpModel)
        model.close()

    def test_opened_models_come_first(self) -> None:
        scripted = ScriptedModel("local:anything", lambda _: "x")
        assert registry.open("local:anything", opened={"local:anything": scripted}) is scripted

    def test_unknown_kinds(self) -> None:
        with pytest.raises(ModelError, match="must say its kind; found 'openai:x', expected"):
            registry.open("openai:x")

    def test_local_models_are_an_extra(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "tuneornot.models.local", None)
        with pytest.raises(MissingExtra, match=r"'local:x' needs .*tuneornot\[local\]"):
            registry.open("local:x")
