"""What a search's writer will be asked: its model is another one than the arm's, with other prices.

How often it is asked depends on how the search goes; counted is the most that its calls allow. A
question is taken to be as long as the first one, and a reply as long as it may be, until the
writer has answered some.
"""

from __future__ import annotations

from tuneornot.baseline import writing
from tuneornot.forecast import judged
from tuneornot.forecast.basis import Guess, spent_of
from tuneornot.forecast.outlay import Outlay
from tuneornot.forecast.ready import Ready
from tuneornot.metrics.judges.base import Question
from tuneornot.protocol import Protocol
from tuneornot.records import Prompt


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
        train, dev = arm.splits.train.cases, arm.splits.dev.cases
        n_search = searching.n_calls + searching.n_known
        most = writing.most_asked(n_search, n_train=len(train), n_dev=len(dev))
        n_calls = max(0, most - n_known)
    questions: list[str] = []
    author = writing.Writer(
        questions.append, arm.splits.train.cases, protocol.start(arm.name).instructions, plan.seed
    )
    author.rewritten()
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
