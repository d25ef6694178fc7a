"""Orders against a real server that trains nothing: once, to the end, whatever goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.hosting.host import KEY, Host, running
from tests.models.misbehaving import QuickClock
from tuneornot.errors import ModelError, ServerError, TrainingError
from tuneornot.hosting import Desk, HostedPlan, file
from tuneornot.hosting.line import POLICY
from tuneornot.hosting.plan import Api
from tuneornot.records import Case, Order, Prompt

CASES = [Case(id=f"c{i}", input=f"What do kites cost on day {i}?", expected=f"k{i}") for i in "abc"]
FILE = file.write(CASES, Prompt(instructions="Tell the price."))
APIS: tuple[Api, Api] = ("openai", "together")


class Bench:
    """A host, a desk in front of it, and what was kept and said."""

    def __init__(self, host: Host, base: str) -> None:
        self.host = host
        self.base = base
        self.kept: list[Order] = []
        self.said: list[str] = []
        self.clock = QuickClock()

    def desk(self, api: Api = "openai", model: str = "old", **plan: object) -> Desk:
        made = HostedPlan(api=api, **plan)  # type: ignore[arg-type]
        name = f"{self.base}#{model}"
        return Desk(made, name, keep=self.kept.append, say=self.said.append, clock=self.clock)

    def order(self, key: str = "tuned-seed7-abcd1234") -> Order:
        return Order(key=key, arm="tuned", model="m", host=self.base, api="openai", seed=7)


@pytest.fixture
def bench() -> Iterator[Bench]:
    host = Host()
    with running(host) as base:
        yield Bench(host, base)


@pytest.mark.parametrize("api", APIS)
def test_a_training_from_file_to_served_model(bench: Bench, api: Api) -> None:
    done = bench.desk(api, epochs=2, batch_size=4, rate=0.5).train(bench.order(), FILE)
    assert done.state == "done"
    assert done.served == f"{bench.base}#ft:old:ton-abcd1234-7-1:1"
    assert (done.job, done.file, done.n_tokens) == ("job-1", "file-1", 1000)
    assert bench.host.files["file-1"] == FILE.text
    body = bench.host.jobs["job-1"]
    settings = {"n_epochs": 2, "batch_size": 4}
    if api == "openai":
        wanted = {**settings, "learning_rate_multiplier": 0.5}
        assert body["method"] == {"type": "supervised", "supervised": {"hyperparameters": wanted}}
        assert body["seed"] == 7
    else:
        assert settings.items() <= body.items()
        assert (body["random_seed"], body["learning_rate"]) == (7, 0.5)
        assert body["training_method"]["train_on_inputs"] is False
    # On its way before it is sent, and with its id before anything else.
    assert [one.state for one in bench.kept[:4]] == ["sending", "sending", "ordering", "waiting"]
    assert bench.kept[3].job == "job-1"
    assert bench.said.count("tuned: step 1") == 1
    assert any("job-1 is running" in said for said in bench.said)


def test_the_file_is_the_chat_that_the_arm_is_asked_with() -> None:
    turns = json.loads(FILE.text.splitlines()[0])["messages"]
    assert [turn["role"] for turn in turns] == ["system", "user", "assistant"]
    assert turns[0]["content"] == "Tell the price."
    assert turns[2]["content"] == "ka"
    empty = Case(id="e", input="?", expected=None)
    assert file.write([*CASES, empty], Prompt()).n_unanswered == 1
    with pytest.raises(TrainingError, match="at least one case"):
        file.write([empty], Prompt())


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("what", ["send", "order", "look"])
def test_a_host_that_is_busy_is_waited_for(bench: Bench, api: Api, what: str) -> None:
    bench.host.mishaps[what] = [429, 429]
    assert bench.desk(api).train(bench.order(), FILE).state == "done"
    assert len(bench.host.jobs) == 1


@pytest.mark.parametrize("what", ["send", "look"])
def test_errors_of_the_host_are_waited_out(bench: Bench, what: str) -> None:
    bench.host.mishaps[what] = [500, 503, 502]
    assert bench.desk().train(bench.order(), FILE).state == "done"
    assert len(bench.host.jobs) == 1


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("mishap", ["cut", "lost"])
def test_an_order_whose_answer_is_lost_is_found_in_the_list(
    bench: Bench, api: Api, mishap: str
) -> None:
    for n in range(3):  # of others, so that the list has pages
        bench.desk(api).train(bench.order(f"other-seed7-{n}{n}{n}"), FILE)
    bench.host.mishaps["order"] = [mishap]
    done = bench.desk(api).train(bench.order(), FILE)
    assert done.state == "done"
    assert done.job == "job-4"
    assert len(bench.host.jobs) == 4


def test_an_order_that_did_not_arrive_is_not_ordered_twice_by_itself(bench: Bench) -> None:
    bench.host.mishaps["order"] = [500]
    with pytest.raises(ServerError, match="not known whether it arrived"):
        bench.desk().train(bench.order(), FILE)
    assert bench.host.jobs == {}
    # The same command looks in the list first, and only then orders.
    done = bench.desk().train(bench.kept[-1], FILE)
    assert done.state == "done"
    assert len(bench.host.jobs) == 1
    assert len(bench.host.files) == 1


def test_a_crash_between_the_order_and_its_id(bench: Bench) -> None:
    bench.desk().train(bench.order(), FILE)
    on_its_way = next(one for one in bench.kept if one.state == "ordering")
    done = bench.desk().train(on_its_way, FILE)
    assert done.job == "job-1"
    assert len(bench.host.jobs) == 1


def test_a_crash_while_waiting(bench: Bench) -> None:
    bench.desk().train(bench.order(), FILE)
    waiting = next(one for one in bench.kept if one.state == "waiting")
    assert bench.desk().train(waiting, FILE).state == "done"
    assert (len(bench.host.jobs), len(bench.host.files)) == (1, 1)


def test_a_host_without_a_list_is_not_ordered_from_blindly(bench: Bench) -> None:
    bench.host.lists = False
    bench.host.mishaps["order"] = ["lost"]
    with pytest.raises(TrainingError, match=r"ton-abcd1234-7-1.*--forget"):
        bench.desk().train(bench.order(), FILE)
    assert len(bench.host.jobs) == 1


@pytest.mark.parametrize("api", APIS)
def test_a_job_that_fails_is_told_and_never_ordered_again(bench: Bench, api: Api) -> None:
    bench.host.end = "failed"
    with pytest.raises(TrainingError, match="bad luck"):
        bench.desk(api).train(bench.order(), FILE)
    failed = bench.kept[-1]
    assert failed.state == "failed"
    with pytest.raises(TrainingError, match="bad luck"):
        bench.desk(api).train(failed, FILE)
    assert len(bench.host.jobs) == 1


def test_a_job_that_vanishes(bench: Bench) -> None:
    bench.host.end = "gone"
    with pytest.raises(TrainingError, match="knows no job 'job-1' any more"):
        bench.desk().train(bench.order(), FILE)
    assert bench.kept[-1].state == "failed"


def test_an_order_that_is_refused(bench: Bench) -> None:
    with pytest.raises(TrainingError, match="cannot be fine-tuned"):
        bench.desk(model="other").train(bench.order(), FILE)
    assert bench.kept[-1].state == "failed"


def test_a_file_that_is_refused(bench: Bench) -> None:
    bench.host.mishaps["send"] = [400]
    with pytest.raises(TrainingError, match="must take the training file; it answered HTTP 400"):
        bench.desk().train(bench.order(), FILE)
    # Nothing was ordered, so the same command begins again.
    assert bench.desk().train(bench.kept[-1], FILE).state == "done"


@pytest.mark.parametrize("api", APIS)
def test_a_job_is_cancelled(bench: Bench, api: Api) -> None:
    bench.host.n_looks = 10**6
    bench.host.mishaps["look"] = [400]  # the command ends here
    with pytest.raises(ServerError):
        bench.desk(api).train(bench.order(), FILE)
    assert bench.desk(api).cancel(bench.kept[-1]).state == "cancelled"
    assert bench.host.jobs["job-1"]["state"] == "cancelled"
    with pytest.raises(TrainingError, match="cancelled"):
        bench.desk(api).train(bench.kept[-1], FILE)


def test_a_job_that_others_cancel(bench: Bench) -> None:
    bench.host.n_looks = 10**6
    bench.host.mishaps["look"] = [400]
    with pytest.raises(ServerError):
        bench.desk().train(bench.order(), FILE)
    bench.host.jobs["job-1"]["state"] = "cancelled"
    with pytest.raises(TrainingError, match="job job-1 is cancelled"):
        bench.desk().train(bench.kept[-1], FILE)


def test_a_slow_job_is_looked_at_ever_more_rarely(bench: Bench) -> None:
    bench.host.n_looks = 40
    done = bench.desk().train(bench.order(), FILE)
    looks = bench.clock.slept
    assert looks[0] == 1.0
    assert looks == sorted(looks)
    assert looks[-1] == 30.0
    assert done.seconds == pytest.approx(sum(looks), abs=1)


def test_the_key_goes_to_the_host_alone_and_into_no_sentence(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.host.key = KEY

    def refused() -> str:
        with pytest.raises(ModelError) as caught:
            bench.desk().train(bench.order(), FILE)
        return str(caught.value)

    assert "no key was sent" in refused()
    wrong = "sk-wrong-987654321"
    monkeypatch.setenv("TUNEORNOT_API_KEY_127_0_0_1", wrong)
    assert "TUNEORNOT_API_KEY_127_0_0_1=***" in refused()
    assert wrong not in refused()
    monkeypatch.setenv("TUNEORNOT_API_KEY_127_0_0_1", KEY)
    assert bench.desk("together").train(bench.order(), FILE).state == "done"
    assert bench.host.strangers == []
    assert not any(KEY in str(one) for one in [*bench.kept, *bench.said])


def test_a_host_that_is_not_there() -> None:
    clock = QuickClock()
    desk = Desk(
        HostedPlan(),
        "http://127.0.0.1:9/v1#old",
        keep=lambda _: None,
        say=lambda _: None,
        clock=clock,
    )
    order = Order(key="a-b", arm="tuned", model="m", host="h", api="openai", seed=1)
    with pytest.raises(ServerError, match="no connection could be made"):
        desk.train(order, FILE)
    assert len(clock.slept) == POLICY.max_tries


@pytest.mark.parametrize(
    ("plan", "model", "fault"),
    [
        (HostedPlan(), "local:smollm2-135m", "name it as https://HOST/v1#MODEL"),
        (HostedPlan(epochs=0), "https://h/v1#m", "epochs: found 0, expected more than 0"),
        (HostedPlan(seeds=()), "https://h/v1#m", "seeds: found []"),
        (HostedPlan(settings={"suffix": "x"}), "https://h/v1#m", "settings.suffix: is set by"),
        (HostedPlan(jobs="ftp://h"), "https://h/v1#m", "jobs: A served model is named"),
    ],
)
def test_faults_of_a_plan(plan: HostedPlan, model: str, fault: str) -> None:
    [told] = plan.faults(model)
    assert fault in told


def test_the_words_of_a_host_are_known_by_its_name() -> None:
    assert HostedPlan().spoken("https://api.together.xyz/v1#m") == "together"
    assert HostedPlan().spoken("https://api.openai.com/v1#m") == "openai"
    assert HostedPlan(jobs="https://api.together.xyz/v1").spoken("https://h/v1#m") == "together"
