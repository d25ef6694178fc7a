from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.asking import CountingModel
from tests.models.misbehaving import question
from tuneornot.budget import Budget
from tuneornot.errors import BudgetExceeded
from tuneornot.models.base import Model, Reply, Request
from tuneornot.models.scripted import ScriptedModel
from tuneornot.records import Prices, Rates, Spent
from tuneornot.spending import Purse, Tally, metered

PRICES = Prices(
    as_of=datetime.date(2026, 11, 1),
    currency="EUR",
    models={
        "counting": Rates(input_per_million=1e6, output_per_million=2e6),
        "own": Rates(per_machine_hour=3600.0),
    },
)


class Clock:
    """Seconds that go on only when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def requests(n: int) -> list[Request]:
    return [question(f"question {i}") for i in range(n)]


def answering(**said: int) -> CountingModel:
    return CountingModel(lambda _: Reply(text="yes", **said))  # type: ignore[arg-type]


def asked(model: Model, purse: Purse, n: int) -> tuple[int, str]:
    """How many answers came, and what was said at the end."""
    spent: list[Spent] = []
    replies: list[int] = []
    try:
        for position, _ in metered(model, purse, spent.append).ask(requests(n)):
            replies.append(position)
    except BudgetExceeded as error:
        assert len(spent) == len(replies)
        return len(replies), str(error)
    return len(replies), ""


def test_without_a_limit_everything_is_asked_and_counted() -> None:
    spent: list[Spent] = []
    answers = answering(n_input_tokens=5, n_output_tokens=2)
    model = metered(answers, Purse(Budget(), None), spent.append)
    assert len(list(model.ask(requests(7)))) == 7
    total = Tally(spent).of("counting")
    assert (total.n_calls, total.n_input_tokens, total.n_output_tokens) == (7, 35, 14)


@given(limit=st.integers(1, 30), n=st.integers(0, 40), before=st.integers(0, 40))
def test_calls_are_never_passed_and_nothing_else_is_held_back(
    limit: int, n: int, before: int
) -> None:
    model = answering(n_input_tokens=1, n_output_tokens=1)
    purse = Purse(Budget(calls=limit), None, [Spent(model="other", n_calls=before)])
    n_answers, said = asked(model, purse, n)
    assert n_answers == min(n, max(limit - before, 0)) == len(model.asked)
    assert bool(said) == (n_answers < n)
    if said:
        assert f"Still to be done: {n - n_answers} questions of this step" in said
        assert "raise `budget.calls`" in said
    assert BudgetExceeded.exit_code == 3


class Window:
    """A model that takes so many questions before it answers any of them."""

    def __init__(self, size: int, n_tokens: int) -> None:
        self.name, self.size, self.n_tokens = "counting", size, n_tokens

    def identity(self) -> str:
        return "window"

    def close(self) -> None:
        pass

    def ask(self, requests: Iterator[Request], **_: object) -> Iterator[tuple[int, Reply]]:
        numbered = enumerate(requests)
        while window := [pair for _, pair in zip(range(self.size), numbered, strict=False)]:
            for position, _request in window:
                yield position, Reply(text="a", n_input_tokens=self.n_tokens, n_output_tokens=0)


@given(size=st.integers(1, 20), limit=st.integers(1, 400))
def test_tokens_are_passed_by_no_more_than_what_is_in_flight(size: int, limit: int) -> None:
    spent: list[Spent] = []
    purse = Purse(Budget(tokens=limit), None)
    model = metered(Window(size, 10), purse, spent.append)  # type: ignore[arg-type]
    with pytest.raises(BudgetExceeded, match=r"allows tokens"):
        list(model.ask(requests(100)))
    n_tokens = Tally(spent).of("counting").n_tokens
    # Of the first window nobody knows what an answer takes; from then on the mean is reserved.
    assert limit <= n_tokens < limit + 10 * size
    if limit > 10 * size:
        assert n_tokens < limit + 10


def test_the_error_counts_what_was_answered_after_it() -> None:
    purse = Purse(Budget(calls=20), None)
    window: Model = Window(8, 1)  # type: ignore[assignment]
    going = metered(window, purse, lambda _: None).ask(requests(8))
    next(going)  # all eight are handed over, one is answered
    refused = metered(answering(), purse, lambda _: None).ask(requests(100))
    with pytest.raises(BudgetExceeded, match="and 13 calls") as caught:
        list(refused)
    assert len(list(going)) == 7
    assert "allows calls: 20, and 20 calls" in str(caught.value)


def test_money_is_tokens_times_prices_and_says_the_currency() -> None:
    used = Reply(text="yes", n_input_tokens=1, n_output_tokens=1)
    model = ScriptedModel("counting", lambda _: used)
    n_answers, said = asked(model, Purse(Budget(money=10.0), PRICES), 20)
    assert n_answers == 4  # three each: the fourth goes beyond, the fifth is not asked
    assert "allows money: 10" in said
    assert "12 EUR" in said


def test_a_machine_is_paid_by_the_time_that_answers_are_waited_for() -> None:
    clock = Clock()

    def answer(_: Request) -> Reply:
        clock.now += 2.0
        return Reply(text="yes", n_input_tokens=10**9, n_output_tokens=0)

    model = ScriptedModel("own", answer)
    purse = Purse(Budget(money=7.0), PRICES, clock=clock)
    spent: list[Spent] = []
    replies = metered(model, purse, spent.append, clock=clock).ask(requests(9))
    for _ in range(4):
        next(replies)
        clock.now += 100.0  # what the caller does meanwhile is not the machine's time
    with pytest.raises(BudgetExceeded):
        next(replies)
    assert [one.seconds for one in spent] == [2.0] * len(spent)
    assert PRICES.money(spent) == pytest.approx(8.0)


def test_minutes_are_of_this_command() -> None:
    clock = Clock()

    def answer(_: Request) -> Reply:
        clock.now += 30.0
        return Reply(text="yes")

    purse = Purse(Budget(minutes=2), None, [Spent(model="counting", seconds=9e9)], clock=clock)
    n_answers, said = asked(ScriptedModel("counting", answer), purse, 9)
    assert n_answers == 4
    assert "2.0 minutes of this command" in said
    assert purse.ended() == "minutes"


def test_tokens_that_a_server_does_not_tell_are_reckoned_from_characters() -> None:
    spent: list[Spent] = []
    answers = CountingModel(lambda _: Reply(text="x" * 40))
    model = metered(answers, Purse(Budget(), None), spent.append)
    list(model.ask([question("y" * 80)]))
    [one] = spent
    assert (one.n_input_tokens, one.n_output_tokens, one.n_guessed) == (20, 10, 1)


def test_a_failed_call_is_a_call_without_tokens() -> None:
    spent: list[Spent] = []
    model = metered(CountingModel(lambda _: Reply(error="no")), Purse(Budget(), None), spent.append)
    list(model.ask([question("why")]))
    assert spent[0].n_calls == 1
    assert spent[0].n_tokens == spent[0].n_guessed == 0


def test_money_of_a_model_without_a_price_is_not_known() -> None:
    assert PRICES.money([Spent(model="counting", n_calls=1, n_output_tokens=2)]) == 4.0
    assert PRICES.money([Spent(model="stranger", n_calls=1)]) is None
    assert PRICES.money([]) == 0.0


def test_a_model_that_shows_its_tokens_still_does() -> None:
    class Showing(CountingModel):
        def prompt_tokens(self, messages: object) -> list[int]:
            return [1, 2, 3]

    plain = metered(answering(), Purse(Budget(), None), lambda _: None)
    shown = metered(Showing(lambda _: Reply(text="a")), Purse(Budget(), None), lambda _: None)
    assert not hasattr(plain, "prompt_tokens")
    assert getattr(shown, "prompt_tokens")(()) == [1, 2, 3]  # noqa: B009
