"""Records for the tests of the store."""

from __future__ import annotations

from tuneornot.records import (
    Adapter,
    Candidate,
    Check,
    CurvePoint,
    Estimate,
    Ledger,
    Progress,
    Prompt,
    Reason,
    Response,
    Verdict,
)

NAN = float("nan")


def response(
    i: int, text: str | None = "an answer", *, arm: str = "arm", repeat: int = 0
) -> Response:
    return Response(
        arm=arm,
        question=f"question-{i}",
        repeat=repeat,
        text=text,
        error=None if text is not None else "status 500",
        latency_s=0.25,
        n_output_tokens=3,
    )


def timing(latency_s: float | None) -> Response:
    return Response(
        arm="arm",
        question="q",
        purpose="latency",
        text=None if latency_s is None else "an answer",
        error="time-out" if latency_s is None else None,
        latency_s=latency_s,
    )


def adapter(seed: int) -> Adapter:
    return Adapter(
        path=f"adapters/{seed}",
        weights="w",
        model="local:m",
        data="d",
        seed=seed,
        settings={"rank": 8, "targets": ["q", "v"]},
        checks=(Check(name="loaded", passed=True, detail="16 of 16 answers differ"),),
        curve=(CurvePoint(step=1, epoch=0.5, train_loss=NAN),),
    )


def ledger(dev_mean: float) -> Ledger:
    return Ledger(
        candidates=(Candidate(name="plain", prompt=Prompt(), n_cases=20, mean=dev_mean),),
        progress=(Progress(n_calls=20, seconds=1.5, best=dev_mean),),
        n_calls=20,
        n_tokens=400,
        seconds=1.5,
        metric="exact_match",
        best="plain",
        dev_mean=dev_mean,
        luck=0.01,
        ended="every candidate raced",
        still_rising=False,
    )


def verdict(plan: str, value: float = 0.1) -> Verdict:
    estimate = Estimate(value=value, low=NAN, high=float("inf"), lower=0.0, upper=1.0)
    reason = Reason(
        role="primary",
        metric="exact_match",
        dataset="eval",
        quantity="mean",
        threshold=0.05,
        estimate=estimate,
        holds=None,
    )
    return Verdict(
        outcome="not-yet", baseline="prompted", candidate="tuned", plan=plan, reasons=(reason,)
    )
