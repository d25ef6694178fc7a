"""What the tests of models share."""

from __future__ import annotations

import os

import pytest
import torch

from tuneornot.models.local import weights


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without keys for servers."""
    for variable in [name for name in os.environ if name.startswith("TUNEORNOT_API_KEY")]:
        monkeypatch.delenv(variable)


@pytest.fixture
def exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Local models in float32 on every machine: there the likeliest token leads by far."""
    monkeypatch.setattr(weights, "compute_dtype", lambda: torch.float32)
