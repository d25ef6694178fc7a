from __future__ import annotations

import math

import msgspec
import pytest

from tuneornot import decide
from tuneornot.records import (
    Check,
    Claim,
    Comparison,
    Contrast,
    Economy,
    Estimate,
    Guardrail,
    Outcome,
    Rule,
    Scale,
    Verdict,
)
from tuneornot.stats import planning

WIDE, NARROW = 0.10, 0.01
RULE = Rule(
    primary="exact_match",
    worthwhile=0.05,
    guardrails=(
        Guardrail(metric="json_schema", dataset="eval", quantity="mean", margin=0.02),
        Guardrail(metric="exact_match", dataset="eval", quantity="spread", margin=1.25),
    ),
)


def around(value: float, half: float) -> Estimate:
    return Estimate(
        value=value,
        low=value - half,
        high=value + half,
        lower=value - 0.84 * half,
        upper=value + 0.84 * half,
    )


def contrast(
    metric: str, gain: Estimate, *, spread: Estimate | None = None, ratio: Estimate | None = None
) -> Contrast:
    flat = around(0.5, 0.1)
    return Contrast(
        metric=metric,
        dataset="eval",
        baseline="prompted",
        candidate="tuned",
        scale=Scale(),
        n=100,
        baseline_mean=flat,
        candidate_mean=flat,
        mean=gain,
        spread=spread,
        ratio=ratio,
    )


def comparison(
    gain: Estimate, schema: Estimate, spread: Estimate, *checks: Check, ratio: float = 1.0
) -> Comparison:
    return Comparison(
        baseline="prompted",
        candidate="tuned",
        alpha=0.05,
        contrasts=(
            contrast("exact_match", gain, spread=spread),
            contrast("json_schema", schema),
            contrast("latency", around(0, 0.1), ratio=around(ratio, 0.02)),
        ),
        checks=checks,
    )


def held(made: Comparison, strict: Comparison | None = None) -> decide.Evidence:
    """What a comparison says, at any error rate; at rates below 0.05 what a stricter one says."""

    def evidence(claim: Claim, alpha: float) -> Estimate | None:
        chosen = strict if strict is not None and alpha < 0.05 else made
        contrast = chosen.contrast(claim.metric, claim.dataset)
        found: Estimate | None = getattr(contrast, claim.quantity) if contrast else None
        return found

    return evidence


def judged(made: Comparison, rule: Rule = RULE, *, strict: Comparison | None = None) -> Verdict:
    return decide.verdict(made, held(made, strict), rule, plan="p")


GOOD = (around(0.0, NARROW), around(1.0, 0.05))


@pytest.mark.parametrize(
    ("gain", "schema", "spread", "outcome"),
    [
        (around(0.20, WIDE), *GOOD, "tune"),
        (around(0.02, NARROW), *GOOD, "keep-prompting"),
        (around(0.08, WIDE), *GOOD, "not-yet"),
        # A shown gain is not enough while a guardrail is open, and worth nothing once it is broken.
        (around(0.20, WIDE), around(-0.01, WIDE), GOOD[1], "not-yet"),
        (around(0.20, WIDE), around(-0.20, WIDE), GOOD[1], "keep-prompting"),
        (around(0.20, WIDE), GOOD[0], around(1.6, 0.1), "keep-prompting"),
        # What the data do not determine resolves nothing.
        (around(math.nan, 0), *GOOD, "not-yet"),
        (around(0.20, WIDE), GOOD[0], around(math.nan, 0), "not-yet"),
    ],
)
def test_the_first_route(
    gain: Estimate, schema: Estimate, spread: Estimate, outcome: Outcome
) -> None:
    made = comparison(gain, schema, spread)
    found = judged(made)
    assert found.outcome == outcome
    assert found.plan == "p"
    assert [reason.role for reason in found.reasons] == ["primary", "guardrail", "guardrail"]


@pytest.mark.parametrize(
    ("gain", "ratio", "outcome"),
    [
        (around(0.0, 0.02), 0.2, "tune"),
        (around(0.0, 0.02), 0.9, "keep-prompting"),
        (around(0.0, WIDE), 0.2, "not-yet"),
        (around(-0.2, WIDE), 0.2, "keep-prompting"),
        (around(0.2, WIDE), 0.9, "tune"),
    ],
)
def test_the_second_route(gain: Estimate, ratio: float, outcome: Outcome) -> None:
    made = comparison(gain, *GOOD, ratio=ratio)
    assert judged(made, both_routes()).outcome == outcome


def both_routes(*guardrails: Guardrail) -> Rule:
    return Rule(
        primary="exact_match",
        worthwhile=0.05,
        guardrails=guardrails,
        equivalent=0.05,
        economy=Economy(metric="latency", factor=3),
    )


def test_one_route_shows_every_claim_at_alpha_and_shares_it_among_refutations() -> None:
    assert decide.levels(RULE, "primary") == pytest.approx((0.05, 0.05 / 3))
    assert decide.levels(RULE, "guardrail") == pytest.approx((0.05, 0.05 / 3))


def test_what_any_wrong_verdict_can_come_from_adds_up_to_alpha() -> None:
    rule = both_routes(*RULE.guardrails)
    gain, equal, cheap, rail = (
        decide.levels(rule, role) for role in ("primary", "equivalence", "economy", "guardrail")
    )
    # Wrong tune: a guardrail; or neither gain nor economy; or no equivalence, and so no gain.
    assert rail.shown == pytest.approx(rule.alpha)
    assert gain.shown + cheap.shown == pytest.approx(rule.alpha)
    assert equal.shown == pytest.approx(rule.alpha)
    # Wrong keep-prompting: either guardrail, with the first route or with the second.
    assert 2 * rail.refuted + gain.refuted == pytest.approx(rule.alpha)
    assert 2 * rail.refuted + equal.refuted + cheap.refuted == pytest.approx(rule.alpha)


def test_a_claim_is_told_with_the_bound_that_refutes_it() -> None:
    # Two routes and no guardrail: the gain is shown at 0.025 and refuted at 0.05.
    usual = comparison(around(-0.02, 0.06), *GOOD, ratio=0.9)
    strict = comparison(around(-0.02, 0.12), *GOOD, ratio=0.9)
    found = judged(usual, both_routes(), strict=strict)
    assert found.outcome == "keep-prompting"
    assert found.reasons[0].holds is False
    assert found.reasons[0].estimate == usual.contrasts[0].mean


def test_several_candidates_or_looks_spend_less() -> None:
    asked: list[float] = []
    made = comparison(around(0.2, 0.1), *GOOD)

    def evidence(claim: Claim, alpha: float) -> Estimate | None:
        asked.append(alpha)
        return held(made)(claim, alpha)

    decide.verdict(made, evidence, RULE, spend=lambda alpha: alpha / 4)
    assert sorted(set(asked)) == pytest.approx([0.05 / 12, 0.05 / 4])


def test_a_failed_check_blocks_whatever_the_scores() -> None:
    loaded = Check(name="adapter-loaded", passed=False, detail="0 of 16 answers differ")
    made = comparison(around(0.20, WIDE), *GOOD, loaded)
    assert judged(made).outcome == "blocked"


def test_a_failed_check_that_does_not_block_is_a_caveat() -> None:
    loss = Check(name="dev-loss-fell", passed=False, detail="1.2 to 1.3", blocking=False)
    made = comparison(around(0.20, WIDE), *GOOD, loss)
    found = judged(made)
    assert found.outcome == "tune"
    assert any("dev-loss-fell" in caveat for caveat in found.caveats)


def test_losing_needs_the_stricter_evidence() -> None:
    usual = comparison(around(0.0, 0.045), *GOOD)
    strict = comparison(around(0.0, 0.07), *GOOD)
    assert judged(usual).outcome == "keep-prompting"
    assert judged(usual, strict=strict).outcome == "not-yet"


def test_winning_does_not_need_it() -> None:
    usual = comparison(around(0.2, 0.1), *GOOD)
    strict = comparison(around(0.2, 0.5), *GOOD)
    assert judged(usual, strict=strict).outcome == "tune"


def test_not_yet_says_how_many_more() -> None:
    made = comparison(around(0.12, WIDE), *GOOD)
    found = judged(made)
    assert found.outcome == "not-yet"
    assert found.n_more is not None
    assert 0 < found.n_more < 1000
    assert found.n_more == found.reasons[0].n_more


def test_an_unmeasured_guardrail_is_open_and_told() -> None:
    made = comparison(around(0.20, WIDE), *GOOD)
    rail = Guardrail(metric="exact_match", dataset="later", quantity="mean", margin=0.1)
    found = judged(made, Rule(primary="exact_match", worthwhile=0, guardrails=(rail,)))
    assert found.outcome == "not-yet"
    assert "exact_match was not measured on later" in found.caveats


def test_sensitivity_puts_what_would_differ_first() -> None:
    made = comparison(around(0.08, 0.05), *GOOD)
    own = judged(made).outcome
    found = decide.sensitivity(made, {"": (held(made), RULE)}, own)
    outcomes = {one.change: one.outcome for one in found}
    assert own == "not-yet"
    margins = {"worthwhile=0": "tune", "worthwhile=0.025": "tune", "worthwhile=0.1": own}
    rails = [f"mean(json_schema)@eval={margin}" for margin in ("0.01", "0.04")]
    rails += [f"spread(exact_match)@eval={margin}" for margin in ("1.118", "1.562")]
    assert outcomes == {**margins, **{f"guardrail {rail}": own for rail in rails}}
    assert [one.outcome == own for one in found] == [False, False, *5 * [True]]


def test_a_guardrail_that_is_too_tight_for_the_cases_is_found() -> None:
    """A shown gain, and a format that may lose 0.03: open at 0.02, shown at 0.04."""
    made = comparison(around(0.20, WIDE), around(0.0, 0.03), GOOD[1])
    own = judged(made).outcome
    found = decide.sensitivity(made, {"": (held(made), RULE)}, own)
    assert own == "not-yet"
    assert [one.change for one in found if one.outcome == "tune"] == [
        "guardrail mean(json_schema)@eval=0.04"
    ]


def test_where_a_check_blocks_no_other_choice_is_tried() -> None:
    loaded = Check(name="adapter-loaded", passed=False, detail="0 of 16 answers differ")
    made = comparison(around(0.20, WIDE), *GOOD, loaded)
    assert decide.sensitivity(made, {"": (held(made), RULE)}, "blocked") == ()


def test_claims_that_so_few_cases_cannot_show_are_told() -> None:
    sizes, scales = {"eval": 100}, {"json_schema": Scale(binary=True), "exact_match": Scale()}
    [(claim, least)] = decide.out_of_reach(RULE, sizes, scales)
    assert (claim.metric, claim.threshold) == ("json_schema", -0.02)
    assert least is not None
    assert decide.out_of_reach(RULE, {"eval": least}, scales) == ()
    [(_, shared)] = decide.out_of_reach(RULE, sizes, scales, spend=lambda alpha: alpha / 2)
    assert shared is not None
    assert shared > least
    equal = msgspec.structs.replace(both_routes(), equivalent=0.001)
    [(claim, _)] = decide.out_of_reach(equal, sizes, {"exact_match": Scale(binary=True)})
    assert claim.role == "equivalence"


def test_a_gain_that_not_even_a_gain_of_every_case_would_show_is_told() -> None:
    scales = {"exact_match": Scale(binary=True)}
    greedy = Rule(primary="exact_match", worthwhile=0.95)
    [(claim, least)] = decide.out_of_reach(greedy, {"eval": 30}, scales)
    assert claim.role == "primary"
    # A difference of 0.95 leaves wins a rate of up to 0.975: all of n win with 0.975^n, below 0.05.
    assert least == math.ceil(math.log(0.05) / math.log(0.975))
    assert decide.out_of_reach(greedy, {"eval": least}, scales) == ()
    [(_, none)] = decide.out_of_reach(
        msgspec.structs.replace(greedy, worthwhile=1.0), {"eval": 30}, scales
    )
    assert none is None


def test_a_rate_of_the_worst_score_is_told_as_a_mean_is() -> None:
    rail = Guardrail(metric="grade", dataset="eval", quantity="catastrophic", margin=0.02)
    rule = Rule(primary="grade", worthwhile=0.05, guardrails=(rail,))
    [(claim, least)] = decide.out_of_reach(rule, {"eval": 100}, {"grade": Scale()})
    assert claim.quantity == "catastrophic"
    assert least == planning.cases_to_exclude(0.02)
    assert decide.out_of_reach(rule, {"eval": 100}, {"grade": Scale(low=None, high=None)}) == ()


def named(name: str, gain: Estimate) -> Verdict:
    made = msgspec.structs.replace(comparison(gain, *GOOD), candidate=name)
    return judged(made)


def test_the_recommended_arm_gains_most_with_confidence() -> None:
    sure, hopeful = named("sure", around(0.20, 0.02)), named("hopeful", around(0.25, 0.15))
    lost, unclear = named("lost", around(0.0, NARROW)), named("unclear", around(0.08, WIDE))
    assert decide.recommend([hopeful, sure, lost]) == "sure"
    assert decide.recommend([lost, lost]) == "prompted"
    assert decide.recommend([lost, unclear]) is None
    assert decide.recommend([]) is None
