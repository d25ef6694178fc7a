"""Only errors from the libraries while they load or train; progress is told in other ways."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from typing import Any, cast

import transformers

from tuneornot.training.recipe import QUANTISER

LIBRARIES = r"(accelerate|datasets|peft|torch|transformers|trl)\b"
# PEFT imports it wherever it is installed, and as it is imported it advises another package.
logging.getLogger(QUANTISER).setLevel(logging.ERROR)


@contextlib.contextmanager
def libraries() -> Iterator[None]:
    """Silence advice, progress bars and notices of coming releases, from one library to the next.

    Nothing in them is for a user to act on. Warnings that any other module causes are kept.
    """
    told = cast(Any, transformers.utils.logging)
    before, bars = told.get_verbosity(), told.is_progress_bar_enabled()
    told.set_verbosity_error()
    told.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            for kind in (FutureWarning, DeprecationWarning):
                warnings.filterwarnings("ignore", category=kind, module=LIBRARIES)
            yield
    finally:
        told.set_verbosity(before)
        if bars:
            told.enable_progress_bar()
