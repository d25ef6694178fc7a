"""What was tried around a training: recipes, and sizes of the training data."""

from __future__ import annotations

from typing import Literal

from tuneornot.records.base import Json, Record
from tuneornot.records.compared import Estimate


class Trial(Record, frozen=True, kw_only=True):
    """One recipe that was tried."""

    recipe: dict[str, Json]
    dev_loss: float | None
    """After its last epoch, in nats per answer token; ``None`` where the training diverged."""
    seconds: float


class Trials(Record, frozen=True, kw_only=True):
    """The search for a recipe: every training, in the order of trying."""

    tried: tuple[Trial, ...]
    best: int
    """Place of the chosen one: the least dev loss."""

    @property
    def seconds(self) -> float:
        """Wall time of all of them."""
        return sum(one.seconds for one in self.tried)


class LearningPoint(Record, frozen=True, kw_only=True):
    """The arm after training on one share of the train split."""

    share: float
    n: int
    """Train cases."""
    mean: float
    """Mean of the primary metric on dev, over the training seeds."""
    gain: float
    """Over the baseline on the same dev cases; positive is better."""


class Learning(Record, frozen=True, kw_only=True):
    """How an arm's quality grows with the training data, and what twice as much would bring."""

    metric: str
    n_dev: int
    """Dev cases that were scored for every size and for the baseline."""
    n_seeds: int
    baseline_mean: float
    points: tuple[LearningPoint, ...]
    now: Estimate
    """The gain over the baseline with all of the train split, by the curve through all points."""
    twice: Estimate
    """The same with twice as much."""
    worthwhile: float
    answer: Literal["enough", "probably", "probably-not", "open"]
    """Would twice the data make the gain worthwhile? ``enough``: it is worthwhile already."""
    caveats: tuple[str, ...] = ()
