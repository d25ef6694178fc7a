"""Studies under stress, from the file to the verdict, with arms whose drops are known."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from tests import world
from tests.cli.test_cli import answered, at, refused, shop, tuneornot
from tests.world import NEW, OLD
from tuneornot import findings, forecast, study
from tuneornot.models.base import Request
from tuneornot.models.scripted import Script, ScriptedModel, answers
from tuneornot.protocol import Protocol
from tuneornot.report import export, markdown, pages
from tuneornot.stress import sets, wording

WRITER = "local:writer"
STRESS = "stress: {perturbations: [typos, longer], strengths: [1.0]}\n"


def write(folder: Path, *, stress: str = STRESS, drop: str = "{drop: 0.1}", n: int = 120) -> Path:
    return world.write(folder, n_eval=n, decide=f"  guardrails: {drop}\n{stress}")


def told(file: Path) -> dict[str, str]:
    """The right answer to every question of a study, plain or changed by code."""
    right = world.right(2000)
    plan = study.read(file)
    assert plan.stress is not None
    with closing(world.opened(file)) as opened:
        for each in sets.unwritten(plan.stress, opened.splits.eval, file.parent):
            right |= {wording.asked(case): str(case.expected) for case in each.cases.cases}
    return right


def arm(file: Path, name: str, plain: float, changed: float) -> ScriptedModel:
    """An arm with one share of right answers to plain questions and another one to changed ones."""
    right, usual = told(file), world.right(2000)
    known, shifted = (
        answers(right, Script(quality=quality, seed=world.hash_of(name)))
        for quality in (plain, changed)
    )

    def answer(request: Request) -> object:
        return (known if request.messages[-1].content in usual else shifted)(request)

    return ScriptedModel(name, answer)  # type: ignore[arg-type]


def opened(file: Path, *shares: tuple[float, float]) -> tuple[Protocol, list[ScriptedModel]]:
    models = [arm(file, name, *each) for name, each in zip((OLD, NEW), shares, strict=True)]
    return world.opened(file, *models), models


def test_an_arm_that_is_better_and_drops_is_not_chosen(tmp_path: Path) -> None:
    file = write(tmp_path)
    protocol, models = opened(file, (0.4, 0.4), (0.8, 0.2))
    with closing(protocol):
        found = findings.of(protocol)
    [verdict], [comparison] = found.verdicts, found.comparisons
    assert verdict.outcome == "keep-prompting"
    [reason] = [one for one in verdict.reasons if one.quantity == "drop"]
    assert (reason.dataset, reason.holds) == ("stress", False)
    drop = comparison.drop("exact_match", "stress")
    assert drop is not None
    assert drop.candidate.value < -0.4 < -0.2 < drop.baseline.value
    assert drop.difference.value < -0.3
    assert [each.name for each in found.perturbed] == ["typos", "typos 1", "longer", "longer 1"]
    # 120 plain questions and as many under each perturbation and strength, to each arm.
    assert [model.n_asked for model in models] == [120 * 5] * 2
    again, models = opened(file, (0.4, 0.4), (0.8, 0.2))
    with closing(again):
        assert again.verdicts[0].outcome == "keep-prompting"
    assert [model.n_asked for model in models] == [0, 0]


def test_an_arm_that_drops_as_little_is_chosen(tmp_path: Path) -> None:
    file = write(tmp_path, n=300, drop="{drop: 0.15, drop@typos: 0.2}")
    protocol, _ = opened(file, (0.4, 0.38), (0.8, 0.78))
    with closing(protocol):
        [verdict] = protocol.verdicts
    assert verdict.outcome == "tune"
    held = [one.dataset for one in verdict.reasons if one.quantity == "drop" and one.holds]
    assert held == ["stress", "typos"]


def test_the_report_shows_what_was_lost_and_what_was_done(tmp_path: Path) -> None:
    file = write(tmp_path)
    protocol, _ = opened(file, (0.4, 0.4), (0.8, 0.2))
    with closing(protocol):
        found = findings.of(protocol)
    page, text = pages.render(found), markdown.render(found)
    for said in ("Under stress", "typos at 0.3 (120 cases)", "all together (120 cases)"):
        assert said in page
    assert "Drop in exact match under all perturbations" in text
    assert "| Exact match | typos at 0.3 (120 cases) |" in text
    assert "becomes “" in page
    # A curve for each perturbation with two strengths, for wide and narrow screens.
    assert page.count("both arms on the same cases at growing strength") == 2
    written = export.write(found, tmp_path / "report.json")
    assert export.read(written).comparisons[0].drops == found.comparisons[0].drops


def test_a_writer_is_asked_once_and_what_lost_a_number_is_left_out(tmp_path: Path) -> None:
    stress = f"stress: {{perturbations: [paraphrase], writer: '{WRITER}', cases: 50}}\n"
    file = write(tmp_path, stress=stress)

    def rewritten(request: Request) -> str:
        said = request.messages[-1].content
        return said.replace("What do", "Tell me what") if "day 0" in said else "Prices?"

    def models() -> list[ScriptedModel]:
        writer = ScriptedModel(WRITER, rewritten)
        usual = world.right(2000)
        right = usual | {text.replace("What do", "Tell me what"): usual[text] for text in usual}
        known = [answers(right, Script(quality=0.5, seed=seed)) for seed in (1, 2)]
        return [writer, *map(ScriptedModel, (OLD, NEW), known)]

    first, again = models(), models()
    for opening, calls in ((first, 50), (again, 0)):
        protocol = world.opened(file, *opening)
        with closing(protocol):
            [made] = protocol.changed
            assert [one.n for one in protocol.comparisons[0].drops] == [made.told.n] * 2
        assert opening[0].n_asked == calls
        assert made.told.n + made.told.n_lost == 50
        assert 0 < made.told.n < 50
    assert again[1].n_asked == 0


def test_the_estimate_tells_what_is_then_asked(tmp_path: Path) -> None:
    file = write(tmp_path)
    protocol, models = opened(file, (0.4, 0.4), (0.8, 0.2))
    with closing(protocol):
        before = forecast.of(protocol)
        _ = protocol.verdicts
        after = forecast.of(protocol)
    steps = {one.step: one.n_calls for one in before.outlays if one.step.startswith("stress")}
    assert steps == {"stress prompted": 480, "stress other": 480}
    assert before.total.calls == sum(model.n_asked for model in models)
    assert after.total.calls == 0


@pytest.mark.slow
def test_the_command_with_a_real_server(tmp_path: Path) -> None:
    count = tmp_path / "asked"
    with shop(count) as base:
        stress = "stress: {perturbations: [casing, dialect]}\n"
        file = at(write(tmp_path, stress=stress, n=60), base)
        checked = tuneornot("check", file)
        assert "casing (a share of the words in capitals, or without them" in checked.stdout
        assert "the perturbation dialect changes 0 cases only" in checked.stdout
        assert answered(count) == 0
        done = tuneornot("stress", file, "--json")
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert [each["n"] for each in found["perturbed"]] == [60, 0]
        # The server knows a question whatever its capitals, so nothing is lost.
        for drop in found["drops"]["other"]:
            assert drop["difference"]["value"] == 0
        assert answered(count) == 240
        shown = tuneornot("stress", file)
        assert answered(count) == 240
    assert "negative: the candidate loses more" in shown.stdout
    bare = world.write(tmp_path / "results", n_eval=60)
    assert "Name perturbations" in refused(2, "stress", bare)
