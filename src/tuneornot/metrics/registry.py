"""From a study's entry to the metric that it names.

An entry is a name (``exact_match``), or a name with settings (``{length: {max: 20}}``). Names are
the built-in ones, those that installed packages offer in the entry point group
``tuneornot.metrics``, ``deepeval:METRIC`` and ``autoevals:SCORER``, and ``module:function`` for a
function of the study's own. The setting ``name`` lets one metric appear twice in a study. What is
wrong is told as faults of the study, before anything is asked.

Latency, tokens and cost are not judged from an answer; the names in ``OBSERVED`` are known here
only so that a study may list them among its metrics.
"""

from __future__ import annotations

import dataclasses
import difflib
import importlib.metadata
import inspect
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec

from tuneornot.errors import StudyError
from tuneornot.metrics.base import Metric, Resting, Whole
from tuneornot.metrics.catalogue import BUILT_IN
from tuneornot.metrics.function import Function
from tuneornot.metrics.judges.outside import Outside
from tuneornot.models import scorers
from tuneornot.records import Json

GROUP = "tuneornot.metrics"
"""Entry point group of metrics that other packages bring: each a factory that takes ``name`` and
its settings as keywords and returns a ``Metric``."""

OBSERVED: Mapping[str, str] = {
    "latency": "seconds for one answer, asked one at a time",
    "first_token": "seconds until an answer begins, asked one at a time",
    "input_tokens": "tokens read for one answer",
    "output_tokens": "tokens written for one answer",
    "cost": "money for one answer, by the study's price file",
}
"""Quantities of a response that a comparison takes as they were measured."""

FOLDER = "folder"
"""The parameter of a metric that is told where the study file stands; no study sets it."""

Entry = str | Mapping[str, Mapping[str, Json] | None]


class Known(NamedTuple):
    """A metric that a study can name."""

    summary: str
    """The first sentence of its documentation."""
    options: tuple[str, ...]
    """Names of its settings besides ``name``."""


def known() -> dict[str, Known]:
    """Every metric that a study can name without writing code, built-in ones first."""
    offered = {point.name: point.load() for point in importlib.metadata.entry_points(group=GROUP)}
    return {
        name: Known((inspect.getdoc(factory) or name).split("\n\n")[0], tuple(_options(factory)))
        for name, factory in {**offered, **BUILT_IN}.items()
    }


def build(entry: Entry, *, folder: Path | None = None) -> Metric:
    """The metric of one entry of a study.

    Args:
        entry: a name, or one name with its settings.
        folder: where the study file stands, for paths and modules beside it.

    Raises:
        StudyError: no such metric or setting, or a setting with a wrong value.
    """
    kind, settings = _read(entry)
    try:
        if kind.partition(":")[0] in scorers.PACKAGES:
            return _outside(kind, settings)
        if ":" in kind:
            return _function(kind, settings, folder or Path())
        factory = _factory(kind)
        _check_options(kind, settings, _options(factory))
        if kind == "json_schema" and isinstance(settings.get("schema"), str):
            settings["schema"] = _schema(str(settings["schema"]), folder or Path())
        beside = {"folder": folder or Path()} if FOLDER in _parameters(factory) else {}
        return _whole(_resting(_made(factory, {"name": kind, **settings, **beside}), folder))
    except ValueError as fault:
        raise _fault(f"{kind}: {fault}") from None


def _fault(sentence: str) -> StudyError:
    return StudyError("metrics", [sentence])


def _read(entry: Entry) -> tuple[str, dict[str, Json]]:
    if isinstance(entry, str):
        return entry, {}
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise _fault(
            "an entry must be a name or one name with its settings, "
            f"got {entry!r}; write each metric as an entry of its own"
        )
    [(kind, settings)] = entry.items()
    if not isinstance(settings, Mapping | None):
        raise _fault(
            f"{kind}: settings must be names with values, got {settings!r}; "
            f"write {kind}: {{setting: value}}"
        )
    return kind, dict(settings or {})


def _factory(kind: str) -> Callable[..., Metric]:
    if kind in BUILT_IN:
        return cast(Callable[..., Metric], BUILT_IN[kind])
    points = importlib.metadata.entry_points(group=GROUP)
    for point in points.select(name=kind):
        return cast(Callable[..., Metric], point.load())
    if kind in OBSERVED:
        raise ValueError(f"this is observed with every answer, not judged: {OBSERVED[kind]}")
    names = [*BUILT_IN, *points.names, *OBSERVED]
    raise ValueError(
        f"there is no metric {kind!r}{_nearest(kind, names)}; known are {', '.join(names)}, "
        "and module:function for a function of your own"
    )


def _options(factory: Callable[..., Metric]) -> list[str]:
    return [name for name in _parameters(factory) if name not in ("name", FOLDER)]


def _parameters(factory: Callable[..., Metric]) -> list[str]:
    return [*inspect.signature(factory).parameters]


def _check_options(kind: str, settings: Mapping[str, Json], options: list[str]) -> None:
    for option in settings:
        if option != "name" and option not in options:
            raise ValueError(
                f"there is no setting {option!r}{_nearest(option, options)}; "
                f"known are {', '.join([*options, 'name'])}"
            )


def _nearest(word: str, known: list[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f" (did you mean {near[0]!r}?)" if near else ""


def _made(factory: Callable[..., Metric], settings: Mapping[str, object]) -> Metric:
    if not dataclasses.is_dataclass(factory):
        return factory(**settings)
    try:
        return msgspec.convert(settings, cast(type[Any], factory))
    except msgspec.ValidationError as fault:
        # A sentence of the metric's own, where it has one, else the type that does not fit.
        said = fault.__cause__ or f"{fault}; correct the setting"
        raise ValueError(str(said)) from None


def _resting(made: Metric, folder: Path | None) -> Metric:
    """The metric, with the one that it rests on, if it does."""
    if isinstance(made, Resting):
        try:
            made.rest_on(build(made.of, folder=folder))
        except StudyError as fault:
            raise ValueError(f"of: {fault.faults[0]}") from None
    return made


def _whole(made: Metric) -> Metric:
    """The metric, if its scale tells truly whether its figure belongs to a whole run."""
    if made.scale.whole != isinstance(made, Whole):
        raise ValueError(
            f"scale.whole must be true of metrics with parts and figures and of no others, got "
            f"{made.scale.whole!r}; correct the package that brings {made.name!r}"
        )
    return made


def _outside(kind: str, settings: Mapping[str, Json]) -> Metric:
    given = {name: value for name, value in settings.items() if name not in ("name", "better")}
    named: dict[str, object] = {
        "name": settings.get("name", kind.partition(":")[2]),
        "scorer": kind,
        "given": given,
        "better": settings.get("better", "higher"),
    }
    return _made(Outside, named)


def _function(kind: str, settings: Mapping[str, Json], folder: Path) -> Metric:
    _check_options(kind, settings, ["binary", "low", "high", "better", "unit"])
    named: dict[str, object] = {
        "name": kind.partition(":")[2],
        **settings,
        "function": kind,
        "folder": folder,
    }
    return _made(Function, named)


def _schema(path: str, folder: Path) -> Json:
    try:
        schema: Json = json.loads((folder / path).read_text("utf-8"))
    except (OSError, ValueError) as fault:
        raise ValueError(
            f"schema must be a JSON Schema or the path of one, got {path!r} ({fault}); "
            "paths are read from the study's folder"
        ) from None
    return schema
