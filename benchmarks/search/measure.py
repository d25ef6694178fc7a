"""What the prompt search finds on answerers whose true quality under every prompt is known.

    python -m benchmarks.search.measure [--searches 30] [--calls 500 1000 2000]

Run at the root of the project. True quality rises with the number of demonstrations and a format
hint, and each prompt has a whim of its own (standard deviation 0.06), which is what choosing
demonstrations is about. Regret: true quality of the best prompt that was tried less that of the
winner. Bias: the winner's dev mean less its true quality, which the ledger's luck should match.
"""

from __future__ import annotations

import argparse
import math
import random

import numpy as np
from tests.baseline.scripted import Scripted, cases

from tuneornot import baseline
from tuneornot.baseline import Budget
from tuneornot.records import Dataset, Prompt

START = Prompt(instructions="Turn it into JSON.")


def quality(prompt: Prompt) -> float:
    n = prompt.n_shown
    whim = 0.06 * random.Random(prompt.fingerprint).gauss(0, 1) if n else 0.0
    return 0.1 + 0.3 * (1 - math.exp(-n / 5)) + 0.05 * ("JSON" in prompt.format_hint) + whim


def searched(seed: int, n_dev: int, calls: int) -> tuple[float, ...]:
    train = Dataset(name="train", cases=cases("t", 300))
    dev = Dataset(name="dev", cases=cases(f"d{seed}-", n_dev))
    model = Scripted(quality, seed=seed)
    ledger = baseline.search(
        model, train, dev, start=START, budget=Budget(calls=calls), seed=seed, clock=model.clock
    )
    truth = {one.name: quality(one.prompt) for one in ledger.candidates}
    won = truth[ledger.best]
    asked = sum(one.n_cases for one in ledger.candidates) / len(truth) / n_dev
    regret = max(truth.values()) - won
    return (len(truth), asked, won, regret, regret <= 0.05, ledger.dev_mean - won, ledger.luck)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--searches", type=int, default=30)
    parser.add_argument("--calls", type=int, nargs="*", default=[500, 1000, 2000])
    parser.add_argument("--dev", type=int, default=60, help="dev cases")
    options = parser.parse_args()
    names = ["calls", "candidates", "share of dev asked", "true quality of the winner", "regret"]
    names += ["regret <= 0.05", "bias", "luck"]
    print("| " + " | ".join(names) + " |")
    print("|---" * len(names) + "|")
    for calls in options.calls:
        found = np.array([searched(s, options.dev, calls) for s in range(options.searches)], float)
        cells = [f"{mean:.3f}" for mean in found.mean(axis=0)]
        print(f"| {calls} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
