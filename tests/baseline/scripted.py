"""An answerer whose true quality under every prompt is known."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from statistics import NormalDist

from tuneornot import baseline, fingerprint
from tuneornot.baseline.race import Budget
from tuneornot.baseline.space import NOTHING, Offers
from tuneornot.records import Arm, Case, Dataset, Ledger, Prompt, Response, Run, Scale, Score
from tuneornot.study import By

NORMAL = NormalDist()
Quality = Callable[[Prompt], float]


def cases(prefix: str, n: int, labels: int = 0) -> tuple[Case, ...]:
    return tuple(
        Case(
            id=f"{prefix}{i}",
            input=f"{prefix} question {i} about {fingerprint.of(i)[:9]}",
            expected=f"label {i % labels}" if labels else {"n": i, "name": f"x{i}"},
            slice=f"s{i % 3}",
        )
        for i in range(n)
    )


TRAIN = Dataset(name="train", cases=cases("t", 120))
DEV = Dataset(name="dev", cases=cases("d", 60))
START = Prompt(instructions="Turn it into JSON.")


def quality(prompt: Prompt) -> float:
    """Demonstrations help and then no longer, a hint helps a little, and each prompt has a whim."""
    n = prompt.n_shown
    whim = 0.05 * random.Random(prompt.fingerprint).gauss(0, 1) if n else 0.0
    return 0.1 + 0.35 * (1 - math.exp(-n / 4)) + 0.05 * bool(prompt.format_hint) + whim


class Scripted:
    """Right with the prompt's true chance; hard cases are hard under every prompt.

    Case i is right if sqrt(r) z_i + sqrt(1 - r) e < Phi^-1(quality), with z_i of the case, e of
    prompt and case, both standard normal, so that over cases the share right is the quality.
    """

    def __init__(
        self, quality: Quality, *, seed: int = 0, scale: Scale | None = None, shared: float = 0.5
    ) -> None:
        self.quality = quality
        self.seed = seed
        self.shared = shared
        self.scale = scale or Scale(binary=True)
        self.asked: list[tuple[str, str]] = []
        self.prompts: dict[str, Prompt] = {}
        self.now = 0.0
        """A clock that runs one second for each answer."""

    def right(self, prompt: Prompt, case: Case) -> bool:
        own = random.Random(f"{self.seed}/{prompt.fingerprint}/{case.id}").gauss(0, 1)
        common = random.Random(f"{self.seed}/{case.id}").gauss(0, 1)
        drawn = self.shared**0.5 * common + (1 - self.shared) ** 0.5 * own
        chance = min(max(self.quality(prompt), 1e-9), 1 - 1e-9)
        return bool(drawn < NORMAL.inv_cdf(chance))

    def clock(self) -> float:
        return self.now

    def __call__(self, prompt: Prompt, asked: Sequence[Case]) -> Run:
        self.prompts[prompt.fingerprint] = prompt
        arm = Arm(name="a", kind="prompted", model="scripted", prompt=prompt)
        responses, scores = [], []
        for case in asked:
            self.asked.append((prompt.fingerprint, case.id))
            self.now += 1.0
            responses.append(
                Response(
                    arm=arm.fingerprint,
                    question=case.question,
                    text="x",
                    n_input_tokens=10,
                    n_output_tokens=2,
                )
            )
            right = self.right(prompt, case)
            value = float(right if self.scale.better == "higher" else not right)
            scores.append(Score(metric="m", case_id=case.id, value=value))
        return Run(
            arm=arm,
            dataset=Dataset(name="dev", cases=tuple(asked)),
            metrics={"m": self.scale},
            n_repeats=1,
            responses=tuple(responses),
            scores=tuple(scores),
        )


def searched(
    model: Scripted,
    calls: int,
    *,
    by: By = "race",
    write: baseline.Write | None = None,
    offers: Offers = NOTHING,
    train: Dataset = TRAIN,
    dev: Dataset = DEV,
    start: Prompt = START,
    seed: int = 0,
) -> Ledger:
    """A search on the answerer, by its own clock."""
    return baseline.search(
        model,
        train,
        dev,
        start=start,
        budget=Budget(calls=calls),
        offers=offers,
        write=write,
        by=by,
        seed=seed,
        clock=model.clock,
    )
