"""The race: every prompt answers the same cases in the same blocks, and the hopeless drop out.

After each block but the last, a prompt is dropped if the leader beats it on the cases that both
have answered, by a one-sided sign-flip test at ``ALPHA`` divided by the number of its rivals and of
looks (a union bound): the truly best one is lost to that test with a chance of at most ``ALPHA``.
Where the budget cannot carry the rest to the end, successive halving leaves the better ones in.
Prompts are proposed and dropped by two thirds of the cases; the best few answer the others as well,
and the best on all of them is chosen.
What an answer is worth comes from the caller; the race knows no models and no stores, and starts
nothing that the budget would not let it finish.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence

import numpy as np

from tuneornot.baseline.space import Proposal
from tuneornot.errors import DataError
from tuneornot.records import Candidate, Case, Progress, Prompt, Record, Run, Scale
from tuneornot.stats import selection

Answer = Callable[[Prompt, Sequence[Case]], Run]
"""Asks the cases under a prompt and judges the answers; the run's first metric counts."""

ALPHA = 0.2
"""Chance at most with which the race drops the best prompt. A budget is best spent on telling good
prompts from each other; being surer than this that none is lost would spend it on the poor."""
BLOCK = 20
"""Cases in a block: enough to see a large difference, enough to fill a batch."""
FINALISTS = 4
"""Prompts that answer the cases that were kept for the choice."""
CHOOSING = 3
"""One dev case in so many is kept for the choice, where three blocks are there."""
SHARE = 0.5
"""Of the budget that is left, what a field may spend to come to its end; the rest is for variations
of those that led."""


class Budget(Record, frozen=True, kw_only=True):
    """What the search may spend; the first limit that is reached ends it."""

    minutes: float | None = None
    calls: int | None = None


class Racer:
    """One prompt in the race."""

    def __init__(self, proposal: Proposal, name: str, n_cases: int) -> None:
        self.proposal = proposal
        self.name = name
        self.scores = np.full(n_cases, np.nan)
        self.n_answered = 0
        self.dropped: str | None = None
        self.p_value: float | None = None
        self.pace = math.nan
        """Seconds for each case, at its last block."""
        prompt = proposal.prompt
        held = sum(len(case.text) + len(case.answer) for case in prompt.demonstrations)
        shown = held * prompt.n_shown / max(1, len(prompt.demonstrations))
        asks = sum(len(step.ask) for step in prompt.steps or ())
        self.length = len(prompt.instructions) + len(prompt.format_hint) + shown + asks
        """Characters of what it adds to a question; the cheaper of two equals wins."""
        self.n_each = prompt.n_calls
        """Calls for each case."""

    def mean(self, n: int | None = None) -> float:
        """Mean score on the first n cases, or on all that it answered."""
        upto = self.scores[: self.n_answered if n is None else n]
        return float(upto.mean()) if len(upto) else -math.inf


class Race:
    """Prompts, the cases they answer, and what was spent so far."""

    def __init__(
        self,
        answer: Answer,
        cases: Sequence[Case],
        budget: Budget,
        *,
        seed: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if budget.minutes is None and budget.calls is None:
            raise DataError("search", ["it has no budget"], "Give minutes or calls.")
        if not cases:
            raise DataError("dev", ["holds no cases"], "The prompt search needs some to race on.")
        self.answer = answer
        self.cases = tuple(cases)[: budget.calls]
        self.edges = laid_out(len(self.cases))
        self.n_raced = self.edges[-1]
        """Cases by which prompts are proposed and dropped; the choice is made on the others too."""
        self.budget = budget
        self.clock = clock
        self.rng = np.random.default_rng(seed)
        self.started = clock()
        self.racers: list[Racer] = []
        self.progress: list[Progress] = []
        self.led: list[tuple[int, Racer]] = []
        """Calls after which a racer took the lead, and the racer."""
        self.n_calls = self.n_tokens = 0
        self.metric = ""
        self.scale = Scale()
        self.ended: str | None = None
        self.chosen: Racer | None = None
        """The winner, once it was chosen."""

    @property
    def seconds(self) -> float:
        """Since the start."""
        return self.clock() - self.started

    @property
    def alive(self) -> list[Racer]:
        """Those that were not dropped."""
        return [racer for racer in self.racers if racer.dropped is None and racer.n_answered]

    @property
    def contenders(self) -> list[Racer]:
        """Those that no evidence dropped, also where the budget did."""
        return [racer for racer in self.racers if racer.p_value is None and racer.n_answered]

    def finalists(self) -> list[Racer]:
        """Those that raced to the end, the best first; of equals the shorter is the better."""
        done = [racer for racer in self.alive if racer.n_answered >= self.n_raced]
        return sorted(done, key=lambda racer: (-racer.mean(self.n_raced), racer.length))

    def leader(self) -> Racer:
        """The best finalist; before there is one, the best on the cases that all alive answered."""
        if self.chosen is not None:
            return self.chosen
        if done := self.finalists():
            return done[0]
        common = min(racer.n_answered for racer in self.alive)
        return max(self.alive, key=lambda racer: (racer.mean(common), -racer.length))

    def share_spent(self) -> float:
        """Of the budget, 0 to 1."""
        shares = [0.0]
        if self.budget.minutes is not None:
            shares.append(self.seconds / (60 * self.budget.minutes))
        if self.budget.calls is not None:
            shares.append(self.n_calls / self.budget.calls)
        return min(1.0, max(shares))

    def run(self, proposals: Sequence[Proposal], *, share: float = SHARE) -> None:
        """Race new prompts against each other and those before; ends early with the budget.

        ``share`` of the budget that is left may be spent on their coming to the end.
        """
        fresh = [self._entered(proposal) for proposal in proposals]
        n_looks = max(1, len(self.edges) - 2)
        for start, stop in itertools.pairwise(self.edges):
            # The best first, so that a budget that ends within a block leaves out the worst.
            fresh.sort(key=lambda racer: -racer.mean() if racer.n_answered else 0.0)
            for racer in fresh:
                if racer.dropped is None and not self._affordable(racer, stop - start):
                    self._finish()
                    return
                if racer.dropped is None:
                    self._ask(racer, stop)
            if stop < self.n_raced:
                self._drop(fresh, stop, ALPHA / (max(1, len(self.alive) - 1) * n_looks))
                self._halve([racer for racer in fresh if racer.dropped is None], stop, share)

    def one(self, proposal: Proposal, doubt: Callable[[Racer], str | None]) -> Racer:
        """Race one new prompt by itself, block by block; ends early with the budget.

        ``doubt`` is told of it after each block; what it says before the last one ends the prompt.
        """
        racer = self._entered(proposal)
        for start, stop in itertools.pairwise(self.edges):
            if not self._affordable(racer, stop - start):
                self._finish()
                break
            self._ask(racer, stop)
            told = doubt(racer)
            if told is not None and stop < self.n_raced:
                racer.dropped = told
                break
        return racer

    def won(self) -> bool:
        """Whether the leader has no case left to win among those that propose."""
        return self.reported(self.leader().mean(self.n_raced)) == self.scale.best

    def choose(self) -> None:
        """The best few answer the cases kept for the choice; the best on all cases is chosen."""
        entered = self.finalists()[:FINALISTS] or [self.leader()]
        n, n_calls = len(self.cases), self.n_calls
        for racer in entered:
            if 0 < n - racer.n_answered <= self._left(racer.pace, racer.n_each):
                self._ask(racer, n)
        done = [racer for racer in entered if racer.n_answered == n]
        self.chosen = max(done or entered[:1], key=lambda racer: (racer.mean(), -racer.length))
        if self.n_calls > n_calls:
            best = self.reported(self.chosen.mean())
            now = Progress(n_calls=self.n_calls, seconds=self.seconds, best=best)
            self.progress = [one for one in self.progress if one.n_calls <= n_calls] + [now]

    def _left(self, pace: float, n_each: float = 1) -> float:
        """Answers that the budget still pays for, at a pace in seconds and some calls for each."""
        left = math.inf
        if self.budget.calls is not None:
            left = (self.budget.calls - self.n_calls) / n_each
        if self.budget.minutes is not None:
            left = min(left, (60 * self.budget.minutes - self.seconds) / max(pace, 1e-9))
        return left

    def _entered(self, proposal: Proposal) -> Racer:
        taken = {racer.name for racer in self.racers}
        names = (f"{proposal.name} ({k})" if k > 1 else proposal.name for k in itertools.count(1))
        racer = Racer(proposal, next(name for name in names if name not in taken), len(self.cases))
        self.racers.append(racer)
        return racer

    def _ask(self, racer: Racer, stop: int) -> None:
        cases = self.cases[racer.n_answered : stop]
        before = self.clock()
        run = self.answer(racer.proposal.prompt, cases)
        racer.pace = (self.clock() - before) / len(cases)
        self.metric, self.scale = next(iter(run.metrics.items()))
        racer.scores[racer.n_answered : stop] = self.values(run, cases)
        racer.n_answered = stop
        self._count(run, racer.proposal.prompt)
        ahead = self.leader()
        if not self.led or self.led[-1][1] is not ahead:
            self.led.append((self.n_calls, ahead))
        self.progress.append(
            Progress(n_calls=self.n_calls, seconds=self.seconds, best=self.reported(ahead.mean()))
        )

    def aside(self, prompt: Prompt, cases: Sequence[Case]) -> Run | None:
        """Answers to cases that nobody races on; ``None`` where the budget is kept for the race."""
        pace = self.leader().pace if self.alive else 0.0
        reserve = FINALISTS * (len(self.cases) - self.n_raced) + self.n_raced
        if self._left(pace) < prompt.n_calls * len(cases) + self._most_each() * reserve:
            return None
        run = self.answer(prompt, cases)
        self._count(run, prompt)
        return run

    def _most_each(self) -> int:
        """Calls for a case of whoever may still win."""
        return max((racer.n_each for racer in self.alive), default=1)

    def _count(self, run: Run, prompt: Prompt) -> None:
        self.n_calls += prompt.n_calls * len(run.responses)
        self.n_tokens += sum(
            (one.n_input_tokens or 0) + (one.n_output_tokens or 0) for one in run.responses
        )

    def values(self, run: Run, cases: Sequence[Case]) -> selection.Scores:
        """Scores in the order of the cases, higher is better; a failure counts as the worst."""
        sign = 1.0 if self.scale.better == "higher" else -1.0
        found: dict[str, list[float]] = {}
        for score in run.scores:
            if score.metric == self.metric and score.value is not None:
                found.setdefault(score.case_id, []).append(sign * score.value)
        ends = [sign * end for end in (self.scale.low, self.scale.high) if end is not None]
        seen = [value for values in found.values() for value in values]
        seen += [float(value) for racer in self.racers for value in racer.scores if value == value]
        worst = min(ends) if len(ends) == 2 else min(seen, default=0.0)
        return np.array([float(np.mean(found.get(case.id, [worst]))) for case in cases])

    def reported(self, mean: float) -> float:
        """A mean in the metric's own direction."""
        return mean if self.scale.better == "higher" else -mean

    def _drop(self, fresh: Sequence[Racer], n: int, bar: float) -> None:
        best = max(self.alive, key=lambda racer: (racer.mean(n), -racer.length))
        for racer in fresh:
            if racer is best or racer.dropped is not None:
                continue
            behind = best.scores[:n] - racer.scores[:n]
            n_flips = min(100_000, max(9999, math.ceil(20 / bar)))
            p_value = selection.sign_flip(behind, self.rng, n_flips)
            if p_value <= bar:
                racer.p_value = p_value
                racer.dropped = f"behind {best.name!r} by {behind.mean():.3f} on {n} cases"

    def _halve(self, racing: Sequence[Racer], n: int, share: float) -> None:
        """Where the budget cannot carry all to the end, let only the best on n cases go on.

        As many as successive halving can pay for: at least half of those who answer one block
        must be left out of the next (Karnin, Koren and Somekh 2013).
        """
        best = max(self.alive, key=lambda racer: (racer.mean(n), -racer.length))
        most = max(1, self._payable(n, share))
        ordered = sorted(racing, key=lambda racer: (racer is not best, -racer.mean(n)))
        for racer in ordered[most:]:
            racer.dropped = f"not among the best {most} on {n} cases, for which the budget was kept"

    def _payable(self, n: int, share: float) -> int:
        """How many can answer the blocks after the first n cases if each block halves them."""
        n_each = float(np.median([one.n_each for one in self.alive]))
        left = share * self._left(self._usual_pace(), n_each)
        sizes = [stop - start for start, stop in itertools.pairwise(self.edges) if start >= n]
        if math.isinf(left):
            return len(self.racers)
        return max(
            (k for k in range(len(self.racers) + 1) if _halving(k, sizes) <= left), default=0
        )

    def _usual_pace(self) -> float:
        """A bare prompt may ramble and be slow: no measure for those with demonstrations."""
        return float(np.median([one.pace for one in self.alive]))

    def _affordable(self, racer: Racer, n: int) -> bool:
        """Whether n cases can be asked so that the leader can still finish; says why if not."""
        if not self.alive:
            return True
        ahead = self.leader()
        reserve = 0 if ahead is racer else self.n_raced - ahead.n_answered
        reserve += FINALISTS * (len(self.cases) - self.n_raced)
        needed = racer.n_each * n + self._most_each() * reserve
        if self.budget.calls is not None and self.n_calls + needed > self.budget.calls:
            self.ended = f"the budget of {self.budget.calls} calls was spent"
        if self.budget.minutes is not None:
            own = racer.pace if racer.n_answered else self._usual_pace()
            if self.seconds + n * own + reserve * ahead.pace > 60 * self.budget.minutes:
                self.ended = f"the budget of {self.budget.minutes:g} minutes was spent"
        return self.ended is None

    def _finish(self) -> None:
        """Let the leader answer what it still can within the budget."""
        ahead = self.leader()
        for stop in self.edges:
            if 0 < stop - ahead.n_answered <= self._left(ahead.pace, ahead.n_each):
                self._ask(ahead, stop)

    def candidates(self) -> tuple[Candidate, ...]:
        """Every prompt that answered at least one block, and what became of it."""
        return tuple(
            Candidate(
                name=racer.name,
                prompt=racer.proposal.prompt,
                n_cases=racer.n_answered,
                mean=self.reported(racer.mean()),
                dropped=racer.dropped or (self.ended if racer.n_answered < self.n_raced else None),
                p_value=racer.p_value,
            )
            for racer in self.racers
            if racer.n_answered
        )


def laid_out(n: int) -> list[int]:
    """Where the blocks of n dev cases begin and end; what lies behind is kept for the choice."""
    n_raced = n - n // CHOOSING if n >= 3 * BLOCK else n
    n_blocks = max(1, round(n_raced / BLOCK))
    return [round(n_raced * k / n_blocks) for k in range(n_blocks + 1)]


def _halving(n_racers: int, sizes: Sequence[int]) -> int:
    """Answers that so many need when half of them, rounded up, goes on after each block."""
    total = 0
    for size in sizes:
        total += n_racers * size
        n_racers = -(-n_racers // 2)
    return total
