"""Full fine-tuning: a copy of all weights is trained, and written as a whole model.

For each weight the training holds 16 bytes (the float32 weight, its gradient and AdamW's two
averages) beside the model that answers, and each checkpoint takes 12 on disk. The folder is a model
in the Hugging Face layout with its tokenizer: it serves as the tuned arm's weights, and by itself
as ``local:FOLDER``. It knows no data and no trainer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

from transformers import AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from tuneornot.training import quiet
from tuneornot.training.recipe import Recipe
from tuneornot.training.twins import independent

CONFIG = "config.json"


def trainable(model: PreTrainedModel, _: Recipe) -> PreTrainedModel:
    """A copy of the model in float32 that shares no weight with it."""
    return independent(model)


def save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Write weights, settings and tokenizer; no file names a place on this machine."""
    model.save_pretrained(str(folder))
    tokenizer.save_pretrained(str(folder))
    path = folder / CONFIG
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings.pop("_name_or_path", None)
    path.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def is_whole(folder: Path) -> bool:
    """Whether a training left a whole model in a folder, and not an adapter."""
    return (folder / CONFIG).is_file()


def load(folder: Path, like: PreTrainedModel) -> PreTrainedModel:
    """Read a saved model, in the type and on the device of another one.

    Raises:
        OSError, ValueError: there is none, it cannot be read, or weights are missing from it.
    """
    with quiet.libraries():
        found, report = cast(Any, AutoModelForCausalLM).from_pretrained(
            folder, dtype=like.dtype, local_files_only=True, output_loading_info=True
        )
    if report["missing_keys"]:
        raise ValueError(f"{len(report['missing_keys'])} weights are missing from it")
    return cast(PreTrainedModel, found.to(like.device).eval())
