"""Low-rank adaptation with PEFT: what is trained of a model, and how it is written.

The adapter stands on a twin of the model: modules and settings of its own, but the same tensors,
frozen. So no weight is held twice, and whatever libraries do to a model in training, the one that
answers is not touched. It knows no data and no trainer.
"""

from __future__ import annotations

import json
from pathlib import Path

from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel

from tuneornot.training.recipe import Recipe
from tuneornot.training.twins import twin

ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]


def trainable(model: PreTrainedModel, recipe: Recipe) -> PeftModel:
    """A twin of the model with a fresh adapter, the only part that is trained."""
    adapted = get_peft_model(
        twin(model),
        LoraConfig(
            task_type="CAUSAL_LM",
            r=recipe.rank,
            lora_alpha=recipe.alpha,
            lora_dropout=recipe.dropout,
            target_modules=ATTENTION if recipe.targets == "attention" else "all-linear",
        ),
    )
    # A name would make PEFT look the model's settings up, over the network if it must.
    adapted.peft_config["default"].base_model_name_or_path = None
    assert isinstance(adapted, PeftModel), "only mixed adapters are of another kind"
    return adapted


def save(model: PeftModel, folder: Path) -> None:
    """Write ``adapter_model.safetensors`` and ``adapter_config.json``, the same for the same."""
    model.save_pretrained(str(folder), save_embedding_layers=False)
    (folder / "README.md").unlink(missing_ok=True)
    # PEFT writes sets in the order of the process's hashes; sorted, equal settings are equal files.
    path = folder / "adapter_config.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["target_modules"] = sorted(settings["target_modules"])
    path.write_text(json.dumps(settings, indent=2, sort_keys=True) + "\n", encoding="utf-8")
