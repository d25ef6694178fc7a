"""Faults planted in a finished study of ``benchmarks.studies.run``, and how each run ends.

    python -m benchmarks.studies.faults --results FOLDER [--set politeness] [--eval 150]
        [--into docs/reference/studies.md]

Four copies of the study: its own adapter and prompt as they are; some eval cases slipped into train
in capitals; the adapter with its B matrices zeroed, as if it had never been loaded; and the adapter
beside a tokenizer with another chat template than it is served with.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import torch
from benchmarks.studies.run import show
from safetensors.torch import load_file, save_file

from tuneornot.models.local import weights
from tuneornot.report import export

MODEL = "local:smollm2-135m"
MARKS = ("<!-- faults: begin -->", "<!-- faults: end -->")
HEAD = "| planted | ends with | what it says |\n|---|---|---|"
LEAKED = 10
WEIGHTS = "adapter_model.safetensors"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--results", required=True, type=Path, help="the folder of the studies")
    parser.add_argument("--set", default="politeness", help="a set that was run")
    parser.add_argument("--eval", default=150, type=int, help="eval cases of each copy")
    parser.add_argument("--into", type=Path, help="a Markdown page with the marks")
    asked = parser.parse_args()
    source = asked.results / asked.set
    rows = []
    for name, plant in PLANTED.items():
        folder = asked.results / f"{asked.set}-faults" / name.replace(" ", "-")
        if not folder.exists():
            plant(source, folder, asked.eval)
        rows.append(f"| {name} | {' | '.join(ended(folder))} |")
        show("\n".join([HEAD, *rows]), asked.into, MARKS)


def ended(folder: Path) -> tuple[str, str]:
    """How ``tuneornot run`` ends there, and the first sentences that tell why."""
    command = [sys.executable, "-m", "tuneornot", "run", str(folder / "study.yaml"), "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split("\n")[:2])
        return f"exit code {done.returncode}", " ".join(said.split())
    found = export.read(folder / "results" / "report.json")
    [verdict] = found.verdicts
    [compared] = found.comparisons
    failed = [
        f"{check.name}: {check.detail}"
        for check in compared.checks
        if check.blocking and check.passed is False
    ]
    return f"`{verdict.outcome}`", "; ".join(failed) or "every check passed"


def sound(source: Path, folder: Path, n_eval: int) -> None:
    """The study's first adapter and searched prompt, brought as one's own."""
    folder.mkdir(parents=True)
    for part in ("train", "dev", "eval"):
        lines = (source / f"{part}.jsonl").read_text("utf-8").splitlines(keepends=True)
        kept = lines[:n_eval] if part == "eval" else lines
        (folder / f"{part}.jsonl").write_text("".join(kept), "utf-8")
    command = [sys.executable, "-m", "tuneornot", "prompt", str(source / "study.yaml")]
    subprocess.run([*command, "--to", str(folder / "searched.yaml"), "--quiet"], check=True)
    adapter = min((source / "results" / "adapters").glob("tuned-seed1-*"))
    shutil.copytree(adapter, folder / "adapter")
    weights.load(MODEL).tokenizer.save_pretrained(folder / "adapter")
    plan = _plan(source)
    plan["arms"] = {
        "searched": {"model": MODEL, "prompt": "searched.yaml"},
        "tuned": {"model": MODEL, "tuned": {"adapter": "adapter", "trained_on": "train.jsonl"}},
    }
    _write(folder, plan)


def leak(source: Path, folder: Path, n_eval: int) -> None:
    """Eval cases in train, in capitals, under other names; the study trains on them itself."""
    sound(source, folder, n_eval)
    judging = (folder / "eval.jsonl").read_text("utf-8").splitlines()[:LEAKED]
    with (folder / "train.jsonl").open("a", encoding="utf-8") as train:
        for n, row in enumerate(map(json.loads, judging)):
            row |= {"id": f"planted-{n}", "input": row["input"].upper()}
            train.write(json.dumps(row, ensure_ascii=False) + "\n")
    _write(folder, _plan(source))


def unloaded(source: Path, folder: Path, n_eval: int) -> None:
    """An adapter that changes nothing."""
    sound(source, folder, n_eval)
    held = load_file(folder / "adapter" / WEIGHTS)
    zeroed = {k: torch.zeros_like(v) if "lora_B" in k else v for k, v in held.items()}
    save_file(zeroed, folder / "adapter" / WEIGHTS, metadata={"format": "pt"})


def template(source: Path, folder: Path, n_eval: int) -> None:
    """An adapter that was trained with another chat template than it is served with."""
    sound(source, folder, n_eval)
    words = weights.load(MODEL).tokenizer
    words.chat_template = words.chat_template.replace("<|im_start|>", "### ")
    words.save_pretrained(folder / "adapter")


PLANTED: dict[str, Callable[[Path, Path, int], None]] = {
    "nothing": sound,
    "leak": leak,
    "unloaded adapter": unloaded,
    "other template": template,
}


def _plan(source: Path) -> dict[str, Any]:
    plan: dict[str, Any] = msgspec.yaml.decode((source / "study.yaml").read_bytes())
    return plan


def _write(folder: Path, plan: dict[str, Any]) -> None:
    (folder / "study.yaml").write_bytes(msgspec.yaml.encode(plan))


if __name__ == "__main__":
    main()
