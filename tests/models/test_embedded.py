"""The embedded model itself: the same answers as transformers gives, and adapters on it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.models.test_adapters import adapter
from tuneornot.models.base import Request
from tuneornot.models.local import LocalModel, prefix, weights
from tuneornot.models.local.prefixed import cover
from tuneornot.records import Case, Message, Prompt, Sampling

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning"),
]
NAME = "local:smollm2-135m"
QUESTIONS = {
    "What is the capital of France?": "Paris",
    "Which colour has a ripe lemon?": "Yellow",
    "How many legs has a spider?": "Eight",
    "Who wrote Hamlet?": "William Shakespeare",
}
ASKED = [
    "What is the capital of Italy?",
    "Which colour has grass?",
    "How many days has a week?",
    "Who painted the Mona Lisa?",
    "What do bees make?",
    "Is the sun a star?",
    "What is two plus two?",
    "Which ocean lies between Europe and America, and how wide is it?",
]


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return LocalModel(NAME)


def requests(**sampling: Any) -> list[Request]:
    shown = tuple(Case(id=q, input=q, expected=a) for q, a in QUESTIONS.items())
    prompt = Prompt(instructions="Answer in one word.", demonstrations=shown)
    how = Sampling(**{"max_tokens": 24, **sampling})
    return [
        Request(messages=prompt.messages(Case(id=text, input=text)), sampling=how) for text in ASKED
    ]


def test_answers_equal_those_of_generate(model: LocalModel) -> None:
    assert model._open._in_parts
    replies = dict(model.ask(requests()))
    loaded = weights.load(NAME, dtype=torch.float32)
    for i, request in enumerate(requests()):
        prompt = torch.tensor([model.prompt_tokens(request.messages)])
        out = loaded.model.generate(
            prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=24, do_sample=False
        )
        answer = out[0, prompt.shape[1] :]
        # In float32 the leading token is far clearer than rounding; in bfloat16 a tie may turn.
        if weights.compute_dtype() == torch.float32:
            assert replies[i].text == loaded.tokenizer.decode(answer, skip_special_tokens=True)
            assert replies[i].n_output_tokens == len(answer)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_is_answered_in_parts_on_every_machine_and_never_in_wrong_ones(
    dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cover(weights.load(NAME, dtype=dtype).model)
    monkeypatch.setattr(prefix, "_with_prefix", lambda *args: args[3][0])
    assert not cover(weights.load(NAME, dtype=dtype).model)


def test_a_chat_without_a_system_message_gets_that_of_the_template(model: LocalModel) -> None:
    text = model.prompt_text([Message(role="user", content="Hello")])
    assert text.startswith("<|im_start|>system\nYou are a helpful AI assistant named SmolLM")
    assert text.endswith("<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n")
    assert model.prompt_text([Message(role="system", content="Be brief.")]).count("system") == 1


def test_an_adapter_comes_and_goes(tmp_path: Path, model: LocalModel) -> None:
    before = dict(model.ask(requests()))
    folder = weights._dense(weights.locate(NAME))[0]
    tuned = adapter(folder, tmp_path, 1, r=8)
    changed = dict(model.ask(requests(), adapter=tuned))
    after = dict(model.ask(requests()))
    assert {i: reply.text for i, reply in after.items()} == {
        i: reply.text for i, reply in before.items()
    }
    assert any(changed[i].text != before[i].text for i in before)


def test_the_example_of_the_documentation_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = Path(__file__).parents[2] / "docs/concepts/local-models.md"
    [example] = re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    exec(example, {})
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith("0 ")
    assert "Paris" in line
