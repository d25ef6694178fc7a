"""Which models are answered in parts, that the others are answered too, and kept prefixes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.models import tiny
from tuneornot.models.local import LocalModel
from tuneornot.models.local.prefix import Prefix
from tuneornot.models.local.prefixed import PrefixShelf, n_common

pytestmark = pytest.mark.usefixtures("exact")

IN_PARTS = ["llama", "qwen2", "qwen3", "mistral", "gemma", "phi3", "olmo2", "granite", "gpt2"]
PLAIN = ["gemma2", "windowed mistral"]


@pytest.mark.parametrize("kind", [*IN_PARTS, *PLAIN])
def test_every_kind_is_answered_like_generate(kind: str, tmp_path: Path) -> None:
    window = 16 if kind in PLAIN else None
    folder = tiny.save(tmp_path, kind.split()[-1], head_dim=16, sliding_window=window)
    model = LocalModel(f"local:{folder}")
    requests = tiny.requests(4, max_tokens=12)
    replies = dict(model.ask(requests))
    prompts = [model.prompt_tokens(request.messages) for request in requests]
    words = tiny.tokenizer()
    wanted = [
        words.decode(tokens, skip_special_tokens=True)
        for tokens in tiny.generated(folder, prompts, 12)
    ]
    assert [replies[i].text for i in range(4)] == wanted
    assert model._open._in_parts == (kind in IN_PARTS)


def prefix(*tokens: int) -> Prefix:
    rows = torch.tensor(tokens, dtype=torch.float32).reshape(1, 1, -1, 1)
    return Prefix(tokens, [rows], [rows])


def test_the_shelf_gives_the_longest_beginning_of_its_adapter() -> None:
    shelf = PrefixShelf()
    shelf.keep("", prefix(1, 2, 3, 4))
    shelf.keep("", prefix(1, 2, 9))
    shelf.keep("tuned", prefix(1, 2, 3, 4, 5))
    found = shelf.nearest("", (1, 2, 3, 5, 6))
    assert found.tokens == (1, 2, 3)
    assert found.keys[0].flatten().tolist() == [1, 2, 3]
    assert shelf.nearest("tuned", (1, 2, 3, 4, 5, 6)).tokens == (1, 2, 3, 4, 5)
    assert len(shelf.nearest("", (7,))) == 0


def test_the_shelf_forgets_what_was_not_used_for_longest() -> None:
    shelf = PrefixShelf(n_kept=2)
    shelf.keep("", prefix(1))
    shelf.keep("", prefix(2))
    assert len(shelf.nearest("", (1,))) == 1
    shelf.keep("", prefix(3))
    assert [len(shelf.nearest("", (i,))) for i in (1, 2, 3)] == [1, 0, 1]


def test_the_common_beginning() -> None:
    assert n_common((1, 2, 3), (1, 2, 4)) == 2
    assert n_common((1, 2), (1, 2, 4)) == 2
    assert n_common((), (1,)) == 0
    assert n_common((2,), (1,)) == 0
