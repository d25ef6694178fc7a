"""The cases as a task of Inspect; run by ``inspect eval inspect_task.py``."""

from __future__ import annotations

import os

from inspect_ai import Task, task
from inspect_ai.dataset import FieldSpec, json_dataset
from inspect_ai.scorer import exact
from inspect_ai.solver import generate


@task
def repeated() -> Task:
    fields = FieldSpec(input="input", target="expected", id="id")
    return Task(
        dataset=json_dataset(os.environ["CASES"], fields), solver=generate(), scorer=exact()
    )
