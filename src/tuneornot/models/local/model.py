"""A model in this process: prompts to tokens, tokens to replies.

Both arms take this one path. Requests are taken in windows; what the prompts of a window have in
common is computed once (``prefix``) and kept for later calls; rows are answered in batches bounded
by memory (``batches``); an adapter is attached without loading anything again (``adapters``).

It refuses to know cases, metrics and stores. It does not cover several processes or devices, and it
is not safe to use from two threads at once.
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from jinja2 import TemplateError

from tuneornot.models.base import Reply, Request
from tuneornot.models.local import weights
from tuneornot.models.local.adapters import AdapterShelf
from tuneornot.models.local.batches import Batch, PartsBatch, decode
from tuneornot.models.local.forms import Forms
from tuneornot.models.local.plain import PlainBatch
from tuneornot.models.local.prefix import Prefix, Slots
from tuneornot.models.local.prefixed import Forward, PrefixShelf, cover, extended, n_common
from tuneornot.models.local.rows import Ending, Row, chance_of, ends_of
from tuneornot.records import Adapter, Message

WINDOW = 512
"""Requests taken at a time; no more are ever held."""
MOST_ROWS = 256
"""Rows answered together: beyond this the products gain nothing."""
MEMORY = 3 * 2**29
"""Bytes for the keys and values of the rows' own tokens, if every answer grew to its limit."""
PLAIN_TOKENS = 8192
"""Prompt tokens that a model reads in one pass where its rows share no prefix."""
WORTH_READING = 64
"""Tokens saved that make a longer shared prefix worth a pass of its own."""


class LocalModel:
    """Answers requests with a causal language model in this process.

    Args:
        name: ``local:smollm2-135m``, ``local:PATH`` or ``local:HUB_ID`` (see ``weights``).

    Raises:
        ModelError: there is no such model. It is loaded at the first request, not before.
    """

    def __init__(self, name: str) -> None:
        weights.locate(name)
        self.name = name
        self._opened: _Opened | None = None

    def identity(self) -> str:
        """Fingerprint of the files that the model is made of."""
        return weights.identity(self.name)

    def prompt_text(self, messages: Sequence[Message]) -> str:
        """What the chat template makes of messages, up to where the answer begins.

        Templates may add to it: SmolLM2's puts a system message of its own before a chat that
        has none.

        Raises:
            TemplateError: of jinja2, the template refuses these messages.
        """
        return self._open.text(messages)

    def prompt_tokens(self, messages: Sequence[Message]) -> list[int]:
        """The tokens of ``prompt_text``; no others are put before or behind."""
        return self._open.tokens([self.prompt_text(messages)])[0]

    def ask(
        self,
        requests: Iterable[Request],
        *,
        adapter: Adapter | None = None,
        one_by_one: bool = False,
    ) -> Iterator[tuple[int, Reply]]:
        """Answer requests; yield (position, reply) as soon as each is ready (see ``base.Model``).

        ``latency_s`` runs from the pass that begins to read a row's own tokens to its last token,
        without waiting for a place in the batch and without the shared prefix, which is read
        before; ``load`` is the largest number of rows that were computed with it. With
        ``one_by_one`` every request is a batch of one behind the cached prefix, as if a server
        that caches prefixes had nothing else to do; only then does ``first_token_s`` mean anything.
        ``n_output_tokens`` counts the ending token, log-probabilities leave it out.

        Raises:
            ModelError: the model or the adapter cannot be loaded.
        """
        numbered = enumerate(requests)
        while window := list(islice(numbered, WINDOW)):
            yield from self._open.answer(window, adapter, alone=one_by_one)

    def close(self) -> None:
        """Free the weights; another call to ``ask`` would load them again."""
        self._opened = None
        gc.collect()

    @property
    def _open(self) -> _Opened:
        if self._opened is None:
            self._opened = _Opened(weights.load(self.name))
        return self._opened


class _Opened:
    """A loaded model with what it keeps between calls: adapters, prefixes, and its endings."""

    def __init__(self, loaded: weights.Loaded) -> None:
        self._model = loaded.model
        self._tokenizer = loaded.tokenizer
        self._ending = Ending(loaded.tokenizer, ends_of(loaded.model, loaded.tokenizer))
        self._adapters = AdapterShelf(loaded.model)
        self._prefixes = PrefixShelf()
        self._in_parts = cover(loaded.model)
        config = loaded.model.config.get_text_config()
        self._context = int(getattr(config, "max_position_embeddings", 2**31))
        n_heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        size = getattr(config, "head_dim", None) or (
            config.hidden_size // config.num_attention_heads
        )
        self._token_bytes = (
            2 * config.num_hidden_layers * n_heads * size * loaded.model.dtype.itemsize
        )

    def text(self, messages: Sequence[Message]) -> str:
        chat = [{"role": message.role, "content": message.content} for message in messages]
        how = {"tokenize": False, "add_generation_prompt": True}
        try:
            return str(self._tokenizer.apply_chat_template(chat, **how))
        except TemplateError:
            if len(chat) < 2 or chat[0]["role"] != "system":
                raise
        # Some templates know no system message; its text then opens the first question.
        system, asked, *rest = chat
        first = {"role": asked["role"], "content": f"{system['content']}\n\n{asked['content']}"}
        return str(self._tokenizer.apply_chat_template([first, *rest], **how))

    def tokens(self, texts: list[str]) -> list[list[int]]:
        if not texts:
            return []
        found: list[list[int]] = self._tokenizer(texts, add_special_tokens=False)["input_ids"]
        return found

    def answer(
        self, window: list[tuple[int, Request]], adapter: Adapter | None, *, alone: bool
    ) -> Iterator[tuple[int, Reply]]:
        """Answer some requests together, or each alone."""
        forward = self._forward(adapter)
        prompts, refused = self._prompts(window)
        yield from refused
        prefix = self._shared(forward, adapter, [prompt for _, _, prompt in prompts])
        rows = [self._row(*prompt, len(prefix)) for prompt in prompts]
        for group in [[row] for row in rows] if alone else _groups(rows):
            yield from decode(self._batch(forward, prefix, group), group, self._ending)

    @functools.cached_property
    def _forms(self) -> Forms:
        # Made when it is first needed: reading the vocabulary takes a moment.
        width = self._model.get_output_embeddings().weight.shape[0]
        return Forms(self._tokenizer, n_scores=width, ends=self._ending.ends)

    def _forward(self, adapter: Adapter | None) -> Forward:
        """The model as the adapter makes it, even if calls with several adapters take turns."""
        self._adapters.attach(adapter)

        def forward(**inputs: Any) -> Any:
            self._adapters.attach(adapter)
            return self._model(**inputs)

        return forward

    def _prompts(
        self, window: list[tuple[int, Request]]
    ) -> tuple[list[tuple[int, Request, tuple[int, ...]]], list[tuple[int, Reply]]]:
        """The tokens of each request's prompt, and replies to those that cannot be answered."""
        kept: list[tuple[int, Request]] = []
        texts: list[str] = []
        refused: list[tuple[int, Reply]] = []
        for position, request in window:
            form = request.sampling.form
            if form is not None and (fault := self._forms.fault(form)) is not None:
                refused.append((position, Reply(error=_unheld(fault))))
                continue
            try:
                texts.append(self.text(request.messages))
                kept.append((position, request))
            except TemplateError as error:
                refused.append((position, Reply(error=_untold(error))))
        prompts = []
        for (position, request), tokens in zip(kept, self.tokens(texts), strict=True):
            if len(tokens) < self._context:
                prompts.append((position, request, tuple(tokens)))
            else:
                sentence = _too_long(len(tokens), self._context)
                refused.append((position, Reply(error=sentence, n_input_tokens=len(tokens))))
        return prompts, refused

    def _row(self, position: int, request: Request, prompt: tuple[int, ...], n_shared: int) -> Row:
        return Row(
            position=position,
            tokens=prompt[n_shared:],
            n_prompt=len(prompt),
            n_room=max(1, min(request.sampling.max_tokens, self._context - len(prompt))),
            sampling=request.sampling,
            chance=chance_of(request.sampling, prompt),
            held=self._forms.held(form) if (form := request.sampling.form) is not None else None,
        )

    def _shared(
        self, forward: Forward, adapter: Adapter | None, prompts: list[tuple[int, ...]]
    ) -> Prefix:
        """What all prompts begin with, of the prefixes known or read now."""
        if not self._in_parts or not prompts:
            return Prefix()
        # Of sorted sequences the first and the last differ earliest. One token must be left over.
        n_shared = n_common(min(prompts), max(prompts))
        n_shared = min(n_shared, min(map(len, prompts)) - 1)
        wanted = prompts[0][:n_shared]
        key = self._adapters.key(adapter)
        known = self._prefixes.nearest(key, wanted)
        missing = wanted[len(known) :]
        if len(missing) * (len(prompts) - 1) < WORTH_READING:
            return known
        read = extended(forward, known, missing, self._slots(1, len(missing)))
        self._prefixes.keep(key, read)
        return read

    def _slots(self, n_slots: int, length: int) -> Slots:
        return Slots(n_slots, length, dtype=self._model.dtype, device=self._model.device)

    def _batch(self, forward: Forward, prefix: Prefix, rows: list[Row]) -> Batch:
        length = max(row.length for row in rows)
        n_most = max(1, min(MOST_ROWS, len(rows), MEMORY // (length * self._token_bytes)))
        if self._in_parts:
            return PartsBatch(forward, prefix, self._slots(n_most, length))
        longest = max(len(row.tokens) for row in rows)
        n_most = max(1, min(n_most, PLAIN_TOKENS // longest))
        return PlainBatch(
            forward, self._model, pad=self._tokenizer.pad_token_id or 0, n_most=n_most
        )


def _groups(rows: list[Row]) -> list[list[Row]]:
    """Rows by length, parted where a row may need more than twice the places of the shortest.

    Slots are all as long as the longest row of their group may become.
    """
    groups: list[list[Row]] = []
    for row in sorted(rows, key=lambda row: (row.length, len(row.tokens))):
        if groups and row.length <= 2 * groups[-1][0].length:
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def _untold(error: TemplateError) -> str:
    return (
        f"The model's chat template refuses these messages ({error}). "
        "Use the roles that it knows, in the order that it wants."
    )


def _unheld(fault: str) -> str:
    return (
        f"A local model must be able to hold its answer to the form; it cannot: {fault}. "
        "Simplify the JSON Schema in `sampling.form`."
    )


def _too_long(n_tokens: int, context: int) -> str:
    return (
        f"A prompt must be shorter than the model's context of {context} tokens; this one has "
        f"{n_tokens}. Shorten the input or the demonstrations."
    )
