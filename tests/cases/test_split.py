from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from tuneornot.cases import split
from tuneornot.records import Case


def cases(n: int, *, groups: int | None = None, slices: int = 1) -> list[Case]:
    return [
        Case(
            id=f"c{i}",
            input=f"question {i}",
            group=None if groups is None else f"g{i % groups}",
            slice=f"s{i % slices}",
        )
        for i in range(n)
    ]


def test_one_question_is_one_block_and_so_is_a_group_if_wanted() -> None:
    rows = [
        Case(id="a", input="Same?", group="1"),
        Case(id="b", input="same", group="2"),
        Case(id="c", input="other", group="2"),
        Case(id="d", input="alone"),
    ]
    by_case = {frozenset(c.id for c in block) for block in split.blocks(rows, by_group=False)}
    by_group = {frozenset(c.id for c in block) for block in split.blocks(rows, by_group=True)}
    assert by_case == {frozenset("ab"), frozenset("c"), frozenset("d")}
    assert by_group == {frozenset("abc"), frozenset("d")}


def test_the_order_depends_on_content_and_seed_only() -> None:
    rows = cases(60, groups=13, slices=3)
    shuffled = random.Random(1).sample(rows, len(rows))
    first = split.order(split.blocks(rows, by_group=True), 7)
    again = split.order(split.blocks(shuffled, by_group=True), 7)
    assert first == again
    assert first != split.order(split.blocks(rows, by_group=True), 8)


def test_every_stretch_holds_each_slice_in_proportion() -> None:
    rows = [Case(id=f"{i}", input=f"q{i}", slice="big" if i % 10 else "small") for i in range(400)]
    dealt = split.order(split.blocks(rows, by_group=False), 3)
    for start in range(0, 400, 50):
        counts = Counter(block[0].slice for block in dealt[start : start + 50])
        assert abs(counts["small"] - 5) <= 1


def test_a_slice_with_one_case_may_stand_anywhere() -> None:
    rows = [Case(id=f"{i}", input=f"q{i}", slice=f"s{i}") for i in range(200)]
    parts = split.blocks(rows, by_group=False)
    dealt = [[block[0].id for block in split.order(parts, seed)] for seed in range(40)]
    places = [order.index("0") for order in dealt]
    assert min(places) < 40
    assert max(places) > 160


@given(st.lists(st.integers(1, 9), min_size=1, max_size=30), st.integers(1, 60))
def test_taking_is_near_and_loses_nothing(sizes: list[int], wanted: int) -> None:
    dealt = [tuple(cases(size)) for size in sizes]
    taken, rest = split.take(dealt, wanted)
    held = sum(map(len, taken))
    assert sorted(map(len, taken + rest)) == sorted(sizes)
    assert held <= wanted or not rest or held - wanted < max(sizes)
    if rest and held < wanted:
        assert min(map(len, rest)) >= 2 * (wanted - held)


def test_single_cases_are_taken_exactly() -> None:
    taken, rest = split.take([(one,) for one in cases(30)], 12)
    assert (len(taken), len(rest)) == (12, 18)
