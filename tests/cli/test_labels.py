"""Labelling as a person does it: the real command in a process of its own, and spreadsheets."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.judge import fallible
from tests.world import NEW, OLD, model, opened, right, write
from tuneornot import cli, labelling
from tuneornot.formats import sheet
from tuneornot.metrics.judges.base import Judged
from tuneornot.protocol import Protocol
from tuneornot.records import Case, Label, Response

RUBRIC = 'judge: {name: told, model: "local:judge", ask: Right?, levels: [no, yes]}'
PREFER = 'prefer: {model: "local:judge", ask: Which?}'
KNOWN = right(2000)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study whose models are scripted, for the commands as well."""
    path = write(tmp_path, n_eval=100, metrics=f"[exact_match, {{{RUBRIC}}}, {{{PREFER}}}]")
    monkeypatch.setattr("tuneornot.cli.working.Protocol", _scripted)
    return path


def _scripted(plan: object, folder: Path, results: Path, *, listener: object) -> Protocol:
    judge = fallible(KNOWN, sensitivity=0.8, specificity=0.7)
    return opened(folder / "study.yaml", model(OLD, 0.4), model(NEW, 0.8), judge)


def run(file: Path, *arguments: str, typed: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(cli.app, ["label", str(file), *arguments], input=typed)
    told = str(done.exception) if done.exception and done.exit_code == 1 else ""
    return done.exit_code, done.output + told


def kept(file: Path) -> tuple[Label, ...]:
    protocol = _scripted(None, file.parent, file.parent, listener=None)
    found = protocol.store.labels()
    protocol.close()
    return found


def test_labels_are_kept_as_they_are_given_and_the_command_goes_on(file: Path) -> None:
    asked = ("--metric", "told", "--n", "5", "--as", "ann")
    code, said = run(file, *asked, typed="2\nnonsense\n1\nb\n?\nq\n")
    assert code == 0
    assert "expected a level from 1 to 2" in said
    assert "goes on from here" in said
    assert [label.value for label in kept(file)] == [1.0, None]
    code, said = run(file, *asked, typed="2\n" * 20)
    assert "2 of " in said
    assert "All are labelled." in said
    assert {label.who for label in kept(file)} == {"ann"}
    # Another person begins anew.
    assert "0 of " in run(file, *asked[:-1], "bob")[1]


def test_nothing_that_is_shown_tells_the_arm_or_the_judge(file: Path) -> None:
    _, said = run(file, "--metric", "told", "--n", "5", typed="1\n" * 20)
    for word in ("prompted", "other", "local:", "reason", "seen"):
        assert word not in said


def test_both_arms_answers_to_a_case_are_drawn_and_more_cases_only_add(file: Path) -> None:
    protocol = _scripted(None, file.parent, file.parent, listener=None)
    arms = {name: list(runs) for name, runs in protocol.runs.items()}
    metric = next(one for one in protocol.metrics if isinstance(one, Judged))
    few = labelling.drawn(arms, metric, "prompted", n=20)
    more = labelling.drawn(arms, metric, "prompted", n=60)
    assert {one.item for one in few} < {one.item for one in more}
    assert labelling.drawn(arms, metric, "prompted", n=20, seed=1) != few
    questions = [one.material[0][1] for one in few]
    texts = {
        case.text: {runs[0].responses[place].text for runs in arms.values()}
        for place, case in enumerate(arms["other"][0].dataset.cases)
    }
    assert len(set(questions)) == 20
    for one in few:
        shown = {each.material[-1][1] for each in few if each.material[0] == one.material[0]}
        assert shown == texts[one.material[0][1]]
    protocol.close()


def test_a_sheet_goes_out_and_comes_back(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.csv"
    assert run(file, "--metric", "told", "--n", "50", "--export", str(out))[0] == 0
    rows = _rows(out)
    for row in rows:
        row["label"] = "yes" if KNOWN[row["question"]] == row["answer"] else "1"
    _write(out, rows)
    code, said = run(file, "--metric", "told", "--import", str(out), "--as", "ann")
    assert code == 0
    assert f"kept {len(rows)} labels" in said
    assert {label.value for label in kept(file)} == {0.0, 1.0}
    protocol = _scripted(None, file.parent, file.parent, listener=None)
    [comparison] = protocol.comparisons
    contrast = comparison.contrast("told", "eval")
    assert contrast is not None
    assert contrast.correction is not None
    assert contrast.correction.used
    assert contrast.correction.n_both == 50
    protocol.close()


def test_a_wrong_sheet_keeps_nothing_and_tells_every_line(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.csv"
    run(file, "--metric", "told", "--n", "5", "--export", str(out))
    rows = _rows(out)
    rows[0]["label"], rows[1]["label"], rows[2]["label"] = "2", "9", "1"
    rows[2]["item"] = "strange"
    _write(out, rows)
    code, said = run(file, "--metric", "told", "--import", str(out), "--as", "ann")
    assert code == 1
    assert "line 3: found '9', expected a level from 1 to 2" in said
    assert "line 4: item 'strange' is no answer of this study" in said
    assert kept(file) == ()
    assert "does not say who" in run(file, "--metric", "told", "--import", str(out))[1]
    out.write_text("a,b\n1,2\n")
    assert "has no column" in run(file, "--metric", "told", "--import", str(out))[1]
    assert "cannot be read" in run(file, "--metric", "told", "--import", str(tmp_path / "no"))[1]


def test_a_pair_is_turned_for_people_and_turned_back(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.csv"
    run(file, "--metric", "prefer", "--n", "60", "--export", str(out))
    rows = _rows(out)
    new = {case.text: response.text for case, response in _answers(file, "other")}
    first = [row for row in rows if row["first answer"] == new[row["question"]]]
    assert 10 < len(first) < len(rows) - 10
    assert any(row["label"] == "tie" for row in rows)  # answers that are the same
    for row in rows:
        row["label"] = row["label"] or ("first" if row in first else "second")
    _write(out, rows)
    assert run(file, "--metric", "prefer", "--import", str(out), "--as", "ann")[0] == 0
    # Everybody prefers the candidate, wherever it was shown.
    assert {label.value for label in kept(file)} == {0.5, 1.0}


def test_answers_that_are_the_same_are_a_tie_without_a_question(file: Path) -> None:
    protocol = _scripted(None, file.parent, file.parent, listener=None)
    arms = {name: list(runs) for name, runs in protocol.runs.items()}
    metric = next(one for one in protocol.metrics if isinstance(one, Judged) and one.paired)
    drawn = labelling.drawn(arms, metric, "prompted", n=30)
    ties = [one for one in drawn if labelling.settled(one) is not None]
    assert 0 < len(ties) < len(drawn) == 30
    protocol.close()
    run(file, "--metric", "prefer", "--n", "30", "--as", "ann", typed="2\n" * 30)
    assert sum(label.value == 0.5 for label in kept(file)) == len(ties)


def test_wrong_arguments_are_told(file: Path) -> None:
    assert "expected one of ['told', 'prefer']" in run(file)[1]
    assert "expected one of ['told', 'prefer']" in run(file, "--metric", "exact_match")[1]
    assert "expected one of ['eval']" in run(file, "--metric", "told", "--set", "dev")[1]
    assert "expected 1 or more" in run(file, "--metric", "told", "--n", "0")[1]


def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(tmp_path: Path) -> None:
    sheet.write(tmp_path / "s.csv", [{"item": "a", "answer": "=1+1"}])
    [row] = _rows(tmp_path / "s.csv")
    assert row["answer"] == "'=1+1"


def _answers(file: Path, arm: str) -> list[tuple[Case, Response]]:
    protocol = _scripted(None, file.parent, file.parent, listener=None)
    run_ = protocol.runs[arm][0]
    protocol.close()
    return list(zip(run_.dataset.cases, run_.responses, strict=True))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
