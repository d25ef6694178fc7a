from __future__ import annotations

import math

import msgspec

from tests.report import fixture
from tests.report.effort import LEDGER
from tests.report.test_sentences import EXACT, NAN
from tuneornot.records import Check, Look, Scale, Sensitivity
from tuneornot.report import remarks


def test_a_contrast_in_one_sentence() -> None:
    given = msgspec.structs.replace(
        EXACT,
        mean=msgspec.structs.replace(EXACT.mean, p_value=0.0002),
        wins=34,
        ties=58,
        losses=8,
    )
    assert remarks.contrast(given) == (
        "Exact match rose from 11.0% to 33.0% on eval (100 cases): +22.0 points (95% interval"
        " +13.1 to +30.9, p < 0.001). tuned is better on 34, equal on 58 and worse on 8."
    )


def test_a_contrast_without_data() -> None:
    given = msgspec.structs.replace(EXACT, mean=NAN, n=0)
    assert (
        remarks.contrast(given) == "Exact match on eval (0 cases) is not determined by these data."
    )


def test_tails_leave_out_what_was_not_measured_and_say_what_is_not_determined() -> None:
    assert remarks.tails(EXACT) == ()
    graded = msgspec.structs.replace(EXACT, scale=Scale(), spread=NAN, worst_tenth=NAN)
    told = remarks.tails(graded)
    assert told == (
        "Spread between cases is not determined by these data.",
        "Mean of the worst tenth is not determined by these data.",
    )


def test_tails_of_a_yes_or_no_score_are_not_told_because_they_follow_from_its_mean() -> None:
    given = msgspec.structs.replace(EXACT, spread=EXACT.mean, worst_tenth=EXACT.mean)
    assert given.scale.binary
    assert remarks.tails(given) == ()


def test_unscored_cases_are_counted_for_the_arm_that_has_them() -> None:
    assert remarks.unscored(EXACT) == ""
    told = remarks.unscored(msgspec.structs.replace(EXACT, n_unscored=(0, 3)))
    assert told == "3 cases of tuned could not be scored: left out, not counted as zero."


def test_the_ledger_tells_effort_end_and_luck() -> None:
    effort, rising, luck = remarks.ledger(LEDGER, Scale(binary=True))
    assert effort == (
        "The search tried 14 prompts with 1,240 calls and 1,023,400 tokens in 2 min 28 s."
        " It ended because every candidate was raced."
    )
    assert "did not improve" in rising
    assert luck.endswith(
        "28.3% on the dev cases, of which about 2.1 points is expected luck of selection."
    )
    still = msgspec.structs.replace(LEDGER, still_rising=True, luck=math.nan)
    _, rising, luck = remarks.ledger(still, None)
    assert "a longer search may find a better prompt" in rising
    assert "not determined" in luck
    _, rising, _ = remarks.ledger(msgspec.structs.replace(LEDGER, gain=0.034), Scale(binary=True))
    assert rising.endswith("Twice the effort would probably have helped by about 3.4 points.")
    _, rising, _ = remarks.ledger(msgspec.structs.replace(LEDGER, gain=0.0), Scale(binary=True))
    assert rising.endswith("Twice the effort would probably not have helped.")


def test_what_could_not_be_checked_did_not_fail() -> None:
    given = Check(name="template-parity", passed=None, detail="no tokens are shown.")
    assert remarks.check(given) == "Template parity was not checked: no tokens are shown."


def test_limits_tell_each_caveat_once_and_name_where_it_applies() -> None:
    told = remarks.limits(fixture.findings())
    seeds = [text for text in told if "one training seed only" in text]
    assert seeds == [
        "Exact match on eval, Exact match on unseen-reporters: one training seed only."
    ]
    assert any("'bankruptcy' has 7 cases" in text for text in told)


def test_limits_tell_failed_checks_changed_plans_and_a_search_that_was_cut_short() -> None:
    findings = fixture.findings()
    check = msgspec.structs.replace(findings.comparisons[0].checks[0], passed=False)
    comparison = msgspec.structs.replace(findings.comparisons[0], checks=(check,))
    changed = msgspec.structs.replace(
        findings,
        comparisons=(comparison,),
        plan_changes=("feed0123",),
        ledgers={"prompted": msgspec.structs.replace(LEDGER, still_rising=True)},
    )
    told = " ".join(remarks.limits(changed))
    assert "Adapter loaded failed" in told
    assert "plan was changed 1 time" in told
    assert "still improving when it ended" in told


def test_looks_are_counted_by_set() -> None:
    findings = fixture.findings()
    more = Look(dataset="eval", arm="tuned", plan=findings.plan, at="2026-11-26T00:00:00Z")
    told = remarks.looks(msgspec.structs.replace(findings, looks=(*findings.looks, more)))
    assert told[:2] == (
        "The set eval was looked at 3 times.",
        "The set unseen-reporters was looked at 2 times.",
    )


def test_sensitivity_in_words() -> None:
    assert [
        remarks.sensitivity(Sensitivity(change=change, outcome="tune"), fixture.findings())
        for change in (
            "worthwhile=0.2",
            "guardrail spread(field_match)@eval=1.5",
            "primary=field_match",
            "without slice=a=b",
            "odd",
        )
    ] == [
        "If a gain above 20 points were worthwhile",
        "If the guardrail were: spread of field match on eval, within 1.50 times",
        "If Field match were the primary metric",
        "Without the cases of the slice a=b",
        "With odd",
    ]


def test_the_rule_is_told_in_full() -> None:
    told = remarks.rule(fixture.findings())
    assert told[0] == "Primary metric: exact match; worthwhile is a gain above 5 points."
    assert len(told) == 2 + 4
    assert told[3] == "Guardrail: spread of field match on eval, within 1.25 times."
