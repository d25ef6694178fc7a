from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest

from tuneornot.training.recipe import Recipe


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"rank .* found 0; rate .* found -1.0; warmup .* 1.0"):
        Recipe(rank=0, rate=-1.0, warmup=1.0)


def test_a_rate_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="rate must be above 0, found nan"):
        Recipe(rate=float("nan"))


def test_reading_a_recipe_needs_no_torch() -> None:
    code = "import sys, tuneornot.training.recipe; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_setting_that_came_later_leaves_older_fingerprints_alone() -> None:
    """Folders of trainings are named after them, so a changed one would train all of it again."""
    assert Recipe().fingerprint == "06fe2009d91421769886"
    assert Recipe(method="full", rate=1e-4).fingerprint == "641746c4590188d6f1ec"
    wide = Recipe(rank=4, alpha=8, batch_size=4, rate=5e-3, dropout=0.1, targets="attention")
    assert msgspec.structs.replace(wide, patience=2).fingerprint == "33e352714c8c065c4214"
    assert Recipe(patience=2).fingerprint != Recipe().fingerprint
    assert Recipe(patience=2).settings["patience"] == 2


def test_a_patience_of_no_epoch_is_refused() -> None:
    with pytest.raises(ValueError, match="patience must be at least 1, found 0"):
        Recipe(patience=0)


def test_a_full_training_names_nothing_of_an_adapter() -> None:
    full = Recipe(method="full", rate=1e-4)
    assert not {"rank", "alpha", "dropout", "targets"} & full.settings.keys()
    assert full.fingerprint != Recipe(rate=1e-4).fingerprint


def test_qlora_is_another_training_than_lora_with_the_same_settings() -> None:
    one, other = Recipe(), Recipe(method="qlora")
    assert one.fingerprint != other.fingerprint
    assert {**one.settings, "method": "qlora"} == other.settings
