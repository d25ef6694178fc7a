from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tuneornot import compare
from tuneornot.errors import DataError
from tuneornot.records import (
    Adapter,
    Arm,
    Case,
    Check,
    Claim,
    Contrast,
    Dataset,
    Quantity,
    Response,
    Role,
    Run,
    Scale,
    Score,
)
from tuneornot.stats import paired, spread, tails

Array = NDArray[np.float64]
BINARY = Scale(binary=True)
GRADE = Scale()


def dataset(n: int, *, name: str = "eval", grouped: bool = False, sliced: bool = False) -> Dataset:
    return Dataset(
        name=name,
        cases=tuple(
            Case(
                id=f"case-{i}",
                input=f"question {i}",
                group=f"group {i // 4}" if grouped else None,
                slice="abc"[i % 3] if sliced else None,
            )
            for i in range(n)
        ),
    )


def run(
    name: str,
    values: Mapping[str, Array],
    scales: Mapping[str, Scale],
    *,
    on: Dataset | None = None,
    adapter: Adapter | None = None,
    latencies: Sequence[tuple[float, int]] = (),
    tokens: Sequence[int] = (),
) -> Run:
    """A run from arrays (n,) or (n, repeats) for each metric; NaN becomes a failure."""
    tables = {metric: table.reshape(len(table), -1) for metric, table in values.items()}
    n, repeats = next(iter(tables.values())).shape
    data = dataset(n) if on is None else on
    arm = Arm(name=name, kind="tuned" if adapter else "prompted", model="local:x", adapter=adapter)
    scores = [
        Score(
            metric=metric,
            case_id=case.id,
            repeat=repeat,
            value=None if math.isnan(value) else value,
            reason="the call failed" if math.isnan(value) else None,
        )
        for metric, table in tables.items()
        for case, row in zip(data.cases, table.tolist(), strict=True)
        for repeat, value in enumerate(row)
    ]
    return Run(
        arm=arm,
        dataset=data,
        metrics=dict(scales),
        n_repeats=repeats,
        responses=tuple(
            Response(arm=arm.fingerprint, question=case.question, text="", n_output_tokens=count)
            for case, count in zip(data.cases, tokens, strict=False)
        ),
        scores=tuple(scores),
        timings=tuple(
            Response(
                arm=arm.fingerprint,
                question=case.question,
                purpose="latency",
                text="",
                latency_s=seconds,
                load=load,
            )
            for case, (seconds, load) in zip(data.cases, latencies, strict=False)
        ),
    )


def grades(seed: int, n: int = 60, repeats: int = 1) -> Array:
    return np.round(np.random.default_rng(seed).random((n, repeats)) * 4) / 4


def only(contrasts: Sequence[Contrast], metric: str) -> Contrast:
    (found,) = [contrast for contrast in contrasts if contrast.metric == metric]
    return found


def test_every_statistic_is_that_of_the_scores_paired_by_case() -> None:
    b, c = grades(1)[:, 0], grades(2)[:, 0]
    first = run("prompted", {"grade": b}, {"grade": GRADE})
    second = run("tuned", {"grade": c}, {"grade": GRADE})
    # Scores in any order must find their case.
    second = msgspec.structs.replace(second, scores=second.scores[::-1])
    (made,) = compare.runs(first, second)
    assert (made.dataset, made.baseline, made.candidate) == ("eval", "prompted", "tuned")
    assert made.n == 60
    assert made.mean == paired.difference(b, c, scale=(0.0, 1.0), binary=False)
    assert made.spread == spread.between_cases(b, c, binary=False)
    assert made.worst_tenth == tails.worst_tenth(b, c, scale=(0.0, 1.0))
    assert made.catastrophic == tails.catastrophic(b, c, threshold=0.0)
    assert made.candidate_mean.value - made.baseline_mean.value == pytest.approx(made.mean.value)
    assert (made.wins, made.losses) == (int(np.sum(c > b)), int(np.sum(c < b)))
    assert made.p_value == made.mean.p_value
    assert made.instability is None
    assert made.ratio is None


def test_lower_is_better_is_turned_before_anything_is_computed() -> None:
    b, c = grades(3)[:, 0], grades(4)[:, 0]
    up = Scale()
    down = Scale(better="lower")
    higher = compare.runs(run("p", {"m": b}, {"m": up}), run("t", {"m": c}, {"m": up}))[0]
    lower = compare.runs(run("p", {"m": 1 - b}, {"m": down}), run("t", {"m": 1 - c}, {"m": down}))[
        0
    ]
    assert lower.mean.value == pytest.approx(higher.mean.value)
    assert lower.mean.low == pytest.approx(higher.mean.low)
    assert lower.worst_tenth is not None
    assert higher.worst_tenth is not None
    assert lower.worst_tenth.low == pytest.approx(higher.worst_tenth.low)
    assert lower.catastrophic == higher.catastrophic
    assert (lower.wins, lower.losses) == (higher.wins, higher.losses)
    # Levels stay in units of the metric.
    assert lower.baseline_mean.value == pytest.approx(float(np.mean(1 - b)))
    assert lower.baseline_mean.low == pytest.approx(1 - higher.baseline_mean.high)


def test_runs_on_other_cases_or_scales_are_refused_with_all_faults() -> None:
    first = run("prompted", {"m": grades(1), "k": grades(2)}, {"m": GRADE, "k": GRADE})
    other = run("tuned", {"m": grades(1, 59)}, {"m": BINARY})
    with pytest.raises(DataError) as caught:
        compare.runs(first, other)
    assert len(caught.value.faults) == 3
    told = str(caught.value)
    assert "59 cases" in told
    assert "'k' was not judged for 'tuned'" in told
    assert "scales" in told
    assert "measure both arms again" in told


def test_a_changed_case_is_another_dataset() -> None:
    data = dataset(60)
    changed = Dataset(
        name="eval", cases=(Case(id="case-0", input="another question"), *data.cases[1:])
    )
    with pytest.raises(DataError, match="fingerprint"):
        compare.runs(
            run("p", {"m": grades(1)}, {"m": GRADE}, on=data),
            run("t", {"m": grades(2)}, {"m": GRADE}, on=changed),
        )


def test_failures_are_left_out_counted_and_told() -> None:
    b, c = grades(5)[:, 0], grades(6)[:, 0]
    b[:2] = np.nan
    c[1:6] = np.nan
    (made,) = compare.runs(run("p", {"m": b}, {"m": GRADE}), run("t", {"m": c}, {"m": GRADE}))
    assert made.n == 54
    assert made.n_unscored == (2, 5)
    assert made.mean.value == pytest.approx(float(np.mean(c[6:] - b[6:])))
    assert any("2 cases have no score from the baseline and 5" in text for text in made.caveats)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 29))
def test_a_failure_never_raises_a_score(place: int) -> None:
    b, c = grades(7, 30)[:, 0], grades(8, 30)[:, 0]
    failed = c.copy()
    failed[place] = np.nan
    first = run("p", {"m": b}, {"m": GRADE})
    (made,) = compare.runs(first, run("t", {"m": failed}, {"m": GRADE}))
    kept = np.delete(np.arange(30), place)
    assert made.candidate_mean.value == pytest.approx(float(c[kept].mean()))
    assert made.baseline_mean.value == pytest.approx(float(b[kept].mean()))


def test_groups_are_resampled_as_one() -> None:
    data = dataset(60, grouped=True)
    shift = np.repeat(np.random.default_rng(9).normal(0, 0.2, size=15), 4)
    b = 0.5 * np.ones(60)
    c = np.clip(b + shift, 0, 1)
    alone = compare.runs(run("p", {"m": b}, {"m": GRADE}), run("t", {"m": c}, {"m": GRADE}))[0]
    grouped = compare.runs(
        run("p", {"m": b}, {"m": GRADE}, on=data), run("t", {"m": c}, {"m": GRADE}, on=data)
    )[0]
    assert grouped.n_groups == 15
    assert alone.n_groups is None
    assert grouped.mean.high - grouped.mean.low > 1.5 * (alone.mean.high - alone.mean.low)
    assert grouped.detectable is not None
    assert alone.detectable is not None
    assert grouped.detectable > 1.5 * alone.detectable


def test_slices_and_flips() -> None:
    data = dataset(60, sliced=True)
    b, c = grades(10)[:, 0], grades(11)[:, 0]
    (made,) = compare.runs(
        run("p", {"m": b}, {"m": GRADE}, on=data), run("t", {"m": c}, {"m": GRADE}, on=data)
    )
    assert {part.slice: part.n for part in made.slices} == {"a": 20, "b": 20, "c": 20}
    assert made.slices[0].raw.value == pytest.approx(float(np.mean((c - b)[::3])))
    sizes = [abs(flip.difference) for flip in made.flips]
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) <= 40
    assert 0 not in sizes
    first = made.flips[0]
    place = int(first.case_id.removeprefix("case-"))
    assert first.difference == (c - b)[place]


def test_several_training_seeds_are_averaged_and_their_spread_is_told() -> None:
    b = grades(12, repeats=2)
    seeds = [np.clip(grades(20 + k, repeats=2) + 0.05 * k, 0, 1) for k in range(3)]
    first = run("p", {"m": b}, {"m": GRADE})
    tuned = [run("t", {"m": seed}, {"m": GRADE}) for seed in seeds]
    (made,) = compare.runs(first, tuned)
    joined = np.concatenate(seeds, axis=1)
    assert made.mean.value == pytest.approx(float(joined.mean() - b.mean()))
    assert made.n_repeats == 2
    assert made.seed_spread is not None
    assert made.seed_spread.value == pytest.approx(
        float(np.std([seed.mean() for seed in seeds], ddof=1))
    )
    assert made.instability is not None
    within = np.stack(seeds, axis=1)
    expected = math.sqrt(within.var(axis=2, ddof=1).mean()) - math.sqrt(
        b.var(axis=1, ddof=1).mean()
    )
    assert made.instability.value == pytest.approx(expected)
    (one,) = compare.runs(first, tuned[0])
    assert one.seed_spread is None


def test_latency_is_compared_where_both_were_timed_under_the_same_load() -> None:
    rng = np.random.default_rng(13)
    slow, fast = 1 + rng.random(12), 0.2 + 0.1 * rng.random(12)
    scores = {"m": grades(14)}
    first = run("p", scores, {"m": GRADE}, latencies=[(s, 1) for s in slow], tokens=[40] * 60)
    second = run(
        "t",
        scores,
        {"m": GRADE},
        latencies=[(s, 1) for s in fast[:10]] + [(9.0, 8)] * 2,
        tokens=[10] * 59,
    )
    made = compare.runs(first, second)
    latency = only(made, "latency")
    assert latency.n == 10
    assert latency.scale.unit == "s"
    assert latency.ratio is not None
    assert latency.ratio.value == pytest.approx(float(fast[:10].mean() / slow[:10].mean()))
    assert latency.mean.value == pytest.approx(float(slow[:10].mean() - fast[:10].mean()))
    assert latency.baseline_mean.value == pytest.approx(float(slow[:10].mean()))
    assert any("2 timings were taken under different load" in text for text in latency.caveats)
    tokens = only(made, "output_tokens")
    assert tokens.ratio is not None
    assert tokens.ratio.value == pytest.approx(0.25)
    assert tokens.n == 59
    assert [contrast.metric for contrast in made] == ["m", "latency", "output_tokens"]


def test_no_latency_is_invented_where_loads_differ() -> None:
    scores = {"m": grades(15)}
    first = run("p", scores, {"m": GRADE}, latencies=[(1.0, 1)] * 5)
    second = run("t", scores, {"m": GRADE}, latencies=[(0.5, 16)] * 5)
    assert [contrast.metric for contrast in compare.runs(first, second)] == ["m"]


def adapter(seed: int) -> Adapter:
    return Adapter(
        path=f"adapters/{seed}",
        weights=f"weights {seed}",
        model="local:x",
        data="d",
        seed=seed,
        checks=(Check(name="loaded", passed=seed != 2, detail="16 answers differ"),),
    )


def test_a_comparison_joins_datasets_and_brings_the_checks() -> None:
    sets = [dataset(60), dataset(40, name="unseen")]
    pairs = [
        (
            run("p", {"m": grades(1, len(on))}, {"m": GRADE}, on=on),
            [
                run("t", {"m": grades(k, len(on))}, {"m": GRADE}, on=on, adapter=adapter(k))
                for k in (1, 2)
            ],
        )
        for on in sets
    ]
    made = compare.comparison(pairs, alpha=0.02)
    assert (made.baseline, made.candidate, made.alpha) == ("p", "t", 0.02)
    assert [(one.metric, one.dataset) for one in made.contrasts] == [("m", "eval"), ("m", "unseen")]
    assert made.contrasts[0].mean.level == pytest.approx(0.98)
    assert [(check.name, check.passed) for check in made.checks] == [
        ("loaded (seed 1)", True),
        ("loaded (seed 2)", False),
    ]
    single = compare.comparison([(pairs[0][0], pairs[0][1][0])])
    assert [check.name for check in single.checks] == ["loaded"]
    assert any("one training seed" in text for text in single.contrasts[0].caveats)
    with pytest.raises(DataError, match="one pair of names"):
        compare.comparison([])


def test_margins_move_the_posterior_probability_only() -> None:
    first = run("p", {"m": grades(1)}, {"m": GRADE})
    second = run("t", {"m": grades(2)}, {"m": GRADE})
    (plain,) = compare.runs(first, second)
    (strict,) = compare.runs(first, second, margins={"m": 0.2})
    assert strict.gain_probability is not None
    assert plain.gain_probability is not None
    assert strict.gain_probability < plain.gain_probability
    assert strict.mean == plain.mean


def test_a_contrast_survives_being_written_and_read() -> None:
    (made,) = compare.runs(
        run("p", {"m": grades(1)}, {"m": GRADE}), run("t", {"m": grades(2)}, {"m": GRADE})
    )
    assert msgspec.json.decode(msgspec.json.encode(made), type=Contrast) == made


def test_scores_alone_find_their_kind_and_tell_it() -> None:
    rng = np.random.default_rng(16)
    bits = rng.integers(0, 2, size=(2, 40)).astype(float)
    binary = compare.scores(*bits)
    assert binary.scale.binary
    assert "binary, as found" in binary.mean.method
    assert binary.mean.low == compare.scores(*bits, kind="binary").mean.low
    bounded = compare.scores(*(0.5 * bits))
    assert (bounded.scale.low, bounded.scale.high, bounded.scale.binary) == (0.0, 1.0, False)
    assert bounded.catastrophic is not None
    unbounded = compare.scores(*(7 * bits))
    assert unbounded.scale.high is None
    assert unbounded.catastrophic is None
    assert "found" not in compare.scores(*bits, kind="bounded").mean.method


def test_scores_alone_take_repeats_groups_and_the_unscored() -> None:
    rng = np.random.default_rng(17)
    b, c = rng.random((50, 3)), rng.random((50, 2))
    b[4] = np.nan
    c[7, 1] = np.nan
    made = compare.scores(b, c, groups=np.repeat(np.arange(25), 2), margin=0.1)
    assert made.n == 49
    assert made.n_groups == 25
    assert made.n_unscored == (1, 0)
    kept = np.arange(50) != 4
    expected = np.nanmean(c[kept], axis=1) - np.nanmean(b[kept], axis=1)
    assert made.mean.value == pytest.approx(float(expected.mean()))
    assert made.instability is not None


def test_few_cases_are_told_what_share_of_failures_they_may_hide() -> None:
    b, c = np.random.default_rng(18).beta(4, 2, (2, 60))
    told = "the worst tenth is 6 cases of each arm"
    bounded = compare.scores(b, c, kind="bounded").caveats
    # 1 - 0.05^(1/60), and for 20 groups 1 - 0.05^(1/20).
    assert f"{told}, and up to 4.9% of cases may fail without having shown" in bounded
    grouped = compare.scores(b, c, kind="bounded", groups=np.repeat(np.arange(20), 3)).caveats
    assert f"{told}, and up to 13.9% of cases may fail without having shown" in grouped
    assert told in compare.scores(b, c, kind="unbounded").caveats


def test_scores_alone_name_cases_and_metric() -> None:
    made = compare.scores([0.1, 0.5], [0.2, 0.4], metric="f1", case_ids=["x", "y"])
    assert made.metric == "f1"
    assert {flip.case_id for flip in made.flips} == {"x", "y"}


@pytest.mark.parametrize(
    ("baseline", "candidate", "more", "told"),
    [
        ([0.1, 0.2], [0.1, 0.2, 0.3], {}, "2 rows and candidate 3"),
        ([0.1, math.inf], [0.1, 0.2], {}, "row 1 holds an infinite score"),
        ([0.1, math.nan], [math.nan, 0.2], {}, "0 cases have a score from both"),
        ([0.1], [0.2], {}, "1 cases have a score"),
        ([], [], {}, "0 cases have a score"),
        ([0.0, 0.5], [0.0, 1.0], {"kind": "binary"}, "0.5, which is not binary"),
        ([0.0, 0.5], [0.0, 1.5], {"kind": "bounded"}, "1.5, which is not bounded"),
        ([0.0, 0.5], [0.0, 1.5], {"kind": "counts"}, "'counts'"),
        ([0.0, 0.5], [0.0, 1.5], {"groups": ["a"]}, "one label a case"),
        ([0.0, 0.5], [0.0, 1.5], {"case_ids": ["a"]}, "one a case"),
        (["a", "b"], [0.0, 1.5], {}, "expected numbers"),
        ([[[0.0]]], [[[1.0]]], {}, "(n,) or (n, repeats)"),
    ],
)
def test_scores_that_cannot_be_compared_are_refused(
    baseline: list[float], candidate: list[float], more: dict[str, object], told: str
) -> None:
    with pytest.raises(DataError) as caught:
        compare.scores(baseline, candidate, **more)  # type: ignore[arg-type]
    assert told in str(caught.value)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from([0.0, 0.25, 1.0]), min_size=6, max_size=25), st.integers(1, 5))
def test_swapping_the_arms_flips_every_sign(scores: list[float], turn: int) -> None:
    b = np.array(scores)
    c = np.roll(b, turn) * 0.5
    there, back = compare.scores(b, c, kind="bounded"), compare.scores(c, b, kind="bounded")
    assert back.mean.low == pytest.approx(-there.mean.high, nan_ok=True)
    assert (back.wins, back.losses) == (there.losses, there.wins)
    assert back.worst_tenth is not None
    assert there.worst_tenth is not None
    assert back.worst_tenth.value == pytest.approx(-there.worst_tenth.value)
    assert back.spread is not None
    assert there.spread is not None
    if there.spread.value > 0:
        assert back.spread.value == pytest.approx(1 / there.spread.value)


def test_equal_arms_and_constant_scores_are_told_without_a_warning() -> None:
    same = compare.scores(np.ones(20), np.ones(20))
    assert same.mean.value == 0
    assert same.flips == ()
    assert same.detectable is None
    assert same.spread is not None
    assert math.isnan(same.spread.value)
    assert compare.scores([2.0, 3.0, 4.0], [2.0, 3.0, 4.0]).wins == 0


def test_the_example_of_the_documentation_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).parents[1] / "docs" / "concepts" / "distributions.md"
    code = page.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    exec(compile(code, str(page), "exec"), {})
    assert "worst_tenth" in capsys.readouterr().out


def test_a_run_without_a_slice_is_compared_on_the_rest() -> None:
    data = dataset(60, sliced=True)
    b, c = grades(10, repeats=2), grades(11, repeats=2)
    sides = [
        compare.without(run(name, {"m": values}, {"m": GRADE}, on=data), "b")
        for name, values in (("p", b), ("t", c))
    ]
    made = only(compare.runs(*sides), "m")
    kept = np.arange(60) % 3 != 1
    assert made.n == 40
    assert made.mean.value == pytest.approx(float((c - b)[kept].mean()))
    assert {part.slice for part in made.slices} == {"a", "c"}


def test_a_run_without_a_slice_keeps_the_timings_of_the_rest() -> None:
    data = dataset(60, sliced=True)
    given = run("p", {"m": grades(10)}, {"m": GRADE}, on=data)
    timings = tuple(
        Response(arm="p", question=case.question, purpose="latency", text="", latency_s=1.0, load=1)
        for case in data.cases[:6]
    )
    left = compare.without(msgspec.structs.replace(given, timings=timings), "b")
    assert [one.question for one in left.timings] == [
        case.question for case in data.cases[:6] if case.slice != "b"
    ]


QUANTITIES: tuple[Quantity, ...] = (
    "mean",
    "spread",
    "instability",
    "worst_tenth",
    "catastrophic",
)


def claim(metric: str, quantity: Quantity, *, role: Role = "guardrail") -> Claim:
    return Claim(role=role, metric=metric, dataset="eval", quantity=quantity, threshold=0.0)


def test_evidence_is_the_comparison_at_any_error_rate() -> None:
    data = dataset(60, sliced=True)
    b, c = grades(10, repeats=2), grades(11, repeats=2)
    pair = run("p", {"m": b}, {"m": GRADE}, on=data), run("t", {"m": c}, {"m": GRADE}, on=data)
    evidence = compare.Evidence([pair])
    for alpha in (0.05, 0.0125):
        made = only(compare.runs(*pair, alpha=alpha), "m")
        for quantity in QUANTITIES:
            found = evidence(claim("m", quantity), alpha)
            assert found == getattr(made, quantity), quantity
    assert evidence(claim("other", "mean"), 0.05) is None
    assert evidence(claim("m", "ratio"), 0.05) is None


def test_evidence_without_a_slice_is_that_of_the_rest() -> None:
    data = dataset(60, sliced=True)
    b, c = grades(10, repeats=2), grades(11, repeats=2)
    pair = run("p", {"m": b}, {"m": GRADE}, on=data), run("t", {"m": c}, {"m": GRADE}, on=data)
    found = compare.Evidence([pair]).without("b")(claim("m", "mean"), 0.05)
    kept = np.arange(60) % 3 != 1
    alone = compare.scores(b[kept], c[kept], kind="bounded").mean
    assert found is not None
    assert (found.value, found.low, found.high) == (alone.value, alone.low, alone.high)


def test_evidence_adjusts_the_primary_and_nothing_else() -> None:
    data = dataset(60, sliced=True)
    b, c = grades(10), grades(11)
    pair = run("p", {"m": b}, {"m": GRADE}, on=data), run("t", {"m": c}, {"m": GRADE}, on=data)
    pool = data.cases[:40]
    contrast = only(compare.runs(*pair, alpha=0.02), "m")
    made = compare.adjust(contrast, pair[0], [pair[1]], by=["slice"], pool=pool, alpha=0.02)
    assert made.mean != contrast.mean
    evidence = compare.Evidence([pair], by=["slice"], pool=pool)
    assert evidence(claim("m", "mean", role="primary"), 0.02) == made.mean
    assert evidence(claim("m", "mean"), 0.02) == contrast.mean
    assert evidence.plain()(claim("m", "mean", role="primary"), 0.02) == contrast.mean


def test_adjusting_takes_out_what_the_draw_has_too_much_of() -> None:
    pool = [
        Case(id=f"p{i}", input=f"question {i}", slice="easy" if i % 2 else "hard")
        for i in range(400)
    ]
    # Three quarters of the eval cases are easy, and only easy ones gain: 0.75 for a truth of 0.5.
    easy, hard = ([case for case in pool if case.slice == name] for name in ("easy", "hard"))
    data = Dataset(name="eval", cases=(*easy[:75], *hard[:25]))
    gains = np.array([float(case.slice == "easy") for case in data.cases])
    first = run("old", {"m": np.zeros(100)}, {"m": BINARY}, on=data)
    second = run("new", {"m": gains}, {"m": BINARY}, on=data)
    contrast = only(compare.runs(first, second), "m")
    assert contrast.mean.value == pytest.approx(0.75)
    made = compare.adjust(contrast, first, [second], by=["slice"], pool=pool, alpha=0.05)
    assert made.mean.value == pytest.approx(0.5)
    assert made.candidate_mean == contrast.candidate_mean
    # What is left to chance is how rich the pool itself is in easy cases: sqrt(0.25 / 400).
    assert made.mean.high - made.mean.value == pytest.approx(1.97 * 0.025, rel=0.1)
    few = compare.adjust(contrast, first, [second], by=["slice"], pool=pool[:1], alpha=0.05)
    assert few.mean == contrast.mean
    assert "is not adjusted for slice" in few.caveats[-1]


@pytest.mark.slow
def test_an_adjusted_interval_covers_the_truth_and_is_shorter_where_slices_explain() -> None:
    rng = np.random.default_rng(5)
    rates = {"a": 0.9, "b": 0.3, "c": 0.0}
    held, shorter = 0, []
    n_draws = 300
    for _ in range(n_draws):
        pool = [
            Case(id=f"p{i}", input="x" * int(length), slice=str(part))
            for i, (length, part) in enumerate(
                zip(rng.integers(5, 50, 500), rng.choice([*rates], 500), strict=True)
            )
        ]
        data = Dataset(name="eval", cases=tuple(pool[:100]))
        gains = np.array([float(rng.random() < rates[case.slice or ""]) for case in data.cases])
        first = run("old", {"m": np.zeros(100)}, {"m": BINARY}, on=data)
        second = run("new", {"m": gains}, {"m": BINARY}, on=data)
        contrast = only(compare.runs(first, second), "m")
        made = compare.adjust(
            contrast, first, [second], by=["slice", "length"], pool=pool, alpha=0.05
        )
        held += made.mean.low <= 0.4 <= made.mean.high
        plain = contrast.mean.high - contrast.mean.low
        shorter.append((made.mean.high - made.mean.low) / plain)
    # Two standard errors of 300 draws around what error-rates.md promises of every interval.
    assert 0.91 <= held / n_draws <= 0.99
    assert np.mean(shorter) < 0.9
