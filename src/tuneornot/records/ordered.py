"""Trainings that were ordered from a host."""

from __future__ import annotations

from typing import Literal

from tuneornot.records.base import Record


class Order(Record, frozen=True, kw_only=True):
    """One training at a host, kept before and after every step, so that none is ordered twice."""

    key: str
    """Name of the training: everything that determines it is in it."""
    arm: str
    model: str
    """That is trained, as the arm names it."""
    host: str
    """Base address of the job API."""
    api: str
    seed: int
    attempt: int = 1
    """Counts on where an earlier order was given up."""
    state: Literal["sending", "ordering", "waiting", "done", "failed", "cancelled"] = "sending"
    """``ordering``: the order is on its way, and may have arrived."""
    n_rows: int = 0
    n_tokens_guessed: float = 0.0
    """Of one pass over the training file, from its characters."""
    file: str | None = None
    """The host's id of the training file."""
    job: str | None = None
    """The host's id of the job."""
    said: str | None = None
    """The host's last word on the job's state."""
    error: str | None = None
    served: str | None = None
    """Name of the tuned model, as an arm names it."""
    n_tokens: int | None = None
    """Trained on, as the host counts them."""
    seconds: float = 0.0
    """Waited for by all commands together."""

    @property
    def tag(self) -> str:
        """By which the host's list of jobs tells this order from all others."""
        return f"ton-{self.key.rpartition('-')[2]}-{self.seed}-{self.attempt}"
