"""What teaches against what judges, from the command line: a real process on real files."""

from __future__ import annotations

import json
import random
import string
from pathlib import Path
from typing import Any

from tests import world
from tests.cli.test_cli import tuneornot

MODEL = '''\
def answer(messages, sampling):
    """Whatever is asked."""
    return "12"


def embed(texts):
    """One direction for all ways to ask for money, another one for everything else."""
    about = ["refund" in text or "money back" in text for text in texts]
    return [[1.0, 0.1] if each else [0.0, 1.0] for each in about]
'''
LONG = (
    "When the stall by the north gate of the old market opens again after the long winter break, "
    "which of the two brothers will sell the first basket of lamps to the mayor of the town"
)
OWN = [
    {"id": "long", "input": LONG, "expected": "the younger one"},
    {"id": "money", "input": "How do I obtain a refund", "expected": "write a letter"},
    {"id": "grouped", "input": "Who mends kites", "expected": "Ida", "group": "kite"},
]
PLANTED: list[dict[str, Any]] = [
    {"id": "exact", **{name: world.questions(1)[0][name] for name in ("input", "expected")}},
    {"id": "normalised", "input": world.questions(2)[1]["input"].upper() + " !", "expected": "x"},
    {
        "id": "near",
        "input": world.questions(3)[2]["input"].replace("cost", "csot"),
        "expected": world.questions(3)[2]["expected"],
    },
    {"id": "span", "input": f"A friend wrote: {LONG}? I do not know it.", "expected": "neither"},
    {
        "id": "quote",
        "input": "I read that " + " ".join(LONG.split()[:22]) + " comes a fair, and who is there",
        "expected": "the younger one",
    },
    {"id": "paraphrase", "input": "can you send my money back", "expected": "write a letter"},
    {"id": "group", "input": "And what is the colour of that?", "expected": "red", "group": "kite"},
]


def study(folder: Path, *, train: list[dict[str, Any]], data: str = "", arm: str = "") -> Path:
    """A study of 63 eval cases in separate files, with models that need no server."""
    folder.mkdir(exist_ok=True)
    rows: list[dict[str, Any]] = [*world.questions(150)]
    parts = {"eval": [*rows[:60], *OWN], "dev": rows[60:90], "train": [*rows[90:], *train]}
    for name, part in parts.items():
        write(folder / f"{name}.jsonl", part)
    (folder / "own.py").write_text(MODEL)
    file = world.write(folder, n_eval=60)
    whole = "\n".join(f"  {name}: {name}.jsonl" for name in parts)
    text = file.read_text()
    old = text[text.index("  cases:") : text.index("arms:")]
    split = "\n  split: {by: group}\n"
    text = text.replace(old, f"{whole}{split}{data}")
    text = text.replace(f'other: {{model: "{world.NEW}"', f'other: {{model: "{world.NEW}"{arm}')
    for name in (world.OLD, world.NEW):
        text = text.replace(name, "python:own:answer")
    file.write_text(text)
    return file


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_private_text_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    rng = random.Random(4)
    key = "ghp_" + "".join(rng.choice(string.ascii_letters + string.digits) for _ in range(36))
    rows = [
        {"id": "t1", "input": f"Why is {key} refused by the store?", "expected": "it is old"},
        {"id": "t2", "input": "Whom do I ask?", "expected": "ask j.miller@acme.org about it"},
    ]
    done = tuneornot("check", study(tmp_path, train=rows))
    assert done.returncode == 0, done.stderr
    assert "train holds private text: key once; the first in 't1': ghp_..." in done.stdout
    assert "train holds private text: e-mail once; the first in 't2': j...@acme.org" in done.stdout
    assert key[6:] not in done.stdout + done.stderr
    clean = tuneornot("check", study(tmp_path / "clean", train=[]))
    assert "private text" not in clean.stdout


def test_every_form_of_a_leak_is_refused_and_can_be_ruled_on(tmp_path: Path) -> None:
    seeds = [{"id": "seed", "input": LONG, "expected": "the younger one"}]
    write(tmp_path / "seeds.jsonl", seeds)
    extra = "  taught: {seeds: seeds.jsonl}\n  meaning: {embed: 'own:embed', bound: 0.95}\n"
    file = study(tmp_path, train=PLANTED, data=extra)
    refused = tuneornot("check", file)
    assert refused.returncode == 4, refused.stderr
    assert "LeakageError" in refused.stderr
    assert "Traceback" not in refused.stderr
    listed = tuneornot("leaks", file, "--json")
    assert listed.returncode == 4
    found = json.loads(listed.stdout)["open"]
    assert {hit["other_id"]: hit["kind"] for hit in found} == {
        **{row["id"]: row["id"] for row in PLANTED},
        "seed": "exact",
    }
    quote = next(hit for hit in found if hit["kind"] == "quote")
    assert quote["span"] == " ".join(LONG.replace(",", "").lower().split()[:22])
    assert quote["similarity"] == round(22 / len(LONG.split()), 4)
    ruled = [word for hit in found[:-1] for word in ("--no-leak", hit["pair"])]
    words = [*ruled, "--why", "planted by a test", "--as", "Ida"]
    left = tuneornot("leaks", file, *words)
    assert left.returncode == 4
    assert found[-1]["pair"] in left.stdout
    assert left.stdout.count("Ida") == len(found) - 1
    last = tuneornot("leaks", file, "--no-leak", found[-1]["pair"], "--why", "it too")
    assert last.returncode == 0, last.stderr
    passed = tuneornot("check", file)
    assert passed.returncode == 0, passed.stderr
    assert "8 pairs look like leaks and were let pass by a person" in passed.stdout
    assert tuneornot("leaks", file, "--withdraw", found[0]["pair"]).returncode == 4


def test_a_ruling_ends_when_a_question_changes_and_is_shown_in_the_report(tmp_path: Path) -> None:
    file = study(tmp_path, train=PLANTED[:1])
    [hit] = json.loads(tuneornot("leaks", file, "--json").stdout)["open"]
    why = "two customers asked this"
    assert tuneornot("leaks", file, "--no-leak", hit["pair"], "--why", why).returncode == 0
    assert tuneornot("run", file, "--quiet").returncode == 0
    assert why in (tmp_path / "results" / "report.md").read_text()
    assert why in (tmp_path / "results" / "report.html").read_text()
    write(tmp_path / "train.jsonl", [{**PLANTED[0], "input": PLANTED[0]["input"].upper()}])
    changed = tuneornot("leaks", file)
    assert changed.returncode == 4
    assert "normalised" in changed.stdout


def test_knowledge_is_told_and_not_refused(tmp_path: Path) -> None:
    one = world.questions(1)[0]
    text = f"{one['input']} They cost {one['expected']}."
    write(tmp_path / "knowledge.jsonl", [{"id": "k1", "text": text}])
    arm = ", retrieve: {from: knowledge.jsonl}"
    told = tuneornot("leaks", study(tmp_path, train=[], arm=arm))
    assert told.returncode == 0, told.stderr
    assert "told, not refused: knowledge-of-other" in told.stdout
    assert "q0 in k1" in told.stdout


def test_a_wrong_ruling_ends_in_a_sentence(tmp_path: Path) -> None:
    file = study(tmp_path, train=PLANTED[:1])
    done = tuneornot("leaks", file, "--no-leak", "nonsense")
    assert done.returncode == 2
    assert "found 'nonsense', expected one of" in " ".join(done.stderr.split())
    assert "expected a reason" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "leaks.jsonl").exists()
