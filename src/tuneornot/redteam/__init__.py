"""The step beside the protocol: the same frozen attacks on every arm, before and after every tune.

    rules      what the words of an answer tell: a mark, a refusal, signs of having complied
    judge      the same question put to a judge model, and to people who label
    team       every arm under the suite, through the session like any other question
    tables     two arms under the same attacks: by category, by technique, in all

Nothing is adapted to an arm, so that two arms can be compared. It does not decide: `safety` says
whether a loss is shown, `decide` what follows.
"""

from __future__ import annotations

from tuneornot.redteam.team import Team

__all__ = ["Team"]
