"""A folder with an adapter in PEFT's format: what its files say of it, and the tokenizer in it.

It attaches nothing and asks nothing. Whether an adapter fits a model is found out by attaching it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec

from tuneornot.errors import MissingExtra, ModelError
from tuneornot.training.examples import Tokenizer

CONFIG = "adapter_config.json"
WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
TOKENIZER = "tokenizer_config.json"
METHODS = {"rank": "r", "alpha": "lora_alpha"}
"""Settings that readers know, and what PEFT calls them."""


class Settings(NamedTuple):
    """What an adapter's files say of how it was made."""

    method: str
    base: str | None
    """The model that it was trained from, as whoever trained it named it."""
    named: dict[str, Any]


def settings(folder: Path) -> Settings:
    """Read an adapter's settings.

    Raises:
        ModelError: the folder is not there, holds no adapter, or no readable one.
    """
    if not folder.is_dir():
        raise ModelError(
            f"An adapter is a folder in PEFT's format; there is no folder {str(folder)!r}. "
            "Correct the path."
        )
    try:
        found = msgspec.json.decode((folder / CONFIG).read_bytes(), type=dict[str, Any])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelError(
            f"An adapter is a folder in PEFT's format; {str(folder)!r} holds no readable {CONFIG} "
            f"({getattr(error, 'strerror', None) or error}). Name the folder that "
            "`save_pretrained` wrote."
        ) from error
    if not any((folder / name).is_file() for name in WEIGHTS):
        raise ModelError(
            f"An adapter's folder holds its weights; {str(folder)!r} holds neither of "
            f"{' and '.join(WEIGHTS)}. Copy the whole folder that `save_pretrained` wrote."
        )
    base = found.get("base_model_name_or_path")
    return Settings(
        method=str(found.get("peft_type", "unknown")).lower(),
        base=base if isinstance(base, str) else None,
        named={name: found[key] for name, key in METHODS.items() if key in found},
    )


def tokenizer(folder: Path) -> Tokenizer | None:
    """The tokenizer that was saved beside an adapter, if it has a chat template.

    Raises:
        MissingExtra: transformers is not installed.
        ModelError: there is one and it cannot be read.
    """
    if not (folder / TOKENIZER).is_file():
        return None
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise MissingExtra("An adapter's tokenizer", "local") from error
    try:
        found = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"A tokenizer beside an adapter must be readable; the one in {str(folder)!r} is not "
            f"({str(error).splitlines()[0][:200]}). Mend it, or remove {TOKENIZER}."
        ) from error
    return cast(Tokenizer, found) if found.chat_template else None
