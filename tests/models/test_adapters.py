"""Adapters: they change the answers as PEFT says, and leave the base model as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model

from tests.models import tiny
from tuneornot import fingerprint
from tuneornot.errors import ModelError
from tuneornot.models.local import LocalModel, weights
from tuneornot.models.local.adapters import AdapterShelf
from tuneornot.records import Adapter

pytestmark = [
    pytest.mark.usefixtures("exact"),
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("tiny"))


def base(folder: Path) -> Any:
    return cast(Any, transformers.AutoModelForCausalLM.from_pretrained(folder)).eval()


def adapter(model_folder: Path, place: Path, seed: int, **settings: Any) -> Adapter:
    """A LoRA with random weights, strong enough to change every answer."""
    torch.manual_seed(seed)
    how = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", **settings}
    tuned = get_peft_model(base(model_folder), LoraConfig(**how))
    with torch.no_grad():
        for name, weight in tuned.named_parameters():
            if "lora_B" in name:
                weight.normal_(0, 0.2)
    tuned.save_pretrained(str(place))
    return Adapter(
        path=str(place),
        weights=fingerprint.of_folder(place, "adapter_*"),
        model=f"local:{model_folder}",
        data="",
        seed=seed,
    )


def texts(model: LocalModel, adapter: Adapter | None = None) -> list[str | None]:
    replies = dict(model.ask(tiny.requests(5), adapter=adapter))
    return [replies[i].text for i in range(5)]


def by_peft(folder: Path, adapter: Adapter, model: LocalModel) -> list[str]:
    tuned = cast(Any, PeftModel.from_pretrained(base(folder), adapter.path)).eval()
    words = tiny.tokenizer()
    found = []
    for request in tiny.requests(5):
        prompt = torch.tensor([model.prompt_tokens(request.messages)])
        out = tuned.generate(
            input_ids=prompt,
            attention_mask=torch.ones_like(prompt),
            max_new_tokens=20,
            do_sample=False,
            pad_token_id=0,
        )
        found.append(words.decode(out[0, prompt.shape[1] :], skip_special_tokens=True))
    return found


def test_answers_equal_those_of_peft(folder: Path, tmp_path: Path) -> None:
    model = LocalModel(f"local:{folder}")
    tuned = adapter(folder, tmp_path, 1)
    assert texts(model, tuned) == by_peft(folder, tuned, model)


def test_the_base_is_untouched_to_the_last_bit(folder: Path, tmp_path: Path) -> None:
    model = base(folder)
    before = {name: weight.clone() for name, weight in model.named_parameters()}
    tokens = torch.arange(20)[None]
    with torch.no_grad():
        scores = model(tokens).logits
        shelf = AdapterShelf(model)
        shelf.attach(adapter(folder, tmp_path, 1))
        assert not torch.equal(model(tokens).logits, scores)
        shelf.attach(None)
        assert torch.equal(model(tokens).logits, scores)
    assert all(torch.equal(weight, before[name]) for name, weight in model.named_parameters())


def test_several_adapters_take_turns(folder: Path, tmp_path: Path) -> None:
    model = LocalModel(f"local:{folder}")
    adapters = [None, *(adapter(folder, tmp_path / str(i), i) for i in range(3))]
    first = [texts(model, one) for one in adapters]
    again = [texts(model, one) for one in reversed(adapters)][::-1]
    assert first == again
    assert len({tuple(answer) for answer in first}) == 4


def test_calls_that_take_turns_keep_their_adapters(folder: Path, tmp_path: Path) -> None:
    model = LocalModel(f"local:{folder}")
    tuned = adapter(folder, tmp_path, 1)
    wanted = texts(model), texts(model, tuned)
    replies: tuple[dict[int, str | None], dict[int, str | None]] = ({}, {})
    asked = [model.ask(tiny.requests(5)), model.ask(tiny.requests(5), adapter=tuned)]
    for pair in zip(*asked, strict=True):
        for kept, (position, reply) in zip(replies, pair, strict=True):
            kept[position] = reply.text
    assert tuple([kept[i] for i in range(5)] for kept in replies) == wanted


def test_an_adapter_that_also_saves_the_head(folder: Path, tmp_path: Path) -> None:
    model = LocalModel(f"local:{folder}")
    plain = texts(model)
    tuned = adapter(folder, tmp_path, 2, target_modules=["q_proj"], modules_to_save=["norm"])
    assert texts(model, tuned) == by_peft(folder, tuned, model)
    assert texts(model) == plain


def test_an_adapter_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    model = LocalModel(f"local:{folder}")
    missing = Adapter(path=str(tmp_path / "gone"), weights="x", model="m", data="", seed=0)
    with pytest.raises(ModelError, match=r"PEFT's format, .*gone' holds neither adapter_config"):
        texts(model, missing)
    assert texts(model) == texts(LocalModel(f"local:{folder}"))


def test_an_adapter_of_another_model(folder: Path, tmp_path: Path) -> None:
    other = tiny.save(tmp_path / "other", hidden_size=32)
    foreign = adapter(other, tmp_path / "adapter", 1)
    with pytest.raises(ModelError, match="must fit the model"):
        texts(LocalModel(f"local:{folder}"), foreign)


def test_an_adapter_of_a_model_with_fewer_layers(folder: Path, tmp_path: Path) -> None:
    other = tiny.save(tmp_path / "other", num_hidden_layers=1)
    foreign = adapter(other, tmp_path / "adapter", 1, target_modules=["q_proj", "v_proj"])
    with pytest.raises(ModelError, match=r"must fit the model.*missing adapter keys"):
        texts(LocalModel(f"local:{folder}"), foreign)


def test_in_bfloat16(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "compute_dtype", lambda: torch.bfloat16)
    model = LocalModel(f"local:{folder}")
    before = texts(model)
    assert model._open._in_parts
    assert texts(model, adapter(folder, tmp_path, 1)) != before
    assert texts(model) == before
