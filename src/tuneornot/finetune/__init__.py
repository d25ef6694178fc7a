"""Step 4: examples from cases, train an adapter, and check it before anybody believes it.

    trained   one adapter, from train and dev; what is finished is not done again
    trials    the search for a recipe, by the loss on dev
    checks    everything that is verified of it
    served    of the arm that will be measured: the one that was trained?
    rows      of the training cases: do they teach, and nothing else?
    recited   of the answers: are they train answers by heart?
    general   whether the model still knows what every model should
    mixture   general data beside the task's, against forgetting

It does not choose among seeds, and does not know how well the adapter does the job.
"""

from __future__ import annotations

from tuneornot.finetune.checks import ASKED, check
from tuneornot.finetune.general import PROBE
from tuneornot.finetune.trained import MANIFEST, Job, finished, train, trial, tried
from tuneornot.finetune.trials import search

__all__ = [
    "ASKED",
    "MANIFEST",
    "PROBE",
    "Job",
    "check",
    "finished",
    "search",
    "train",
    "trial",
    "tried",
]
