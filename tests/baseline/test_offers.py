"""A form is found to be offered by a real local model, and prompts under it keep to it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import jsonschema

from tests.models import tiny
from tuneornot import baseline, measure
from tuneornot.models import sampling
from tuneornot.models.local import LocalModel
from tuneornot.records import Arm, Case, Dataset, Prompt, Run, Sampling

SAMPLING = Sampling(max_tokens=60)
START = Prompt(instructions="Sort.")


def test_a_local_model_offers_the_schema_of_the_expected_answers(tmp_path: Path) -> None:
    model = LocalModel(f"local:{tiny.save(tmp_path)}")
    cases = tuple(Case(id=str(k), input=f"q{k}", expected={"b": k % 2 == 0}) for k in range(6))
    train, dev = Dataset(name="train", cases=cases[:4]), Dataset(name="dev", cases=cases[4:])

    def answer(prompt: Prompt, asked: Sequence[Case]) -> Run:
        how = sampling.under(prompt, SAMPLING)
        arm = Arm(name="a", kind="prompted", model=model.name, prompt=prompt, sampling=how)
        some = Dataset(name="dev", cases=tuple(asked))
        return measure.run(model, arm, some, (), known={}, keep=lambda _: None)

    try:
        found = baseline.offers(
            answer, train, dev, start=START, model=model.name, sampling=SAMPLING, reasoning=None
        )
        assert found.reasoning == 0
        assert found.form is not None
        free, held = (
            answer(Prompt(instructions="Sort.", form=form), dev.cases).responses
            for form in (None, found.form)
        )
    finally:
        model.close()
    for response in held:
        if response.finish == "stop":
            jsonschema.validate(json.loads(response.text or ""), found.form)
        else:
            assert (response.text or "").lstrip().startswith("{")
    assert not any((response.text or "").lstrip().startswith("{") for response in free)
