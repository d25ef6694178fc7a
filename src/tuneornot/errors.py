"""What can go wrong, as one tree.

    TuneornotError            anything this package refuses or could not do
    ├── StudyError            the study file is wrong                          exit 2
    ├── DataError             a file of cases is wrong                         exit 2
    ├── MissingExtra          a feature needs a package that is not installed  exit 2
    ├── BudgetExceeded        a budget of the study ended before the work      exit 3
    ├── LeakageError          eval cases overlap with what teaches an arm      exit 4
    ├── ModelError            a model could not be opened or does not answer   exit 5
    │   └── ServerError       the same for a server: address and status kept
    ├── TrainingError         training failed or its result is unusable        exit 5
    │   └── Diverged          the loss of a training is no number any more     exit 5
    └── StoreError            what was measured cannot be kept or read         exit 6

Every message is a sentence that states the rule, shows the value, and ends in what to do. Where
a file has several faults they are all told at once (``faults``). The command line prints the
message, never a traceback, and leaves with ``exit_code``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence


class TuneornotError(Exception):
    """The root of the tree; its text is meant for the user as it stands."""

    exit_code = 1


class FaultsError(TuneornotError):
    """An error about one source (a file, a plan) that tells all of its faults at once.

    Args:
        source: what was read, as the user named it.
        faults: one sentence for each fault; at least one.
        advice: what to do, one sentence.
    """

    shown = 20

    def __init__(self, source: str, faults: Sequence[str], advice: str = "") -> None:
        self.source = source
        self.faults = tuple(faults)
        self.advice = advice
        n = len(self.faults)
        lines = [f"{source}: {n} fault{'s' if n != 1 else ''}"]
        lines += [f"  - {fault}" for fault in self.faults[: self.shown]]
        if n > self.shown:
            lines.append(f"  ... and {n - self.shown} more")
        if advice:
            lines.append(advice)
        super().__init__("\n".join(lines))


class StudyError(FaultsError):
    """The study file is wrong."""

    exit_code = 2


class DataError(FaultsError):
    """A file of cases is wrong; each fault gives line, what was found and what was expected."""

    exit_code = 2


class MissingExtra(TuneornotError):
    """A feature needs an optional package that is not installed."""

    exit_code = 2

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(
            f"{what} needs packages that are not installed. "
            f"Install them with: pip install 'tuneornot[{extra}]'"
        )


class BudgetExceeded(TuneornotError):
    """A budget of the study ended before the work was done; what was measured is kept.

    Args:
        told: the sentence, or what gives it when it is read: between the first question that is
            refused and the end of the work, answers that are under way still come in and count.
    """

    exit_code = 3

    def __init__(self, told: str | Callable[[], str]) -> None:
        super().__init__(told)
        self._told = told

    def __str__(self) -> str:
        return self._told if isinstance(self._told, str) else self._told()


class LeakageError(FaultsError):
    """Eval cases overlap with what teaches one of the arms."""

    exit_code = 4


class ModelError(TuneornotError):
    """A model could not be opened, or does not answer."""

    exit_code = 5


class ServerError(ModelError):
    """A model server could not be reached, or refuses every request."""


class TrainingError(TuneornotError):
    """Training failed, or produced something that cannot be used."""

    exit_code = 5


class Diverged(TrainingError):
    """The loss of a training is no number any more; another recipe may do."""


class StoreError(TuneornotError):
    """What was measured cannot be kept (disk full, folder read-only) or read."""

    exit_code = 6
