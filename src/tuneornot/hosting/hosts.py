"""What the job APIs of hosts have in common, and where they differ: paths, bodies, words.

    OpenAI      /files, /fine_tuning/jobs     and hosts that imitate it
    Together    /files, /fine-tunes           the file goes to an address that the host names

A ``Host`` turns what is wanted into the words of one API and what was said into ``Job``; it knows
no network and no study. Written against the clients of both hosts (openai 3.57, together 3.1) and
tried on a server of our own that speaks both, never on the hosts themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol

from tuneornot.hosting.plan import Api, HostedPlan
from tuneornot.records import Json

State = Literal["waiting", "done", "failed", "cancelled"]


class Job(NamedTuple):
    """What a host says of a job."""

    id: str
    state: State
    said: str
    """The host's own word for its state."""
    served: str | None = None
    """The name under which the tuned model is served, once it is done."""
    error: str | None = None
    n_tokens: int | None = None
    """Trained on, all passes together, as the host counts them."""


class Host(Protocol):
    """One API."""

    files: str
    """Path where files are sent."""
    sends_elsewhere: bool
    """Whether a file goes to an address that the host names for it."""
    jobs: str
    """Path of all jobs; of one with a slash and its id."""

    def order(self, plan: HostedPlan, model: str, file: str, *, seed: int, tag: str) -> Json:
        """The body of an order.

        Args:
            plan: the study's settings.
            model: that is trained, as the host calls it.
            file: the host's id of the training file.
            seed: of the training.
            tag: by which the job is found again.
        """
        ...

    def tagged(self, found: Mapping[str, Any], tag: str) -> bool:
        """Whether an entry of the list of jobs is the one that was ordered with a tag."""
        ...

    def job(self, found: Mapping[str, Any]) -> Job:
        """What an entry says."""
        ...


class OpenAI:
    """The API of OpenAI and of those who imitate it."""

    files = "/files"
    sends_elsewhere = False
    jobs = "/fine_tuning/jobs"
    _ENDS: Mapping[str, State] = {
        "succeeded": "done",
        "failed": "failed",
        "cancelled": "cancelled",
    }

    def order(self, plan: HostedPlan, model: str, file: str, *, seed: int, tag: str) -> Json:
        """See ``Host``."""
        given = {
            "n_epochs": plan.epochs,
            "batch_size": plan.batch_size,
            "learning_rate_multiplier": plan.rate,
        }
        known = {name: value for name, value in given.items() if value is not None}
        method = {"type": "supervised", "supervised": {"hyperparameters": known}}
        return {
            "method": method,
            **plan.settings,
            "model": model,
            "training_file": file,
            "seed": seed,
            "suffix": tag,
            "metadata": {"tuneornot": tag},
        }

    def tagged(self, found: Mapping[str, Any], tag: str) -> bool:
        """See ``Host``."""
        metadata = found.get("metadata")
        own = metadata.get("tuneornot") if isinstance(metadata, dict) else None
        return tag in (own, found.get("suffix"), found.get("user_provided_suffix"))

    def job(self, found: Mapping[str, Any]) -> Job:
        """See ``Host``."""
        said = str(found.get("status"))
        error = found.get("error")
        message = error.get("message") if isinstance(error, dict) else error
        served, n_tokens = found.get("fine_tuned_model"), found.get("trained_tokens")
        return Job(
            id=str(found["id"]),
            state=self._ENDS.get(said, "waiting"),
            said=said,
            served=served if isinstance(served, str) else None,
            error=str(message) if message else None,
            n_tokens=n_tokens if isinstance(n_tokens, int) else None,
        )


class Together:
    """The API of Together."""

    files = "/files"
    sends_elsewhere = True
    jobs = "/fine-tunes"
    _ENDS: Mapping[str, State] = {
        "completed": "done",
        "error": "failed",
        "user_error": "failed",
        "cancelled": "cancelled",
    }

    def order(self, plan: HostedPlan, model: str, file: str, *, seed: int, tag: str) -> Json:
        """See ``Host``."""
        given = {
            "n_epochs": plan.epochs,
            "batch_size": plan.batch_size,
            "learning_rate": plan.rate,
        }
        return {
            **{name: value for name, value in given.items() if value is not None},
            "training_type": {"type": "Lora"},
            # Else the host may let questions count in the loss too.
            "training_method": {"method": "sft", "train_on_inputs": False},
            **plan.settings,
            "model": model,
            "training_file": file,
            "random_seed": seed,
            "suffix": tag,
        }

    def tagged(self, found: Mapping[str, Any], tag: str) -> bool:
        """See ``Host``."""
        return found.get("suffix") == tag

    def job(self, found: Mapping[str, Any]) -> Job:
        """See ``Host``."""
        said = str(found.get("status"))
        served = found.get("model_output_name") or found.get("output_name")
        n_tokens = found.get("token_count")
        state = self._ENDS.get(said, "waiting")
        events = found.get("events")
        last = events[-1] if isinstance(events, list) and events else {}
        message = last.get("message") if isinstance(last, dict) else None
        return Job(
            id=str(found["id"]),
            state=state,
            said=said,
            served=served if isinstance(served, str) else None,
            error=str(message) if state == "failed" and message else None,
            n_tokens=n_tokens if isinstance(n_tokens, int) else None,
        )


HOSTS: Mapping[Api, Host] = {"openai": OpenAI(), "together": Together()}
