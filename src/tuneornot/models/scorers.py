"""Scorers of other packages as something that answers: a case in, a score out, both as JSON.

    deepeval:METRIC      a metric class of deepeval.metrics
    autoevals:SCORER     a scorer class of autoevals

A scorer may ask a model of its own, which takes time and money. So it stands behind the same seam
as models: what it said is kept, resumed and counted like any answer. What is sent is two messages:
the scorer's settings, then ``input``, ``output``, ``expected`` and ``context``. One case at a time;
what the package asks and pays by itself is not seen here.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
import inspect
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tuneornot.errors import MissingExtra, ModelError
from tuneornot.models.base import Reply, Request
from tuneornot.records import Adapter, Json

Score = tuple[float | None, str]
"""A score, or ``None``, with the reason given."""

PACKAGES: Mapping[str, str] = {"deepeval": "deepeval.metrics", "autoevals": "autoevals"}
"""By prefix the module that holds the classes."""


class ScorerModel:
    """One scorer, ready to be asked.

    Raises:
        MissingExtra: its package is not installed.
        ModelError: the package has no such scorer.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._package = name.partition(":")[0]
        try:
            self._made = found(name)
        except LookupError as error:
            raise ModelError(f"A scorer must be one of its package; {error.args[0]}.") from None
        self._call = {"deepeval": _by_deepeval, "autoevals": _by_autoevals}[self._package]

    def identity(self) -> str:
        """The version of the package: another one may score otherwise."""
        return f"{self._package} {importlib.metadata.version(self._package)}"

    def ask(
        self,
        requests: Iterable[Request],
        *,
        adapter: Adapter | None = None,
        one_by_one: bool = False,
    ) -> Iterator[tuple[int, Reply]]:
        """Score one case after the other; one that fails is a reply with its error."""
        for position, request in enumerate(requests):
            yield position, self._scored(request)

    def close(self) -> None:
        """Nothing is held."""

    def _scored(self, request: Request) -> Reply:
        try:
            settings, case = (json.loads(message.content) for message in request.messages)
            score, reason = self._call(self._made(**_typed(self._package, settings)), case)
        except Exception as failure:
            # Somebody else's code with a network behind it: anything may come.
            return Reply(error=f"{self.name} raised {failure!r}"[:300])
        return Reply(text=json.dumps({"reason": reason, "score": score}), finish="stop")


def found(name: str) -> Callable[..., Any]:
    """The class of a scorer.

    Raises:
        MissingExtra: its package is not installed.
        LookupError: the package has no such class; the text says what it has.
    """
    package, _, scorer = name.partition(":")
    # No telemetry, whoever's: it must be set before the package is imported.
    os.environ.setdefault("DEEPEVAL_TELEMETRY_OPT_OUT", "YES")
    try:
        module = importlib.import_module(PACKAGES[package])
    except ImportError as error:
        raise MissingExtra(f"The metric {name!r}", package) from error
    known = [
        one for one, value in vars(module).items() if inspect.isclass(value) and one[0].isupper()
    ]
    if scorer not in known:
        near = difflib.get_close_matches(scorer, known, n=1)
        meant = f"; did you mean {package}:{near[0]}?" if near else ""
        raise LookupError(f"{package} has no {scorer!r}{meant}")
    made: Callable[..., Any] = getattr(module, scorer)
    return made


def _typed(package: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as the package wants them, where JSON cannot say it."""
    if package == "deepeval" and "evaluation_params" in settings:
        params = importlib.import_module("deepeval.test_case").SingleTurnParams
        settings["evaluation_params"] = [params(one) for one in settings["evaluation_params"]]
    return settings


def _by_deepeval(metric: Any, case: dict[str, Json]) -> Score:
    context = None if case["context"] is None else [case["context"]]
    made = importlib.import_module("deepeval.test_case").LLMTestCase(
        input=case["input"],
        actual_output=case["output"],
        expected_output=case["expected"],
        context=context,
        retrieval_context=context,
    )
    score = metric.measure(made, _show_indicator=False)
    return (None if score is None else float(score)), str(metric.reason or "")


def _by_autoevals(scorer: Any, case: dict[str, Json]) -> Score:
    given = {
        name: case[name] for name in ("input", "expected", "context") if case[name] is not None
    }
    made = scorer(output=case["output"], **given)
    if made.error is not None:
        raise made.error
    return (None if made.score is None else float(made.score)), str(
        made.metadata.get("rationale", "")
    )
