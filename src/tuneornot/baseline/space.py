"""The prompts that are tried: a first field of different ones, then variations of the leaders.

A prompt has parts that vary here: its instructions, its format hint, number and choice of its
demonstrations, and, where the model offers it, a form that its answers are held to and thinking
before them. The first field crosses them by a fixed plan, so that each level of each part
meets several levels of the others; the variations recombine and nudge what led so far.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec
from msgspec import UNSET

from tuneornot.baseline import demonstrations, phrases
from tuneornot.baseline.demonstrations import How, Shown, Sorted
from tuneornot.records import Case, Json, Prompt, Step

SHOWN = (2, 4, 8, 12, 16, 24)
"""Numbers of demonstrations between which the variations step."""

Choice = How | Literal["hard", "mixed"]
"""How demonstrations are chosen; the last two need to know which cases are hard."""

THINKING = "thinking first"
"""The frame in which a model thinks before it answers."""


class Proposal(NamedTuple):
    """A prompt to try, and what it is made of."""

    frame: str
    hint: str
    shown: str
    """What its demonstrations are, in a word or two."""
    prompt: Prompt

    @property
    def name(self) -> str:
        """What distinguishes it, in a few words."""
        parts = [self.frame, self.hint, self.shown]
        parts += [] if self.prompt.form is None else ["held to the form"]
        parts += _drawn(self.prompt)
        parts += ["nothing looked up"] if self.prompt.looks_up is False else []
        parts += [f"{self.prompt.n_calls} calls"] if self.prompt.steps else []
        return ", ".join(part for part in parts if part)


class Drawing(NamedTuple):
    """How the next token is drawn."""

    temperature: float
    top_p: float


class Offers(NamedTuple):
    """What prompts may ask of the model besides words."""

    form: dict[str, Json] | None = None
    """A JSON Schema that its decoding can be held to."""
    reasoning: int = 0
    """Tokens that it may think for before its answer; 0: it answers at once."""
    difficulty: bool = False
    """Whether train cases are asked first, so that demonstrations are chosen by how hard they are;
    the study says so."""
    sampled: tuple[Drawing, ...] = ()
    """Ways of drawing tokens besides the arm's own, where the study wants them tried."""
    lookup: bool = False
    """Whether prompts without what the arm looks up are tried; the study says so."""
    steps: int = 0
    """Tokens of a step that prompts may take before the answer, in a call of its own; 0: none does.
    The study says so."""


class Parts(NamedTuple):
    """What a prompt is made of, each part by its name."""

    frame: str
    hint: str
    how: Choice
    n: int
    """Demonstrations."""
    held: bool = False
    draw: int = 0
    """Which of several choices of cases for the same number and way of choosing."""
    sampled: Drawing | None = None
    """How tokens are drawn; ``None``: as the user's own prompt does."""
    turned: bool = False
    """Whether passages are left out where the user's own prompt shows them, or the other way."""
    split: bool = False
    """Whether a step is taken where the user's own prompt takes none, or the other way."""


class _Cell(NamedTuple):
    frame: int
    hint: int
    how: Choice
    n: int
    held: bool = False


FIRST = (
    _Cell(0, 0, "random", 8),
    _Cell(1, 1, "diverse", 12),
    _Cell(0, 1, "nearest", 4),
    _Cell(0, 1, "random", 8, held=True),
    _Cell(5, 1, "random", 0),
    _Cell(0, 0, "diverse", 4),
    _Cell(2, 0, "random", 16),
    _Cell(1, 1, "random", 0),
    _Cell(3, 1, "diverse", 8),
    _Cell(2, 0, "nearest", 8),
    _Cell(5, 0, "nearest", 4),
    _Cell(1, 1, "nearest", 8, held=True),
    _Cell(0, 0, "random", 12),
    _Cell(2, 2, "diverse", 16),
    _Cell(4, 1, "random", 8),
    _Cell(3, 0, "random", 2),
    _Cell(4, 2, "nearest", 12),
    _Cell(0, 1, "random", 16),
    _Cell(1, 2, "random", 4),
    _Cell(4, 0, "diverse", 12),
)
"""The first field besides the user's own prompt: number of the frame and of the hint (modulo how
many there are), the demonstrations, and whether answers are held to a form. Frame 5 is thinking
first; what is not offered is left out. What small models need most, demonstrations, comes early,
for budgets that end within it."""


BY_DIFFICULTY = (_Cell(0, 1, "hard", 8), _Cell(0, 1, "mixed", 8), _Cell(1, 0, "mixed", 4))
"""Cells of the first field where it is known which cases are hard."""

NOTHING = Offers()


class Space:
    """All prompts that can be made from a task, a starting prompt and training cases."""

    def __init__(
        self, start: Prompt, train: Sequence[Case], seed: int, offers: Offers = NOTHING
    ) -> None:
        self.start = start
        self.offers = offers
        self.train = tuple(train)
        self.seed = seed
        self.rng = random.Random(seed)
        self.kind = phrases.kind(self.train)
        self.frames = phrases.instructions(start.instructions, self.kind)
        self.hints = phrases.hints(self.train, self.kind)
        self.hows: tuple[Choice, ...] = ("random", "diverse", "nearest")
        self.sorted = Sorted()
        if offers.reasoning:
            self.frames[THINKING] = phrases.thinking(start.instructions, self.kind)
        if start.format_hint:
            self.hints = {"own hint": start.format_hint, **self.hints}

    def sort(self, known: Sorted) -> None:
        """From now on choose demonstrations by difficulty too, where some cases are hard."""
        if known.hard:
            self.hows = ("random", "diverse", "nearest", "hard", "mixed")
            self.sorted = known

    def first(self, written: Sequence[str] = ()) -> list[Proposal]:
        """The first field: the user's own prompt, then different ones, each once.

        Args:
            written: instructions by another model; each is tried in two settings, the last one
                first.
        """
        cells = [*FIRST]
        if self.sorted.hard:
            cells[3:3] = BY_DIFFICULTY
        for text in written:
            self.written(text)
            frame = len(self.frames) - 1
            cells[3:3] = [_Cell(frame, 0, "random", 8), _Cell(frame, 1, "nearest", 4)]
        made = [self.own, *(found for cell in cells if (found := self._cell(cell)))]
        made[3:3] = self._changed(made[1:3])
        if len(_different(made)) < 8:  # no case can be shown: frames and hints alone
            made += [
                Proposal(frame, hint, "none shown", self._prompt(frame, hint, Shown(())))
                for frame in self.frames
                for hint in self.hints
            ]
        return _different(made)

    def variations(self, best: Proposal, second: Proposal | None) -> list[Proposal]:
        """Prompts around the leader: parts of the second, other cases, other words; each once."""
        made = list(self._recombined(best, second)) if second else []
        made += self._reshown(best)
        made += [
            self._with(best, frame=self.rng.choice(list(self.frames))),
            self._with(best, hint=self.rng.choice(list(self.hints))),
        ]
        if self.offers.form is not None and best.prompt.reasoning is None:
            other = self.offers.form if best.prompt.form is None else None
            made.append(best._replace(prompt=msgspec.structs.replace(best.prompt, form=other)))
        if self.offers.sampled:
            own = {"temperature": self.start.temperature, "top_p": self.start.top_p}
            drawings = [one._asdict() for one in self.offers.sampled]
            made.append(_under(best, self.rng.choice([own, *drawings])))
        if self.offers.lookup:
            made.append(_turned(best))
        if self.offers.steps:
            made.append(self._split(best))
        return [one for one in _different([best, *made]) if one.prompt != best.prompt]

    @property
    def own(self) -> Proposal:
        """The user's own prompt."""
        return Proposal("as given", "", f"{len(self.start.demonstrations)} shown", self.start)

    @functools.cached_property
    def numbers(self) -> tuple[int, ...]:
        """Of demonstrations, none among them, as far as there are cases to show."""
        return (0, *(n for n in SHOWN if demonstrations.eligible(self.train, n)))

    def written(self, text: str) -> str:
        """Take instructions by another model among the frames; tells their name."""
        name = f"written {len(self.frames)}"
        self.frames[name] = text
        return name

    def reworded(self, best: Proposal, text: str) -> Proposal:
        """The leader with instructions by another model, which may be recombined from now on."""
        return self._with(best, frame=self.written(text))

    def of(self, parts: Parts) -> Proposal | None:
        """The prompt of these parts, always the same one; ``None`` for too few cases."""
        chosen = f"{self.seed}/{parts.n}/{parts.how}/{parts.draw}"
        return self._made(parts, random.Random(chosen))

    def _cell(self, cell: _Cell) -> Proposal | None:
        if cell.frame >= len(self.frames) or (cell.held and self.offers.form is None):
            return None
        frame = list(self.frames)[cell.frame]
        hint = list(self.hints)[cell.hint % len(self.hints)]
        return self._made(Parts(frame, hint, cell.how, cell.n, cell.held), self.rng)

    def _changed(self, made: Sequence[Proposal]) -> list[Proposal]:
        """Prompts once more with each further thing changed that the study wants varied."""
        drawn = [_under(one, way._asdict()) for way in self.offers.sampled for one in made]
        drawn += map(_turned, made) if self.offers.lookup else ()
        return [*drawn, *map(self._split, made)] if self.offers.steps else drawn

    def _made(self, parts: Parts, rng: random.Random) -> Proposal | None:
        shown = self._draw(parts.n, parts.how, rng)
        if shown is None:
            return None
        word = f"{parts.n} {parts.how}" if parts.n else "none shown"
        prompt = self._prompt(parts.frame, parts.hint, shown)
        form = self.offers.form if parts.held else self.start.form
        made = Proposal(parts.frame, parts.hint, word, msgspec.structs.replace(prompt, form=form))
        if parts.sampled is not None:
            made = _under(made, parts.sampled._asdict())
        made = _turned(made) if parts.turned else made
        return self._split(made) if parts.split else made

    def _split(self, proposal: Proposal) -> Proposal:
        """The proposal in two calls; or, where it takes steps, at once."""
        ask = phrases.noting(self.start.instructions, self.kind)
        own = self.start.steps or (Step(ask=ask, max_tokens=self.offers.steps),)
        return _under(proposal, {"steps": UNSET if proposal.prompt.steps else own})

    def _recombined(self, best: Proposal, second: Proposal) -> Iterator[Proposal]:
        for words, cases in ((best, second), (second, best)):
            shown = Shown(cases.prompt.demonstrations, cases.prompt.nearest)
            yield self._shows(words, cases.shown, shown)

    def _reshown(self, best: Proposal) -> list[Proposal]:
        """Other demonstrations for the leader's words."""
        made = self._shuffled(best)
        now = best.prompt.n_shown
        fewer = [n for n in SHOWN if n < now][-1:]
        more = [n for n in SHOWN if n > now][:1]
        for n in (*fewer, *more, now):
            how = self.rng.choice(self.hows)
            shown = self._draw(n, how, self.rng) if n else None
            if shown is not None:
                made.append(self._shows(best, f"{n} {how}", shown))
        return made

    def _shuffled(self, best: Proposal) -> list[Proposal]:
        """The leader's demonstrations in another order, and with some of them replaced."""
        now = best.prompt.demonstrations
        if len(now) < 2 or best.prompt.nearest is not None:
            return []
        orders = Shown(tuple(self.rng.sample(now, len(now))))
        return [
            self._shows(best, f"{len(now)} reordered", orders),
            self._shows(best, f"{len(now)} partly swapped", Shown(self._swapped(now))),
        ]

    def _swapped(self, now: tuple[Case, ...]) -> tuple[Case, ...]:
        """A third of the demonstrations replaced by others."""
        kept = list(now)
        ids = {case.id for case in now}
        others = [
            case for case in demonstrations.eligible(self.train, len(now)) if case.id not in ids
        ]
        count = min(max(1, len(now) // 3), len(others))
        new = self.rng.sample(others, count)
        for position, case in zip(self.rng.sample(range(len(kept)), count), new, strict=True):
            kept[position] = case
        return tuple(kept)

    def _shows(self, best: Proposal, word: str, shown: Shown) -> Proposal:
        prompt = msgspec.structs.replace(
            best.prompt, demonstrations=shown.cases, nearest=shown.nearest
        )
        return Proposal(best.frame, best.hint, word, prompt)

    def _with(
        self, best: Proposal, *, frame: str | None = None, hint: str | None = None
    ) -> Proposal:
        prompt = msgspec.structs.replace(
            best.prompt,
            instructions=self.frames[frame] if frame else best.prompt.instructions,
            format_hint=self.hints[hint] if hint else best.prompt.format_hint,
        )
        if frame:
            thinks = self.thinks(frame)
            form = prompt.form if thinks is None else None  # it would leave no room for thinking
            prompt = msgspec.structs.replace(prompt, reasoning=thinks, form=form)
        return Proposal(frame or best.frame, hint or best.hint, best.shown, prompt)

    def _prompt(self, frame: str, hint: str, shown: Shown) -> Prompt:
        return Prompt(
            instructions=self.frames[frame],
            format_hint=self.hints[hint],
            demonstrations=shown.cases,
            nearest=shown.nearest,
            reasoning=self.thinks(frame),
            form=self.start.form,
            temperature=self.start.temperature,
            top_p=self.start.top_p,
            looks_up=self.start.looks_up,
            steps=self.start.steps,
        )

    def thinks(self, frame: str) -> int | None:
        """Tokens that a prompt in this frame lets the model think for; ``None``: not at all."""
        if frame == THINKING:
            return self.offers.reasoning
        return self.start.reasoning  # its words ask for it in every frame

    def _draw(self, n: int, how: Choice, rng: random.Random) -> Shown | None:
        """Demonstrations, or ``None`` where there are not enough cases to show."""
        if not n:
            return Shown(())
        cases, labelled = demonstrations.eligible(self.train, n), self.kind == "label"
        if how == "hard" or how == "mixed":
            ids = {case.id for case in cases}
            hard, easy = (tuple(one for one in part if one.id in ids) for part in self.sorted)
            known, mixed = Sorted(hard, easy), how == "mixed"
            return demonstrations.draw_sorted(known, n, rng, mixed=mixed, labelled=labelled)
        rng = random.Random(self.seed) if how == "nearest" else rng  # one pool for all
        return demonstrations.draw(cases, n, how, rng, labelled=labelled)


def _under(proposal: Proposal, change: Mapping[str, object]) -> Proposal:
    """The proposal with these fields of its prompt."""
    return proposal._replace(prompt=msgspec.structs.replace(proposal.prompt, **change))


def _turned(proposal: Proposal) -> Proposal:
    """The proposal with its passages left out, or shown again."""
    looks_up = UNSET if proposal.prompt.looks_up is False else False
    return _under(proposal, {"looks_up": looks_up})


def _drawn(prompt: Prompt) -> list[str]:
    """How its tokens are drawn, where it says so."""
    told = [] if prompt.temperature is UNSET else [f"temperature {prompt.temperature:g}"]
    return told if prompt.top_p in (UNSET, 1.0) else [*told, f"top_p {prompt.top_p:g}"]


def _different(proposals: Sequence[Proposal]) -> list[Proposal]:
    """Each prompt once, under its first name."""
    return list({one.prompt.fingerprint: one for one in reversed(proposals)}.values())[::-1]
