"""Models that are programs: real processes, well-behaved and not."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from tests.models.misbehaving import question
from tuneornot.errors import ModelError, ServerError
from tuneornot.models import registry
from tuneornot.models.base import Reply
from tuneornot.models.command import CommandModel

PROGRAM = """\
import json, os, subprocess, sys, time
asked = json.loads(sys.stdin.readline())
said = asked["messages"][-1]["content"]
if said == "fail":
    print("first line\\nno such thing  \\n", file=sys.stderr)
    sys.exit(7)
if said == "silent":
    sys.exit(1)
if said == "killed":
    os.kill(os.getpid(), 9)
if said == "hang":
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    open("child", "w").write(str(child.pid))
    time.sleep(60)
if said == "told":
    print(json.dumps({"text": "a\\nb", "n_output_tokens": 7, "finish": "length"}))
elif said == "error":
    print(json.dumps({"error": "it was refused."}))
elif said == "json":
    print(json.dumps({"text": "a", "page": 3}))
elif said == "empty":
    pass
elif said == "binary":
    sys.stdout.buffer.write(b"\\xff!")
else:
    where, limit = os.path.basename(os.getcwd()), asked["sampling"]["max_tokens"]
    print(f"{where} {said} {limit} {sys.argv[1:]}")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "answer.py").write_text(PROGRAM)
    return tmp_path


def opened(folder: Path, rest: str = "", timeout_s: float = 20) -> CommandModel:
    return CommandModel(f"command:{sys.executable} answer.py {rest}", folder, timeout_s=timeout_s)


def ask(model: CommandModel, *texts: str) -> list[Reply]:
    replies = dict(model.ask(map(question, texts)))
    model.close()
    return [replies[place] for place in range(len(texts))]


def test_a_line_in_and_a_text_out(folder: Path) -> None:
    one, other = ask(opened(folder, "--style 'very short'"), "hello", "été\nagain")
    assert one.text == f"{folder.name} hello 256 ['--style', 'very short']"
    assert other.text == f"{folder.name} été\nagain 256 ['--style', 'very short']"
    assert one.latency_s is not None
    assert one.latency_s > 0


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("told", Reply(text="a\nb", n_output_tokens=7, finish="length")),
        ("json", Reply(text='{"text": "a", "page": 3}')),
        ("empty", Reply(text="")),
        ("binary", Reply(text="\ufffd!")),
        ("error", Reply(error="it was refused.")),
    ],
)
def test_what_may_come_out(folder: Path, text: str, reply: Reply) -> None:
    [found] = ask(opened(folder), text)
    assert (found.text, found.error) == (reply.text, reply.error)
    assert (found.n_output_tokens, found.finish) == (reply.n_output_tokens, reply.finish)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fail", "ended with exit code 7: no such thing."),
        ("silent", "ended with exit code 1: it said nothing."),
        ("killed", "was ended by signal 9: it said nothing."),
    ],
)
def test_a_failure_is_the_reason_of_one_answer(folder: Path, text: str, said: str) -> None:
    before, failed, after = ask(opened(folder), "a", text, "b")
    assert failed.error == f"{sys.executable} {said}"
    assert before.text is not None
    assert after.text is not None


def test_a_program_that_takes_too_long_is_killed_with_what_it_started(folder: Path) -> None:
    [reply] = ask(opened(folder, timeout_s=1.5), "hang")
    assert reply.error == "no answer within 1.5 s."
    child = int((folder / "child").read_text())
    for _ in range(200):
        if not runs(child):
            break
        time.sleep(0.01)
    assert not runs(child)


def runs(process: int) -> bool:
    """Whether a process runs; one that has ended and was not collected does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_program_that_always_fails_ends_the_run(folder: Path) -> None:
    model = opened(folder)
    with pytest.raises(ServerError, match=r"The program .* stopped answering: 10 requests in a"):
        ask(model, *["silent"] * 40)
    model.close()


def test_a_program_that_does_not_read_its_question(folder: Path) -> None:
    model = registry.open("command:echo hello", folder=folder)
    replies = [reply.text for _, reply in model.ask([question("x" * 200_000)] * 3)]
    model.close()
    assert replies == ["hello"] * 3


def test_a_script_of_the_folder(folder: Path) -> None:
    script = folder / "run.sh"
    script.write_text("#!/bin/sh\nread line\necho from the script\n")
    with pytest.raises(ModelError, match=r"found './run.sh' in './run.sh'.*make it executable"):
        registry.open("command:./run.sh", folder=folder)
    script.chmod(0o755)
    model = registry.open("command:./run.sh", folder=folder)
    [(_, reply)] = model.ask([question("a")])
    model.close()
    assert reply.text == "from the script"


def test_a_program_that_vanishes_ends_the_run(folder: Path) -> None:
    script = folder / "run.sh"
    script.write_text("#!/bin/sh\necho x\n")
    script.chmod(0o755)
    model = registry.open("command:./run.sh", folder=folder)
    script.unlink()
    with pytest.raises(ModelError, match=r"cannot be started \(No such file"):
        list(model.ask([question("a")]))
    model.close()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("command:", "must name a program; found 'command:'"),
        ("command:no-such-program-here x", "found 'no-such-program-here' in"),
        ("command:echo 'open", "Close every quotation mark"),
    ],
)
def test_what_is_no_command(folder: Path, name: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        registry.open(name, folder=folder)


def test_an_edit_of_a_named_file_is_another_model(folder: Path) -> None:
    first = opened(folder).identity()
    assert opened(folder).identity() == first
    assert opened(folder, "-v").identity() != first
    (folder / "answer.py").write_text(PROGRAM + "# edited\n")
    assert opened(folder).identity() != first


def test_half_of_a_surrogate_pair_cannot_be_sent(folder: Path) -> None:
    [reply] = ask(opened(folder), "\ud800")
    assert reply.error == "the question is not valid Unicode (surrogates not allowed)."
