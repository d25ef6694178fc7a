"""The time to the first token: compared where both arms tell it, missed where one does not."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests import world
from tuneornot import findings
from tuneornot.models.base import Reply, Request
from tuneornot.models.scripted import Answers, ScriptedModel
from tuneornot.report import casewise

RULE = "  guardrails: {first_token: 2}\n"


def timed(name: str, first_token_s: float | None) -> ScriptedModel:
    """A model of high quality that tells when its answers begin."""
    plain: Answers = world.model(name, 0.9)._answers

    def answer(request: Request) -> Reply:
        reply = plain(request)
        assert isinstance(reply, Reply)
        jitter = 1 + len(request.messages[-1].content) % 7 / 50
        told = None if first_token_s is None else first_token_s * jitter
        return msgspec.structs.replace(reply, latency_s=3.0 * jitter, first_token_s=told)

    return ScriptedModel(name, answer)


def test_it_is_a_guardrail_like_latency(tmp_path: Path) -> None:
    file = world.write(tmp_path, n_eval=60, metrics="[exact_match, first_token]", decide=RULE)
    protocol = world.opened(file, timed(world.OLD, 0.2), timed(world.NEW, 0.3))
    [comparison] = protocol.comparisons
    contrast = comparison.contrast("first_token", "eval")
    assert contrast is not None
    assert contrast.ratio is not None
    assert contrast.ratio.value == pytest.approx(1.5)
    assert contrast.baseline_mean.value == pytest.approx(0.2, rel=0.2)
    assert (contrast.n, contrast.scale.unit) == (12, "s")
    [verdict] = protocol.verdicts
    [rail] = [reason for reason in verdict.reasons if reason.metric == "first_token"]
    assert rail.holds is True
    runs = findings.of(protocol).runs
    baseline, candidate = casewise.pair(runs, contrast)
    assert len(baseline) == len(candidate) == 12
    assert sum(candidate.values()) == pytest.approx(1.5 * sum(baseline.values()))
    protocol.close()


@pytest.mark.parametrize("rule", [RULE, ""])
def test_where_one_arm_does_not_tell_it_the_verdict_says_so(tmp_path: Path, rule: str) -> None:
    file = world.write(tmp_path, n_eval=60, metrics="[exact_match, first_token]", decide=rule)
    protocol = world.opened(file, timed(world.OLD, 0.2), timed(world.NEW, None))
    [comparison] = protocol.comparisons
    assert comparison.contrast("first_token", "eval") is None
    assert comparison.contrast("latency", "eval") is not None
    [verdict] = protocol.verdicts
    assert verdict.caveats.count("first_token was not measured on eval") == 1
    assert not rule or verdict.outcome != "tune"
    protocol.close()
