"""The trainings of a study's arms: recipes tried, one adapter for each seed, shares of train.

Each training has a folder whose name tells everything that determines it, so that it is done once,
goes on after an interruption, and is not confused with another one. It measures nothing and knows
no eval case.
"""

from __future__ import annotations

import functools
import random
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tuneornot import finetune, fingerprint
from tuneornot.finetune.mixture import Mixed
from tuneornot.listener import Listener
from tuneornot.models.base import Model
from tuneornot.records import Adapter, CurvePoint, Dataset, Prompt, Trial, Trials
from tuneornot.store.store import Store
from tuneornot.training.plan import TunePlan
from tuneornot.training.recipe import Recipe

if TYPE_CHECKING:
    from tuneornot.models.local.weights import Loaded


class Pupil(NamedTuple):
    """An arm that is to be trained, with what it is taught."""

    arm: str
    model: str
    plan: TunePlan
    prompt: Prompt
    train: Dataset
    dev: Dataset
    mixed: Mixed | None = None


class Workplace(Protocol):
    """What trainings need of a session."""

    store: Store
    listener: Listener

    def model(self, name: str) -> Model:
        """The model of that name, opened once."""
        ...

    def phase(self, name: str) -> AbstractContextManager[None]:
        """What is timed and told under a name."""
        ...

    def training(self, model: str, what: str) -> AbstractContextManager[None]:
        """Work of a model that is paid for without a question."""
        ...


class Tuning:
    """Trains arms, each training once.

    Args:
        session: has the models open and counts what is spent.
        folder: of all trainings.
    """

    def __init__(self, session: Workplace, folder: Path) -> None:
        self._session = session
        self._folder = folder

    def adapters(self, pupil: Pupil) -> tuple[Adapter, ...]:
        """One for each seed, trained where they are not there yet."""
        return self.of_share(pupil, 1.0)

    def of_share(self, pupil: Pupil, share: float) -> tuple[Adapter, ...]:
        """One for each seed, trained on a share of train; smaller shares lie within larger ones."""
        recipe, _ = self.searched(pupil)
        return tuple(
            self._trained(_taught(pupil, share, seed), recipe, seed) for seed in pupil.plan.seeds
        )

    def sizes(self, pupil: Pupil) -> list[tuple[float, int]]:
        """The shares of the arm's curve, each with its number of train cases."""
        return [(share, n_cases(pupil.train, share)) for share in pupil.plan.curve]

    def searched(self, pupil: Pupil) -> tuple[Recipe, Trials | None]:
        """The recipe that the arm is trained by, and what was tried to find it."""
        if pupil.plan.search is None:
            return pupil.plan.recipe, None
        try_one = functools.partial(self._tried, pupil)
        return finetune.search(pupil.plan.recipe, pupil.plan.search, try_one)

    def names(self, pupil: Pupil, share: float = 1.0) -> tuple[str, ...]:
        """What the arm's trainings are kept under; empty while its recipe is searched for."""
        try:
            recipe, _ = self._known(pupil) if pupil.plan.search else self.searched(pupil)
        except LookupError:
            return ()
        return tuple(
            self._name(_taught(pupil, share, seed), recipe, seed) for seed in pupil.plan.seeds
        )

    def n_left(self, pupil: Pupil) -> int:
        """Trainings on shares of train that are not done."""
        left = 0
        for share in pupil.plan.curve[:-1]:
            names = self.names(pupil, share)
            done = (self._folder / name / finetune.MANIFEST for name in names)
            left += len(pupil.plan.seeds) - sum(path.exists() for path in done)
        return left

    def _known(self, pupil: Pupil) -> tuple[Recipe, Trials]:
        """The recipe that was found before; ``LookupError`` if the search is not finished."""
        assert pupil.plan.search is not None, "only a planned search can be finished"

        def held(recipe: Recipe) -> Trial:
            found = finetune.tried(self._folder / self._trial(pupil, recipe))
            if found is None:
                raise LookupError(recipe)
            return found

        return finetune.search(pupil.plan.recipe, pupil.plan.search, held)

    def _tried(self, pupil: Pupil, recipe: Recipe) -> Trial:
        folder, model = self._folder / self._trial(pupil, recipe), self._session.model(pupil.model)
        held = finetune.tried(folder)
        if held is not None:
            return held
        rank = f"rank {recipe.rank}, " if recipe.method != "full" else ""
        what = f"try {rank}rate {recipe.rate:g}, epochs {recipe.epochs}"
        with (
            self._session.phase(f"{what} for {pupil.arm}"),
            self._session.training(pupil.model, f"the search for the recipe of {pupil.arm!r}"),
        ):
            return finetune.trial(
                model,
                _loaded(pupil.model, recipe),
                pupil.train,
                pupil.dev,
                job=finetune.Job(pupil.prompt, recipe, pupil.plan.seeds[0], pupil.mixed),
                folder=folder,
                on_point=self._advance,
            )

    def _trained(self, pupil: Pupil, recipe: Recipe, seed: int) -> Adapter:
        model, name = self._session.model(pupil.model), self._name(pupil, recipe, seed)
        folder, job = self._folder / name, finetune.Job(pupil.prompt, recipe, seed, pupil.mixed)
        with self._session.phase(f"train {pupil.arm}, seed {seed}"):
            held = finetune.finished(model, pupil.train, pupil.dev, job=job, folder=folder)
            if held is not None:
                return held
            what = f"the training of {pupil.arm!r}, and what follows it"
            with self._session.training(pupil.model, what):
                trained = finetune.train(
                    model,
                    _loaded(pupil.model, recipe),
                    pupil.train,
                    pupil.dev,
                    job=job,
                    folder=folder,
                    on_point=self._advance,
                )
        self._session.store.keep_adapter(name, trained)
        return trained

    def _advance(self, _: CurvePoint, share: float) -> None:
        self._session.listener.advance(round(100 * share), 100)

    def _name(self, pupil: Pupil, recipe: Recipe, seed: int) -> str:
        return f"{pupil.arm}-seed{seed}-{self._mark(pupil, recipe)}"

    def _trial(self, pupil: Pupil, recipe: Recipe) -> str:
        return f"{pupil.arm}-trial{pupil.plan.seeds[0]}-{self._mark(pupil, recipe)}"

    def _mark(self, pupil: Pupil, recipe: Recipe) -> str:
        determined = [pupil.model, self._session.model(pupil.model).identity()]
        determined += [pupil.prompt.fingerprint, recipe.fingerprint]
        if pupil.mixed is not None:
            determined.append(fingerprint.of(pupil.mixed.settings))
        return fingerprint.of([*determined, pupil.train.fingerprint, pupil.dev.fingerprint])[:8]


def _taught(pupil: Pupil, share: float, seed: int) -> Pupil:
    return pupil._replace(train=part(pupil.train, share, seed))


def part(train: Dataset, share: float, seed: int) -> Dataset:
    """A share of the train cases, chosen by the seed; at least one, in their own order.

    Of one seed a smaller share lies within a larger one.
    """
    if share == 1:
        return train
    order = random.Random(seed).sample(range(len(train)), len(train))
    chosen = sorted(order[: n_cases(train, share)])
    return Dataset(name=train.name, cases=tuple(train.cases[place] for place in chosen))


def n_cases(train: Dataset, share: float) -> int:
    """How many cases a share of train is."""
    return max(1, round(share * len(train)))


def _loaded(model: str, recipe: Recipe) -> Loaded:
    # Deferred: a study without training must not need torch.
    from tuneornot.models.local import weights

    return weights.load(model, nf4=recipe.method == "qlora")
