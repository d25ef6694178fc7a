"""How an adapter is trained: every setting that determines the result, besides data and seed.

The defaults were chosen for small models (about 100 million parameters) and some hundreds of short
answers, by dev loss and dev answers on legal citations; ``docs/concepts/fine-tuning.md`` tells what
was tried. A recipe knows no model, no cases and no paths, and imports nothing heavy, so that a
study file can be checked on a machine without torch.

It does not cover preference training, or training on other machines.
"""

from __future__ import annotations

import functools
from typing import Literal

from tuneornot import fingerprint
from tuneornot.records import Json, Record

LATER = ("patience", "mix")
"""Settings that came later: where they are left out, older recipes keep their fingerprints."""
ADAPTERS = ("rank", "alpha", "dropout", "targets")
"""Settings of an adapter, which a full training has not."""
QUANTISER = "bitsandbytes"
"""The package that computes with quantised weights."""


class Recipe(Record, frozen=True, kw_only=True):
    """Settings of one training; one that cannot work is refused with ``ValueError``."""

    method: Literal["lora", "full", "qlora"] = "lora"
    """``lora``: low-rank adaptation, W x + (alpha / rank) B A x, with W frozen (Hu et al. 2021).
    ``full``: all weights are trained; rank, alpha, dropout and targets then mean nothing.
    ``qlora``: ``lora`` beside a W of four bits (NF4 with double quantisation)."""
    rank: int = 16
    """Inner width of A and B."""
    alpha: int = 32
    """Scale of the update, in the paper's convention: divided by the rank."""
    dropout: float = 0.0
    """Share of the adapter's inputs dropped while training."""
    targets: Literal["all-linear", "attention"] = "all-linear"
    """Layers that get an adapter: every linear one but the output head, or attention's only."""
    rate: float = 1e-3
    """Peak learning rate of AdamW."""
    epochs: int = 2
    """Passes over the training cases."""
    batch_size: int = 8
    """Cases for each update of the weights."""
    warmup: float = 0.05
    """Share of the updates in which the rate rises; afterwards it falls to 0 along a cosine."""
    weight_decay: float = 0.0
    patience: int | None = None
    """Epochs without a lower loss on dev after which the training ends, with the weights of the
    epoch of least loss. Left out: all epochs, and the last weights."""
    longest: int = 1024
    """Longest example in tokens, prompt and answer together. Nothing is ever cut: a longer one is
    left out and counted."""

    def __post_init__(self) -> None:
        found = [
            f"{name} must be at least {least}, found {getattr(self, name)!r}"
            for name, least in {"rank": 1, "epochs": 1, "batch_size": 1, "longest": 8}.items()
            if not getattr(self, name) >= least
        ]
        found += [
            f"{name} must be above 0, found {getattr(self, name)!r}"
            for name in ("alpha", "rate")
            if not getattr(self, name) > 0
        ]
        found += [
            f"{name} must be at least 0 and below 1, found {getattr(self, name)!r}"
            for name in ("dropout", "warmup", "weight_decay")
            if not 0 <= getattr(self, name) < 1
        ]
        if self.patience is not None and self.patience < 1:
            found.append(f"patience must be at least 1, found {self.patience!r}")
        if found:
            raise ValueError("; ".join(found))

    @property
    def weights(self) -> str:
        """Pattern of the files that hold what was trained."""
        return "model*.safetensors" if self.method == "full" else "adapter_*"

    @property
    def settings(self) -> dict[str, Json]:
        """Everything that determines the result: none of another method's settings, and one that
        came later only where it is set."""
        idle = ADAPTERS if self.method == "full" else ()
        found = self.settled(LATER)
        return {name: value for name, value in found.items() if name not in idle}

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hash of the settings."""
        return fingerprint.of(self.settings)
