"""A function that a study names as ``module:function``: found, imported, fingerprinted.

The module may stand beside the study file or be installed; the one beside the study comes first. It
is the study's own code and runs with the rights of the program. What the function must take and
return is the business of whoever asks for it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from tuneornot import fingerprint


class Found(NamedTuple):
    """A function and what its source is."""

    call: Callable[..., Any]
    source: str | None
    """Fingerprint of the module's file, so that an edit is noticed; ``None`` without a file."""


def find(address: str, folder: Path, *, what: str) -> Found:
    """Import the module and take the function.

    Args:
        address: ``module:function``.
        folder: where the study file stands.
        what: what the function is for, for the sentences, such as ``a metric``.

    Raises:
        ValueError: the module cannot be imported or has no such function; one sentence.
    """
    name, _, attribute = address.partition(":")
    try:
        module = _imported(name, folder.resolve())
    except Exception as failure:
        raise ValueError(
            f"the module of {what} must be importable, got {address!r} ({failure!r}); "
            "put the file beside the study or install it"
        ) from None
    call = getattr(module, attribute, None)
    if not callable(call):
        raise ValueError(
            f"{what} must name a function of its module, got {address!r}; "
            f"{name} has no function {attribute!r}"
        )
    source = getattr(module, "__file__", None)
    return Found(call, fingerprint.of_file(Path(source)) if source else None)


def _imported(name: str, folder: Path) -> ModuleType:
    """The module beside the study if there is one, else the installed one."""
    beside = folder / f"{name}.py"
    if not beside.is_file():
        return importlib.import_module(name)
    # Under a name of its own: studies in several folders may each have, say, a metrics.py.
    unique = f"tuneornot_study_{fingerprint.of(str(beside))}_{name}"
    spec = importlib.util.spec_from_file_location(unique, beside)
    if spec is None or spec.loader is None:
        raise ImportError(f"{beside} is not a Python module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module
    sys.path.insert(0, str(folder))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    return module
