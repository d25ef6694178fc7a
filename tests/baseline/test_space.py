from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

import msgspec

from tests.baseline.scripted import Scripted, cases
from tuneornot import baseline
from tuneornot.baseline import demonstrations, phrases
from tuneornot.baseline.space import Offers, Proposal, Space
from tuneornot.cases.likeness import likeness
from tuneornot.records import MARKER, Case, Dataset, Json, Prompt, Run, Sampling

START = Prompt(instructions="Do the job.")


def ids(prompt: Prompt) -> set[str]:
    return {case.id for case in prompt.demonstrations}


def drawn(
    rows: Sequence[Case],
    n: int,
    how: demonstrations.How,
    *,
    labelled: bool = False,
    seed: int = 0,
) -> tuple[Case, ...]:
    found = demonstrations.draw(rows, n, how, random.Random(seed), labelled=labelled)
    assert found is not None
    return found.cases


def test_the_first_field_has_the_users_prompt_and_many_different_ones() -> None:
    field = Space(START, cases("t", 100), 0).first()
    assert field[0].prompt == START
    assert len(field) >= 8
    assert len({one.prompt.fingerprint for one in field}) == len(field)
    assert {one.prompt.n_shown for one in field} == {0, 2, 4, 8, 12, 16}
    assert len({one.prompt.instructions for one in field}) >= 4
    assert len({one.prompt.format_hint for one in field}) >= 3


def test_there_are_eight_candidates_even_without_a_solved_case() -> None:
    unsolved = [Case(id=str(i), input=f"q{i}") for i in range(30)]
    few = cases("t", 5)
    assert len(Space(Prompt(instructions="x"), few, 0).first()) >= 8
    field = Space(START, unsolved, 0).first()
    assert all(not one.prompt.demonstrations for one in field)
    assert len(field) == 5  # five frames, and nothing known of the answers


def test_a_hint_of_the_user_is_kept_and_crossed() -> None:
    start = Prompt(instructions="Do.", format_hint="In French.")
    field = Space(start, cases("t", 100), 0).first()
    assert field[0].prompt == start
    assert sum(one.prompt.format_hint == "In French." for one in field) >= 3


def test_the_same_seed_makes_the_same_field_and_another_seed_another() -> None:
    first, again, other = (Space(START, cases("t", 90), seed).first() for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_variations_recombine_and_change_one_part() -> None:
    space = Space(START, cases("t", 100), 3)
    field = space.first()
    best = next(one for one in field if len(one.prompt.demonstrations) == 8)
    second = next(one for one in field if len(one.prompt.demonstrations) == 12)
    made = space.variations(best, second)
    prompts = [one.prompt for one in made]
    assert best.prompt not in prompts
    assert len({prompt.fingerprint for prompt in prompts}) == len(prompts)
    assert prompts[0].instructions == best.prompt.instructions
    assert prompts[0].demonstrations == second.prompt.demonstrations
    swapped = next(one.prompt for one in made if one.shown == "8 partly swapped")
    kept = ids(swapped) & ids(best.prompt)
    assert (len(kept), len(ids(swapped))) == (6, 8)
    reordered = next(one.prompt for one in made if one.shown == "8 reordered")
    assert ids(reordered) == ids(best.prompt)
    assert reordered != best.prompt
    numbers = {len(prompt.demonstrations) for prompt in prompts}
    assert {4, 12} <= numbers


def test_the_name_tells_the_parts() -> None:
    assert Proposal("expert", "keys", "8 random", START).name == "expert, keys, 8 random"


class TestOffers:
    form: ClassVar[dict[str, Json]] = {"type": "object"}

    def test_what_is_not_offered_is_not_tried(self) -> None:
        field = Space(START, cases("t", 300), 0).first()
        assert all(one.prompt.form is None and one.prompt.reasoning is None for one in field)

    def test_a_form_is_crossed_and_leaves_no_room_for_thinking(self) -> None:
        space = Space(START, cases("t", 300), 0, Offers(self.form, 200))
        field = space.first()
        held = [one for one in field if one.prompt.form is not None]
        thinking = [one for one in field if one.prompt.reasoning is not None]
        assert [one.prompt.form for one in held] == [self.form] * 2
        assert all("held to the form" in one.name for one in held)
        assert [one.prompt.reasoning for one in thinking] == [200] * 2
        assert all(MARKER in one.prompt.instructions for one in thinking)
        for one in (*held, *thinking):
            for _ in range(10):
                made = space.variations(one, field[1])
                assert not any(p.prompt.form and p.prompt.reasoning for p in made)
                for other in made:
                    asks = MARKER in other.prompt.instructions
                    assert asks == (other.prompt.reasoning is not None)
        loosened = space.variations(held[0], None)
        assert any(one.prompt.form is None for one in loosened)

    def test_a_prompt_of_the_user_that_thinks_does_so_in_every_frame(self) -> None:
        start = Prompt(instructions="Think, then Answer: ...", reasoning=90)
        field = Space(start, cases("t", 300), 0).first()
        assert {one.prompt.reasoning for one in field} == {90}

    def test_a_form_is_offered_where_one_case_is_answered_under_it(self) -> None:
        train, dev = (Dataset(name=name, cases=cases(name, 60)) for name in ("train", "dev"))

        def offered(refuses: bool, n: int | None = None, **sampled: Json) -> Offers:
            asked: list[Prompt] = []
            model = Scripted(lambda prompt: 1.0)

            def answer(prompt: Prompt, some: Sequence[Case]) -> Run:
                asked.append(prompt)
                run = model(prompt, some)
                if prompt.form is None or not refuses:
                    return run
                [said] = run.responses
                failed = msgspec.structs.replace(said, text=None, error="no such form")
                return msgspec.structs.replace(run, responses=(failed,))

            sampling = msgspec.convert(sampled, Sampling)
            found = baseline.offers(
                answer,
                train,
                dev,
                start=START,
                model="http://127.0.0.1:1/v1#m",
                sampling=sampling,
                reasoning=n,
            )
            assert len(asked) in (0, 2)
            return found

        assert offered(refuses=False) == Offers(phrases.schema(train.cases), 300)
        assert offered(refuses=True, n=0) == Offers(None, 0)
        assert offered(refuses=False, form="json") == Offers()


class TestDemonstrations:
    def test_random_ones_are_spread_over_labels(self) -> None:
        rows = [
            Case(id=str(i), input=f"q{i}", expected="rare" if i < 5 else "common")
            for i in range(100)
        ]
        chosen = drawn(rows, 8, "random", labelled=True)
        assert Counter(case.expected for case in chosen) == {"rare": 4, "common": 4}

    def test_and_over_slices_where_answers_are_no_labels(self) -> None:
        rows = cases("t", 60)
        chosen = drawn(rows, 9, "random")
        assert Counter(case.slice for case in chosen) == {"s0": 3, "s1": 3, "s2": 3}

    def test_diverse_ones_are_less_alike_than_random_ones(self) -> None:
        rng = random.Random(4)
        themes = ["pay the bill of may", "find a lost parcel", "open new account", "close shop"]
        rows = [
            Case(id=str(i), input=f"{rng.choice(themes[:1] * 9 + themes)} {i}", expected=f"{i}")
            for i in range(150)
        ]

        def closest(how: demonstrations.How) -> float:
            chosen = drawn(rows, 4, how, seed=1)
            texts = [case.text for case in chosen]
            return max(likeness(a, b) for a in texts for b in texts if a != b)

        assert closest("diverse") < 0.7 < closest("random")

    def test_the_unsolved_the_blank_and_the_very_long_are_not_shown(self) -> None:
        rows = [*cases("t", 20), Case(id="none", input="q")]
        rows += [Case(id="blank", input=" ", expected="x")]
        rows += [Case(id="long", input="word " * 500, expected="x")]
        found = {case.id for case in demonstrations.eligible(rows, 16)}
        assert found == {case.id for case in cases("t", 20)}

    def test_the_nearest_come_from_one_pool_that_gives_a_choice(self) -> None:
        field = Space(START, cases("t", 300), 0).first()
        pools = [one.prompt.demonstrations for one in field if one.prompt.nearest is not None]
        assert len(pools) >= 3
        assert {len(pool) for pool in pools} == {demonstrations.POOL}
        assert pools == [pools[0]] * len(pools)
        few = Space(START, cases("t", 20), 0).first()
        assert {one.prompt.nearest for one in few} == {None, 4}

    def test_a_leader_with_nearest_ones_is_varied_in_number_and_never_shuffled(self) -> None:
        space = Space(START, cases("t", 300), 0)
        best = next(one for one in space.first() if one.prompt.nearest == 8)
        made = space.variations(best, None)
        assert not any("reordered" in one.shown or "swapped" in one.shown for one in made)
        assert {one.prompt.n_shown for one in made} >= {4, 12}
        words = [one for one in made if one.frame != best.frame or one.hint != best.hint]
        assert words
        assert all(one.prompt.nearest == 8 for one in words)

    def test_not_enough_are_none(self) -> None:
        assert demonstrations.eligible(cases("t", 5), 8) == []

    def test_many_long_cases_stay_within_the_room_there_is(self) -> None:
        rows = [Case(id=str(i), input="w" * 1500, expected="x") for i in range(30)]
        assert demonstrations.eligible(rows, 4)
        assert demonstrations.eligible(rows, 16) == []
