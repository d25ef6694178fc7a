"""From cases to what a training sees: prompt tokens, answer tokens, and where an answer ends.

An example is built the way serving builds a question: the chat template with its generation prompt,
then the answer's own tokens, then the token that ends a turn. So training and serving agree by
construction, whatever the template does when it renders a finished conversation; where the
template's own rendering differs all the same, ``agrees_with_template`` tells.

Nothing is cut. A case whose example is longer than allowed, or that has no answer, is left out and
named. This file knows tokenizers only by the few methods it calls; it knows no model and no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, cast

from jinja2 import TemplateError

from tuneornot import fingerprint
from tuneornot.records import Case, Message, Prompt

IGNORED = -100
"""The label of a position on which nothing is trained, by PyTorch's convention."""


class Tokenizer(Protocol):
    """What is needed of a Hugging Face tokenizer; loosely typed, as theirs accept many kinds."""

    @property
    def chat_template(self) -> Any:
        """The template's text."""
        ...

    @property
    def eos_token_id(self) -> Any:
        """The end-of-sequence token, or ``None``."""
        ...

    @property
    def apply_chat_template(self) -> Callable[..., Any]:
        """Renders a chat as text."""
        ...

    @property
    def __call__(self) -> Callable[..., Any]:
        """Tokenizes a text."""
        ...


class Example(NamedTuple):
    """One case as a training sees it."""

    case_id: str
    prompt: tuple[int, ...]
    """Tokens up to where the model begins to answer."""
    answer: tuple[int, ...]
    """Tokens of the answer with the end-of-turn token; the only ones that are trained on."""

    @property
    def tokens(self) -> tuple[int, ...]:
        """Prompt, then answer."""
        return self.prompt + self.answer

    @property
    def labels(self) -> tuple[int, ...]:
        """As long as ``tokens``: ``IGNORED`` on the prompt, the token itself on the answer."""
        return (IGNORED,) * len(self.prompt) + self.answer

    def __len__(self) -> int:
        """Length in tokens, prompt and answer together."""
        return len(self.prompt) + len(self.answer)


class Examples(NamedTuple):
    """What became of a set of cases."""

    kept: tuple[Example, ...]
    too_long: tuple[str, ...]
    """Ids of cases left out because prompt and answer together exceed the limit."""
    unanswered: tuple[str, ...]
    """Ids of cases left out because they have no expected answer to train on."""


def build(cases: Sequence[Case], prompt: Prompt, tokenizer: Tokenizer, *, longest: int) -> Examples:
    """Examples of the cases, in their order.

    Args:
        cases: each with an expected answer.
        prompt: what the tuned arm will be asked with.
        tokenizer: the model's own, with a chat template.
        longest: most tokens of prompt and answer together.
    """
    end = end_of_turn(tokenizer)
    kept, too_long, unanswered = [], [], []
    for case in cases:
        if case.expected is None or case.answer == "":
            unanswered.append(case.id)
            continue
        asked = tokens_of(tokenizer, rendered(tokenizer, prompt.messages(case)))
        example = Example(case.id, asked, (*tokens_of(tokenizer, case.answer), end))
        if len(example) > longest:
            too_long.append(case.id)
        else:
            kept.append(example)
    return Examples(tuple(kept), tuple(too_long), tuple(unanswered))


def rendered(
    tokenizer: Tokenizer, messages: Sequence[Message], *, answer: str | None = None
) -> str:
    """A chat as text: open for the model's answer, or with the answer as its last turn.

    A template that knows no system message gets its text in front of the first question, as
    serving does.

    Raises:
        TemplateError: of jinja2, the template refuses these messages.
    """
    chat = [{"role": message.role, "content": message.content} for message in messages]
    if answer is not None:
        chat.append({"role": "assistant", "content": answer})
    how = {"tokenize": False, "add_generation_prompt": answer is None}
    try:
        return cast(str, tokenizer.apply_chat_template(chat, **how))
    except TemplateError:
        if len(chat) < 2 or chat[0]["role"] != "system":
            raise
    system, asked, *rest = chat
    first = {"role": asked["role"], "content": f"{system['content']}\n\n{asked['content']}"}
    return cast(str, tokenizer.apply_chat_template([first, *rest], **how))


def tokens_of(tokenizer: Tokenizer, text: str) -> tuple[int, ...]:
    """Tokens of a text that holds whatever special tokens it needs already."""
    return tuple(tokenizer(text, add_special_tokens=False)["input_ids"])


def end_of_turn(tokenizer: Tokenizer) -> int:
    """The token with which the chat template closes an assistant's turn.

    Read off the template, because a tokenizer's end-of-sequence token need not be the one that
    ends a turn; a model trained on the wrong one never learns to stop. Where the template writes
    nothing after the answer it is the end-of-sequence token.

    Raises:
        ValueError: neither the template nor the tokenizer names such a token.
    """
    mark = "answer"
    text = rendered(tokenizer, [Message(role="user", content="question")], answer=mark)
    closing = tokens_of(tokenizer, text[text.rindex(mark) + len(mark) :])
    if closing:
        return closing[0]
    if tokenizer.eos_token_id is None:
        raise ValueError(
            "A chat template must close the assistant's turn or the tokenizer name an "
            "end-of-sequence token; found neither. Give the tokenizer an eos_token."
        )
    return cast(int, tokenizer.eos_token_id)


def agrees_with_template(
    tokenizer: Tokenizer, case: Case, prompt: Prompt, example: Example
) -> bool:
    """Whether the template's own rendering of the solved case begins with the example's tokens."""
    whole = rendered(tokenizer, prompt.messages(case), answer=case.answer)
    return tokens_of(tokenizer, whole)[: len(example)] == example.tokens


def template_fingerprint(tokenizer: Tokenizer) -> str:
    """Fingerprint of the chat template, the same in training and serving if nothing was swapped."""
    return fingerprint.of(tokenizer.chat_template)
