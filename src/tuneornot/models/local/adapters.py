"""Adapters on a loaded model: weights merged once, then exchanged by reference.

An adapter's layers are merged in float32 into copies of the weights that it changes. Attaching it
lets the modules point at the copies, detaching lets them point at the originals, which nothing ever
writes to: the base model's answers are the same to the last bit, and a tuned arm costs per token
exactly what a prompted one costs. Any method of PEFT that can be merged works the same way, and so
do whole weights that were trained from the model: they are exchanged, not merged.

It refuses to know how adapters are trained. It does not cover methods that cannot be merged, such
as soft prompts.
"""

from __future__ import annotations

import copy
import warnings
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tuneornot.errors import MissingExtra, ModelError
from tuneornot.records import Adapter
from tuneornot.training import full

N_KEPT = 2
"""Merged adapters kept at once: two training seeds alternate without merging again."""

Merged = dict[str, nn.Parameter]
"""Weights by their full names."""


class AdapterShelf:
    """The adapters of one model, at most one of them attached."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._base: Merged = {}
        self._merged: OrderedDict[str, Merged] = OrderedDict()
        self._attached = ""

    def key(self, adapter: Adapter | None) -> str:
        """What tells an adapter from others; empty for the model as it is."""
        return f"{adapter.weights} {Path(adapter.path).resolve()}" if adapter else ""

    def attach(self, adapter: Adapter | None) -> None:
        """Compute with an adapter from now on, or (None) as the base model.

        Raises:
            ModelError: the adapter's folder is not there, does not fit, or cannot be merged.
        """
        key = self.key(adapter)
        if key == self._attached:
            return
        self._point_at(self._base)
        self._attached = ""
        if adapter is None:
            return
        if key not in self._merged:
            self._merged[key] = self._merge(adapter)
            if len(self._merged) > N_KEPT:
                self._merged.popitem(last=False)
        self._merged.move_to_end(key)
        self._point_at(self._merged[key])
        self._attached = key

    def _point_at(self, weights: Merged) -> None:
        for name, weight in weights.items():
            path, _, leaf = name.rpartition(".")
            module = self._model.get_submodule(path)
            self._base.setdefault(name, module.get_parameter(leaf))
            setattr(module, leaf, weight)

    def _merge(self, adapter: Adapter) -> Merged:
        folder = Path(adapter.path)
        known = (folder / "adapter_config.json").is_file()
        if not known and not full.is_whole(folder):
            raise ModelError(
                f"An adapter is a folder in PEFT's format, or of a whole model; {adapter.path!r} "
                f"holds neither adapter_config.json nor {full.CONFIG}. Train it again, or correct "
                "its path."
            )
        try:
            return merged(self._model, folder) if known else exchanged(self._model, folder)
        except (OSError, ValueError, KeyError, RuntimeError, AttributeError, UserWarning) as error:
            reason = str(error).strip().splitlines()[0][:200] if str(error) else repr(error)
            raise ModelError(
                f"An adapter must fit the model that it is attached to; {adapter.path!r} (trained "
                f"from {adapter.model!r}) does not ({reason}). Use the model that it was trained "
                "from, and a method that PEFT can merge."
            ) from error


def exchanged(model: Any, folder: Path) -> Merged:
    """The weights of a model that a full training changed, by name, each in the model's type.

    Args:
        model: in its base state; not changed.
        folder: of the whole model that was trained from it.

    Raises:
        ValueError: it is another model.
    """
    weights = dict(model.named_parameters(remove_duplicate=False))
    found = dict(full.load(folder, model).named_parameters(remove_duplicate=False))
    shapes = [{name: one.shape for name, one in each.items()} for each in (weights, found)]
    if shapes[0] != shapes[1]:
        raise ValueError("its weights have other names or shapes")
    return {
        name: nn.Parameter(one.detach(), requires_grad=False)
        for name, one in found.items()
        if not torch.equal(one, weights[name])
    }


def merged(model: nn.Module, folder: Path) -> Merged:
    """The weights of a model that an adapter changes, with the change added.

    Args:
        model: in its base state; neither it nor its weights are changed.
        folder: of the adapter, in PEFT's format.

    Returns:
        By name in the model, each in the model's type.
    """
    try:
        from peft import PeftModel
        from peft.tuners.tuners_utils import BaseTunerLayer
    except ImportError as error:
        raise MissingExtra("An adapter", "local") from error
    weights = dict(model.named_parameters(remove_duplicate=False))
    # The skeleton has its own modules for PEFT to wrap, but shares every weight with the model.
    skeleton: Any = copy.deepcopy(model, {id(weight): weight for weight in weights.values()})
    with warnings.catch_warnings():
        # PEFT asks transformers for things by names of the past; nobody here can do anything.
        warnings.simplefilter("ignore", FutureWarning)
        # An adapter of another model, of which PEFT would leave a part as it was initialised.
        warnings.filterwarnings("error", "Found missing adapter keys", UserWarning)
        tuned = PeftModel.from_pretrained(skeleton, folder)
    for module in tuned.modules():
        if isinstance(module, BaseTunerLayer):
            layer = module.get_base_layer()
            for leaf, weight in list(layer.named_parameters(recurse=False)):
                setattr(layer, leaf, nn.Parameter(weight.detach().float().clone(), False))
    plain = tuned.merge_and_unload()
    found = {
        name: nn.Parameter(weight.detach().to(weights[name].dtype), requires_grad=False)
        for name, weight in plain.named_parameters(remove_duplicate=False)
        if weight is not weights[name]
    }
    # Biases and the like are copied with their layers, but few adapters change them.
    return {name: one for name, one in found.items() if not torch.equal(one, weights[name])}
