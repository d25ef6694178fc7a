"""Step 4 for a model that was tuned elsewhere: read what came with it, and check it like our own.

The tuned part is an adapter's folder, or it is in the arm's model already (merged weights, a GGUF
file, a model that is served). ``checks`` asks some dev cases with it and, where there is one, asks
the model before it was tuned; what cannot be seen from here is a caveat and never passes in
silence. Whether eval cases stand in its training file is for ``gather.refuse_taught``.

It trains nothing, never sees the eval set, and does not know how well the model does the job.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from tuneornot import fingerprint, soundness
from tuneornot.formats import taught
from tuneornot.formats.taught import Taught
from tuneornot.models.base import Model, Serving
from tuneornot.records import Adapter, Arm, Case, Check, Dataset, Response, Run
from tuneornot.training import examples, folder
from tuneornot.training.tuned import TunedPlan

ASKED = 16
"""Dev cases that are asked, with the tuned model and with the one before it."""

Answer = Callable[[Arm, Dataset], Run]


def before(arm: Arm, model: Model) -> Arm:
    """The same arm with the model before it was tuned."""
    return msgspec.structs.replace(
        arm, kind="prompted", model=model.name, identity=model.identity(), adapter=None
    )


class Brought:
    """One arm's model that was tuned elsewhere.

    Args:
        plan: what the study says of it.
        model: of the arm.
        place: where the study's relative paths start.
        fields: case field to column, of the study's files.
        learnt: what it was trained on, where that is known without a file.
    """

    def __init__(
        self,
        plan: TunedPlan,
        model: str,
        place: Path,
        *,
        fields: Mapping[str, str] | None = None,
        learnt: Taught | None = None,
    ) -> None:
        self.plan = plan
        self._model = model
        self._place = place
        self._fields = fields or {}
        self._learnt = learnt

    @property
    def base(self) -> str | None:
        """The model before it was tuned; ``None`` where nothing tells it."""
        return self._model if self.plan.adapter is not None else self.plan.base

    @functools.cached_property
    def taught(self) -> Taught | None:
        """What it was trained on; ``None`` where the study does not say.

        Raises:
            DataError: every fault of the file.
        """
        if self.plan.trained_on is None:
            return self._learnt
        return taught.read(self._place / self.plan.trained_on, self._fields)

    @functools.cached_property
    def adapter(self) -> Adapter | None:
        """The adapter; ``None`` where the arm's model is tuned as it is.

        Raises:
            ModelError: there is no adapter in the folder.
        """
        if self.plan.adapter is None:
            return None
        path = self._place / self.plan.adapter
        found = folder.settings(path)
        learnt = Dataset(name="trained_on", cases=self.taught.cases) if self.taught else None
        return Adapter(
            path=str(path),
            weights=fingerprint.of_folder(path, "adapter_*"),
            model=self._model,
            data=learnt.fingerprint if learnt else "",
            seed=None,
            settings={"method": found.method, **found.named, "base": found.base},
        )

    def asked(self, dev: Dataset) -> Dataset:
        """The dev cases with which it is checked, evenly from all."""
        n = min(ASKED, len(dev))
        return Dataset(name=dev.name, cases=tuple(dev.cases[at * len(dev) // n] for at in range(n)))

    def checks(
        self, arm: Arm, models: Mapping[str, Model], dev: Dataset, answer: Answer
    ) -> tuple[Check, ...]:
        """Everything that can be verified of it from here.

        Args:
            arm: as it will be measured.
            models: by name the arm's, and the one before it was tuned where there is one.
            dev: some of its cases are asked.
            answer: asks an arm cases.
        """
        asked = self.asked(dev)
        tuned = answer(arm, asked).responses
        plain: Sequence[Response] = ()
        if self.base is not None:
            plain = answer(before(arm, models[self.base]), asked).responses
        return (
            self._loaded(tuned, plain),
            self._template(arm, models, asked.cases),
            soundness.answers_end(tuned),
            soundness.no_loops(tuned),
            *self._prompt(arm),
            self._overlap(),
        )

    def _loaded(self, tuned: Sequence[Response], plain: Sequence[Response]) -> Check:
        """Whether anything was tuned at all, as far as answers tell."""
        if self.base is None:
            return Check(
                name="adapter-loaded",
                passed=None,
                detail="the model before it was tuned is not named (`tuned.base`), so nothing "
                "shows that this one differs from it.",
                blocking=False,
            )
        n_changed, n_pairs = soundness.n_changed(tuned, plain)
        return Check(
            name="adapter-loaded",
            passed=n_changed > 0,
            detail=f"{n_changed} of {n_pairs} answers differ from those of {self.base}, the model "
            "before it was tuned.",
        )

    def _template(self, arm: Arm, models: Mapping[str, Model], cases: Sequence[Case]) -> Check:
        """Whether questions are the tokens that the training saw, as far as files tell."""
        unseen = functools.partial(Check, name="template-parity", passed=None, blocking=False)
        model = models[arm.model]
        if not isinstance(model, Serving):
            return unseen(
                detail=f"{arm.model} does not show the tokens it is asked with, so nothing was "
                "compared."
            )
        chats = [arm.prompt.messages(case) for case in cases]
        if self.plan.adapter is not None:
            beside = folder.tokenizer(self._place / self.plan.adapter)
            if beside is None:
                return unseen(
                    detail="no tokenizer with a chat template lies beside the adapter, so the one "
                    "that it was trained with is not known."
                )
            theirs = [
                list(examples.tokens_of(beside, examples.rendered(beside, chat))) for chat in chats
            ]
            other = "the tokenizer beside the adapter"
        else:
            before = models.get(self.base or "")
            if not isinstance(before, Serving):
                return unseen(
                    detail="it is asked with the chat template in its own files; whether it was "
                    "trained with that one is not known."
                )
            theirs = [before.prompt_tokens(chat) for chat in chats]
            other = f"{self.base}, the model before it was tuned"
        n_same = sum(
            model.prompt_tokens(chat) == tokens for chat, tokens in zip(chats, theirs, strict=True)
        )
        return Check(
            name="template-parity",
            passed=n_same == len(chats),
            detail=f"the prompts of {n_same} of {len(chats)} dev cases are the tokens that {other} "
            "makes of them.",
        )

    def _prompt(self, arm: Arm) -> tuple[Check, ...]:
        """Whether it is asked under the system message that its training file shows."""
        told = self.taught.told if self.taught is not None else ()
        if not told:
            return ()
        first = arm.prompt.messages(Case(id="", input=""))[0]
        ours = first.content if first.role == "system" else None
        n_same = sum(system == ours for system in told)
        return (
            Check(
                name="prompt-parity",
                passed=n_same == len(told),
                detail=f"{n_same} of the {len(told)} chats that it was trained on have the system "
                "message that this arm is asked under.",
                blocking=False,
            ),
        )

    def _overlap(self) -> Check:
        name = "training-overlap"
        if self.taught is None:
            detail = (
                "the file that it was trained on is not named (`tuned.trained_on`), so it could "
                "not be checked whether cases that judge stand in it."
            )
            return Check(name=name, passed=None, detail=detail, blocking=False)
        detail = (
            f"none of the {self.taught.n_rows} rows that it was trained on repeats a case that "
            "judges."
        )
        return Check(name=name, passed=True, detail=detail)


def joined(found: Sequence[Sequence[Check]]) -> tuple[Check, ...]:
    """The checks of all trainings of one arm; where there are several each tells its number."""
    if len(found) == 1:
        return tuple(found[0])
    return tuple(
        msgspec.structs.replace(check, name=f"{check.name} ({number} of {len(found)})")
        for number, checks in enumerate(found, start=1)
        for check in checks
    )
