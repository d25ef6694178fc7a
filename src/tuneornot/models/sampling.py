"""What an arm asks of its model besides the words: merged from the study's and its own, checked.

It knows the fields, their ranges, and where in a study file they stand. Which kind of model can do
what is told by ``registry``.
"""

from __future__ import annotations

from collections.abc import Mapping

import jsonschema
import msgspec

from tuneornot.errors import StudyError
from tuneornot.formats import form
from tuneornot.models import registry
from tuneornot.records import Json, Prompt, Sampling

MOST_ALTERNATIVES = 20
"""What servers offer at most."""


def merged(base: Sampling, own: Mapping[str, Json], path: str = "sampling") -> Sampling:
    """The study's sampling with an arm's own fields in place of the study's.

    Args:
        base: the study's.
        own: fields of ``Sampling`` by name.
        path: where ``own`` stands in the study file, for the sentences.

    Raises:
        StudyError: fields that are unknown or of a wrong type, all of them.
    """
    faults: list[str] = []
    found = form.gather(Sampling, {**msgspec.to_builtins(base), **own}, faults, path)
    if found is None:
        raise StudyError("sampling", faults)
    return found


def under(prompt: Prompt, sampling: Sampling) -> Sampling:
    """An arm's sampling under a prompt: form, room for thinking first, how tokens are drawn."""
    form = prompt.form if sampling.form is None else sampling.form
    room = sampling.max_tokens + (prompt.reasoning or 0)
    drawn = {"temperature": prompt.temperature, "top_p": prompt.top_p}
    own = {name: value for name, value in drawn.items() if value is not msgspec.UNSET}
    return msgspec.structs.replace(sampling, form=form, max_tokens=room, **own)


def arm_faults(base: Sampling, arms: Mapping[str, tuple[str, Mapping[str, Json]]]) -> list[str]:
    """What no model, or not the arm's kind of model, could do.

    Args:
        base: the study's sampling.
        arms: by name the model's name and the arm's own fields of sampling.
    """
    told = [f"sampling.{field}: {fault}" for field, fault in faults(base).items()]
    for name, (model, own) in arms.items():
        path = f"arms.{name}"
        try:
            sampling = merged(base, own, f"{path}.sampling")
        except StudyError as error:
            told += error.faults
            continue
        wrong = {field: fault for field, fault in faults(sampling).items() if field in own}
        told += [f"{path}.sampling.{field}: {fault}" for field, fault in wrong.items()]
        told += [f"{path}.model: {fault}" for fault in registry.faults(model, sampling)]
    return told


def faults(sampling: Sampling) -> dict[str, str]:
    """By field what is wrong with each value that no model could follow."""
    told = {}
    if not 0 <= sampling.temperature <= 2:
        told["temperature"] = f"found {sampling.temperature!r}, expected 0 (greedy) to 2"
    if not 0 < sampling.top_p <= 1:
        told["top_p"] = f"found {sampling.top_p!r}, expected more than 0 and at most 1"
    if sampling.max_tokens < 1:
        told["max_tokens"] = f"found {sampling.max_tokens!r}, expected 1 or more"
    if "" in sampling.stop:
        told["stop"] = f"found {[*sampling.stop]!r}, an empty text would end every answer"
    if sampling.logprobs is not None and not 0 <= sampling.logprobs <= MOST_ALTERNATIVES:
        told["logprobs"] = (
            f"found {sampling.logprobs!r}, expected how many alternatives to tell at each token, "
            f"0 to {MOST_ALTERNATIVES}"
        )
    if isinstance(sampling.form, dict):
        try:
            jsonschema.validators.validator_for(sampling.form).check_schema(sampling.form)
        except jsonschema.SchemaError as error:
            told["form"] = f"found no JSON Schema ({error.message}); correct it or write json"
    return told
