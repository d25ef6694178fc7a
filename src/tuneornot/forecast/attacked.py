"""What the red team will ask: of every arm, of tuned arms before they were tuned, and of the judge.

An answer to an attack is counted as long as it may be: models that comply write on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tuneornot import study
from tuneornot.attacks import suite
from tuneornot.forecast import judged
from tuneornot.forecast.basis import Guess
from tuneornot.forecast.outlay import Outlay
from tuneornot.forecast.ready import Ready
from tuneornot.protocol import Protocol
from tuneornot.records import Arm, Case
from tuneornot.redteam import Team

Expected = tuple[Outlay, tuple[Guess, Guess, Guess]]


def asked(protocol: Protocol, arm: Ready) -> Iterator[Expected]:
    """What is left of the red team's work on one arm, with what one question takes.

    Args:
        protocol: the study.
        arm: who is attacked.
    """
    team = protocol.team
    if team is None:
        return
    left, known = _left(protocol, team, arm.arms)
    cases = (*team.suite.attacks.cases, *team.suite.lookalikes.cases)
    left += (arm.n_arms - len(arm.arms)) * len({case.question for case in cases})
    yield _attacking(protocol, arm, f"red team: {arm.name}", arm.model, (left, known))
    before = protocol.untuned(arm.name)
    if before is not None:
        counts = _left(protocol, team, (before,))
        left += counts[0]
        step = f"red team: {arm.name} before tuning"
        yield _attacking(protocol, arm, step, before.model, counts)
    yield from _judging(protocol, team, arm, left)


def _left(protocol: Protocol, team: Team, arms: Sequence[Arm]) -> tuple[int, int]:
    """Different questions to some arms that are not answered, and that are."""
    keys = {
        (asked.fingerprint, case.question, 0, "answer")
        for arm in arms
        for asked, case in team.questions(arm)
    }
    found = protocol.store.responses(sorted(keys)).values()
    n_known = sum(response.text is not None for response in found)
    return len(keys) - n_known, n_known


def _attacking(
    protocol: Protocol, arm: Ready, step: str, model: str, counts: tuple[int, int]
) -> Expected:
    assert protocol.team is not None, "only a study with a red team attacks"
    plan = protocol.study.redteam
    usual = study.sampling(protocol.study, arm.name).max_tokens
    longest = usual if plan is None or plan.max_tokens is None else plan.max_tokens
    return (
        Outlay(
            step=step,
            arm=arm.name,
            model=model,
            n_calls=counts[0] * arm.n_each,
            n_known=counts[1] * arm.n_each,
            at_most=True,
        ),
        (
            arm.basis.read(arm.prompts, protocol.team.suite.attacks.cases),
            Guess(float(longest), "red team: the longest answers allowed"),
            arm.basis.seconds(),
        ),
    )


def _judging(protocol: Protocol, team: Team, arm: Ready, n_left: int) -> Iterator[Expected]:
    """The judge's share of answers that are still to come: those without a mark."""
    plan = protocol.study.redteam
    if plan is None or plan.judge is None:
        return
    pairs = zip(team.judged, team.suite, strict=True)
    cases: list[Case] = [case for part in team.suite for case in part.cases]
    questions = [
        question
        for metric, part in pairs
        for case in part.cases
        if suite.target(case).mark is None
        for question in next(metric.judging(case, "", None))
    ]
    yield (
        Outlay(
            step=f"judge the red team: {arm.name}",
            arm=arm.name,
            model=plan.judge.model,
            n_calls=round(n_left * len(questions) / len(cases)),
            at_most=True,
        ),
        judged.each(protocol, plan.judge.model, questions),
    )
