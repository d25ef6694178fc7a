from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec
import pytest

from tests.asking import CountingModel
from tuneornot import asking, latency, measure, scoring
from tuneornot.errors import BudgetExceeded, ModelError, TuneornotError
from tuneornot.metrics import registry
from tuneornot.metrics.base import Mark, Metric
from tuneornot.models.base import Reply, Request
from tuneornot.records import (
    Adapter,
    Arm,
    Case,
    Dataset,
    Json,
    Prompt,
    Response,
    Sampling,
    Scale,
)

ARM = Arm(name="prompted", kind="prompted", model="counting", prompt=Prompt(instructions="Say it."))
EXACT = registry.build("exact_match")
WORDS = registry.build({"length": {"max": 1}})


class Memory:
    """A store in memory: what measure is given to know and to keep."""

    def __init__(self) -> None:
        self.rows: dict[asking.Key, Response] = {}

    def known(self, keys: Sequence[asking.Key]) -> Mapping[asking.Key, Response]:
        return {key: self.rows[key] for key in keys if key in self.rows}

    def keep(self, response: Response) -> None:
        self.rows[response.key] = response


@pytest.fixture
def memory() -> Memory:
    return Memory()


def dataset(n: int = 4) -> Dataset:
    cases = tuple(Case(id=f"c{i}", input=f"q{i}", expected=f"a{i}") for i in range(n))
    return Dataset(name="eval", cases=cases)


def right(question: str) -> Reply:
    return Reply(text=question.replace("q", "a"), latency_s=0.5, n_output_tokens=1)


def failing(*broken: str) -> CountingModel:
    return CountingModel(
        lambda question: (
            Reply(error="status 500", n_tries=3) if question in broken else right(question)
        )
    )


def test_every_case_is_asked_once_and_scored_by_every_metric(memory: Memory) -> None:
    model = CountingModel(right)
    run = measure.run(model, ARM, dataset(), [EXACT, WORDS], known=memory.known, keep=memory.keep)
    assert [request.messages[-1].content for request in model.asked] == ["q0", "q1", "q2", "q3"]
    assert [request.messages[0].content for request in model.asked] == ["Say it."] * 4
    assert [(score.case_id, score.metric, score.value) for score in run.scores[:3]] == [
        ("c0", "exact_match", 1.0),
        ("c0", "length", 1.0),
        ("c1", "exact_match", 1.0),
    ]
    assert run.metrics == {"exact_match": EXACT.scale, "length": WORDS.scale}
    assert [response.text for response in run.responses] == ["a0", "a1", "a2", "a3"]
    assert run.responses[0].arm == ARM.fingerprint
    assert run.responses[0].n_output_tokens == 1


def test_answers_in_any_order_reach_their_own_cases(memory: Memory) -> None:
    model = CountingModel(right)
    model.backwards = True
    run = measure.run(model, ARM, dataset(), [EXACT], known={}, keep=memory.keep)
    assert [score.value for score in run.scores] == [1, 1, 1, 1]
    assert [response.text for response in run.responses] == ["a0", "a1", "a2", "a3"]


def test_a_second_run_asks_nothing_and_gives_the_same(memory: Memory) -> None:
    model = CountingModel(right)
    first = measure.run(model, ARM, dataset(), [EXACT], known=memory.known, keep=memory.keep)
    again = measure.run(model, ARM, dataset(), [EXACT], known=memory.rows, keep=memory.keep)
    assert len(model.asked) == 4
    assert first.fingerprint == again.fingerprint


def test_a_failure_is_no_score_and_is_asked_again(memory: Memory) -> None:
    run = measure.run(
        failing("q1"), ARM, dataset(), [EXACT, WORDS], known=memory.known, keep=memory.keep
    )
    failed = [score for score in run.scores if score.case_id == "c1"]
    assert [(score.value, score.reason) for score in failed] == [(None, "status 500")] * 2
    assert memory.rows[run.responses[1].key].error == "status 500"

    model = CountingModel(right)
    run = measure.run(model, ARM, dataset(), [EXACT], known=memory.known, keep=memory.keep)
    assert [request.messages[-1].content for request in model.asked] == ["q1"]
    assert [score.value for score in run.scores] == [1, 1, 1, 1]


def test_a_response_is_kept_before_the_next_answer_is_waited_for(memory: Memory) -> None:
    kept_when_asked: list[int] = []

    def answer(question: str) -> Reply:
        kept_when_asked.append(len(memory.rows))
        return right(question)

    told: list[tuple[int, int]] = []
    measure.run(
        CountingModel(answer),
        ARM,
        dataset(),
        [EXACT],
        known={},
        keep=memory.keep,
        on_answer=lambda done, total: told.append((done, total)),
    )
    assert kept_when_asked == [0, 1, 2, 3]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_cases_with_one_question_share_the_answer_but_not_the_judgement(memory: Memory) -> None:
    cases = (
        Case(id="x", input="q1", expected="a1"),
        Case(id="y", input="q1", expected="other"),
        Case(id="z", input="q1", expected="a1", context="Given this."),
    )
    model = CountingModel(right)
    data = Dataset(name="eval", cases=cases)
    run = measure.run(model, ARM, data, [EXACT], known={}, keep=memory.keep)
    assert len(model.asked) == 2
    assert [score.value for score in run.scores] == [1, 0, 0]
    assert len(run.responses) == 3


def test_repeats_draw_with_their_own_seeds(memory: Memory) -> None:
    arm = Arm(name="p", kind="prompted", model="m", sampling=Sampling(temperature=1.0, seed=7))
    model = CountingModel(right)
    run = measure.run(model, arm, dataset(2), [EXACT], repeats=3, known={}, keep=memory.keep)
    assert [request.sampling.seed for request in model.asked] == [7, 7, 8, 8, 9, 9]
    assert [(r.question, r.repeat) for r in run.responses] == [
        (case.question, repeat) for case in dataset(2).cases for repeat in range(3)
    ]
    assert [(s.case_id, s.repeat) for s in run.scores[:4]] == [
        ("c0", 0), ("c0", 1), ("c0", 2), ("c1", 0),
    ]  # fmt: skip
    assert run.n_repeats == 3

    more = measure.run(model, arm, dataset(2), [EXACT], repeats=4, known=memory.rows, keep=print)
    assert len(model.asked) == 8
    assert more.n_repeats == 4


def test_the_adapter_of_the_arm_answers(memory: Memory) -> None:
    adapter = Adapter(path="p", weights="w", model="counting", data="d", seed=1)
    arm = Arm(name="tuned", kind="tuned", model="counting", adapter=adapter)
    model = CountingModel(right)
    measure.run(model, arm, dataset(1), [EXACT], known={}, keep=memory.keep)
    assert model.adapters == [adapter]


class Ending(CountingModel):
    """Ends before everything is answered."""

    def ask(
        self,
        requests: Iterable[Request],
        *,
        adapter: Adapter | None = None,
        one_by_one: bool = False,
    ) -> Iterator[tuple[int, Reply]]:
        yield from list(super().ask(requests, adapter=adapter))[:3]


def test_a_model_that_ends_early_is_told_and_its_answers_stay(memory: Memory) -> None:
    with pytest.raises(ModelError, match="no answer to 1 of them from 'counting'"):
        measure.run(Ending(right), ARM, dataset(), [EXACT], known={}, keep=memory.keep)
    assert len(memory.rows) == 3


def test_a_metric_that_cannot_judge_or_raises_is_no_score() -> None:
    class Odd:
        def __init__(self, name: str, value: float | None, scale: Scale) -> None:
            self.name = name
            self.value = value
            self.scale = scale

        def settings(self) -> dict[str, Json]:
            return {}

        def score(self, case: Case, response: Response) -> Mark:
            if self.name == "raises":
                raise IndexError(3)
            return Mark(self.value)

    metrics: list[Metric] = [
        Odd("raises", 1.0, Scale()),
        Odd("none", None, Scale()),
        Odd("nan", float("nan"), Scale(low=None, high=None)),
        Odd("high", 1.5, Scale()),
        Odd("low", -0.1, Scale()),
        Odd("between", 0.5, Scale(binary=True)),
        Odd("open", 1e9, Scale(low=0.0, high=None)),
    ]
    scores = scoring.judge(metrics, dataset().cases[0], Response(arm="a", question="q", text="x"))
    assert [score.value for score in scores] == [None] * 6 + [1e9]
    assert scores[0].reason == "the metric 'raises' raised IndexError(3)"
    assert all(score.reason for score in scores[:6])


@pytest.mark.parametrize("text", ["ok \ud800", "\udfff", "é\ud83d", "fine 😀"])
def test_every_kept_answer_can_be_written_down(memory: Memory, text: str) -> None:
    run = measure.run(
        CountingModel(lambda _: Reply(text=text)), ARM, dataset(1), [], known={}, keep=memory.keep
    )
    written = str(run.responses[0].text)
    assert written.encode("utf-8").decode() == written
    assert ("\ufffd" in written) == (text != "fine 😀")
    assert written[0] == (text[0] if text[0] != "\udfff" else "\ufffd")


def entrant(name: str, log: list[str]) -> asking.Entrant:
    def answer(question: str) -> Reply:
        log.append(name + question.removeprefix("q"))
        return Reply(text="x", latency_s=1.0)

    arm = Arm(name=name, kind="prompted", model=name)
    return asking.Entrant(CountingModel(answer, name=name), arm)


def test_arms_take_turns_and_each_round_begins_with_the_next(memory: Memory) -> None:
    log: list[str] = []
    told: list[tuple[int, int]] = []
    failed = measure.in_turns(
        [entrant("A", log), entrant("B", log)],
        [dataset(5)],
        turn=2,
        known=memory.known,
        keep=memory.keep,
        on_answer=lambda done, total: told.append((done, total)),
    )
    assert log == ["A0", "A1", "B0", "B1", "B2", "B3", "A2", "A3", "A4", "B4"]
    assert told == [(n, 10) for n in range(1, 11)]
    assert len(memory.rows) == 10
    assert failed == {}


def test_what_is_known_is_not_asked_in_turns(memory: Memory) -> None:
    log: list[str] = []
    entrants = [entrant("A", log), entrant("B", log), entrant("C", log)]
    measure.run(*entrants[2][:2], dataset(4), [], known=memory.known, keep=memory.keep)
    log.clear()
    sets = [dataset(3), dataset(6)]
    measure.in_turns(entrants, sets, turn=2, known=memory.known, keep=memory.keep)
    assert " ".join(log) == "A0 A1 B0 B1 C4 C5 B2 B3 A2 A3 A4 A5 B4 B5"


def test_the_arm_that_has_most_left_begins(memory: Memory) -> None:
    log: list[str] = []
    entrants = [entrant("A", log), entrant("B", log)]
    measure.run(*entrants[0][:2], dataset(2), [], known=memory.known, keep=memory.keep)
    log.clear()
    measure.in_turns(entrants, [dataset(4)], turn=2, known=memory.known, keep=memory.keep)
    assert " ".join(log) == "B0 B1 A2 A3 B2 B3"


def test_taking_turns_changes_no_run(memory: Memory) -> None:
    model, aside = failing("q1"), Memory()
    pairs = [(model, ARM), (CountingModel(right), Arm(name="o", kind="prompted", model="o"))]
    failed = measure.in_turns(
        [asking.Entrant(*pair) for pair in pairs],
        [dataset(5)],
        repeats=2,
        turn=2,
        known=memory.known,
        keep=memory.keep,
    )
    assert [response.error for response in failed.values()] == ["status 500"] * 2
    n_asked = len(model.asked)
    for pair in pairs:
        turned, alone = (
            measure.run(
                *pair, dataset(5), [EXACT], repeats=2, failed=gone, known=kept.known, keep=kept.keep
            )
            for kept, gone in ((memory, failed), (aside, {}))
        )
        assert turned.fingerprint == alone.fingerprint
    # What failed in its turn was not tried again at once; without that it is.
    assert len(model.asked) == 2 * n_asked
    measure.run(model, ARM, dataset(5), [], repeats=2, known=memory.known, keep=memory.keep)
    assert len(model.asked) == 2 * n_asked + 2


class Watched(CountingModel):
    """Notes that it was told to stop."""

    stopped = False

    def ask(
        self,
        requests: Iterable[Request],
        *,
        adapter: Adapter | None = None,
        one_by_one: bool = False,
    ) -> Iterator[tuple[int, Reply]]:
        try:
            yield from super().ask(requests)
        finally:
            self.stopped = True


class Refusing(CountingModel):
    """Raises what it was made with, after so many answers."""

    def __init__(self, error: TuneornotError, n: int) -> None:
        super().__init__(right)
        self.error, self.n = error, n

    def ask(
        self,
        requests: Iterable[Request],
        *,
        adapter: Adapter | None = None,
        one_by_one: bool = False,
    ) -> Iterator[tuple[int, Reply]]:
        yield from list(super().ask(requests))[: self.n]
        raise self.error


def against(other: CountingModel) -> tuple[Watched, list[asking.Entrant]]:
    model = Watched(right)
    arms = [Arm(name=name, kind="prompted", model=name) for name in ("A", "B")]
    return model, [asking.Entrant(model, arms[0]), asking.Entrant(other, arms[1])]


def test_a_server_that_is_gone_ends_it_at_once_and_calls_back_the_rest(memory: Memory) -> None:
    model, entrants = against(Refusing(ModelError("The server is gone. Start it."), 0))
    with pytest.raises(ModelError, match="The server is gone") as caught:
        measure.in_turns(entrants, [dataset(6)], turn=2, known=memory.known, keep=memory.keep)
    # At once, not when the traceback that still holds its frame is forgotten.
    assert model.stopped
    assert caught.value.__traceback__ is not None
    assert len(memory.rows) == 2
    model.asked.clear()
    measure.run(*entrants[0][:2], dataset(6), [], known=memory.known, keep=memory.keep)
    assert [request.messages[-1].content for request in model.asked] == ["q2", "q3", "q4", "q5"]


def test_where_the_budget_ends_what_others_were_sent_is_still_taken(memory: Memory) -> None:
    _, entrants = against(Refusing(BudgetExceeded("The budget is used up."), 3))
    with pytest.raises(BudgetExceeded, match="used up"):
        measure.in_turns(entrants, [dataset(6)], turn=2, known=memory.known, keep=memory.keep)
    assert Counter(key[0] for key in memory.rows) == {
        entrants[0].arm.fingerprint: 6,
        entrants[1].arm.fingerprint: 3,
    }


def test_a_model_that_ends_early_in_its_turn_is_told(memory: Memory) -> None:
    _, entrants = against(Ending(right))
    with pytest.raises(ModelError, match=r"no answer to 1 of them .*'B'"):
        measure.in_turns(entrants, [dataset(4)], known=memory.known, keep=memory.keep)
    assert len(memory.rows) == 7


def test_two_arms_that_are_the_same_share_their_answers(memory: Memory) -> None:
    log: list[str] = []
    one = entrant("A", log)
    two = one._replace(arm=msgspec.structs.replace(one.arm, name="twin"))
    measure.in_turns([one, two], [dataset(5)], turn=2, known=memory.known, keep=memory.keep)
    assert log == ["A0", "A1", "A2", "A3", "A4"]


def test_timings_take_turns_after_one_uncounted_answer_each(memory: Memory) -> None:
    log: list[str] = []
    entrants = [entrant("A", log), entrant("B", log)]
    found = latency.timings(entrants, dataset(4), n=3, known=memory.known, keep=memory.keep)
    assert log == ["A0", "B0", "A0", "B0", "B1", "A1", "A2", "B2"]
    models = [one.model for one in entrants]
    assert all(all(model.alone) for model in models if isinstance(model, CountingModel))
    assert set(found) == {"A", "B"}
    assert [r.question for r in found["A"]] == [r.question for r in found["B"]]
    assert [r.question for r in found["A"]] == [case.question for case in dataset(4).cases[:3]]
    assert {r.purpose for r in found["A"]} == {"latency"}
    assert len(memory.rows) == 6


def test_timings_are_spread_over_the_dataset(memory: Memory) -> None:
    log: list[str] = []
    data = dataset(100)
    found = latency.timings([entrant("A", log)], data, n=4, known={}, keep=memory.keep)
    asked = [data.cases[i].question for i in (0, 25, 50, 75)]
    assert [response.question for response in found["A"]] == asked


def test_known_timings_are_used_only_where_every_arm_has_one(memory: Memory) -> None:
    log: list[str] = []
    entrants = [entrant("A", log), entrant("B", log)]
    first = latency.timings(entrants, dataset(2), known=memory.known, keep=memory.keep)
    log.clear()
    assert latency.timings(entrants, dataset(2), known=memory.known, keep=memory.keep) == first
    assert log == []
    del memory.rows[first["B"][1].key]
    told: list[tuple[int, int]] = []
    latency.timings(
        entrants,
        dataset(2),
        known=memory.known,
        keep=memory.keep,
        on_answer=lambda done, total: told.append((done, total)),
    )
    assert log == ["A1", "B1", "B1", "A1"]
    assert told == [(1, 2), (2, 2)]


def test_a_timing_is_never_taken_for_an_answer(memory: Memory) -> None:
    log: list[str] = []
    only = entrant("A", log)
    latency.timings([only], dataset(1), known={}, keep=memory.keep)
    log.clear()
    measure.run(only.model, only.arm, dataset(1), [], known=memory.known, keep=memory.keep)
    assert log == ["A0"]


def test_a_failed_timing_is_kept_as_a_failure(memory: Memory) -> None:
    arm = Arm(name="A", kind="prompted", model="A")
    found = latency.timings(
        [asking.Entrant(failing("q0"), arm)], dataset(2), known={}, keep=memory.keep
    )
    assert [response.error for response in found["A"]] == ["status 500", None]
