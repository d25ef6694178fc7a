"""Kinds of models: what a name must look like, and kinds of other packages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tuneornot import study
from tuneornot.errors import ModelError, StudyError
from tuneornot.models import registry
from tuneornot.models.scripted import ScriptedModel
from tuneornot.records import Sampling

PACKAGE = """
from tuneornot.models.scripted import ScriptedModel

def open_model(name, folder):
    return ScriptedModel(name, lambda request: f"{name} in {folder.name}")
"""

STUDY = """
study: s
task: t
data: {cases: c.jsonl}
arms: {one: {model: "MODEL"}, other: {model: local:b}}
metrics: [exact_match]
decide: {primary: exact_match, worthwhile: 0.1}
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package on the path that offers the kinds ``acme`` and ``broken``."""
    (tmp_path / "acme_models.py").write_text(PACKAGE)
    info = tmp_path / "acme_models-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-models\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[{registry.GROUP}]\nacme = acme_models:open_model\nbroken = no_such_module:f\n"
        "local = acme_models:open_model\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "acme_models", raising=False)
    return tmp_path


def test_a_package_adds_a_kind(installed: Path) -> None:
    model = registry.open("acme:large", folder=installed)
    assert isinstance(model, ScriptedModel)
    assert model.name == "acme:large"
    plan = study.parse(STUDY.replace("MODEL", "acme:large"))
    assert plan.arms["one"].model == "acme:large"


def test_without_the_package_the_study_is_refused() -> None:
    with pytest.raises(StudyError, match=r"arms.one.model: found 'acme:large', expected local:"):
        study.parse(STUDY.replace("MODEL", "acme:large"))


def test_a_package_that_cannot_be_loaded_is_told(installed: Path) -> None:
    with pytest.raises(ModelError, match=r"the models broken: must be importable.*no_such_module"):
        registry.open("broken:x")


def test_built_in_kinds_are_not_replaced(installed: Path) -> None:
    assert registry.kinds()["local"].shape == "local:NAME or local:PATH"


@pytest.mark.parametrize("name", ["gpt", "", "locl:x"])
def test_names_without_a_known_kind(name: str) -> None:
    [fault] = registry.faults(name, Sampling())
    assert fault.startswith(f"found {name!r}")
    with pytest.raises(ModelError, match="must say its kind"):
        registry.open(name)


def test_what_a_kind_cannot_do_is_told() -> None:
    [fault] = registry.faults("anthropic:x", Sampling(form="json"))
    assert "to a JSON Schema only, found form='json'" in fault
    for name in ("http://h/v1#m", "local:x", "python:a:b"):
        assert registry.faults(name, Sampling(form="json", logprobs=3)) == []
