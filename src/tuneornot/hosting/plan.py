"""What a study writes under an arm's `hosted`, and what can be wrong with it.

It asks no host anything: what a host offers is found out by ordering.
"""

from __future__ import annotations

from typing import Literal

from tuneornot.errors import ModelError
from tuneornot.models import address
from tuneornot.records import Json, Record

Api = Literal["openai", "together"]
TOGETHER = ("api.together.xyz", "api.together.ai")
OWN = ("model", "training_file", "suffix", "metadata", "seed", "random_seed")
"""Fields of an order that are not the study's to set freely: they make it found again."""


class HostedPlan(Record, frozen=True, kw_only=True):
    """How a host trains the arm's model; what is left out is the host's to choose."""

    jobs: str | None = None
    """Base address of the job API; that of the arm's model where it is left out."""
    api: Api | None = None
    """Whose words are spoken there; by the host's name where it is left out."""
    epochs: int | None = None
    """Passes over the training cases."""
    batch_size: int | None = None
    """Cases for each update of the weights."""
    rate: float | None = None
    """OpenAI: a factor on the rate that the host would choose. Together: the rate itself."""
    seeds: tuple[int, ...] = (1,)
    """One job each."""
    settings: dict[str, Json] = {}
    """Further fields of the order, as the host calls them."""
    send: bool = False
    """Whether training cases may be sent although private text was found in them."""

    def address(self, model: str) -> address.Address:
        """Where jobs are ordered.

        Args:
            model: of the arm, as the study names it.

        Raises:
            ModelError: it is no address.
        """
        served = address.parse(model)
        return served if self.jobs is None else address.parse(f"{self.jobs}#{served.model}")

    def spoken(self, model: str) -> Api:
        """Whose words are spoken there."""
        if self.api is not None:
            return self.api
        return "together" if self.address(model).host in TOGETHER else "openai"

    def faults(self, model: str) -> list[str]:
        """A sentence for everything that is wrong, field first.

        Args:
            model: of the arm.
        """
        if not model.startswith(("http://", "https://")):
            return [
                f"model: a host trains a model that it serves, found {model!r}; name it as "
                "https://HOST/v1#MODEL, or train a local model with `tune`"
            ]
        faults = []
        try:
            self.address(model)
        except ModelError as error:
            faults.append(f"jobs: {error}")
        faults += [
            f"{name}: found {value!r}, expected more than 0"
            for name in ("epochs", "batch_size", "rate")
            if (value := getattr(self, name)) is not None and not value > 0
        ]
        if not self.seeds or len(set(self.seeds)) < len(self.seeds):
            faults.append(f"seeds: found {[*self.seeds]}, expected some, each of them once")
        faults += [
            f"settings.{name}: is set by what the study says elsewhere; leave it out"
            for name in OWN
            if name in self.settings
        ]
        return faults
