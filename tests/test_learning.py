from __future__ import annotations

from collections.abc import Sequence

import pytest

from tuneornot import learning
from tuneornot.records import (
    Adapter,
    Arm,
    Case,
    Dataset,
    Learning,
    Rule,
    Run,
    Scale,
    Score,
)

RULE = Rule(primary="quality", worthwhile=0.1, guardrails=())
SIZES = [(0.25, 100), (0.5, 200), (1.0, 400)]


def run(values: Sequence[float | None], scale: Scale) -> Run:
    cases = tuple(Case(id=f"d{n}", input=f"{n}", expected="x") for n in range(len(values)))
    return Run(
        arm=Arm(name="a", kind="tuned", model="m"),
        dataset=Dataset(name="dev", cases=cases),
        metrics={"quality": scale},
        n_repeats=1,
        responses=(),
        scores=tuple(
            Score(metric="quality", case_id=f"d{n}", value=value, reason="why")
            for n, value in enumerate(values)
        ),
    )


def spread(mean: float, n: int = 80) -> list[float]:
    """Scores around a mean, that differ from case to case."""
    return [mean + (0.05 if place % 2 else -0.05) for place in range(n)]


def learnt(
    baseline: Sequence[float | None],
    *sizes: Sequence[Sequence[float | None]],
    scale: Scale | None = None,
    searched: bool = False,
) -> Learning | None:
    """The curve of runs by size and seed."""
    scale = scale or Scale()
    runs = {
        f"{k} {s}": run(one, scale) for k, each in enumerate(sizes) for s, one in enumerate(each)
    }
    trained = [
        [
            Adapter(path=f"{k} {s}", weights="w", model="m", data="d", seed=s)
            for s in range(len(each))
        ]
        for k, each in enumerate(sizes)
    ]

    def ask(adapter: Adapter | None, against: Run | None) -> Run:
        assert (adapter is None) == (against is None), "the baseline comes first"
        return run(baseline, scale) if adapter is None else runs[adapter.path]

    return learning.of(ask, SIZES[: len(sizes)], trained, RULE, searched=searched)


@pytest.mark.parametrize(
    ("means", "answer"),
    [
        ((0.5, 0.55, 0.6), "enough"),
        ((0.3, 0.3, 0.3), "probably-not"),
        ((0.3, 0.34, 0.38), "open"),
        ((0.24, 0.31, 0.385), "probably"),
    ],
)
def test_the_answer_follows_from_what_is_likely_at_twice_the_data(
    means: tuple[float, ...], answer: str
) -> None:
    # All around 0.3: with a gain above 0.1 worthwhile, 0.4 is the line.
    jitter = [
        [mean + 0.02 * ((7 * n + 3 * k) % 5 - 2) for n in range(80)] for k, mean in enumerate(means)
    ]
    found = learnt(spread(0.3), *[[one] for one in jitter])
    assert found is not None
    assert found.answer == answer, (found.now, found.twice)
    assert [point.n for point in found.points] == [100, 200, 400]
    assert found.points[-1].gain == pytest.approx(means[-1] - 0.3, abs=0.005)


def test_where_less_is_better_a_gain_is_a_fall() -> None:
    found = learnt(
        spread(0.8), [spread(0.6)], [spread(0.5)], [spread(0.4)], scale=Scale(better="lower")
    )
    assert found is not None
    assert [round(point.gain, 3) for point in found.points] == [0.2, 0.3, 0.4]
    assert found.twice.high <= 0.8


def test_trainings_that_vary_make_the_forecast_wider() -> None:
    alike = learnt(spread(0.3), *[[spread(m), spread(m)] for m in (0.4, 0.5, 0.6)])
    apart = learnt(spread(0.3), *[[spread(m - 0.1), spread(m + 0.1)] for m in (0.4, 0.5, 0.6)])
    assert alike is not None
    assert apart is not None
    assert apart.twice.high - apart.twice.low > 2 * (alike.twice.high - alike.twice.low)
    assert (alike.n_seeds, alike.caveats) == (2, ())


def test_cases_without_a_score_anywhere_are_left_out() -> None:
    holed: list[float | None] = [*spread(0.6)]
    holed[3] = None
    found = learnt(spread(0.3), [spread(0.4)], [holed], [spread(0.6)])
    assert found is not None
    assert found.n_dev == 79


def test_what_limits_it_is_told() -> None:
    few = learnt(spread(0.3, 12), *[[spread(m, 12)] for m in (0.4, 0.5, 0.6)], searched=True)
    assert few is not None
    assert len(few.caveats) == 3
    assert few.caveats[0] == "only 12 dev cases"
    assert "flattered" in few.caveats[2]


def test_without_scores_there_is_no_curve() -> None:
    assert learnt([None] * 9, *[[spread(0.5, 9)]] * 3) is None


def test_sizes_that_do_not_differ_give_no_curve(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "SIZES", [(0.25, 1), (0.5, 1), (1.0, 2)])
    assert learnt(spread(0.3), *[[spread(m)] for m in (0.4, 0.5, 0.6)]) is None
