"""From the text of a study file to a study, and back."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tuneornot.errors import StudyError
from tuneornot.formats import form
from tuneornot.metrics.base import Metric
from tuneornot.study import faults as faults_of
from tuneornot.study.plans import Study

ADVICE = "`tuneornot fields` lists every field with its kind and default."
UNCLAIMED = ("budget", "prices", "economics", "claims", "facts")
"""Fields that no claim of the verdict rests on."""


def read(path: Path) -> Study:
    """Read and check a study file.

    Raises:
        StudyError: every fault that can be seen without opening a model or a file of cases.
    """
    advice = "Give the path of a study file; `tuneornot init legal-citations DIR` makes one."
    return parse(form.read(path, advice), source=str(path), folder=path.parent)


def parse(text: str, *, source: str = "study", folder: Path = Path()) -> Study:
    """Like ``read``, from the file's text; ``folder`` is where its relative paths start."""
    raw = form.values(text, source, "Mend the syntax and run the command again.")
    faults: list[str] = []
    study = form.gather(Study, raw, faults)
    if study is not None:
        faults += faults_of.contradictions(study, folder)
    if faults or study is None:
        raise StudyError(source, faults, ADVICE)
    return study


def text(study: Study) -> str:
    """A study as it is fingerprinted and kept: its fields in one order, as YAML.

    Without the budget, the name of the price file, and what stands beside the verdict: none of them
    changes what is decided, so that more may be spent, or reckoned anew, under the same plan. A
    section or setting that came later is left out where a study lacks it: older studies keep
    their fingerprints.
    """
    fields = study.settled(("stress",))
    fields["data"]["split"] = study.data.split.settled(("hold_out",))
    for name, plan in study.arms.items():
        if plan.tune is not None:
            fields["arms"][name]["tune"] = plan.tune.settings
        if plan.search is not None:
            fields["arms"][name]["search"] = plan.search.settings
    return msgspec.yaml.encode(
        {name: value for name, value in fields.items() if name not in UNCLAIMED}
    ).decode()


def grown(then: str, now: str) -> bool:
    """Whether one text of a study is another one with other further eval cases."""
    plans = [msgspec.yaml.decode(each) for each in (then, now)]
    for plan in plans:
        plan["data"].pop("more", None)
    return then != now and bool(plans[0] == plans[1])


def metrics(study: Study, folder: Path = Path()) -> tuple[Metric, ...]:
    """The study's judged metrics, built; measured quantities are left out.

    Raises:
        StudyError: an entry cannot be built.
    """
    built, faults = faults_of.built(study, folder)
    if faults:
        raise StudyError("metrics", faults)
    return built
