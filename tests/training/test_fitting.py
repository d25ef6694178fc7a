from __future__ import annotations

import contextlib
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests.training import tiny
from tuneornot import fingerprint
from tuneornot.errors import TrainingError
from tuneornot.records import CurvePoint
from tuneornot.training import examples, fitting, quiet, twins, verify
from tuneornot.training.fitting import Fitted
from tuneornot.training.recipe import Recipe
from tuneornot.training.watcher import OnPoint

RECIPE = Recipe(rank=4, alpha=8, epochs=2, batch_size=4, rate=5e-3, dropout=0.1)


def fit(
    folder: Path,
    *,
    base: tiny.Tiny | None = None,
    recipe: Recipe = RECIPE,
    seed: int = 1,
    on_point: OnPoint | None = None,
) -> Fitted:
    model, words, _ = base or tiny.tiny()
    train = examples.build(tiny.cases(18), tiny.PROMPT, words, longest=500).kept
    dev = examples.build(tiny.cases(6, first=50), tiny.PROMPT, words, longest=500).kept
    return fitting.fit(
        model,
        words,
        train,
        dev,
        recipe=recipe,
        seed=seed,
        folder=folder,
        plan="p",
        on_point=on_point,
    )


def state(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: held.clone() for name, held in model.state_dict().items()}


def test_training_lowers_the_loss_and_leaves_an_adapter(tmp_path: Path) -> None:
    told: list[tuple[CurvePoint, float]] = []
    base = tiny.tiny()
    fitted = fit(tmp_path, base=base, on_point=lambda point, share: told.append((point, share)))
    dev = [point.dev_loss for point in fitted.curve if point.dev_loss is not None]
    assert len(dev) == 1 + RECIPE.epochs
    assert dev[-1] < dev[0] - 0.1
    assert tuple(point for point, _ in told) == fitted.curve
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    update = verify.update(base.model, tmp_path)
    assert update.n_matrices == 2 * 7
    assert update.n_zero == 0


def test_the_base_model_stays_as_it_was(tmp_path: Path) -> None:
    base = tiny.tiny()
    before, had, settings = state(base.model), set(base.model.__dict__), base.model.config.to_dict()
    fit(tmp_path, base=base)
    after = state(base.model)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert after.keys() == before.keys(), "no adapter layers are left in it"
    assert set(base.model.__dict__) == had
    assert base.model.config.to_dict() == settings
    assert not base.model.training
    assert all(weight.requires_grad for weight in base.model.parameters())


def test_the_twin_holds_no_weight_twice() -> None:
    base = tiny.tiny().model
    copied = twins.twin(base)
    mine, theirs = dict(base.named_parameters()), dict(copied.named_parameters())
    assert mine.keys() == theirs.keys()
    assert all(mine[name].data_ptr() == theirs[name].data_ptr() for name in mine)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        fit(tmp_path / name, seed=seed)
        found.append(fingerprint.of_folder(tmp_path / name, "adapter_*"))
    assert found[0] == found[1] != found[2]


def test_the_adapter_loads_with_peft_and_names_no_place(tmp_path: Path) -> None:
    from peft import PeftModel

    fit(tmp_path)
    settings = (tmp_path / "adapter_config.json").read_text()
    assert str(tmp_path.parent) not in settings
    base = tiny.tiny().model
    ids = torch.tensor([[5, 6, 7]])
    plain = base(input_ids=ids).logits
    with quiet.libraries():
        tuned = PeftModel.from_pretrained(base, str(tmp_path))
    assert not torch.equal(tuned(input_ids=ids).logits, plain)


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.training import test_fitting
def stop(point, share):
    if share > 0.6 and point.train_loss is not None:
        os.kill(os.getpid(), signal.SIGKILL)
test_fitting.fit(Path(sys.argv[1]), on_point=stop)
"""


def test_a_killed_training_goes_on_to_the_same_result(tmp_path: Path) -> None:
    whole = fit(tmp_path / "whole")
    cut = tmp_path / "cut"
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(cut)], cwd=root, capture_output=True, check=False
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    assert not (cut / verify.WEIGHTS).exists()
    told: list[CurvePoint] = []
    resumed = fit(cut, on_point=lambda point, _: told.append(point))
    assert min(point.step for point in told) > 1, "it began in the middle"
    one, other = load_file(cut / verify.WEIGHTS), load_file(tmp_path / "whole" / verify.WEIGHTS)
    for name in one:
        torch.testing.assert_close(one[name], other[name], rtol=1e-5, atol=1e-7)
    assert [point.step for point in resumed.curve] == [point.step for point in whole.curve]


def test_a_checkpoint_cut_short_is_passed_over(tmp_path: Path) -> None:
    for step, text in (("3", '{"global_step": 3}'), ("12", '{"global_st')):
        place = tmp_path / f"checkpoint-{step}"
        place.mkdir()
        (place / "trainer_state.json").write_text(text)
    (tmp_path / "checkpoint-15").mkdir()
    assert fitting._last_checkpoint(tmp_path) == str(tmp_path / "checkpoint-3")


def test_checkpoints_of_another_plan_are_removed(tmp_path: Path) -> None:
    other = tmp_path / fitting.CHECKPOINTS / "other" / "checkpoint-1"
    other.mkdir(parents=True)
    fit(tmp_path)
    assert not other.exists()
    fitting.tidy(tmp_path)
    assert not (tmp_path / fitting.CHECKPOINTS).exists()


def test_a_loss_that_is_not_a_number_stops_the_training(tmp_path: Path) -> None:
    base = tiny.tiny()
    with torch.no_grad():
        base.model.model.norm.weight[0] = float("nan")
    with pytest.raises(TrainingError, match=r"finite number, found nan .* Lower the recipe's rate"):
        fit(tmp_path, base=base)
    assert not (tmp_path / verify.WEIGHTS).exists()


@contextlib.contextmanager
def no_file_above(n_bytes: int) -> Iterator[None]:
    """A disk that is full after so many bytes of one file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    with (
        no_file_above(2000),
        pytest.raises(TrainingError, match=r"must be able to save .* Make room"),
    ):
        fit(tmp_path)


def test_a_large_batch_is_cut_to_the_memory_of_the_output_head(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    base = tiny.tiny()
    train = examples.build(tiny.cases(8), tiny.PROMPT, base.tokenizer, longest=500).kept
    row = (max(len(one.answer) for one in train) + 1) * base.model.config.vocab_size * 4
    monkeypatch.setattr(fitting, "LOGIT_BYTES", 8 * row)
    assert fitting._parts(base.model, train, 8) == 1
    monkeypatch.setattr(fitting, "LOGIT_BYTES", 3 * row)
    assert fitting._parts(base.model, train, 8) == 4
    monkeypatch.setattr(fitting, "LOGIT_BYTES", 1)
    assert fitting._parts(base.model, train, 6) == 6


def test_batches_in_parts_give_the_same_curve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(rank=4, alpha=8, epochs=1, batch_size=4, rate=5e-3)
    whole = fit(tmp_path / "whole", recipe=recipe)
    monkeypatch.setattr(fitting, "LOGIT_BYTES", 1)
    parts = fit(tmp_path / "parts", recipe=recipe)
    for one, other in zip(whole.curve, parts.curve, strict=True):
        pair = (one.train_loss or one.dev_loss, other.train_loss or other.dev_loss)
        assert pair[0] == pytest.approx(pair[1], rel=1e-3)
