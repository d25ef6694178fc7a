from __future__ import annotations

import numpy as np
import pytest

from tests.baseline.scripted import DEV, START, TRAIN, Scripted, cases, quality
from tuneornot import baseline
from tuneornot.baseline.race import Budget, Race
from tuneornot.baseline.space import Proposal
from tuneornot.errors import DataError
from tuneornot.records import Case, Dataset, Ledger, Prompt, Run, Scale
from tuneornot.records import Score as Mark


def searched(model: Scripted, budget: Budget, *, dev: Dataset = DEV, seed: int = 0) -> Ledger:
    return baseline.search(
        model, TRAIN, dev, start=START, budget=budget, seed=seed, clock=model.clock
    )


def field(*qualities: float) -> tuple[list[Proposal], Scripted]:
    """Proposals with given true qualities, without a space around them."""
    made = [Proposal(f"p{k}", "", "", Prompt(instructions=f"{k}")) for k in range(len(qualities))]
    return made, Scripted(lambda prompt: qualities[int(prompt.instructions)])


class TestRace:
    def race(self, n_cases: int, qualities: tuple[float, ...], seed: int) -> Race:
        made, model = field(*qualities)
        model.seed = seed
        race = Race(model, cases(f"d{seed}-", n_cases), Budget(calls=100_000), seed=seed)
        race.run(made)
        race.choose()
        return race

    def test_poor_prompts_leave_early_and_good_ones_stay(self) -> None:
        n_asked, lost = [], 0
        for seed in range(60):
            race = self.race(60, (0.6, 0.55, 0.1, 0.1, 0.1, 0.05, 0.05, 0.02), seed)
            n_asked += [racer.n_answered for racer in race.racers[2:]]
            lost += race.racers[0].dropped is not None
            named = [racer.dropped or "" for racer in race.racers[2:] if racer.n_answered < 40]
            assert all(text.startswith("behind 'p") for text in named)
        assert np.mean(n_asked) < 30
        assert lost / 60 <= 0.05

    def test_the_best_is_lost_no_more_often_than_the_bound_says(self) -> None:
        lost = sum(
            self.race(60, (0.50,) + (0.48,) * 9, seed).racers[0].dropped is not None
            for seed in range(100)
        )
        assert lost / 100 <= 0.2

    def test_the_choice_is_among_a_few_and_on_all_cases(self) -> None:
        race = self.race(90, (0.5, 0.5, 0.5, 0.5, 0.5, 0.5), 1)
        answered = sorted(racer.n_answered for racer in race.racers)
        assert answered[-4:] == [90] * 4
        assert max(answered[:-4], default=0) <= race.n_raced == 60
        best = race.leader()
        assert best.mean() == max(racer.mean() for racer in race.racers if racer.n_answered == 90)

    def test_few_cases_are_not_divided(self) -> None:
        race = self.race(50, (0.5, 0.4), 0)
        assert race.n_raced == 50
        assert race.leader().n_answered == 50

    def test_a_small_budget_brings_several_to_the_end(self) -> None:
        made, model = field(*[0.3 + 0.03 * k for k in range(10)])
        race = Race(model, DEV.cases, Budget(calls=400), seed=0)
        race.run(made)
        assert len(race.finalists()) >= 2
        assert race.n_calls <= 400
        left_out = [
            racer for racer in race.racers if "the budget was kept" in (racer.dropped or "")
        ]
        assert left_out
        assert all(racer.p_value is None for racer in left_out)
        cut = min(racer.mean(20) for racer in race.racers if racer.n_answered > 20)
        assert all(racer.mean(20) <= cut for racer in left_out if racer.n_answered == 20)

    def test_the_winner_is_the_best_or_nearly(self) -> None:
        qualities = (0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.3, 0.2)
        found = [
            qualities[int(self.race(100, qualities, seed).leader().proposal.prompt.instructions)]
            for seed in range(60)
        ]
        assert np.mean(np.array(found) >= 0.4) >= 0.95

    def test_of_equals_the_shorter_wins(self) -> None:
        long, short = Prompt(instructions="0" * 30), Prompt(instructions="0")
        model = Scripted(lambda prompt: 1.0)
        race = Race(model, DEV.cases, Budget(calls=1000), seed=0)
        race.run([Proposal("long", "", "", long), Proposal("short", "", "", short)])
        assert race.leader().name == "short"

    def test_a_failure_counts_as_the_worst_score(self) -> None:
        made, model = field(0.9, 0.5)

        def failing(prompt: Prompt, asked: tuple[Case, ...]) -> Run:
            run = model(prompt, asked)
            if prompt != made[0].prompt:
                return run
            marks = [Mark(metric="m", case_id=one.id, reason="time-out") for one in asked[:15]]
            return Run(
                arm=run.arm,
                dataset=run.dataset,
                metrics=run.metrics,
                n_repeats=1,
                responses=run.responses,
                scores=(*marks, *run.scores[15:]),
            )

        race = Race(failing, DEV.cases, Budget(calls=1000), seed=0)  # type: ignore[arg-type]
        race.run(made)
        assert race.leader().name.startswith("p1")
        assert race.racers[0].scores[:15].sum() == 0


class TestSearch:
    def test_every_prompt_answers_the_same_cases_in_the_same_order(self) -> None:
        model = Scripted(quality)
        searched(model, Budget(calls=900))
        orders: dict[str, list[str]] = {}
        for prompt, case in model.asked:
            orders.setdefault(prompt, []).append(case)
        wanted = [case.id for case in DEV.cases]
        assert len(orders) >= 8
        assert all(order == wanted[: len(order)] for order in orders.values())

    def test_cases_kept_for_the_choice_propose_nothing(self) -> None:
        kept = {case.id for case in DEV.cases[40:]}

        class Turned(Scripted):
            def right(self, prompt: Prompt, case: Case) -> bool:
                return super().right(prompt, case) != (case.id in kept)

        usual, turned = Scripted(quality), Turned(quality)
        ledger, other = (searched(one, Budget(calls=900)) for one in (usual, turned))
        assert [one.name for one in ledger.candidates] == [one.name for one in other.candidates]
        proposing = [[pair for pair in one.asked if pair[1] not in kept] for one in (usual, turned)]
        assert proposing[0] == proposing[1]
        assert len({prompt for prompt, case in usual.asked if case in kept}) == 4
        assert (ledger.n_choosing, other.n_choosing) == (20, 20)
        assert ledger.choosing_mean != other.choosing_mean

    def test_demonstrations_come_from_train_only(self) -> None:
        model = Scripted(quality)
        searched(model, Budget(calls=900))
        shown = {one.id for prompt in model.prompts.values() for one in prompt.demonstrations}
        assert shown
        assert shown <= {one.id for one in TRAIN.cases}

    def test_the_same_seed_asks_the_same(self) -> None:
        first, again, other = Scripted(quality), Scripted(quality), Scripted(quality)
        ledger = searched(first, Budget(calls=700), seed=4)
        assert searched(again, Budget(calls=700), seed=4) == ledger
        assert first.asked == again.asked
        searched(other, Budget(calls=700), seed=5)
        assert other.asked != first.asked

    @pytest.mark.parametrize("calls", [7, 60, 130, 600, 1001])
    def test_a_budget_of_calls_is_kept_and_said(self, calls: int) -> None:
        model = Scripted(quality)
        ledger = searched(model, Budget(calls=calls))
        assert len(model.asked) == ledger.n_calls <= calls
        assert ledger.n_calls > calls - 20 - 60
        assert ledger.n_tokens == 12 * ledger.n_calls
        assert ledger.ended == f"the budget of {calls} calls was spent"
        best = next(one for one in ledger.candidates if one.name == ledger.best)
        assert best.n_cases == min(60, calls)
        assert best.dropped is None

    def test_a_budget_of_minutes_is_kept_by_the_pace_so_far(self) -> None:
        model = Scripted(quality)
        ledger = searched(model, Budget(minutes=10))
        assert 500 <= ledger.seconds <= 600
        assert ledger.ended == "the budget of 10 minutes was spent"

    def test_the_ledger_adds_up(self) -> None:
        model = Scripted(quality)
        ledger = searched(model, Budget(calls=1200))
        names = [one.name for one in ledger.candidates]
        assert len(set(names)) == len(names) >= 8
        assert sum(one.n_cases for one in ledger.candidates) == ledger.n_calls
        assert ledger.n_calls == len(model.asked)
        best = next(one for one in ledger.candidates if one.name == ledger.best)
        assert baseline.winner(ledger) == best.prompt
        assert (
            ledger.dev_mean
            == best.mean
            == max(
                one.mean for one in ledger.candidates if one.n_cases == 60 and one.dropped is None
            )
        )
        efforts = [point.n_calls for point in ledger.progress]
        assert efforts == sorted(set(efforts))
        assert ledger.progress[-1].best == ledger.dev_mean
        assert all((one.p_value is None) or one.dropped for one in ledger.candidates)
        assert ledger.gain is not None
        assert 0 <= ledger.gain < 0.2

    def test_it_beats_the_users_own_prompt_by_far_where_there_is_something_to_gain(self) -> None:
        found = []
        for seed in range(6):
            model = Scripted(quality, seed=seed)
            found.append(quality(baseline.winner(searched(model, Budget(calls=1000), seed=seed))))
        assert np.mean(found) > 0.42 > quality(START) + 0.25

    def test_lower_may_be_better(self) -> None:
        model = Scripted(quality, scale=Scale(better="lower", binary=True))
        ledger = searched(model, Budget(calls=1000))
        assert quality(baseline.winner(ledger)) > 0.35
        best = next(one for one in ledger.candidates if one.name == ledger.best)
        assert ledger.dev_mean == best.mean < 0.7
        assert ledger.luck >= 0

    def test_it_ends_when_nothing_is_left_to_win(self) -> None:
        ledger = searched(Scripted(lambda prompt: 1.0), Budget(calls=100_000))
        assert ledger.ended == "no dev case is left to win"
        assert ledger.luck == 0
        assert not ledger.still_rising

    def test_it_ends_when_variations_bring_nothing(self) -> None:
        model = Scripted(lambda prompt: 0.5 if prompt == START else 0.01)
        ledger = searched(model, Budget(calls=100_000))
        assert ledger.ended == "3 rounds of variations in a row brought nothing better"
        assert baseline.winner(ledger) == START
        assert not ledger.still_rising

    def test_a_lead_taken_late_is_still_rising(self) -> None:
        model = Scripted(lambda prompt: 0.2)

        def better_and_better(prompt: Prompt) -> float:
            return min(0.9, 0.1 + 0.02 * len(model.prompts))

        model.quality = better_and_better
        assert searched(model, Budget(calls=1500)).still_rising

    def test_progress_is_told_as_a_share_of_the_budget(self) -> None:
        model = Scripted(quality)
        told: list[tuple[int, int | None]] = []
        baseline.search(
            model,
            TRAIN,
            DEV,
            start=START,
            budget=Budget(calls=500),
            on_progress=lambda done, total: told.append((done, total)),
        )
        shares = [done for done, _ in told]
        assert shares == sorted(shares)
        assert shares[0] >= 0
        assert 90 <= shares[-1] <= 100
        assert {total for _, total in told} == {100}

    @pytest.mark.slow
    def test_luck_is_of_the_size_of_the_bias(self) -> None:
        bias, luck = [], []
        for seed in range(40):
            model = Scripted(quality, seed=seed)
            dev = Dataset(name="dev", cases=cases(f"d{seed}-", 60))
            ledger = searched(model, Budget(calls=1000), dev=dev, seed=seed)
            bias.append(ledger.dev_mean - quality(baseline.winner(ledger)))
            luck.append(ledger.luck)
        assert np.mean(bias) > 0.02
        assert np.mean(luck) == pytest.approx(np.mean(bias), abs=0.03)

    def test_neither_budget_nor_dev_is_a_sentence(self) -> None:
        model = Scripted(quality)
        with pytest.raises(DataError, match="it has no budget"):
            searched(model, Budget())
        with pytest.raises(DataError, match="holds no cases"):
            searched(model, Budget(calls=10), dev=Dataset(name="dev", cases=()))


def test_prompts_that_nothing_tells_apart_are_a_caveat() -> None:
    same = searched(Scripted(lambda _: 0.0), Budget(calls=300))
    found = baseline.check(same)
    assert not found.passed
    assert not found.blocking
    assert "nothing was chosen but the shortest" in found.detail
    told_apart = baseline.check(searched(Scripted(quality), Budget(calls=300)))
    assert told_apart.passed
