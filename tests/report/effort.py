"""The simulated study's prompt search and training."""

from __future__ import annotations

import math

import numpy as np

from tuneornot.records import (
    Adapter,
    Candidate,
    Case,
    Check,
    CurvePoint,
    Ledger,
    Progress,
    Prompt,
)

_RNG = np.random.default_rng(5)
_STYLES = ("plain", "steps", "keys named", "strict", "example first", "terse", "as a clerk")


def _demonstrations(n: int) -> tuple[Case, ...]:
    return tuple(
        Case(
            id=f"train-{i:03d}",
            input=f"{100 + i} fed 2d {7 * i + 3} ({1980 + i})",
            expected={
                "volume": 100 + i,
                "reporter": "F.2d",
                "page": 7 * i + 3,
                "year": 1980 + i,
            },
        )
        for i in range(n)
    )


def _candidate(i: int) -> Candidate:
    style, shots = _STYLES[i % 7], (0, 4, 8, 12)[i % 4]
    dropped = None if i in (3, 8, 11) else "behind the leader on paired cases"
    return Candidate(
        name=f"{style}, {shots} demonstrations",
        prompt=Prompt(
            instructions=(
                "Convert the legal citation to JSON. Use the standard abbreviation of the reporter."
                + (" Work field by field: volume, reporter, page, year." if i % 2 else "")
            ),
            format_hint="" if i % 3 else 'Answer with {"volume", "reporter", "page", "year"} only.',
            demonstrations=_demonstrations(shots),
        ),
        n_cases=60 if dropped is None else 20,
        mean=0.283 if i == 3 else float(_RNG.uniform(0.0, 0.25)),
        dropped=dropped,
        p_value=None if dropped is None else float(_RNG.uniform(0.0005, 0.04)),
    )


LEDGER = Ledger(
    candidates=tuple(_candidate(i) for i in range(14)),
    progress=tuple(
        Progress(n_calls=n, seconds=n * 0.12, best=best)
        for n, best in (
            (20, 0.05),
            (80, 0.1),
            (180, 0.17),
            (420, 0.23),
            (700, 0.283),
            (1240, 0.283),
        )
    ),
    n_calls=1240,
    n_tokens=1_023_400,
    seconds=148.2,
    metric="exact_match",
    best="strict, 12 demonstrations",
    dev_mean=0.283,
    luck=0.021,
    ended="Every candidate was raced.",
    still_rising=False,
)

TUNED_ADAPTER = Adapter(
    path="adapters/tuned-seed1",
    weights="5d7ac0ffee1234567890",
    model="local:smollm2-135m",
    data="aa00bb11cc22dd33ee44",
    seed=1,
    settings={"method": "lora", "rank": 16, "learning_rate": 0.001, "epochs": 2},
    versions={"torch": "2.13.0", "peft": "0.21.0"},
    checks=(
        Check(name="adapter-loaded", passed=True, detail="14 of 16 answers differ from the base."),
        Check(name="template-parity", passed=True, detail="400 of 400 prompts equal, by token."),
        Check(name="nothing-cut", passed=True, detail="0 of 400 examples are longer than 512."),
    ),
    curve=tuple(
        CurvePoint(
            step=10 * i,
            epoch=i / 5,
            train_loss=1.9 * math.exp(-i / 2.5) + 0.11 + 0.02 * (i % 2),
            dev_loss=1.8 * math.exp(-i / 2.2) + 0.19 + 0.004 * i if i % 2 == 0 else None,
        )
        for i in range(11)
    ),
    seconds=171.0,
)
