from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
import torch

from tests.training import tiny
from tuneornot import finetune
from tuneornot.errors import MissingExtra, TrainingError
from tuneornot.models.base import Reply, Request
from tuneornot.models.local.weights import Loaded
from tuneornot.records import Adapter, Case, Check, CurvePoint, Dataset, Message
from tuneornot.training import examples
from tuneornot.training.recipe import Recipe

RECIPE = Recipe(rank=4, alpha=8, epochs=1, batch_size=8, rate=5e-3)
TRAIN, DEV = tiny.dataset("train", 12), tiny.dataset("dev", 5, first=50)


class Answering:
    """A model whose answers depend on whether an adapter is given, and that shows its tokens."""

    name = "local:tiny"

    def __init__(
        self, tuned: str = "{}", plain: str = "Well, ", *, finish: str = "stop", template: str = ""
    ) -> None:
        self.texts = {True: tuned, False: plain}
        self.finish = finish
        self.n_asked = 0
        self.tokenizer = tiny.tokenizer()
        if template:
            self.tokenizer.chat_template = template

    def identity(self) -> str:
        return "tiny"

    def ask(
        self,
        requests: Iterable[Request],
        *,
        adapter: Adapter | None = None,
        one_by_one: bool = False,
    ) -> Iterator[tuple[int, Reply]]:
        for place, _ in enumerate(requests):
            self.n_asked += 1
            text = self.texts[adapter is not None]
            yield place, Reply(text=text, finish=cast(Any, self.finish))

    def prompt_tokens(self, messages: Sequence[Message]) -> list[int]:
        return list(examples.tokens_of(self.tokenizer, examples.rendered(self.tokenizer, messages)))

    def close(self) -> None:
        pass


def loaded() -> Loaded:
    return Loaded(*tiny.tiny())


def train(
    folder: Path,
    model: Answering | None = None,
    *,
    cases: Dataset = TRAIN,
    dev: Dataset = DEV,
    recipe: Recipe = RECIPE,
    seed: int = 1,
    on_point: Callable[[CurvePoint, float], None] | None = None,
) -> Adapter:
    return finetune.train(
        model or Answering(),
        loaded(),
        cases,
        dev,
        job=finetune.Job(tiny.PROMPT, recipe, seed),
        folder=folder,
        on_point=on_point,
    )


def named(adapter: Adapter, name: str) -> Check:
    (found,) = (check for check in adapter.checks if check.name == name)
    return found


def test_a_training_is_kept_with_its_checks_and_settings(tmp_path: Path) -> None:
    adapter = train(tmp_path)
    # The only lie of the model that answers here: it never computed with the adapter.
    assert [check.name for check in adapter.checks if not check.passed] == ["served-as-trained"]
    assert len(adapter.checks) == 11
    assert adapter.data == TRAIN.fingerprint
    assert adapter.settings["rank"] == 4
    assert adapter.versions["trl"]
    assert msgspec.json.decode((tmp_path / "manifest.json").read_bytes(), type=Adapter) == adapter


def test_a_finished_folder_is_returned_without_training_or_asking(tmp_path: Path) -> None:
    first = train(tmp_path)
    model, told = Answering(), list[float]()
    assert train(tmp_path, model, on_point=lambda _, share: told.append(share)) == first
    assert (model.n_asked, told) == (0, [])


def test_weights_other_than_those_of_serving_are_refused(tmp_path: Path) -> None:
    class Other(Answering):
        def identity(self) -> str:
            return "other"

    with pytest.raises(TrainingError, match="found 'tiny' for training and 'other' for"):
        train(tmp_path, Other())


def test_a_finished_adapter_is_found_without_loading_a_model(tmp_path: Path) -> None:
    job = finetune.Job(tiny.PROMPT, RECIPE, 1)
    assert finetune.finished(Answering(), TRAIN, DEV, job=job, folder=tmp_path) is None
    adapter = train(tmp_path)
    assert finetune.finished(Answering(), TRAIN, DEV, job=job, folder=tmp_path) == adapter


def test_a_finished_folder_may_be_moved(tmp_path: Path) -> None:
    first = train(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "b")
    again = train(tmp_path / "b")
    assert again == msgspec.structs.replace(first, path=str(tmp_path / "b"))


def test_a_folder_of_another_training_is_refused_with_what_differs(tmp_path: Path) -> None:
    train(tmp_path)
    with pytest.raises(TrainingError, match=r"holds one training, .* \(other: seed\)"):
        train(tmp_path, seed=2)
    with pytest.raises(TrainingError, match=r"\(other: train\)"):
        train(tmp_path, cases=tiny.dataset("train", 11))


def test_weights_changed_behind_the_manifest_are_refused(tmp_path: Path) -> None:
    train(tmp_path)
    path = tmp_path / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(TrainingError, match="must be those that its manifest names"):
        train(tmp_path)


def test_an_interruption_among_the_checks_does_not_train_again(tmp_path: Path) -> None:
    class Breaking(Answering):
        def ask(self, *args: object, **kwargs: object) -> Iterator[tuple[int, Reply]]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, Breaking())
    losses: list[float | None] = []
    adapter = train(tmp_path, on_point=lambda point, _: losses.append(point.train_loss))
    assert not any(losses)
    assert [point.train_loss for point in adapter.curve if point.train_loss]


def test_an_adapter_that_changes_nothing_blocks(tmp_path: Path) -> None:
    found = named(train(tmp_path, Answering("same", "same")), "adapter-loaded")
    assert (found.passed, found.blocking) == (False, True)
    assert "0 of 5 answers differ" in found.detail


def test_an_adapter_of_zeros_blocks_even_if_answers_differ(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    adapter = train(tmp_path)
    path = tmp_path / "adapter_model.safetensors"
    held = load_file(path)
    save_file({k: torch.zeros_like(v) if "lora_B" in k else v for k, v in held.items()}, path)
    cases = examples.build(TRAIN.cases, tiny.PROMPT, tiny.tokenizer(), longest=500)
    checks = finetune.check(
        Answering(), adapter, TRAIN, DEV, prompt=tiny.PROMPT, built=cases, loaded=loaded()
    )
    found = next(check for check in checks if check.name == "adapter-loaded")
    assert (found.passed, found.blocking) == (False, True)
    assert "0 of 14 B matrices" in found.detail


def test_another_template_in_serving_blocks(tmp_path: Path) -> None:
    other = tiny.TEMPLATE.replace("<|assistant|>{% endif", "<|assistant|>\n{% endif")
    found = named(train(tmp_path, Answering(template=other)), "template-parity")
    assert (found.passed, found.blocking) == (False, True)
    assert "0 of 12 train cases are the same tokens" in found.detail


def test_a_model_that_shows_no_tokens_is_a_caveat_not_a_pass(tmp_path: Path) -> None:
    class Closed(Answering):
        prompt_tokens = None  # type: ignore[assignment]

    found = named(train(tmp_path, Closed()), "template-parity")
    assert (found.passed, found.blocking) == (False, False)


def test_left_out_examples_are_counted_and_named(tmp_path: Path) -> None:
    long = Case(id="long", input="x" * 300, expected="y")
    cases = Dataset(name="train", cases=(*TRAIN.cases, long, Case(id="bare", input="x")))
    recipe = msgspec.structs.replace(RECIPE, longest=200)
    found = named(train(tmp_path, cases=cases, recipe=recipe), "nothing-truncated")
    assert (found.passed, found.blocking) == (False, False)
    assert "1 left out as too long ('long'); 1 left out for want of an answer" in found.detail


def test_answers_that_never_end_block(tmp_path: Path) -> None:
    found = named(train(tmp_path, Answering("x", finish="length")), "answers-end")
    assert (found.passed, found.blocking) == (False, True)
    assert "0 of 5 answers end" in found.detail


def test_answers_that_all_loop_block(tmp_path: Path) -> None:
    found = named(train(tmp_path, Answering("so " * 20)), "no-loops")
    assert (found.passed, found.blocking) == (False, True)


def test_a_training_without_dev_cases_says_so(tmp_path: Path) -> None:
    adapter = train(tmp_path, dev=Dataset(name="dev", cases=()))
    found = named(adapter, "dev-loss-fell")
    assert (found.passed, found.blocking) == (False, False)
    assert named(adapter, "adapter-loaded").passed, "train cases are asked instead"


def test_a_rising_dev_loss_is_a_caveat(tmp_path: Path) -> None:
    recipe = msgspec.structs.replace(RECIPE, rate=30.0, warmup=0.0)
    found = named(train(tmp_path, recipe=recipe), "dev-loss-fell")
    assert (found.passed, found.blocking) == (False, False)


def test_nothing_to_train_on_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"at least one case .* found 0 cases\. Give"):
        train(tmp_path, cases=Dataset(name="train", cases=()))
    recipe = msgspec.structs.replace(RECIPE, longest=8)
    with pytest.raises(TrainingError, match="found 12 cases, 12 of them longer than 8 tokens"):
        train(tmp_path, recipe=recipe)


def test_a_missing_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "peft" else found(name)
    )
    with pytest.raises(MissingExtra, match=r"pip install 'tuneornot\[local\]'"):
        train(tmp_path)


@pytest.mark.slow
def test_the_embedded_model_learns_and_its_adapter_answers(tmp_path: Path) -> None:
    from tuneornot.models.local import LocalModel, weights

    name = "local:smollm2-135m"
    model = LocalModel(name)
    adapter = finetune.train(
        model,
        weights.load(name),
        tiny.dataset("train", 24),
        tiny.dataset("dev", 4, first=50),
        job=finetune.Job(tiny.PROMPT, Recipe(epochs=1), 1),
        folder=tmp_path,
    )
    assert [check.name for check in adapter.checks if not check.passed] == []
    losses = [point.dev_loss for point in adapter.curve if point.dev_loss is not None]
    assert losses[-1] < losses[0] / 2
    model.close()
