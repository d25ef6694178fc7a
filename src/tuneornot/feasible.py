"""Whether a study can come to its end with its cases: arithmetic, before anything is spent.

It looks at the cases for answers that a metric or a training needs, at the budget of each prompt
search for the calls that its least field of prompts takes, and at models whose weights are to be
quantised. It asks no model, and says nothing of what cases can show (``begin.beyond``) or of
budgets in minutes, which hang on the machine.
"""

from __future__ import annotations

from collections.abc import Sequence

from tuneornot.baseline import evolving
from tuneornot.baseline.effort import LEAST
from tuneornot.baseline.race import FINALISTS, laid_out
from tuneornot.baseline.search import SORTED
from tuneornot.errors import TuneornotError
from tuneornot.metrics.base import LACKING, Metric
from tuneornot.metrics.judges.base import Judged
from tuneornot.protocol import Protocol
from tuneornot.records import Case, Dataset, Response
from tuneornot.study import SearchPlan


def faults(opened: Protocol) -> list[str]:
    """A sentence for each thing that the study asks for and its cases do not allow."""
    splits, plan = opened.splits, opened.study
    found = [
        f"metrics: {metric.name!r} can judge no case of {part.name}: it holds answers against "
        "`expected`, which no case has; fill it in, or name metrics without a reference"
        for part in splits.measured
        for metric in opened.metrics
        if needs_answers(metric, part.cases)
    ]
    for name, arm in plan.arms.items():
        taught = "tune" if arm.tune else "hosted" if arm.hosted else None
        if taught and not any(case.expected is not None for case in splits.train.cases):
            found.append(
                f"arms.{name}.{taught}: no case of train has an expected answer, and a training "
                "needs some to learn; fill in `expected`"
            )
        if arm.tune is not None and arm.tune.method == "qlora":
            found += [f"arms.{name}.tune.method: {fault}" for fault in _unquantisable(arm.model)]
        if arm.search is None:
            continue
        raced_by = arm.search.metric or plan.decide.primary
        [metric] = [one for one in opened.metrics if one.name == raced_by]
        if needs_answers(metric, splits.dev.cases):
            found.append(
                f"arms.{name}.search: {raced_by!r} can judge no case of dev, on which prompts are "
                "raced; fill in `expected`, or name another metric with `search.metric`"
            )
        n_each = opened.start(name).n_calls
        least = least_calls(arm.search, splits.dev, len(splits.train), n_each=n_each)
        if arm.search.calls is not None and arm.search.calls < least:
            evolved = " and one that gepa evolves" if arm.search.by == "gepa" else ""
            found.append(
                f"arms.{name}.search.calls: found {arm.search.calls}, expected {least} or more: a "
                f"fair baseline takes at least {LEAST} prompts tried{evolved}, and with "
                f"{len(splits.dev)} dev cases they take as many; allow more calls, or make dev "
                "smaller"
            )
    return found


def _unquantisable(model: str) -> list[str]:
    """Why the weights of a model cannot be held in four bits; nothing where they can."""
    try:
        # Deferred: other studies must not need torch, or wait for it.
        from tuneornot.models.local import weights

        weights.require_nf4(model)
    except TuneornotError as error:
        return [str(error)]
    return []


def needs_answers(metric: Metric, cases: Sequence[Case]) -> bool:
    """Whether a metric can judge none of the cases because none has an expected answer."""
    if isinstance(metric, Judged) or any(case.expected is not None for case in cases):
        return False
    answer = Response(arm="", question="", text="an answer")
    return all((metric.score(case, answer).reason or "").startswith(LACKING) for case in cases)


def least_calls(plan: SearchPlan, dev: Dataset, n_train: int, *, n_each: int = 1) -> int:
    """Calls that trying the least number of prompts takes, all that a search keeps back included.

    Every prompt answers the first block of dev; before the last of them is asked, what the leader
    needs to answer the rest must be left, and what the finalists need for the choice. 0 where
    optuna proposes, which asks in its own order; with gepa as many as one prompt of its takes.

    Args:
        plan: the search.
        dev: the cases on which prompts are raced.
        n_train: train cases.
        n_each: calls for an answer under the user's own prompt.
    """
    if plan.by == "optuna":
        return 0
    asked = min(SORTED, n_train) if "difficulty" in plan.vary else 0
    if plan.by == "gepa":
        return n_each * (asked + evolving.least_calls(len(dev)))
    # Two of the first prompts take a step where the user's own takes none, or the other way.
    other = n_each if "steps" not in plan.vary else 2 if n_each == 1 else 1
    most, for_all = max(n_each, other), (LEAST - 2) * n_each + 2 * other
    edges = laid_out(len(dev))
    block, n_raced = edges[1], edges[-1]
    kept = (n_raced - block) + FINALISTS * (len(dev) - n_raced)
    return n_each * asked + for_all * block + most * kept
