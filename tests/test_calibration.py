"""Judges with known faults, found out: agreement, error rates, order, length, favour, noise."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.judge import fallible, judged, uniform
from tests.world import NEW, OLD, model, opened, right, write
from tuneornot import calibration, cli, judges, labelling
from tuneornot.metrics.base import Mark
from tuneornot.metrics.judges.base import Ruling, Vote
from tuneornot.models.scripted import ScriptedModel
from tuneornot.protocol import Protocol
from tuneornot.records import Arm, Calibration, Case, Dataset, Label, Response, Run
from tuneornot.report import judges as phrased

KNOWN = right(2000)
RUBRIC = 'judge: {name: told, model: "local:judge", ask: Right?, levels: [no, yes]}'
HELPFUL = judged({"judge": {"name": "t", "model": "j", "ask": "?", "levels": ["no", "yes"]}})
BETTER = judged({"prefer": {"name": "p", "model": "j", "ask": "?"}})
N = 200


def answered(
    arm: str,
    values: np.ndarray,
    labels: np.ndarray,
    *,
    model: str = "m",
    lengths: np.ndarray | None = None,
    votes: Mapping[int, tuple[Vote, ...]] | None = None,
    against: calibration.Answered | None = None,
) -> calibration.Answered:
    size = np.full(N, 10) if lengths is None else lengths
    dataset = Dataset(name="eval", cases=tuple(Case(id=str(i), input=str(i)) for i in range(N)))
    run = Run(
        arm=Arm(name=arm, kind="prompted", model=model),
        dataset=dataset,
        metrics={},
        n_repeats=1,
        responses=tuple(
            Response(arm=arm, question=str(i), text="x" * int(size[i])) for i in range(N)
        ),
        scores=(),
    )
    rulings = {
        (str(i), 0): Ruling(
            Mark(None if math.isnan(value) else float(value), "r"),
            (votes or {}).get(i, (Vote("j", 0, None if math.isnan(value) else float(value)),)),
        )
        for i, value in enumerate(values)
    }
    said = {
        (str(i), 0): {"ann": float(label)}
        for i, label in enumerate(labels)
        if not math.isnan(label)
    }
    return calibration.Answered(run, rulings, said, against.run if against else None)


def binary(seed: int, se: float, sp: float) -> tuple[np.ndarray, np.ndarray]:
    """Judged and true ones of one arm."""
    rng = np.random.default_rng(seed)
    truth = rng.random(N) < 0.6
    return (rng.random(N) < np.where(truth, se, 1 - sp)).astype(float), truth.astype(float)


def test_error_rates_and_bias_are_told_by_arm() -> None:
    first, second = binary(1, 0.8, 0.7), binary(2, 0.95, 0.5)
    [made] = calibration.of(HELPFUL, [answered("old", *first), answered("new", *second)])
    old, new = made.arms
    assert old.sensitivity is not None
    assert new.specificity is not None
    assert old.sensitivity.low <= 0.8 <= old.sensitivity.high
    assert new.specificity.low <= 0.5 <= new.specificity.high
    assert old.bias.value == pytest.approx(float((first[0] - first[1]).mean()))
    assert made.n_labelled == 2 * N
    assert 0.2 < made.kappa.value < 0.7


def test_undecided_answers_are_counted_and_not_compared() -> None:
    said, truth = binary(3, 0.9, 0.9)
    said[:20] = np.nan
    [made] = calibration.of(HELPFUL, [answered("old", said, truth)])
    assert (made.arms[0].n_undecided, made.n_labelled) == (20, N - 20)
    assert any("Undecided on 20 of 200" in line for line in phrased.told(made))


def test_a_judge_that_likes_length_is_found_out() -> None:
    rng = np.random.default_rng(4)
    lengths = rng.integers(10, 500, N)
    truth = rng.random(N)
    fair = np.clip(truth + rng.normal(0, 0.1, N), 0, 1)
    fond = np.clip(fair + (lengths - 250) / 2500, 0, 1)
    slopes = []
    for said in (fair, fond):
        [made] = calibration.of(HELPFUL, [answered("old", said, truth, lengths=lengths)])
        assert made.length is not None
        slopes.append(made.length)
    assert slopes[0].low < 0 < slopes[0].high
    assert slopes[1].low > 0
    assert slopes[1].value == pytest.approx(float(lengths.std()) / 2500, abs=0.015)


def test_a_judge_that_favours_its_own_model_is_flagged_and_measured() -> None:
    fair, kind = binary(5, 0.9, 0.9), binary(6, 1.0, 0.4)
    [made] = calibration.of(HELPFUL, [answered("old", *fair), answered("new", *kind, model="j")])
    assert made.own == ("new",)
    assert made.favour is not None
    assert made.favour.low > 0
    nothing = np.full(N, np.nan)
    [blank] = calibration.of(HELPFUL, [answered("new", kind[0], nothing, model="j")])
    assert any("not known without labels" in line for line in phrased.told(blank))


def test_order_bias_is_counted_without_labels() -> None:
    orders = [(1.0, 1.0)] * 120 + [(1.0, 0.0)] * 60 + [(0.0, 1.0)] * 20
    votes = {
        i: (Vote("j", 0, 0.5 if a != b else a, "", (a, b)),) for i, (a, b) in enumerate(orders)
    }
    base = answered("old", np.full(N, 0.5), np.full(N, np.nan))
    values = np.array([vote[0].value for vote in votes.values()], dtype=float)
    new = answered("new", values, np.full(N, np.nan), votes=votes, against=base)
    [made] = calibration.of(BETTER, [base, new])
    assert made.order is not None
    assert made.order.inconsistent.value == pytest.approx(0.4)
    assert made.order.first.value == pytest.approx(0.75)
    assert (made.order.first.p_value or 1) < 0.001
    assert [arm.arm for arm in made.arms] == ["new"]


def test_the_judges_noise_is_told_from_the_models() -> None:
    rng = np.random.default_rng(7)
    level = rng.random(N)
    said = np.clip(level[:, np.newaxis] + rng.normal(0, 0.05, (N, 3)), 0, 1)
    votes = {
        i: tuple(Vote("j", r, float(value)) for r, value in enumerate(row))
        for i, row in enumerate(said)
    }
    one = answered("old", said.mean(axis=1), np.full(N, np.nan), votes=votes)
    [made] = calibration.of(HELPFUL, [one])
    assert made.retest is not None
    assert made.retest.noise == pytest.approx(0.05, abs=0.006)
    assert made.retest.alpha.value > 0.9
    assert made.retest.model_noise is None


def test_several_judges_are_told_apart_and_together() -> None:
    metric = judged(
        {"judge": {"models": ["a", "b"], "ask": "?", "levels": ["no", "yes"], "vote": "mean"}}
    )
    rng = np.random.default_rng(8)
    truth = (rng.random(N) < 0.5).astype(float)
    noise = (rng.random(N) < 0.5).astype(float)
    votes = {i: (Vote("a", 0, truth[i]), Vote("b", 0, noise[i])) for i in range(N)}
    one = answered("old", (truth + noise) / 2, truth, votes=votes)
    both, good, bad = calibration.of(metric, [one])
    assert (both.judge, good.judge, bad.judge) == ("a and b", "a", "b")
    assert good.kappa.value == 1
    assert bad.kappa.low < 0.1
    assert bad.kappa.value < both.kappa.value < good.kappa.value


# --- through a whole study --------------------------------------------------------------------


def scripted(file: Path, judge: ScriptedModel | None = None) -> Protocol:
    known = judge or fallible(KNOWN, sensitivity=0.8, specificity=0.7)
    return opened(file, model(OLD, 0.4), model(NEW, 0.8), known)


def label(protocol: Protocol, n: int, *, people: tuple[str, ...] = ("ann",)) -> None:
    """People who know the prices label n cases."""
    metric = next(one for one in protocol.metrics if one.name == "told")
    arms = {name: list(runs) for name, runs in protocol.runs.items()}
    for exhibit in labelling.drawn(arms, metric, "prompted", n=n):  # type: ignore[arg-type]
        shown = dict(exhibit.material)
        value = float(KNOWN[shown["question"]] == shown["answer"])
        for who in people:
            slip = who == "bob" and uniform(exhibit.item) < 0.1
            said = 1 - value if slip else value
            protocol.store.keep_label(Label(item=exhibit.item, metric="told", who=who, value=said))


def test_labels_change_the_report_and_the_verdict_tells_what_it_rests_on(tmp_path: Path) -> None:
    file = write(tmp_path, n_eval=200, metrics=f"[exact_match, {{{RUBRIC}}}]")
    file.write_text(file.read_text().replace("primary: exact_match", "primary: told"))
    first = scripted(file)
    [before] = first.verdicts
    assert any("nobody labelled" in caveat for caveat in before.caveats)
    label(first, 120, people=("ann", "bob"))
    first.close()
    second = scripted(file)
    [after] = second.verdicts
    assert any("corrected by labels of 120 cases" in caveat for caveat in after.caveats)
    contrast = second.comparisons[0].contrast("told", "eval")
    exact = second.comparisons[0].contrast("exact_match", "eval")
    assert contrast is not None
    assert exact is not None
    assert contrast.correction is not None
    assert contrast.correction.raw.value < 0.7 * exact.mean.value
    assert abs(contrast.mean.value - exact.mean.value) < abs(
        contrast.correction.raw.value - exact.mean.value
    )
    [made] = second.calibrations
    assert made.n_people == 2
    assert made.alpha_of_people is not None
    assert made.alpha_of_people.value == pytest.approx(0.8, abs=0.1)
    second.close()


def test_the_command_shows_it_and_asks_nothing_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, n_eval=100, metrics=f"[exact_match, {{{RUBRIC}}}]")
    judge = fallible(KNOWN, sensitivity=0.8, specificity=0.7)
    first = scripted(file, judge)
    label(first, 60)
    first.close()
    asked = judge.n_asked
    monkeypatch.setattr("tuneornot.cli.working.Protocol", lambda *_, **__: scripted(file, judge))
    done = CliRunner().invoke(cli.app, ["judges", str(file)])
    assert done.exit_code == 0, done.output
    for said in ("kappa", "sensitivity", "On prompted", "one standard deviation"):
        assert said in done.output
    found = json.loads(CliRunner().invoke(cli.app, ["judges", str(file), "--json"]).stdout)
    assert found[0]["n_people"] == 1
    compared = CliRunner().invoke(cli.app, ["compare", str(file)])
    assert "The judge's own difference" in compared.output
    whole = CliRunner().invoke(cli.app, ["run", str(file)])
    assert whole.exit_code == 0, whole.output
    page = (tmp_path / "results" / "report.html").read_text()
    assert "The judges" in page
    assert "The judges" in (tmp_path / "results" / "report.md").read_text()
    assert judge.n_asked == asked


def test_a_study_without_a_judge_has_nothing_to_hold(tmp_path: Path) -> None:
    protocol = scripted(write(tmp_path, n_eval=30))
    assert protocol.calibrations == ()
    protocol.close()
    assert judges.calibrations([], {}, (), lambda _: (), baseline="prompted") == ()


def test_every_sentence_is_whole_where_little_is_known() -> None:
    nothing = np.full(N, np.nan)
    [made] = calibration.of(HELPFUL, [answered("old", nothing, nothing)])
    assert phrased.told(made)[0].startswith("Nobody has labelled")
    [mute] = calibration.of(HELPFUL, [answered("old", nothing, np.ones(N))])
    assert phrased.told(mute)[0].startswith("It decided on none of the answers")
    few = nothing.copy()
    few[0] = 1.0
    [made] = calibration.of(HELPFUL, [answered("old", np.ones(N), few)])
    lines = " ".join(phrased.told(made))
    assert "nan" not in lines
    assert isinstance(made, Calibration)
