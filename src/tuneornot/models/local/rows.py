"""A row: one answer in the making, the next token chosen for it, and how it ends.

It refuses to know how scores are computed. It does not cover beams or penalties: the next token is
the likeliest one, or drawn at a temperature, from the whole distribution or its likeliest part.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from tuneornot import fingerprint
from tuneornot.models.base import Reply
from tuneornot.models.local.forms import Held
from tuneornot.records import Sampling


@dataclass
class Row:
    """One request on its way through a batch."""

    position: int
    """Of the request in the call."""
    tokens: tuple[int, ...]
    """What is left of the prompt behind the shared prefix; at least one token."""
    n_prompt: int
    """Tokens of the whole prompt."""
    n_room: int
    """Most tokens that its answer may have."""
    sampling: Sampling
    chance: random.Random
    held: Held | None = None
    """What holds it to the form that its sampling wants."""
    answer: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    """Of each token of the answer, where the sampling wants them."""
    likeliest: list[list[tuple[int, float]]] = field(default_factory=list)
    """At each token the likeliest ones with their log-probabilities, as many as are wanted."""
    began_s: float = 0.0
    first_s: float = 0.0
    """When its first token was chosen."""
    load: int = 1
    """Most rows that were computed together with it, itself included."""

    @property
    def length(self) -> int:
        """Places that it may come to need in a slot (the last token is never read)."""
        return len(self.tokens) + self.n_room

    def take(self, token: int) -> None:
        """Go on with the token that was chosen."""
        self.answer.append(token)
        if self.held is not None:
            self.held.take(token)


def chance_of(sampling: Sampling, prompt: tuple[int, ...]) -> random.Random:
    """The random numbers of one request: by seed and prompt, so that no batch changes them.

    The prompt takes part because all cases of a run have the same seed: without it every case
    would get the same draws, and the cases would no longer be independent.
    """
    return random.Random(fingerprint.of([sampling.seed, list(prompt)]))


def choose(scores: Tensor, rows: list[Row]) -> list[int]:
    """The next token of each row.

    Args:
        scores: logits [rows, vocabulary].
        rows: in the same order.
    """
    chosen: list[int] = scores.argmax(-1).tolist()
    drawn = [i for i, row in enumerate(rows) if row.sampling.temperature > 0]
    if drawn:
        heat = torch.tensor([rows[i].sampling.temperature for i in drawn], dtype=torch.float64)
        shares = torch.softmax(scores[drawn].double().cpu() / heat[:, None], -1)
        shares = _likeliest_part(shares, [rows[i].sampling.top_p for i in drawn]).cumsum(-1)
        points = torch.tensor([[rows[i].chance.random()] for i in drawn], dtype=torch.float64)
        # Scaled by the last sum, which rounding leaves a little off 1.
        picks = torch.searchsorted(shares, points * shares[:, -1:], right=True)
        for i, pick in zip(drawn, picks[:, 0].tolist(), strict=True):
            chosen[i] = min(int(pick), scores.shape[-1] - 1)
    return chosen


def _likeliest_part(shares: Tensor, top_p: list[float]) -> Tensor:
    """The shares [rows, vocabulary] without those beyond the likeliest that make up ``top_p``.

    Nucleus sampling (Holtzman et al. 2020, arXiv:1904.09751); the token that completes the part
    belongs to it, so one is always left.
    """
    if min(top_p) >= 1:
        return shares
    ordered, order = shares.sort(-1, descending=True)
    before = ordered.cumsum(-1) - ordered
    ordered[before >= torch.tensor(top_p, dtype=shares.dtype)[:, None]] = 0
    return torch.zeros_like(shares).scatter_(-1, order, ordered)


def weigh(scores: Tensor, rows: list[Row], chosen: list[int]) -> None:
    """Note how likely the chosen tokens are, in the rows whose sampling wants it.

    The log-probabilities are those of the model itself, before temperature and ``top_p``.

    Args:
        scores: logits [rows, vocabulary].
        rows: in the same order.
        chosen: the next token of each.
    """
    wanted = [i for i, row in enumerate(rows) if row.sampling.logprobs is not None]
    if not wanted:
        return
    shares = torch.log_softmax(scores[wanted].float(), -1)
    n_most = min(max(rows[i].sampling.logprobs or 0 for i in wanted), shares.shape[-1])
    top = shares.topk(n_most, -1)
    values, tokens = top.values.tolist(), top.indices.tolist()
    for place, i in enumerate(wanted):
        n = rows[i].sampling.logprobs or 0
        rows[i].logprobs.append(float(shares[place, chosen[i]]))
        rows[i].likeliest.append(list(zip(tokens[place], values[place], strict=True))[:n])


class Ending:
    """When a row has ended, and what it then says."""

    def __init__(self, tokenizer: Any, ends: frozenset[int]) -> None:
        self._tokenizer = tokenizer
        self.ends = ends

    def of(self, row: Row) -> Reply | None:
        """The reply of a row that its newest token ended, else None.

        ``n_output_tokens`` counts every token computed, the ending one included.
        """
        if row.answer[-1] in self.ends:
            return self._reply(row, row.answer[:-1], "stop")
        if row.sampling.stop and (text := self._stopped(row)) is not None:
            return self._reply(row, row.answer, "stop", text=text)
        if len(row.answer) >= row.n_room:
            return self._reply(row, row.answer, "length")
        return None

    def _stopped(self, row: Row) -> str | None:
        """The text before the first stop string, if the newest token completed one."""
        longest = max(len(stop.encode()) for stop in row.sampling.stop)
        # Every token is at least one byte, so this many hold any stop string; the rest is margin
        # for tokens that only together make up a character.
        recent = self._text(row.answer[-(longest + 8) :])
        if not any(stop in recent for stop in row.sampling.stop):
            return None
        text = self._text(row.answer)
        places = [text.find(stop) for stop in row.sampling.stop]
        return text[: min((place for place in places if place >= 0), default=len(text))]

    def _text(self, tokens: list[int], *, special: bool = False) -> str:
        decoded = self._tokenizer.decode(
            tokens, skip_special_tokens=not special, clean_up_tokenization_spaces=False
        )
        return str(decoded)

    def _reply(
        self,
        row: Row,
        said: list[int],
        finish: Literal["stop", "length"],
        *,
        text: str | None = None,
    ) -> Reply:
        """The reply of a row; ``said`` are its tokens without the one that ended it."""
        told = row.sampling.logprobs is not None
        alternatives = tuple(self._named(ones) for ones in row.likeliest[: len(said)])
        return Reply(
            text=self._text(said) if text is None else text,
            finish=finish,
            n_input_tokens=row.n_prompt,
            n_output_tokens=len(row.answer),
            latency_s=time.perf_counter() - row.began_s,
            first_token_s=row.first_s - row.began_s,
            logprobs=tuple(row.logprobs[: len(said)]) if told else None,
            alternatives=alternatives if row.sampling.logprobs else None,
            load=row.load,
        )

    def _named(self, likeliest: list[tuple[int, float]]) -> dict[str, float]:
        """By text of the token; of tokens with one text (parts of a character) the likeliest."""
        return {self._text([token], special=True): value for token, value in reversed(likeliest)}


def ends_of(model: Any, tokenizer: Any) -> frozenset[int]:
    """Tokens that end an answer: end of text, and what the chat template puts behind a turn."""
    ends: set[int] = set()
    for source in (model.generation_config, model.config, tokenizer):
        found = getattr(source, "eos_token_id", None)
        ends.update([found] if isinstance(found, int) else found or ())
    turn = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "\u2192"}]
    rendered = tokenizer.apply_chat_template(turn, tokenize=False).rpartition("\u2192")[2]
    following = tokenizer(rendered, add_special_tokens=False)["input_ids"]
    if following and following[0] in tokenizer.all_special_ids:
        ends.add(following[0])
    return frozenset(ends)
