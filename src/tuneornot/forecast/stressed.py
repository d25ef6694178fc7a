"""What the study's perturbations will ask: of the writer, and of every arm.

Cases changed by code are those that will be asked. What a writer writes is not looked for in the
store: it counts as if none of it were there, with each case standing for its own rewriting.
"""

from __future__ import annotations

from statistics import fmean

from tuneornot.forecast.basis import Guess
from tuneornot.forecast.outlay import Outlay
from tuneornot.protocol import Protocol
from tuneornot.records import Case
from tuneornot.spending.metered import CHARACTERS_PER_TOKEN
from tuneornot.stress import wording, written
from tuneornot.stress.sets import FEWEST, chosen, unwritten


def cases(protocol: Protocol) -> tuple[Case, ...]:
    """The different questions that every arm is asked besides the plain ones."""
    plan = protocol.study.stress
    if plan is None:
        return ()
    made = unwritten(plan, protocol.splits.eval, protocol.folder)
    found = [case for each in made if len(each.cases) >= FEWEST for case in each.cases.cases]
    for planned in plan.planned:
        if planned.is_written:
            for case in chosen(protocol.splits.eval, plan):
                # A text that is not the case's own, so that the plain answer is not taken for it.
                found.append(wording.asking(case, f"{wording.asked(case)} ({planned.name})"))
    return tuple({case.question: case for case in found}.values())


def writing(protocol: Protocol) -> list[tuple[Outlay, tuple[Guess, Guess, Guess]]]:
    """What the writer is asked for each thing that it writes, with what one question takes."""
    plan = protocol.study.stress
    if plan is None or plan.writer is None:
        return []
    asked = chosen(protocol.splits.eval, plan)
    found = []
    for planned in plan.planned:
        if not planned.is_written:
            continue
        told = written.prompt(planned.kind, planned.settings.to)
        own = fmean(len(wording.asked(case)) for case in asked) / CHARACTERS_PER_TOKEN
        basis = f"writer: {CHARACTERS_PER_TOKEN:g} characters a token, as if none were written yet"
        found.append(
            (
                Outlay(
                    step=f"write {planned.name}",
                    arm="",
                    model=plan.writer,
                    n_calls=len(asked),
                    at_most=True,
                ),
                (
                    Guess(own + len(told.instructions) / CHARACTERS_PER_TOKEN, basis),
                    Guess(own, ""),
                    Guess(None, ""),
                ),
            )
        )
    return found
