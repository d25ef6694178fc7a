"""What a study writes under an arm's `tuned`: a model that was tuned elsewhere, and how.

    model: local:smollm2-135m,      tuned: {adapter: DIR}       an adapter in PEFT's format
    model: local:DIR                tuned: {base: local:NAME}   a merged model
    model: local:FILE.gguf          tuned: {base: local:NAME}   the same in one file
    model: http://HOST/v1#NAME      tuned: {base: ...#OTHER}    a model that is served

It opens nothing (``brought`` does), and says nothing of models that a study tunes itself
(``recipe``).
"""

from __future__ import annotations

from tuneornot.records import Record


class TunedPlan(Record, frozen=True, kw_only=True):
    """Where the tuned part is, and what it came from; every field may be left out."""

    adapter: str | None = None
    """Folder of an adapter that is attached to the arm's model, which is then its base."""
    base: str | None = None
    """The model before it was tuned, to see that the answers differ from its answers."""
    trained_on: str | None = None
    """The file that it was trained on, to see that no case that judges stands in it."""

    def faults(self, model: str) -> list[str]:
        """A sentence for everything that is wrong, field first.

        Args:
            model: of the arm.
        """
        faults = []
        if self.adapter is not None and not model.startswith("local:"):
            faults.append(
                f"adapter: {model!r} answers as it is served, only a local model takes an adapter; "
                "serve the adapter under a name of its own and name that as `model`"
            )
        if self.adapter is not None and self.base is not None:
            faults.append(
                f"base: found {self.base!r} beside `adapter`; an adapter's base is the arm's "
                "`model`, so leave it out"
            )
        if self.base == model:
            faults.append(
                f"base: {model!r} is the tuned model itself; name the one before it was tuned"
            )
        return faults
