from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import world
from tuneornot import study
from tuneornot.errors import StudyError
from tuneornot.records import Economy, Guardrail, Sampling

PLAN = """\
study: invoices
task: Read an invoice.
data:
  cases: cases.jsonl
  extra: {later: later.jsonl}
arms:
  prompted: {model: local:smollm2-135m, search: {calls: 500}}
  tuned: {model: local:smollm2-135m, tune: {seeds: [1, 2], epochs: 3}}
metrics: [exact_match, field_match, latency]
decide:
  primary: exact_match
  worthwhile: 0.05
  guardrails: {field_match: 0.02, spread(field_match): 1.25, exact_match@later: 0.1, latency: 2}
  alpha: 0.05
"""


def faults(text: str) -> str:
    with pytest.raises(StudyError) as caught:
        study.parse(text)
    assert caught.value.exit_code == 2
    return "\n".join(caught.value.faults)


def test_a_plan_is_read() -> None:
    plan = study.parse(PLAN)
    assert plan.baseline == "prompted"
    assert plan.candidates == ("tuned",)
    tune = plan.arms["tuned"].tune
    assert tune is not None
    assert tune.seeds == (1, 2)
    assert tune.recipe.epochs == 3
    assert not hasattr(tune.recipe, "seeds")
    assert [metric.name for metric in study.metrics(plan)] == ["exact_match", "field_match"]


def test_an_arm_may_sample_in_its_own_way() -> None:
    text = PLAN.replace("search:", "sampling: {temperature: 0.7, top_p: 0.9}, search:")
    plan = study.parse(text + "sampling: {max_tokens: 40, temperature: 0.2}\n")
    assert study.sampling(plan, "prompted") == Sampling(temperature=0.7, top_p=0.9, max_tokens=40)
    assert study.sampling(plan, "tuned") == plan.sampling


def test_a_fault_of_the_studys_sampling_is_told_once() -> None:
    told = faults(
        PLAN.replace("search:", "sampling: {seed: 3}, search:") + "sampling: {top_p: 2}\n"
    )
    assert told == "sampling.top_p: found 2.0, expected more than 0 and at most 1"


def test_guardrails_are_resolved() -> None:
    rule = study.rule(study.parse(PLAN))
    assert rule.guardrails == (
        Guardrail(metric="field_match", dataset="eval", quantity="mean", margin=0.02),
        Guardrail(metric="field_match", dataset="eval", quantity="spread", margin=1.25),
        Guardrail(metric="exact_match", dataset="later", quantity="mean", margin=0.1),
        Guardrail(metric="latency", dataset="eval", quantity="ratio", margin=2.0),
    )
    assert rule.economy is None
    assert rule.equivalent is None


def test_economy_takes_the_worthwhile_difference_as_equivalence_margin() -> None:
    rule = study.rule(study.parse(PLAN + "  economy: {latency: 3}\n"))
    assert rule.economy == Economy(metric="latency", factor=3.0)
    assert rule.equivalent == 0.05


def test_the_fingerprint_is_of_the_content() -> None:
    same = PLAN.replace("study: invoices\n", "# a remark\nstudy:   invoices\n")
    assert study.parse(same).fingerprint == study.parse(PLAN).fingerprint
    other = PLAN.replace("worthwhile: 0.05", "worthwhile: 0.04")
    assert study.parse(other).fingerprint != study.parse(PLAN).fingerprint


def test_all_faults_at_once() -> None:
    text = (
        PLAN.replace("seeds: [1, 2]", "seeds: [one]")
        .replace("worthwhile: 0.05", "worthwile: 0.05")
        .replace("calls: 500", "calls: many")
    )
    told = faults(text)
    assert "arms.prompted.search.calls: found 'many'" in told
    assert "arms.tuned.tune.seeds" in told
    assert "decide.worthwile: unknown field; did you mean 'worthwhile'?" in told
    assert "decide.worthwhile: missing" in told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("primary: exact_match", "primary: exact_mach", "did you mean 'exact_match'?"),
        ("primary: exact_match", "primary: latency", "'latency' is not among"),
        ("worthwhile: 0.05", "worthwhile: -1", "expected 0 or more"),
        ("spread(field_match): 1.25", "spread(field_match): 0.8", "expected a factor above 1"),
        ("spread(field_match): 1.25", "instability: 0.1", "needs `repeats` of 2 or more"),
        ("spread(field_match): 1.25", "spread: 1.25", "is 0 or 1, so this follows from its mean"),
        ("spread(field_match)", "spread(field_mach)", "did you mean 'field_match'?"),
        ("exact_match@later", "exact_match@lather", "did you mean 'later'?"),
        ("search: {calls: 500}", "search: {}", "no budget"),
        ("search: {calls: 500}", "search: {calls: 0}", "expected more than 0"),
        ("calls: 500", "calls: 5, metric: field_mach", "did you mean 'field_match'?"),
        ("seeds: [1, 2]", "seeds: [1, 1]", "each of them once"),
        ("epochs: 3", "epochs: 0", "epochs must be at least 1"),
        ("epochs: 3", "mix: {share: 0}", "mix.share: found 0.0, expected a share of the examples"),
        ("epochs: 3", "mix: {share: 1}", "above 0 and up to 0.9"),
        ("epochs: 3", "method: full", "breaks whole weights; give a full training its own"),
        ("epochs: 3", "method: full, rate: 1e-4, rank: 8", "rank: found 8, but a full training"),
        ("epochs: 3", "method: full, rate: 1e-4, search: {}", "expected 2 to 3 with method 'full'"),
        ("model: local:smollm2-135m, tune", "model: http://h/v1#m, tune", "only local models"),
        ("model: local:smollm2-135m, search", "model: gpt, search", "expected local:NAME"),
        ("model: local:smollm2-135m, search", "model: locl:m, search", "did you mean local:?"),
        ("metrics:", "sampling: {top_p: 0}\nmetrics:", "sampling.top_p: found 0.0"),
        (
            "metrics:",
            "sampling: {form: {type: 3}}\nmetrics:",
            "sampling.form: found no JSON Schema",
        ),
        (
            "local:smollm2-135m, search",
            "'anthropic:m', sampling: {logprobs: 1}, search",
            "tells no",
        ),
        ("search:", "sampling: {stop: ['']}, search:", "arms.prompted.sampling.stop: found"),
        ("search:", "sampling: {logprobs: 21}, search:", "arms.prompted.sampling.logprobs"),
        ("search:", "sampling: {top_k: 5}, search:", "arms.prompted.sampling.top_k: unknown"),
        ("search:", "sampling: {seed: x}, search:", "arms.prompted.sampling.seed: found 'x'"),
        ("cases: cases.jsonl", "eval: a.jsonl", "belong together"),
        ("decide:", "decide:\n  adjust: [weather]", "decide.adjust"),
        ("cases: cases.jsonl", "split: {seed: 1}", "give either `cases`"),
        ("later: later.jsonl", "dev: dev.jsonl", "is the name of a split"),
        ("cases: cases.jsonl", "cases: c.jsonl\n  split: {eval: 1.5}", "a share below 1"),
        ("cases: cases.jsonl", "cases: c.jsonl\n  taught: {dev: d.jsonl}", "name of another set"),
        (
            "cases: cases.jsonl",
            "cases: c.jsonl\n  meaning: {embed: own}",
            "expected `local:all-minilm-l6-v2`, `module:function` or",
        ),
        ("cases: cases.jsonl", "cases: c.jsonl\n  meaning: {embed: 'a:b', bound: 2}", "at most 1"),
        ("latency]", "latency, field_match]", "stands there twice"),
        ("alpha: 0.05", "looks: [100]", "two or more numbers of eval cases"),
        ("alpha: 0.05", "looks: [200, 100]", "two or more numbers of eval cases"),
        ("latency]", "latncy]", "did you mean 'latency'?"),
    ],
)
def test_contradictions(old: str, new: str, told: str) -> None:
    assert old in PLAN
    assert told in faults(PLAN.replace(old, new))


@pytest.mark.parametrize("text", ["", "[", "- 1", "study: [x", "\ud800"])
def test_what_is_not_a_plan_is_told_in_one_fault(text: str) -> None:
    assert faults(text)


def test_a_missing_package_is_told_with_the_other_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlglot", None)
    wanted = "metrics: [{well_formed: {kind: sql}}, exct_match, latency]"
    told = faults(PLAN.replace("metrics: [exact_match, field_match, latency]", wanted))
    assert "metrics[0]: The metric well_formed for SQL needs packages" in told
    assert "metrics[1]: exct_match: there is no metric 'exct_match'" in told


def test_a_comment_in_braces_is_told_with_what_to_do_and_an_empty_file_is_a_sentence() -> None:
    text = "arms:\n  ours: {model: http://127.0.0.1:8000/v1 #new}\n"
    with pytest.raises(StudyError, match=r"at line 2, .* put an address .* in quotes"):
        study.parse(text, source="mine.yaml")
    with pytest.raises(StudyError, match="the file says nothing; expected a mapping of") as caught:
        study.parse("", source="mine.yaml")
    assert "tuneornot fields" in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="No such file") as caught:
        study.read(tmp_path / "study.yaml")
    assert "tuneornot init" in str(caught.value)


def test_adjusting_needs_the_cases_that_eval_was_drawn_from() -> None:
    split = "train: a.jsonl\n  dev: b.jsonl\n  eval: c.jsonl"
    text = PLAN.replace("decide:", "decide:\n  adjust: [slice]")
    assert study.rule(study.parse(text)).adjust == ("slice",)
    with pytest.raises(StudyError, match="needs the cases that eval was drawn from"):
        study.parse(text.replace("cases: cases.jsonl", split))


def test_a_setting_of_a_training_that_came_later_is_in_the_plan_only_where_it_is_set() -> None:
    plain = study.text(study.parse(PLAN))
    assert "patience" not in plain
    assert "mix" not in plain
    patient = PLAN.replace("tune: {", "tune: {patience: 2, ")
    assert "patience: 2" in study.text(study.parse(patient))


def test_a_plan_with_further_eval_cases_is_the_same_plan_grown() -> None:
    first = study.text(study.parse(PLAN))
    later = study.text(study.parse(PLAN.replace("  extra:", "  more: [a.jsonl]\n  extra:")))
    other = study.text(study.parse(PLAN.replace("worthwhile: 0.05", "worthwhile: 0.04")))
    assert study.grown(first, later)
    assert not study.grown(first, first)
    assert not study.grown(other, later)


@pytest.mark.parametrize(
    ("search", "fault"),
    [
        ("vary: [sampling, step]", r"search.vary\[1\]: found 'step', expected one of difficulty, "),
        ("vary: steps", r"search.vary: found 'steps', expected a list, such as \[steps\]"),
        ("by: gpea", "search.by: found 'gpea', expected one of race, optuna, gepa"),
    ],
)
def test_what_may_stand_in_its_place_is_told(tmp_path: Path, search: str, fault: str) -> None:
    file = world.write(tmp_path, n_eval=60)
    arm = f'model: "{world.OLD}", search: {{calls: 300, {search}}}'
    file.write_text(file.read_text().replace(f'model: "{world.OLD}"', arm))
    with pytest.raises(StudyError, match=fault):
        study.read(file)
