from __future__ import annotations

import datetime
import math
import re
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy.engine.default import DefaultDialect

from tests.store import kept
from tuneornot.records import Look, Order, Phase, Response
from tuneornot.store.store import Store


class Clock:
    """One second later at each look."""

    def __init__(self) -> None:
        self.time = datetime.datetime(2026, 11, 25, 12, tzinfo=datetime.UTC)

    def __call__(self) -> datetime.datetime:
        self.time += datetime.timedelta(seconds=1)
        return self.time


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results" / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with Store(path, now=Clock()) as opened:
        yield opened


def test_responses_come_back_as_they_were(store: Store) -> None:
    full = Response(
        arm="arm",
        question="q",
        repeat=2,
        text='é 😀 "quoted"\n\x00',
        finish="length",
        n_input_tokens=5,
        n_output_tokens=7,
        latency_s=0.123456789,
        load=4,
        n_tries=2,
    )
    failed = kept.response(1, None)
    for response in (full, failed):
        store.keep_response(response)
    assert store.responses([full.key, failed.key]) == {full.key: full, failed.key: failed}
    assert store.responses([("arm", "q", 0, "answer"), ("arm", "q", 2, "latency")]) == {}
    assert store.responses([]) == {}


def test_what_was_kept_is_there_for_any_other_reader_at_once(store: Store, path: Path) -> None:
    for n in range(1, 4):
        store.keep_response(kept.response(n))
        with sqlite3.connect(path) as other:
            assert other.execute("SELECT count(*) FROM responses").fetchone() == (n,)
        other.close()


def test_kept_things_outlive_the_store(store: Store, path: Path) -> None:
    store.keep_response(kept.response(1))
    store.close()
    store.close()
    with Store(path) as again:
        assert list(again.each_response()) == [kept.response(1)]
    assert [file.name for file in path.parent.iterdir()] == ["store.db"]


def test_many_keys_of_several_arms_and_repeats(store: Store) -> None:
    rows = [
        kept.response(i, arm=arm, repeat=repeat)
        for arm in ("A", "B")
        for repeat in (0, 1)
        for i in range(1200)
    ]
    store.keep_responses(iter(rows))
    wanted = [
        row for row in rows if row.question.endswith("7") and (row.arm, row.repeat) != ("B", 1)
    ]
    assert store.responses([row.key for row in wanted]) == {row.key: row for row in wanted}
    assert store.counts()["responses"] == 4800
    assert sum(1 for _ in store.each_response("A")) == 2400


def test_the_first_answer_stays_and_takes_the_place_of_a_failure(store: Store) -> None:
    key = kept.response(1).key
    for text, stands in ((None, None), ("first", "first"), ("second", "first"), (None, "first")):
        store.keep_response(kept.response(1, text))
        assert store.responses([key])[key].text == stands
    store.keep_responses([kept.response(1, "third"), kept.response(1, None)])
    assert store.responses([key])[key].text == "first"
    assert store.counts()["responses"] == 1


def test_the_last_timing_that_succeeded_stays(store: Store) -> None:
    key = kept.timing(1.0).key
    for latency, stands in ((None, None), (1.0, 1.0), (2.0, 2.0), (None, 2.0)):
        store.keep_response(kept.timing(latency))
        assert store.responses([key])[key].latency_s == stands


def test_half_a_surrogate_pair_is_kept(store: Store) -> None:
    odd = kept.response(1, "\ud800 and é")
    store.keep_response(odd)
    assert store.responses([odd.key])[odd.key] == odd
    assert list(store.each_response()) == [odd]


def test_adapters_by_seed(store: Store) -> None:
    for seed in (2, 1, 2):
        store.keep_adapter("key", kept.adapter(seed))
    store.keep_adapter("other", kept.adapter(9))
    assert [adapter.seed for adapter in store.adapters("key")] == [1, 2]
    found = store.adapters("key")[0]
    assert found.settings == {"rank": 8, "targets": ["q", "v"]}
    assert found.curve[0].train_loss is not None
    assert math.isnan(found.curve[0].train_loss)
    assert store.adapters("none") == ()


def test_the_last_ledger_stays(store: Store) -> None:
    assert store.ledger("key") is None
    store.keep_ledger("key", kept.ledger(0.5))
    store.keep_ledger("key", kept.ledger(0.6))
    assert store.ledger("key") == kept.ledger(0.6)


def test_a_plan_keeps_the_time_at_which_it_was_first_seen(store: Store) -> None:
    store.keep_plan("p1", "text one", study="citations")
    store.keep_plan("p2", "text two", study="citations")
    store.keep_plan("p1", "text one", study="citations")
    store.keep_plan("p3", "text three", study="codes")
    assert [plan.fingerprint for plan in store.plans("citations")] == ["p1", "p2"]
    assert len(store.plans()) == 3
    first = store.plans()[0]
    assert first.text == "text one"
    assert first.first_seen == "2026-11-25T12:00:02.000000+00:00"


def test_looks_are_counted_once_each(store: Store) -> None:
    early = Look(dataset="eval", arm="tuned", plan="p1", at="2026-11-25T12:00:00+00:00")
    late = Look(dataset="eval", arm="tuned", plan="p1", at="2026-11-26T12:00:00+00:00", n=150)
    other = Look(dataset="eval", arm="tuned", plan="p2", at="2026-11-25T13:00:00+00:00")
    for look in (late, early, other, early):
        store.keep_look(look)
    assert store.looks() == (early, other, late)
    assert store.looks("p1") == (early, late)


def test_the_history_of_verdicts_keeps_every_one(store: Store) -> None:
    for plan, value in (("p1", 0.1), ("p1", 0.2), ("p2", 0.3)):
        store.keep_verdict(kept.verdict(plan, value))
    history = store.verdicts("p1")
    assert [judged.at[:19] for judged in history] == ["2026-11-25T12:00:02", "2026-11-25T12:00:03"]
    estimates = [judged.verdict.reasons[0].estimate for judged in history]
    assert [estimate.value for estimate in estimates if estimate] == [0.1, 0.2]
    assert estimates[0] is not None
    assert math.isnan(estimates[0].low)
    assert estimates[0].high == math.inf
    assert len(store.verdicts()) == 3


def test_phases_in_the_order_in_which_they_ended(store: Store) -> None:
    phases = tuple(
        Phase(name=name, seconds=1.5, n_asked=3) for name in ("search", "train", "measure")
    )
    for phase in phases:
        store.keep_phase("p1", phase)
    assert store.phases("p1") == phases
    assert store.phases("p2") == ()


def test_an_order_is_kept_as_it_is_now(store: Store) -> None:
    order = Order(key="a-1", arm="a", model="m", host="h", api="openai", seed=1)
    assert store.order("a-1") is None
    store.keep_order(order)
    waiting = msgspec.structs.replace(order, state="waiting", job="job-1")
    store.keep_order(waiting)
    assert store.order("a-1") == waiting


def test_counts_name_every_table(store: Store) -> None:
    store.keep_response(kept.response(1))
    store.keep_ledger("key", kept.ledger(0.5))
    counts = store.counts()
    assert set(counts) == {
        "responses", "adapters", "ledgers", "plans", "looks", "verdicts", "phases", "labels",
        "orders",
    }  # fmt: skip
    assert sum(counts.values()) == 2


def test_several_threads_and_stores_write_at_the_same_time(store: Store, path: Path) -> None:
    with Store(path) as second:

        def keep(target: Store, arm: str) -> None:
            for i in range(100):
                target.keep_response(kept.response(i, arm=arm))

        threads = [
            threading.Thread(target=keep, args=(target, f"arm-{n}"))
            for n, target in enumerate((store, store, second, second))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert store.counts()["responses"] == 400


def test_reading_goes_on_while_something_is_kept(store: Store) -> None:
    store.keep_responses(kept.response(i) for i in range(1500))
    reading = store.each_response()
    next(reading)
    store.keep_response(kept.response(9999))
    assert sum(1 for _ in reading) >= 1499


def test_the_example_of_the_documentation_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Path(__file__).parents[2] / "docs" / "concepts" / "store.md"
    [example] = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    with Store("results/store.db") as store:
        store.keep_responses([kept.response(1), kept.response(2, None)])
    exec(example, {})
    assert "arm an answer\narm status 500\n" in capsys.readouterr().out


def test_an_interrupted_write_does_not_close_the_store(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    first, second = kept.response(1), kept.response(2)
    with Store(path) as store:
        store.keep_response(first)
        with monkeypatch.context() as within:
            within.setattr(DefaultDialect, "do_execute", interrupted)
            with pytest.raises(KeyboardInterrupt):
                store.keep_response(second)
        store.keep_response(second)
        assert set(store.responses([first.key, second.key])) == {first.key, second.key}
