"""What the tests of models share."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without keys for servers."""
    for variable in [name for name in os.environ if name.startswith("TUNEORNOT_API_KEY")]:
        monkeypatch.delenv(variable)
