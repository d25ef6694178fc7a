"""The prompts of a study's arms: what each begins with, and that none holds a case that judges.

It reads the prompt files that arms name, and refuses prompts that quote eval cases: in their
demonstrations, which are compared as cases, and in their words. How a prompt gets better is known
to ``baseline``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from tuneornot import dataset, leaks, study
from tuneornot.cases import quoting
from tuneornot.errors import LeakageError, StudyError
from tuneornot.formats import promptfile
from tuneornot.models import registry, sampling
from tuneornot.records import Case, Check, Dataset, Prompt, Splits
from tuneornot.study import Study


class Prompts:
    """What the arms of a study are told before anything is engineered.

    Args:
        plan: the study.
        folder: where its relative paths start.
    """

    def __init__(self, plan: Study, folder: Path) -> None:
        self._study = plan
        self._folder = folder
        self._starts: dict[str, Prompt] = {}
        self._passed: dict[str, Prompt] = {}
        """By fingerprint those that hold no case that judges."""

    def start(self, arm: str) -> Prompt:
        """The prompt that an arm begins with: its file's, or its instructions, or the task.

        Raises:
            StudyError: the file cannot be read or has faults.
        """
        if arm not in self._starts:
            plan = self._study.arms[arm]
            self._starts[arm] = (
                Prompt(instructions=plan.instructions or self._study.task)
                if plan.prompt is None
                else self._read(arm, self._folder / plan.prompt)
            )
        return self._starts[arm]

    def _read(self, arm: str, file: Path) -> Prompt:
        prompt, model = promptfile.read(file), self._study.arms[arm].model
        sampled = sampling.under(prompt, study.sampling(self._study, arm))
        faults = [f"{field}: {fault}" for field, fault in sampling.faults(sampled).items()]
        faults += [f"form: {fault}" for fault in registry.faults(model, sampled) if prompt.form]
        if prompt.steps and self._study.arms[arm].is_tuned:
            faults.append(
                "steps: a tuned model is taught and checked with one call for each answer; take "
                "them out, or give the file to an arm that is not tuned"
            )
        if faults:
            raise StudyError(str(file), faults, "docs/guides/prompts.md explains every field.")
        return prompt

    def marks(self) -> list[str]:
        """Fingerprints of the prompts that stand in files, in the study's order of arms."""
        arms = self._study.arms
        return [self.start(name).fingerprint for name in arms if arms[name].prompt is not None]

    def refuse_quotes(self, arm: str, prompts: Sequence[Prompt], splits: Splits) -> None:
        """Cases that judge must stand in no prompt of an arm, not even in one that lost.

        Raises:
            LeakageError: a demonstration is, in effect, a case that judges, or the words quote one.
        """
        fresh = [one for one in prompts if one.fingerprint not in self._passed]
        # Those of train were held against what judges with all of train: how rare an answer is
        # decides how alike two questions may be, and among demonstrations alone most are rare.
        shown = {one.fingerprint: one for prompt in fresh for one in prompt.demonstrations}
        taught = {case.id: case for case in splits.train.cases} if shown else {}
        brought = [one for one in shown.values() if taught.get(one.id) != one]
        if brought:
            self._refuse_copies(splits, brought)
        faults = [
            fault
            for text in dict.fromkeys(_words(prompt) for prompt in fresh)
            for fault in self.quotes(arm, text, splits)
        ]
        if faults:
            raise LeakageError(
                "prompts",
                [*dict.fromkeys(faults)],
                "Take the case out of the task, the instructions or the prompt file; examples in "
                "a prompt must be other cases than those that judge.",
            )
        self._passed |= {one.fingerprint: one for one in fresh}

    def _refuse_copies(self, splits: Splits, demonstrations: Sequence[Case]) -> None:
        """On the study's terms: a pair of train and eval that was let pass may be shown too."""
        terms = leaks.terms(self._study.data, self._folder)
        judging = msgspec.structs.replace(
            splits, train=Dataset(name="train", cases=()), dev=Dataset(name="dev", cases=())
        )
        dataset.refuse_overlap(judging, groups=False, demonstrations=demonstrations, terms=terms)

    def quotes(self, arm: str, text: str, splits: Splits) -> list[str]:
        """A sentence for each case that judges and stands in a text."""
        teaching = (*splits.train.cases, *splits.dev.cases)
        return [
            f'a prompt of {arm!r} quotes {part.name} {case_id!r}: "{span}"'
            for part in splits.measured
            for case_id, span in quoting.quotes(text, part.cases, teaching)
        ]

    def check(self, splits: Splits) -> Check:
        """What was looked at and found to hold no case that judges."""
        held = {case.fingerprint for one in self._passed.values() for case in one.demonstrations}
        n_texts = len({_words(prompt) for prompt in self._passed.values()})
        n_cases = sum(len(part) for part in splits.measured)
        told = (
            f"none of {n_cases} cases that judge stands in the {n_texts} different wordings of the "
            f"prompts that were tried or used, or among their {len(held)} demonstrations"
        )
        return Check(name="prompts-quote-no-case", passed=True, detail=told)


def _words(prompt: Prompt) -> str:
    """What a prompt says besides its demonstrations."""
    asks = (step.ask for step in prompt.steps or ())
    return "\n".join(part for part in (prompt.instructions, prompt.format_hint, *asks) if part)
