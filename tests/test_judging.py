"""A whole study with a judge: asked once, kept, resumed, and its failures counted apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.judge import fallible, judged, part
from tests.world import NEW, OLD, model, opened, right, write
from tuneornot import judging, study
from tuneornot.errors import ModelError, StudyError
from tuneornot.metrics.judges.base import Answers, Question
from tuneornot.models.base import Reply, Request
from tuneornot.models.scripted import ScriptedModel
from tuneornot.records import Arm, Case, Dataset, Passage, Response, Retrieved, Run

RUBRIC = 'judge: {name: told, model: "local:judge", ask: Right?, levels: [no, yes]}'
PREFER = 'prefer: {model: "local:judge", ask: Which?}'
MODELS = (model(OLD, 0.4), model(NEW, 0.8))


def values(run: Run, metric: str) -> list[float | None]:
    return [score.value for score in run.scores if score.metric == metric]


def test_a_perfect_judge_says_what_exact_match_says(tmp_path: Path) -> None:
    file = write(tmp_path, n_eval=60, metrics=f"[exact_match, {{{RUBRIC}}}]")
    judge = fallible(right(2000), sensitivity=1.0, specificity=1.0)
    with_judge = opened(file, *MODELS, judge)
    for runs in with_judge.runs.values():
        assert values(runs[0], "told") == values(runs[0], "exact_match")
        assert [*runs[0].judged] == ["told"]
    contrast = with_judge.comparisons[0].contrast("told", "eval")
    assert contrast is not None
    assert contrast.scale.binary
    with_judge.close()


def test_the_same_question_is_asked_once_and_never_again(tmp_path: Path) -> None:
    file = write(tmp_path, n_eval=60, metrics=f"[exact_match, {{{RUBRIC}}}]")
    judge = fallible(right(2000), sensitivity=0.8, specificity=0.7)
    first = opened(file, *MODELS, judge)
    runs = first.runs
    first.close()
    texts = {
        (case.text, response.text)
        for one in runs.values()
        for case, response in zip(one[0].dataset.cases, one[0].responses, strict=True)
    }
    assert judge.n_asked == len(texts) < 120
    again = opened(file, *MODELS, judge)
    assert again.runs == runs
    assert judge.n_asked == len(texts)
    again.close()


def test_a_judge_that_goes_down_keeps_what_it_said(tmp_path: Path) -> None:
    file = write(tmp_path, n_eval=60, metrics=f"[exact_match, {{{RUBRIC}}}]")
    well = fallible(right(2000), sensitivity=0.8, specificity=0.7)
    broken = ScriptedModel("local:judge", lambda request: _failing(well, request))
    protocol = opened(file, *MODELS, broken)
    with pytest.raises(ModelError, match="down"):
        _ = protocol.runs
    protocol.close()
    protocol = opened(file, *MODELS, well)
    runs = protocol.runs
    assert None not in values(runs["other"][0], "told")
    assert broken.n_asked == 20
    assert well.n_asked < 120 - 20 + 1
    protocol.close()


def _failing(well: ScriptedModel, request: Request, asked: list[int] = [0]) -> Reply:  # noqa: B006
    asked[0] += 1
    if asked[0] > 20:
        raise ModelError("the judge is down")
    return next(iter(well.ask([request])))[1]


def test_undecided_and_failed_judges_are_none_with_their_reason(tmp_path: Path) -> None:
    file = write(tmp_path, n_eval=60, metrics=f"[exact_match, {{{RUBRIC}}}]")

    def answer(request: Request) -> Reply:
        odd = len(request.messages[-1].content) % 3
        if odd == 0:
            return Reply(error="HTTP 500 after 3 tries")
        return Reply(text="As you like." if odd == 1 else '{"level": 2}')

    protocol = opened(file, *MODELS, ScriptedModel("local:judge", answer))
    run = protocol.runs["other"][0]
    reasons = {score.reason for score in run.scores if score.metric == "told" and not score.value}
    assert any("HTTP 500" in (reason or "") for reason in reasons)
    assert any("As you like." in (reason or "") for reason in reasons)
    assert {*values(run, "told")} == {None, 1.0}
    contrast = protocol.comparisons[0].contrast("told", "eval")
    assert contrast is not None
    assert sum(contrast.n_unscored) > 0
    protocol.close()


def test_a_preference_is_against_the_baseline(tmp_path: Path) -> None:
    file = write(tmp_path, n_eval=60, metrics=f"[exact_match, {{{PREFER}}}]")
    known = right(2000)

    def answer(request: Request) -> str:
        said = request.messages[-1].content
        question, first, second = (
            said.split(f"<{tag}>\n")[1].split("\n<")[0]
            for tag in ("question", "answer_A", "answer_B")
        )
        good = [text == known[question] for text in (first, second)]
        return json.dumps({"better": "tie" if good[0] == good[1] else "A" if good[0] else "B"})

    judge = ScriptedModel("local:judge", answer)
    protocol = opened(file, *MODELS, judge)
    old, new = protocol.runs["prompted"][0], protocol.runs["other"][0]
    assert {*values(old, "prefer")} == {0.5}
    expected = [
        0.5 + (after - before) / 2
        for before, after in zip(
            values(old, "exact_match"), values(new, "exact_match"), strict=True
        )
        if before is not None and after is not None
    ]
    assert values(new, "prefer") == expected
    contrast = protocol.comparisons[0].contrast("prefer", "eval")
    assert contrast is not None
    assert contrast.baseline_mean.value == 0.5
    assert contrast.mean.value == pytest.approx(sum(expected) / 60 - 0.5)
    protocol.close()


def test_repeats_of_the_judge_are_votes(tmp_path: Path) -> None:
    noisy = RUBRIC.replace("levels", "repeats: 3, temperature: 1.0, levels")
    file = write(tmp_path, n_eval=60, metrics=f"[exact_match, {{{noisy}}}]")

    def answer(request: Request) -> str:
        return json.dumps({"level": 1 + request.sampling.seed % 2})

    protocol = opened(file, *MODELS, ScriptedModel("local:judge", answer))
    # Seeds 0, 1 and 2 say no, yes and no.
    assert {*values(protocol.runs["other"][0], "told")} == {1 / 3}
    protocol.close()


def test_a_judge_sees_the_passages_that_the_arm_saw() -> None:
    case = Case(id="c", input="q")
    measured = Run(
        arm=Arm(name="a", kind="retrieval", model="local:a"),
        dataset=Dataset(name="eval", cases=(case,)),
        metrics={},
        n_repeats=1,
        responses=(Response(arm="a", question="q", text="It is 42."),),
        scores=(),
        retrieved=Retrieved(passages=(Passage(id="p", text="It is 42."),), shown={"c": ("p",)}),
    )
    metric = judged({"faithfulness": {"model": "local:judge"}})
    asked: list[Question] = []

    def ask(questions: Sequence[Question]) -> Answers:
        asked.extend(questions)
        first = "take an answer" in questions[0].prompt.instructions
        text = '{"claims": ["It is 42."]}' if first else '{"verdicts": [true]}'
        return ((Response(arm="j", question="q", text=text),),)

    run = judging.run(measured, [metric], ask)
    assert values(run, "faithfulness") == [1.0]
    assert "It is 42." in part(asked[1].text, "context")


def test_prompts_can_be_raced_by_a_judge(tmp_path: Path) -> None:
    file = write(tmp_path, n_eval=60, metrics=f"[exact_match, {{{RUBRIC}}}]")
    file.write_text(
        file.read_text().replace(f'"{OLD}"}}', f'"{OLD}", search: {{calls: 200, metric: told}}}}')
    )
    judge = fallible(right(2000), sensitivity=0.9, specificity=0.9)
    protocol = opened(file, *MODELS, judge)
    ledger = protocol.search("prompted")
    assert ledger.metric == "told"
    assert ledger.dev_mean > 0
    assert judge.n_asked > 30
    protocol.close()


def test_a_budget_in_money_needs_the_price_of_the_judge(tmp_path: Path) -> None:
    file = write(tmp_path, n_eval=60, metrics=f"[exact_match, {{{RUBRIC}}}]")
    prices = "".join(
        f'  "{name}": {{input_per_million: 1.0, output_per_million: 1.0}}\n' for name in (OLD, NEW)
    )
    (tmp_path / "prices.yaml").write_text(f"as_of: 2026-11-20\ncurrency: USD\nmodels:\n{prices}")
    file.write_text(file.read_text() + "prices: prices.yaml\nbudget: {money: 5}\n")
    with pytest.raises(StudyError) as told:
        study.read(file)
    assert "has none of 'local:judge'" in str(told.value)


def test_a_plan_may_not_race_prompts_by_a_comparison_with_the_baseline(tmp_path: Path) -> None:
    file = write(tmp_path, n_eval=60, metrics=f"[exact_match, {{{PREFER}}}]")
    text = file.read_text().replace(
        f'"{OLD}"}}', f'"{OLD}", search: {{calls: 100, metric: prefer}}}}'
    )
    file.write_text(text + "  guardrails: {worst_tenth(prefer): 0.1}\n")
    with pytest.raises(StudyError) as told:
        study.read(file)
    assert "arms.prompted.search.metric: 'prefer' compares with the baseline" in str(told.value)
    assert "the baseline has 0.5 everywhere" in str(told.value)
