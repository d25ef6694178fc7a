"""What a search's writer will be asked: its model is another one than the arm's, with other prices.

How often it is asked depends on how the search goes; counted is the most that its calls allow. A
question is taken to be as long as the first one, and a reply as long as it may be, until the
writer has answered some.
"""

from __future__ import annotations

from tuneornot.baseline import evolving, writing
from tuneornot.forecast import judged
from tuneornot.forecast.basis import Guess, spent_of
from tuneornot.forecast.outlay import Outlay
from tuneornot.forecast.ready import Ready
from tuneornot.metrics.judges.base import Question
from tuneornot.protocol import Protocol
from tuneornot.records import Prompt
from tuneornot.study import SearchPlan


def asked(
    protocol: Protocol, arm: Ready, searching: Outlay
) -> list[tuple[Outlay, tuple[Guess, Guess, Guess]]]:
    """What is left of the writer's work for one search, with what one question takes.

    Args:
        protocol: the study.
        arm: whose prompt is engineered.
        searching: the search itself.
    """
    plan = protocol.study.arms[arm.name].search
    if plan is None or plan.writer is None:
        return []
    # Where one model writes and answers, what it wrote cannot be told from what it answered.
    apart = plan.writer != arm.model
    n_known = spent_of(protocol, plan.writer, searching.step).n_calls if apart else 0
    n_calls = None
    if searching.n_calls is not None:
        most = _most(plan, arm, searching.n_calls + searching.n_known)
        n_calls = max(0, most - n_known)
    questions = _questions(plan, arm, protocol.start(arm.name).instructions)
    return [
        (
            Outlay(
                step=searching.step,
                arm=arm.name,
                model=plan.writer,
                n_calls=n_calls,
                n_known=n_known,
                # A search by the clock waits for its writer.
                minutes=None if plan.minutes is None else 0.0,
                at_most=True,
            ),
            judged.each(
                protocol,
                plan.writer,
                [Question(plan.writer, Prompt(), writing.WRITING, text) for text in questions],
                who="writer",
            ),
        )
    ]


def _most(plan: SearchPlan, arm: Ready, n_search: int) -> int:
    """The most questions that so many calls of the search lead to."""
    n_train, n_dev = len(arm.splits.train), len(arm.splits.dev)
    if plan.by == "gepa":
        return evolving.most_asked(n_search, n_dev=n_dev)
    return writing.most_asked(n_search, n_train=n_train, n_dev=n_dev)


def _questions(plan: SearchPlan, arm: Ready, task: str) -> list[str]:
    """Questions as long as those that the writer will be asked."""
    train = arm.splits.train.cases
    if plan.by == "gepa":
        return [evolving.asked(task, train)]
    questions: list[str] = []
    writing.Writer(questions.append, train, task, plan.seed).rewritten()
    return questions
