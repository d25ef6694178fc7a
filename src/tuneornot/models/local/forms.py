"""What an answer's tokens may be where its form is given: any JSON object, or a JSON Schema.

At each step every token is forbidden that no answer of the form could go on with; llguidance knows
which. The model chooses among the others as it always does, so the form is certain (unless the
answer is cut at its limit) and the content is the model's. It refuses to know how tokens are
chosen.

It does not cover forms other than JSON, nor the parts of JSON Schema that llguidance cannot hold a
text to; those are told and not left out in silence.
"""

from __future__ import annotations

import json
from typing import Any, Literal

import torch
from torch import Tensor

from tuneornot.errors import MissingExtra
from tuneornot.records import Json

Form = Literal["json"] | dict[str, Json]


class Forms:
    """The grammars of one tokenizer, each made once.

    Args:
        tokenizer: of transformers, a fast one.
        n_scores: width of the model's scores, which may be more than the vocabulary.
        ends: tokens that may end an answer.

    Raises:
        MissingExtra: llguidance is not installed.
    """

    def __init__(self, tokenizer: Any, *, n_scores: int, ends: frozenset[int]) -> None:
        try:
            import llguidance
            from llguidance.hf import from_tokenizer
        except ImportError as error:
            raise MissingExtra("Holding a local model to a form", "local") from error
        self._library = llguidance
        self._tokenizer = from_tokenizer(tokenizer, n_vocab=n_scores, eos_token=sorted(ends))
        self._ends = ends
        self._known: dict[str, Any] = {}

    def fault(self, form: Form) -> str | None:
        """Why no answer can be held to this form, or ``None``."""
        matcher = self._matcher(form)
        said = [matcher.get_error()] if matcher.is_error() else matcher.get_grammar_warnings()
        return " ".join("; ".join(said).split()) or None

    def held(self, form: Form) -> Held:
        """Where one answer of this form begins."""
        return Held(self._matcher(form).deep_copy(), self._ends)

    def _matcher(self, form: Form) -> Any:
        schema = json.dumps({"type": "object"} if form == "json" else form, sort_keys=True)
        if schema not in self._known:
            matcher = self._library.LLMatcher
            grammar = matcher.grammar_from_json_schema(schema)
            self._known[schema] = matcher(self._tokenizer, grammar, log_level=0)
        return self._known[schema]


class Held:
    """One answer under way, and what it may go on with."""

    def __init__(self, matcher: Any, ends: frozenset[int]) -> None:
        self._matcher = matcher
        self._ends = torch.tensor(sorted(ends))

    def allowed(self, scores: Tensor) -> Tensor:
        """Scores [vocabulary] with what is forbidden at minus infinity."""
        kept = torch.full_like(scores, -torch.inf)
        if self._matcher.is_error():  # the library's limits were reached: the answer ends here
            kept[self._ends] = scores[self._ends]
            return kept
        mask = torch.frombuffer(bytearray(self._matcher.compute_logit_bias()), dtype=torch.uint8)
        open_ = mask[: len(scores)].bool().to(scores.device)
        return torch.where(open_, scores, kept)

    def take(self, token: int) -> None:
        """Go on with a token that was chosen."""
        self._matcher.consume_token(token)


def within(scores: Tensor, held: list[Held | None]) -> Tensor:
    """The scores [rows, vocabulary] to choose from; they are as given where nothing is held."""
    if not any(held):
        return scores
    return torch.stack(
        [row if one is None else one.allowed(row) for row, one in zip(scores, held, strict=True)]
    )
