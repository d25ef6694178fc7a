"""Public sets of cases as studies: what each asks, how it is judged, and its folder.

A folder is an ordinary study: ``study.yaml`` with ``train.jsonl``, ``dev.jsonl`` and
``eval.jsonl``, drawn by seed from the set's own training and evaluation rows after training rows
that repeat an evaluation row were dropped.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tuneornot import dataset
from tuneornot.records import Case, Dataset, Splits


class Plan(NamedTuple):
    """How one set becomes a study."""

    task: str
    primary: str
    graded: str
    """What prompts are raced by."""
    max_tokens: int
    as_json: bool = False
    """The expected answers are JSON written as text."""


LABEL = ("normalised_match", "normalised_match")
FIELDS = ("exact_match", "field_match")
PLANS = {
    "clinc_banking15": Plan(
        "Name the banking intent of the request. Answer with one label: account_blocked, balance, "
        "bill_balance, bill_due, freeze_account, interest_rate, min_payment, order_checks, "
        "pay_bill, pin_change, report_fraud, routing, spending_history, transactions, transfer.",
        *LABEL,
        max_tokens=12,
    ),
    "sms_spam": Plan("Is the text message spam or ham? Answer with one word.", *LABEL, 6),
    "politeness": Plan("Is the request polite or impolite? Answer with one word.", *LABEL, 6),
    "snips_slots": Plan(
        'Give the intent and the slots of the utterance as JSON: {"intent": NAME, "slots": '
        "{NAME: VALUE}}.",
        *FIELDS,
        max_tokens=80,
        as_json=True,
    ),
    "nlupp_multi_intent": Plan(
        'Give every intent and the slots of the message as JSON: {"intents": [NAME], "slots": '
        "{NAME: VALUE}}.",
        *FIELDS,
        max_tokens=80,
        as_json=True,
    ),
    "dstc8_slots": Plan(
        "Give the slots that the message fills as a flat JSON object, word for word; {} if none.",
        *FIELDS,
        max_tokens=60,
        as_json=True,
    ),
}


class Sizes(NamedTuple):
    """Cases in each part, calls of the search, training seeds."""

    train: int = 400
    dev: int = 60
    eval: int = 500
    calls: int = 300
    seeds: tuple[int, ...] = (1, 2)


def write(name: str, source: Path, folder: Path, sizes: Sizes, *, seed: int = 0) -> Path:
    """Write the study of a set; returns its ``study.yaml``.

    Args:
        name: of ``PLANS``.
        source: the set's folder with ``train.jsonl`` and ``eval.jsonl``.
        folder: made if missing; a study that stands there is left as it is.
        sizes: how much of the set is used.
        seed: of the draw.
    """
    file = folder / "study.yaml"
    if file.exists():
        return file
    folder.mkdir(parents=True, exist_ok=True)
    plan, draw = PLANS[name], random.Random(seed)
    teaching, judging = (_cases(source / f"{part}.jsonl", plan) for part in ("train", "eval"))
    judged = draw.sample(judging, min(sizes.eval, len(judging)))
    # Rather more than is used, because those that repeat an evaluation row are dropped.
    drawn = draw.sample(teaching, min(3 * (sizes.train + sizes.dev), len(teaching)))
    train, dev = _apart(drawn[sizes.dev * 2 :], drawn[: sizes.dev * 2], judged)
    # What is a repeat hangs on how rare its answer is, so what is cut is looked at again.
    train, dev = _apart(train[: sizes.train], dev[: sizes.dev], judged)
    for part, cases in (("train", train), ("dev", dev), ("eval", judged)):
        _lines(cases, folder / f"{part}.jsonl")
    file.write_bytes(msgspec.yaml.encode(_study(name, plan, sizes)))
    return file


def _apart(
    train: Sequence[Case], dev: Sequence[Case], judging: Sequence[Case]
) -> tuple[Sequence[Case], Sequence[Case]]:
    """Train and dev without what repeats a case that judges or, in train, one of dev."""
    splits, _ = dataset.without_overlap(
        Splits(
            train=Dataset(name="train", cases=tuple(train)),
            dev=Dataset(name="dev", cases=tuple(dev)),
            eval=Dataset(name="eval", cases=tuple(judging)),
        )
    )
    return splits.train.cases, splits.dev.cases


def _cases(path: Path, plan: Plan) -> list[Case]:
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        expected = json.loads(row["expected"]) if plan.as_json else row["expected"]
        found.append(Case(id=row["id"], input=row["input"], expected=expected))
    return found


def _lines(cases: Sequence[Case], path: Path) -> None:
    rows = ({"id": one.id, "input": one.input, "expected": one.expected} for one in cases)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")


def _study(name: str, plan: Plan, sizes: Sizes) -> dict[str, Any]:
    model = "local:smollm2-135m"
    return {
        "study": name,
        "task": plan.task,
        "data": {part: f"{part}.jsonl" for part in ("train", "dev", "eval")},
        "arms": {
            "searched": {"model": model, "search": {"calls": sizes.calls, "metric": plan.graded}},
            "bare": {"model": model},
            "tuned": {"model": model, "tune": {"seeds": [*sizes.seeds]}},
        },
        "metrics": list(dict.fromkeys([plan.primary, plan.graded])),
        "sampling": {"max_tokens": plan.max_tokens},
        "decide": {"primary": plan.primary, "worthwhile": 0.05, "baseline": "searched"},
    }
