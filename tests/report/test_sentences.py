from __future__ import annotations

import math
from typing import Literal

import msgspec
import pytest

from tests.report import fixture
from tuneornot.records import (
    Check,
    Comparison,
    Contrast,
    Estimate,
    Findings,
    Further,
    Quantity,
    Reason,
    Role,
    Scale,
    Stage,
    Verdict,
)
from tuneornot.report import markdown, pages, sentences

NAN = Estimate(value=math.nan, low=math.nan, high=math.nan, lower=math.nan, upper=math.nan)


def estimate(value: float, low: float, high: float) -> Estimate:
    """With one-sided bounds a tenth of the way in, as they are always inside the two-sided ones."""
    inside = (value - low) * 0.1, (high - value) * 0.1
    return Estimate(value=value, low=low, high=high, lower=low + inside[0], upper=high - inside[1])


def level(value: float) -> Estimate:
    return estimate(value, value - 0.01, value + 0.01)


EXACT = Contrast(
    metric="exact_match",
    dataset="eval",
    baseline="prompted",
    candidate="tuned",
    scale=Scale(binary=True),
    n=100,
    baseline_mean=level(0.11),
    candidate_mean=level(0.33),
    mean=estimate(0.22, 0.131, 0.309),
)
LATENCY = Contrast(
    metric="latency",
    dataset="eval",
    baseline="prompted",
    candidate="tuned",
    scale=Scale(better="lower", high=None, unit="s"),
    n=12,
    baseline_mean=level(2.4),
    candidate_mean=level(0.61),
    mean=estimate(1.79, 1.5, 2.0),
    ratio=estimate(0.256, 0.23, 0.29),
)
COMPARISON = Comparison(
    baseline="prompted",
    candidate="tuned",
    alpha=0.05,
    contrasts=(EXACT, LATENCY),
    checks=(Check(name="adapter-loaded", passed=False, detail="0 of 16 answers differ."),),
)


def reason(
    role: Role,
    quantity: Quantity,
    threshold: float | None,
    seen: Estimate | None,
    *,
    holds: bool | None,
    n_more: int | None = None,
    metric: str = "exact_match",
    dataset: str = "eval",
) -> Reason:
    return Reason(
        role=role,
        metric=metric,
        dataset=dataset,
        quantity=quantity,
        threshold=threshold,
        estimate=seen,
        holds=holds,
        n_more=n_more,
    )


def test_a_primary_that_holds() -> None:
    given = reason("primary", "mean", 0.05, EXACT.mean, holds=True)
    assert sentences.reason(given, COMPARISON) == (
        "Exact match rose from 11.0% to 33.0%: +22.0 points (95% interval +13.1 to +30.9),"
        " above the 5 points that the study calls worthwhile."
    )


def test_a_primary_that_is_too_small() -> None:
    given = reason("primary", "mean", 0.35, EXACT.mean, holds=False)
    assert sentences.reason(given, COMPARISON).endswith(
        "(95% interval +13.1 to +30.9), with confidence less than the 35 points that the study"
        " calls worthwhile."
    )


def test_a_primary_that_is_open_says_how_many_more_cases() -> None:
    given = reason("primary", "mean", 0.2, EXACT.mean, holds=None, n_more=137)
    assert sentences.reason(given, COMPARISON).endswith(
        "; whether it reaches the 20 points that the study calls worthwhile is not resolved; about"
        " 140 more cases would probably settle it."
    )
    hopeless = reason("primary", "mean", 0.2, EXACT.mean, holds=None)
    told = sentences.reason(hopeless, COMPARISON)
    assert "no number of further cases can be named that would probably settle it" in told


def test_a_number_that_waits_for_nothing_new_to_show_says_so() -> None:
    """0 of 100 lost leave 2.95% open, which no noise explains; 2 of 100 are mostly noise."""
    new = ", if they show no failure that the cases so far have not shown"
    for noise, supposed in ((0.0, True), (0.0141, False), (None, False)):
        found = msgspec.structs.replace(
            estimate(0.0, -0.036, 0.036), lower=-0.0295, upper=0.0295, noise=noise
        )
        given = reason("guardrail", "mean", -0.02, found, holds=None, n_more=49)
        assert (new in sentences.reason(given, COMPARISON)) == supposed
        headline = sentences.headline(
            study("not-yet", given, n_more=49).verdicts[0], study("not-yet", given, n_more=49)
        )
        assert (new in headline) == supposed


def test_a_claim_that_only_the_one_sided_bound_carries_shows_that_bound() -> None:
    seen = Estimate(value=0.22, low=0.049, high=0.39, lower=0.061, upper=0.38)
    told = sentences.reason(reason("primary", "mean", 0.05, seen, holds=True), COMPARISON)
    assert "(95% interval +4.9 to +39.0; at least +6.1 points with 95% confidence), above" in told


def test_an_interval_beyond_the_line_without_the_stricter_level_is_explained() -> None:
    seen = Estimate(value=-0.1, low=-0.19, high=-0.03, lower=-0.18, upper=-0.04)
    given = reason("guardrail", "mean", -0.02, seen, holds=None, n_more=30)
    told = sentences.reason(given, COMPARISON)
    assert told.endswith("is not resolved at the stricter level that a rejection needs.")


@pytest.mark.parametrize(
    ("holds", "ending"),
    [
        (True, "; a loss of more than the 2 points allowed is excluded."),
        (False, "; a loss of more than the 2 points allowed is shown."),
        (
            None,
            "; whether there is a loss of more than the 2 points allowed is not resolved;"
            " about 80 more cases would probably settle it.",
        ),
    ],
)
def test_guardrails_on_a_mean(holds: bool | None, ending: str) -> None:
    seen = estimate(-0.01, -0.05, 0.03)
    given = reason("guardrail", "mean", -0.02, seen, holds=holds, n_more=80)
    assert sentences.reason(given, COMPARISON).endswith(ending)


@pytest.mark.parametrize(
    ("quantity", "beginning"),
    [
        ("spread", "Spread between cases of exact match is 1.08 times the baseline's"),
        ("instability", "Instability between repeats of exact match: +108.0 points"),
        ("worst_tenth", "Worst tenth of exact match: +108.0 points"),
        ("catastrophic", "Total failures in exact match: +108.0 points"),
    ],
)
def test_every_quantity_is_named(quantity: Quantity, beginning: str) -> None:
    given = reason("guardrail", quantity, 1.25, estimate(1.08, 0.93, 1.22), holds=True)
    assert sentences.reason(given, COMPARISON).startswith(beginning)


@pytest.mark.parametrize(
    ("holds", "ending"),
    [
        (True, ", below the limit of 1.25 times."),
        (False, ", with confidence above the limit of 1.25 times."),
        (
            None,
            "; whether it stays below the limit of 1.25 times is not resolved; about 60 more cases"
            " would probably settle it.",
        ),
    ],
)
def test_ratios_are_held_below_a_limit(holds: bool | None, ending: str) -> None:
    given = reason("guardrail", "spread", 1.25, estimate(1.0, 0.9, 1.1), holds=holds, n_more=60)
    assert sentences.reason(given, COMPARISON).endswith(ending)


def test_more_instability_is_an_increase_not_a_loss() -> None:
    given = reason("guardrail", "instability", 0.05, estimate(0.0, -0.01, 0.02), holds=True)
    assert "an increase of more than the 5 points allowed is excluded" in sentences.reason(
        given, COMPARISON
    )


def test_equivalence_and_economy() -> None:
    equal = reason("equivalence", "mean", -0.03, estimate(0.004, -0.019, 0.027), holds=True)
    assert sentences.reason(equal, COMPARISON).endswith(
        "; a loss of more than the 3 points that still count as equivalent is excluded."
    )
    cheap = reason("economy", "ratio", 0.5, LATENCY.ratio, holds=True, metric="latency")
    assert sentences.reason(cheap, COMPARISON) == (
        "Latency is 0.26 times the baseline's (95% interval 0.23 to 0.29), below the limit of"
        " 0.50 times."
    )


@pytest.mark.parametrize(
    ("holds", "state"), [(True, "passed"), (False, "failed"), (None, "could not be made")]
)
def test_checks_tell_their_detail(holds: bool | None, state: str) -> None:
    given = reason("check", "check", None, None, holds=holds, metric="adapter-loaded", dataset="")
    told = sentences.reason(given, COMPARISON)
    assert told == f"Check adapter loaded {state}: 0 of 16 answers differ."


@pytest.mark.parametrize("seen", [None, NAN])
@pytest.mark.parametrize("quantity", ["mean", "spread", "worst_tenth", "ratio"])
def test_what_is_not_determined_is_said_so(
    seen: Estimate | None, quantity: Literal["mean", "spread", "worst_tenth", "ratio"]
) -> None:
    given = reason("guardrail", quantity, -0.05, seen, holds=None)
    told = sentences.reason(given, COMPARISON)
    assert "is not determined by these data" in told
    assert "nan" not in told.lower()


def test_a_reason_without_its_contrast_is_still_told() -> None:
    given = reason("guardrail", "mean", -0.02, level(0.1), holds=True, metric="gone")
    assert sentences.reason(given, COMPARISON).startswith("Gone: +0.100 (95% interval")
    assert sentences.reason(given, None).startswith("Gone: +0.100")


def study(outcome: str, *reasons: Reason, n_more: int | None = None) -> Findings:
    given = msgspec.structs.replace(fixture.findings(), comparisons=(COMPARISON,))
    verdict = msgspec.structs.replace(
        given.verdicts[0], outcome=outcome, reasons=reasons, n_more=n_more
    )
    return msgspec.structs.replace(given, verdicts=(verdict,))


GAIN = reason("primary", "mean", 0.05, EXACT.mean, holds=True)
NO_GAIN = reason("primary", "mean", 0.35, EXACT.mean, holds=False)
OPEN_GAIN = reason("primary", "mean", 0.2, EXACT.mean, holds=None, n_more=140)
SCHEMA = reason("guardrail", "mean", -0.02, level(-0.1), holds=False, metric="json_schema")
OPEN_TAIL = reason("guardrail", "worst_tenth", -0.05, level(0.0), holds=None, n_more=140)
EQUAL = reason("equivalence", "mean", -0.03, level(0.0), holds=True)
CHEAP = reason("economy", "ratio", 0.5, LATENCY.ratio, holds=True, metric="latency")
DEAD = reason("check", "check", None, None, holds=False, metric="adapter-loaded", dataset="")


@pytest.mark.parametrize(
    ("findings", "headline"),
    [
        (
            study("tune", GAIN),
            "Fine-tune: tuned is better than prompted by 22.0 points in exact match, and the"
            " study guards nothing else.",
        ),
        (
            study("tune", OPEN_GAIN, EQUAL, CHEAP, SCHEMA),
            "Fine-tune: tuned answers as well as prompted at 0.26 times the latency, and nothing"
            " that must not be lost was lost.",
        ),
        (
            study("keep-prompting", NO_GAIN, SCHEMA),
            "Keep prompting: tuned gains at most 30.0 points in exact match, less than the 35"
            " points that would be worth the trouble.",
        ),
        (
            study("keep-prompting", GAIN, SCHEMA),
            "Keep prompting: JSON schema got worse than the study allows.",
        ),
        (
            study("not-yet", OPEN_GAIN, n_more=137),
            "Not yet: whether the gain in exact match is worthwhile is unresolved; about 140 more"
            " cases would probably settle it.",
        ),
        (
            study("not-yet", GAIN, OPEN_TAIL, n_more=137),
            "Not yet: a worthwhile gain is shown, but whether worst tenth of exact match stays"
            " within what the study allows is unresolved; about 140 more cases would probably"
            " settle it.",
        ),
        (
            study("not-yet", OPEN_GAIN, OPEN_TAIL),
            "Not yet: 2 of 2 requirements are unresolved, and no number of further cases"
            " can be named that would probably settle it.",
        ),
        (
            study("blocked", DEAD, GAIN),
            "Blocked: adapter loaded failed for tuned, so these figures must not be acted on.",
        ),
    ],
)
def test_headlines(findings: Findings, headline: str) -> None:
    assert sentences.headline(findings.verdicts[0], findings) == headline


@pytest.mark.parametrize("outcome", ["tune", "keep-prompting", "not-yet", "blocked"])
def test_every_outcome_has_a_headline_and_advice_without_any_reason(outcome: str) -> None:
    findings = study(outcome)
    verdict = findings.verdicts[0]
    for told in (sentences.headline(verdict, findings), sentences.advice(verdict)):
        assert told.endswith(".")
        assert "None" not in told


def test_advice_for_more_cases_gives_their_number_and_never_asks_to_move_a_margin() -> None:
    wanted = sentences.advice(study("not-yet", OPEN_GAIN, n_more=137).verdicts[0])
    assert wanted.startswith("Add about 140 cases to the evaluation set")
    hopeless = sentences.advice(study("not-yet", OPEN_GAIN).verdicts[0])
    assert hopeless.startswith("Stay with prompted for now.")
    assert "margin" not in hopeless


def test_a_candidate_that_is_not_tuned_is_chosen_not_tuned() -> None:
    findings = study("tune", GAIN)
    run = findings.runs[-1]
    large = msgspec.structs.replace(
        run, arm=msgspec.structs.replace(run.arm, kind="prompted", adapter=None)
    )
    findings = msgspec.structs.replace(findings, runs=(*findings.runs[:1], large))
    assert sentences.headline(findings.verdicts[0], findings).startswith("Choose tuned: ")
    findings = msgspec.structs.replace(findings, verdicts=study("keep-prompting", NO_GAIN).verdicts)
    assert sentences.headline(findings.verdicts[0], findings).startswith("Keep prompted: ")


def test_passed_checks_are_read_last_and_failed_ones_stay_where_they_are() -> None:
    passed = msgspec.structs.replace(DEAD, holds=True)
    verdict = study("tune", passed, GAIN).verdicts[0]
    assert sentences.by_weight(verdict) == (GAIN, passed)
    verdict = study("blocked", DEAD, GAIN).verdicts[0]
    assert sentences.by_weight(verdict) == (DEAD, GAIN)


STAGE = Stage(n=100, alpha=0.05)


def open_verdict(**changes: object) -> Verdict:
    given = msgspec.structs.replace(fixture.findings().verdicts[0], outcome="not-yet", n_more=137)
    return msgspec.structs.replace(given, **changes)


def test_open_verdicts_say_what_further_cases_take() -> None:
    took = Further(
        n_cases=137, n_calls=411, n_tokens=91_234.5, minutes=2.5, money=0.4321, currency="USD"
    )
    assert sentences.advice(open_verdict(further=took)).endswith(
        "To ask all arms takes 411 calls, about 92,000 tokens, 2 min 30 s, 0.432 USD, as so far."
    )
    less = Further(n_cases=137, n_calls=274)
    assert sentences.advice(open_verdict(further=less)).endswith("takes 274 calls, as so far.")


@pytest.mark.parametrize(
    ("stage", "told"),
    [
        (
            STAGE,
            "A further look is not planned: over all looks either wrong verdict would then have"
            " a probability of up to 10%, not 5%.",
        ),
        (Stage(n=200, earlier=(100,), alpha=0.05), "a probability of up to 15%, not 5%."),
        (
            Stage(n=100, planned=(100, 200), alpha=0.05),
            "A look at 200 cases is planned and shares the error rate.",
        ),
        (Stage(n=200, earlier=(100,), planned=(100, 200), alpha=0.05), "of up to 10%, not 5%."),
    ],
)
def test_open_verdicts_say_what_a_further_look_costs(stage: Stage, told: str) -> None:
    assert sentences.advice(open_verdict(stage=stage)).endswith(told)


def test_a_blocked_verdict_has_no_other_choices() -> None:
    given = fixture.with_verdict(outcome="blocked", sensitivity=())
    for text in (markdown.render(given), pages.render(given)):
        assert "no other margin, metric or choice of slices changes that" in text
        assert "the same under" not in text
