"""What the prompt search finds on answerers whose true quality under every prompt is known.

    python -m benchmarks.search.measure [--searches 30] [--calls 500] [--whim 0.06] [--nearest 0]
        [--by race optuna gepa] [--rule 0.2]

Run at the root of the project. True quality rises with the number of demonstrations and a format
hint, and each prompt has a whim of its own (a standard deviation), which is what choosing
demonstrations is about; those nearest to the question may be worth more than others. With a rule,
which is what it is worth, a scripted writer rewrites the instructions: shown failures it finds the
rule in three answers of ten and then keeps it, and every text of its is another one. Regret: true
quality of the best prompt that was tried less that of the winner. Bias: the winner's dev mean less
its true quality, which the ledger's luck should match; once more on the cases kept for the choice.
Gain: true quality of the winner of a search with twice the calls less that of this one's, beside
what the ledger said of it.
"""

from __future__ import annotations

import argparse
import itertools
import math
import random
from typing import NamedTuple, get_args

import numpy as np
from tests.baseline.scripted import Quality, Scripted, cases

from tuneornot import baseline
from tuneornot.baseline import Budget, Write
from tuneornot.records import Dataset, Ledger, Prompt
from tuneornot.study import By

START = Prompt(instructions="Turn it into JSON.")
TRAIN = Dataset(name="train", cases=cases("t", 300))
RULE = "Mind the seventh rule."
FOUND = 0.3
COLUMNS = (
    "candidates",
    "nearest",
    "the rule",
    "true quality of the winner",
    "regret",
    "bias",
    "luck",
    "bias, kept cases",
    "gain",
    "gain told",
)


def write(question: str) -> str:
    drawn = random.Random(question)
    failed = "answered wrongly" in question or "The right answer is" in question
    found = failed and drawn.random() < FOUND
    rule = RULE if found or RULE in question else "Do it well."
    text = f"Turn it into JSON, as in {drawn.randrange(10**6)}. {rule}"
    return f"<instructions>{text}</instructions>" if "<inst" in question else f"```\n{text}\n```"


def quality(whim: float, nearest: float, rule: float) -> Quality:
    def of(prompt: Prompt) -> float:
        n = prompt.n_shown
        own = whim * random.Random(prompt.fingerprint).gauss(0, 1) if n else 0.0
        likest = nearest if prompt.nearest else 0.0
        hinted = 0.05 * ("JSON" in prompt.format_hint)
        ruled = rule * (RULE in prompt.instructions)
        return 0.1 + 0.3 * (1 - math.exp(-n / 5)) + hinted + likest + ruled + own

    return of


class Searched(NamedTuple):
    of: Quality
    n_dev: int
    by: By
    write: Write | None


def ledger(one: Searched, seed: int, calls: int) -> Ledger:
    dev = Dataset(name="dev", cases=cases(f"d{seed}-", one.n_dev))
    model = Scripted(one.of, seed=seed)
    budget = Budget(calls=calls)
    return baseline.search(
        model,
        TRAIN,
        dev,
        start=START,
        budget=budget,
        write=one.write,
        by=one.by,
        seed=seed,
        clock=model.clock,
    )


def searched(one: Searched, seed: int, calls: int) -> tuple[float, ...]:
    found, of = ledger(one, seed, calls), one.of
    prompt = baseline.winner(found)
    won = of(prompt)
    twice = of(baseline.winner(ledger(one, seed, 2 * calls)))
    return (
        len(found.candidates),
        prompt.nearest is not None,
        RULE in prompt.instructions,
        won,
        max(of(other.prompt) for other in found.candidates) - won,
        found.dev_mean - won,
        found.luck,
        math.nan if found.choosing_mean is None else found.choosing_mean - won,
        twice - won,
        math.nan if found.gain is None else found.gain,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searches", type=int, default=30)
    parser.add_argument("--calls", type=int, nargs="*", default=[500])
    parser.add_argument("--dev", type=int, default=60, help="dev cases")
    parser.add_argument("--whim", type=float, nargs="*", default=[0.06])
    parser.add_argument("--nearest", type=float, default=0.0, help="worth of nearest ones")
    parser.add_argument("--by", nargs="*", choices=get_args(By), default=["race"])
    parser.add_argument("--rule", type=float, help="worth of a rule; left out: there is no writer")
    options = parser.parse_args()
    print("| by | calls | whim | " + " | ".join(COLUMNS) + " |")
    print("|---" * (3 + len(COLUMNS)) + "|")
    for calls, whim, by in itertools.product(options.calls, options.whim, options.by):
        of, author = (
            quality(whim, options.nearest, options.rule or 0),
            None if options.rule is None else write,
        )
        one, seeds = Searched(of, options.dev, by, author), range(options.searches)
        found = np.array([searched(one, seed, calls) for seed in seeds], float)
        cells = [f"{mean:.3f}" for mean in found.mean(axis=0)]
        print(f"| {by} | {calls} | {whim:g} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
