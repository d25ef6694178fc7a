"""What further cases would take: closed sums of what the answers so far tell."""

from __future__ import annotations

import msgspec
import pytest

from tuneornot import further
from tuneornot.records import Arm, Case, Dataset, Phase, Price, Rates, Response, Run, Scale, Spent

DATA = Dataset(name="eval", cases=tuple(Case(id=f"{i}", input=f"question {i}") for i in range(3)))
TOKENS = Price(
    rates=Rates(input_per_million=1.0, output_per_million=10.0),
    currency="USD",
    as_of="2026-11-20",
)


def run(name: str, read: int | None, *, repeats: int = 1, price: Price | None = TOKENS) -> Run:
    arm = Arm(name=name, kind="prompted", model=f"local:{name}")
    return Run(
        arm=arm,
        dataset=DATA,
        metrics={"m": Scale()},
        n_repeats=repeats,
        responses=tuple(
            Response(
                arm=arm.fingerprint,
                question=case.question,
                repeat=repeat,
                text="yes",
                n_input_tokens=read,
                n_output_tokens=20,
            )
            for case in DATA.cases
            for repeat in range(repeats)
        ),
        scores=(),
        price=price,
    )


def phase(name: str, seconds: float, n_calls: int) -> Phase:
    spent = Spent(model=f"local:{name}", n_calls=n_calls, seconds=seconds)
    judge = Spent(model="local:judge", n_calls=99, seconds=990)
    return Phase(name=f"measure {name}", seconds=seconds, spent=(spent, judge))


def test_further_cases_take_what_answers_took_so_far() -> None:
    runs = [run("old", 100), run("new", 10, repeats=2)]
    # Two sessions measured the first arm.
    phases = [phase("old", 30, 2), phase("old", 15, 1), phase("new", 6, 6)]
    found = further.of(50, runs, phases)
    assert (found.n_cases, found.n_calls) == (50, 150)
    assert found.n_tokens == pytest.approx(50 * 120 + 100 * 30)
    assert found.minutes == pytest.approx((50 * 15 + 100 * 1) / 60)
    assert found.money == pytest.approx((50 * (100 + 200) + 100 * (10 + 200)) / 1e6)
    assert found.currency == "USD"


def test_what_one_arm_does_not_tell_is_not_known() -> None:
    found = further.of(50, [run("old", 100), run("new", None, price=None)], [phase("old", 30, 3)])
    assert found.n_calls == 100
    assert (found.n_tokens, found.minutes, found.money) == (None, None, None)


def test_a_machine_is_paid_by_the_answers_asked_alone() -> None:
    hourly = msgspec.structs.replace(TOKENS, rates=Rates(per_machine_hour=3.6))
    timed = Response(arm="a", question="q", purpose="latency", text="yes", latency_s=2.0)
    given = msgspec.structs.replace(run("old", 100, price=hourly), timings=(timed,))
    assert further.of(50, [given], []).money == pytest.approx(50 * 2 * 0.001)
