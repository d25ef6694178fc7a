"""From the name that an arm gives to a model that answers: the prefix says which kind.

    local:NAME, local:PATH              models.local, in this process
    http://HOST/v1#NAME, https://...    models.http, an OpenAI-compatible server
    anthropic:NAME                      models.http, Anthropic's service
    python:MODULE:FUNCTION              models.function, the study's own code
    command:PROGRAM ARGUMENTS           models.command, a program for each question
    deepeval:NAME, autoevals:NAME       models.scorers, to judge

Installed packages add kinds in the entry point group ``tuneornot.models``: the name of the entry
point is the prefix, the object a ``Factory``. A model that exists only as a Python object
(``models.scripted``, or one of the user's own) is passed as already opened, under the name that
arms use for it. Whoever opens a model closes it.
"""

from __future__ import annotations

import difflib
import importlib.metadata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tuneornot.errors import MissingExtra, ModelError
from tuneornot.models import claude, scorers
from tuneornot.models.base import Model
from tuneornot.models.command import CommandModel
from tuneornot.models.function import FunctionModel
from tuneornot.models.http import HttpModel
from tuneornot.records import Sampling

GROUP = "tuneornot.models"
"""Entry point group of kinds that other packages bring."""

Factory = Callable[[str, Path], Model]
"""Opens a model by its whole name; the folder is where relative paths of the study start."""


def _everything(_: Sampling) -> str | None:
    return None


class Kind(NamedTuple):
    """How the names of one prefix become models."""

    shape: str
    """How such a name looks."""
    open: Factory
    refuses: Callable[[Sampling], str | None] = _everything
    """What of a sampling it can never do: a sentence for the study's author, or ``None``."""


def kinds() -> dict[str, Kind]:
    """Every kind by its prefix: the built-in ones, then those of installed packages."""
    offered = {
        point.name: Kind(f"{point.name}:...", _deferred(point))
        for point in importlib.metadata.entry_points(group=GROUP)
    }
    return {**_BUILT_IN, **{name: kind for name, kind in offered.items() if name not in _BUILT_IN}}


def faults(name: str, sampling: Sampling) -> list[str]:
    """What is wrong with a model's name, or with asking that model for that sampling.

    Nothing is opened: whether there is such a model is found out by ``open``.
    """
    known = kinds()
    prefix = name.partition(":")[0]
    if prefix not in known or ":" not in name:
        return [_unknown(name, known)]
    refused = known[prefix].refuses(sampling)
    return [] if refused is None else [refused]


def open(
    name: str, *, folder: Path | None = None, opened: Mapping[str, Model] | None = None
) -> Model:
    """The model of this name.

    Args:
        name: as an arm gives it.
        folder: where relative paths start; the current folder where it is left out.
        opened: models that are already there, by name; they come before every prefix.

    Raises:
        ModelError: the name has no known prefix, or there is no such model.
        MissingExtra: the packages for local models are not installed.
    """
    if opened is not None and name in opened:
        return opened[name]
    known = kinds()
    prefix, colon, _ = name.partition(":")
    if not colon or prefix not in known:
        raise ModelError(f"A model's name must say its kind; {_unknown(name, known)}.")
    return known[prefix].open(name, folder or Path())


def _unknown(name: str, known: Mapping[str, Kind]) -> str:
    near = difflib.get_close_matches(name.partition(":")[0], known, n=1)
    meant = f" (did you mean {near[0]}:?)" if near else ""
    return f"found {name!r}{meant}, expected {', '.join(kind.shape for kind in known.values())}"


def _deferred(point: importlib.metadata.EntryPoint) -> Factory:
    """Loads the package's factory when a model is opened, not when names are read."""

    def opened(name: str, folder: Path) -> Model:
        try:
            factory: Factory = point.load()
        except Exception as error:
            raise ModelError(
                f"The package that offers the models {point.name}: must be importable; loading "
                f"{point.value!r} failed ({error!r}). Mend or reinstall it."
            ) from error
        return factory(name, folder)

    return opened


def _local(name: str, _: Path) -> Model:
    # Deferred, because torch and transformers take seconds to import and are an extra.
    try:
        from tuneornot.models.local import LocalModel
    except ImportError as error:
        raise MissingExtra(f"The model {name!r}", "local") from error
    return LocalModel(name)


def _served(name: str, _: Path) -> Model:
    return HttpModel(name)


def _scorer(name: str, _: Path) -> Model:
    return scorers.ScorerModel(name)


_BUILT_IN: Mapping[str, Kind] = {
    "local": Kind("local:NAME or local:PATH", _local),
    "http": Kind("http://HOST/v1#MODEL", _served),
    "https": Kind("https://HOST/v1#MODEL", _served),
    "anthropic": Kind("anthropic:MODEL", _served, claude.refuses),
    "python": Kind("python:MODULE:FUNCTION", FunctionModel),
    "command": Kind("command:PROGRAM ARGUMENTS", CommandModel),
    **{package: Kind(f"{package}:NAME (to judge)", _scorer) for package in scorers.PACKAGES},
}
