"""Only errors from the libraries while they load or train; progress is told in other ways."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any, cast

import transformers

LIBRARIES = r"(accelerate|datasets|peft|torch|transformers|trl)\b"


@contextlib.contextmanager
def libraries() -> Iterator[None]:
    """Silence advice, progress bars and notices of coming releases, from one library to the next.

    Nothing in them is for a user to act on. Warnings that any other module causes are kept.
    """
    logging = cast(Any, transformers.utils.logging)
    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            for kind in (FutureWarning, DeprecationWarning):
                warnings.filterwarnings("ignore", category=kind, module=LIBRARIES)
            yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()
