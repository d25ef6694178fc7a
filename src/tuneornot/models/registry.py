"""From the name that an arm gives to a model that answers: the prefix says which kind.

    local:NAME, local:PATH              models.local, in this process
    http://HOST/v1#NAME, https://...    models.http, an OpenAI-compatible server

A model that exists only as a Python object (``models.scripted``, or one of the user's own) is
passed as already opened, under the name that arms use for it. Whoever opens a model closes it.
"""

from __future__ import annotations

from collections.abc import Mapping

from tuneornot.errors import MissingExtra, ModelError
from tuneornot.models.base import Model
from tuneornot.models.http import HttpModel


def open(name: str, *, opened: Mapping[str, Model] | None = None) -> Model:
    """The model of this name.

    Args:
        name: as an arm gives it.
        opened: models that are already there, by name; they come before every prefix.

    Raises:
        ModelError: the name has no known prefix, or there is no such model.
        MissingExtra: the packages for local models are not installed.
    """
    if opened is not None and name in opened:
        return opened[name]
    if name.startswith("local:"):
        return _local(name)
    if name.startswith(("http://", "https://")):
        return HttpModel(name)
    raise ModelError(
        "A model's name starts with local:, http:// or https://; "
        f"found {name!r}. Write for example local:smollm2-135m or "
        "http://127.0.0.1:8000/v1#model-name."
    )


def _local(name: str) -> Model:
    # Deferred, because torch and transformers take seconds to import and are an extra.
    try:
        from tuneornot.models.local import LocalModel
    except ImportError as error:
        raise MissingExtra(f"The model {name!r}", "local") from error
    return LocalModel(name)
