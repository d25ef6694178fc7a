"""Models that were tuned elsewhere: what came with them is read and checked, or told as missing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests import world
from tests.models import tiny
from tests.models.test_adapters import adapter
from tests.world import NEW, OLD, running
from tuneornot import findings, forecast, study
from tuneornot.errors import DataError, LeakageError, ModelError, StudyError
from tuneornot.models.scripted import ScriptedModel
from tuneornot.records import Check, Verdict

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")


def written(folder: Path, tuned: str, *, model: str = NEW, n_eval: int = 60) -> Path:
    """The study of the world whose other arm was tuned elsewhere."""
    file = world.write(folder, n_eval=n_eval)
    text = file.read_text().replace(f'{{model: "{NEW}"}}', f'{{model: "{model}", tuned: {tuned}}}')
    file.write_text(text)
    return file


def trained_on(folder: Path, rows: Iterable[dict[str, str]], system: str = "") -> None:
    """A training file of chats."""
    told = [{"role": "system", "content": system}] if system else []
    lines = (
        [
            *told,
            {"role": "user", "content": row["input"]},
            {"role": "assistant", "content": row["expected"]},
        ]
        for row in rows
    )
    text = "".join(json.dumps({"messages": turns}) + "\n" for turns in lines)
    (folder / "trained_on.jsonl").write_text(text, encoding="utf-8")


def decided(file: Path, *models: ScriptedModel) -> tuple[Verdict, dict[str, Check]]:
    with running(file, *models) as protocol:
        found = findings.of(protocol)
        assert {run.arm.kind for run in found.runs} == {"prompted", "tuned"}
    return found.verdicts[0], {check.name: check for check in found.comparisons[0].checks}


def test_a_model_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    file = written(tmp_path, f'{{base: "{OLD}", trained_on: trained_on.jsonl}}', n_eval=300)
    trained_on(tmp_path, world.questions(50, first=900), system="Tell the price.")
    verdict, checks = decided(file, world.model(OLD, 0.3), world.model(NEW, 0.8))
    assert verdict.outcome == "tune"
    failed = {name for name, check in checks.items() if not check.passed}
    # A scripted model shows no tokens, and the baseline's prompt was not searched for.
    assert failed == {"prompt-engineered", "template-parity"}
    assert "none of the 50 rows" in checks["training-overlap"].detail
    assert "50 of the 50 chats" in checks["prompt-parity"].detail


def test_what_cannot_be_seen_is_a_caveat(tmp_path: Path) -> None:
    file = written(tmp_path, "{}", n_eval=300)
    verdict, checks = decided(file, world.model(OLD, 0.3), world.model(NEW, 0.8))
    assert verdict.outcome == "tune"
    unchecked = [name for name, check in checks.items() if check.passed is None]
    assert unchecked == ["adapter-loaded", "template-parity", "training-overlap"]
    said = "\n".join(verdict.caveats)
    assert "training-overlap not checked: the file that it was trained on is not named" in said
    assert "adapter-loaded not checked: the model before it was tuned is not named" in said
    assert "one training, done elsewhere: how much another" in said


def test_a_model_that_answers_like_the_one_before_it_is_blocked(tmp_path: Path) -> None:
    file = written(tmp_path, f'{{base: "{OLD}"}}')
    answers = world.model(OLD, 0.5)._answers
    verdict, checks = decided(file, ScriptedModel(OLD, answers), ScriptedModel(NEW, answers))
    assert verdict.outcome == "blocked"
    assert checks["adapter-loaded"].detail.startswith(f"0 of 16 answers differ from those of {OLD}")


def test_another_system_message_than_in_training_is_a_caveat(tmp_path: Path) -> None:
    file = written(tmp_path, f'{{base: "{OLD}", trained_on: trained_on.jsonl}}')
    trained_on(tmp_path, world.questions(50, first=900), system="Be a merchant.")
    verdict, checks = decided(file, world.model(OLD, 0.3), world.model(NEW, 0.8))
    assert not checks["prompt-parity"].passed
    assert any("prompt-parity" in caveat for caveat in verdict.caveats)


def test_cases_that_judge_in_its_training_file_are_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "{trained_on: trained_on.jsonl}")
    arms = world.model(OLD, 0.3), world.model(NEW, 0.8)
    trained_on(tmp_path, world.questions(120), system="Tell the price, as it was at the fair.")
    with running(file, *arms) as protocol, pytest.raises(LeakageError) as caught:
        findings.of(protocol)
    assert len(caught.value.faults) == 60
    assert "arms.other.tuned.trained_on 'line " in caught.value.faults[0]
    assert "Bring a model that was trained without them" in str(caught.value)
    assert [model.n_asked for model in arms] == [0, 0]


def test_a_training_file_with_faults(tmp_path: Path) -> None:
    file = written(tmp_path, "{trained_on: trained_on.jsonl}")
    (tmp_path / "trained_on.jsonl").write_text('{"messages": 3}\n')
    with running(file) as protocol, pytest.raises(DataError, match="line 1"):
        _ = protocol.splits


def test_questions_are_asked_once_and_estimated_before(tmp_path: Path) -> None:
    file = written(tmp_path, f'{{base: "{OLD}"}}')
    first, second = world.model(OLD, 0.3), world.model(NEW, 0.8)
    with running(file, first, second) as protocol:
        steps = [one for one in forecast.of(protocol).outlays if one.step == "check other"]
        assert [(one.model, one.n_calls) for one in steps] == [(NEW, 16), (OLD, 16)]
        assert [first.n_asked, second.n_asked] == [0, 0]
        assert protocol.elsewhere.proof("other")
        assert [first.n_asked, second.n_asked] == [16, 16]
    with running(file, first, second) as protocol:
        assert protocol.elsewhere.proof("other")
        steps = [one for one in forecast.of(protocol).outlays if one.step == "check other"]
        assert [one.n_calls for one in steps] == [0, 0]
    assert [first.n_asked, second.n_asked] == [16, 16]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("base"))


def proven(file: Path) -> dict[str, Check]:
    """The checks by real local models."""
    file.write_text(file.read_text().replace("metrics:", "sampling: {max_tokens: 8}\nmetrics:"))
    with running(file) as protocol:
        found = protocol.elsewhere.proof("other")
        [arm] = protocol.arms("other")
    assert arm.kind == "tuned"
    return {check.name: check for check in found}


def test_an_adapter_is_attached_and_its_tokenizer_compared(tmp_path: Path, base: Path) -> None:
    adapter(base, tmp_path / "mine", 1)
    file = written(tmp_path, "{adapter: mine}", model=f"local:{base}")
    checks = proven(file)
    assert checks["adapter-loaded"].passed
    assert checks["adapter-loaded"].detail.startswith("16 of 16 answers differ")
    # PEFT alone saves no tokenizer.
    assert not checks["template-parity"].passed
    assert not checks["template-parity"].blocking
    tiny.tokenizer().save_pretrained(tmp_path / "mine")
    checks = proven(file)
    assert checks["template-parity"].passed
    assert checks["template-parity"].detail.startswith("the prompts of 16 of 16")


def test_an_adapter_trained_under_another_template_is_blocked(tmp_path: Path, base: Path) -> None:
    adapter(base, tmp_path / "mine", 1)
    words = tiny.tokenizer()
    words.chat_template = words.chat_template.replace("<|turn|>", "## ")
    words.save_pretrained(tmp_path / "mine")
    checks = proven(written(tmp_path, "{adapter: mine}", model=f"local:{base}"))
    assert not checks["template-parity"].passed
    assert checks["template-parity"].blocking
    assert "0 of 16" in checks["template-parity"].detail


def test_an_adapter_that_changes_nothing_is_blocked(tmp_path: Path, base: Path) -> None:
    adapter(base, tmp_path / "mine", 1)
    held = tmp_path / "mine" / "adapter_model.safetensors"
    zero: dict[str, Any] = {name: torch.zeros_like(one) for name, one in load_file(held).items()}
    save_file(zero, held)
    checks = proven(written(tmp_path, "{adapter: mine}", model=f"local:{base}"))
    assert not checks["adapter-loaded"].passed
    assert checks["adapter-loaded"].blocking


def test_a_merged_model_is_compared_with_its_base(tmp_path: Path, base: Path) -> None:
    merged = tiny.save(tmp_path / "merged", seed=1)
    file = written(tmp_path, f'{{base: "local:{base}"}}', model=f"local:{merged}")
    checks = proven(file)
    assert checks["adapter-loaded"].passed
    assert checks["template-parity"].passed
    # Its chat template was lost when it was merged.
    config = json.loads((merged / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    (merged / "tokenizer_config.json").write_text(json.dumps(config))
    (merged / "chat_template.jinja").unlink(missing_ok=True)
    checks = proven(file)
    assert not checks["template-parity"].passed
    assert checks["template-parity"].blocking


def test_folders_that_hold_no_adapter(tmp_path: Path, base: Path) -> None:
    file = written(tmp_path, "{adapter: mine}", model=f"local:{base}")

    def refused() -> str:
        with running(file) as protocol, pytest.raises(ModelError) as caught:
            protocol.arms("other")
        return str(caught.value)

    assert "there is no folder" in refused()
    (tmp_path / "mine").mkdir()
    assert "holds no readable adapter_config.json" in refused()
    (tmp_path / "mine" / "adapter_config.json").write_text("{}")
    assert "holds neither of adapter_model.safetensors" in refused()


@pytest.mark.parametrize(
    ("tuned", "model", "fault"),
    [
        ("{adapter: mine}", "http://127.0.0.1:1/v1#m", "only a local model takes an adapter"),
        ("{adapter: mine, base: local:b}", NEW, "an adapter's base is the arm's `model`"),
        (f'{{base: "{NEW}"}}', NEW, "is the tuned model itself"),
        ("{base: gpt}", NEW, "arms.other.tuned.base: found 'gpt'"),
        ("{}, tune: {}", NEW, "`tune` and `tuned` in one arm"),
        ("{}, search: {calls: 9}", NEW, "`search` and `tuned` in one arm"),
        ("{adaptor: mine}", NEW, "did you mean 'adapter'?"),
    ],
)
def test_faults_of_the_study(tmp_path: Path, tuned: str, model: str, fault: str) -> None:
    with pytest.raises(StudyError) as caught:
        study.read(written(tmp_path, tuned, model=model))
    assert fault in str(caught.value)


def test_a_tuned_arm_is_not_taken_for_the_baseline(tmp_path: Path) -> None:
    file = written(tmp_path, "{}")
    text = file.read_text().replace(f'  prompted: {{model: "{OLD}"}}\n  other:', "  other:", 1)
    file.write_text(text.replace("metrics:", f'  prompted: {{model: "{OLD}"}}\nmetrics:', 1))
    assert study.read(file).baseline == "prompted"
