"""A model that is a program: ``command:PROGRAM ARGUMENTS``, started anew for every question.

It reads one line of JSON from its standard input, ``{"messages": [...], "sampling": {...}}``, and
writes the answer to its standard output: either one JSON object with fields of ``base.Reply``
(``text`` or ``error``; ``finish``, ``n_output_tokens``, ...) and no others, or anything else, which
is the answer's text as it stands, without the line break at its end. It runs in the study's folder,
four at a time. Another exit code than 0 is a failure, with the last line of its standard error as
the reason; so is a program that takes too long, which is killed with what it started.

It refuses to know shells: words are split as a shell would, and nothing else of one is understood.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import msgspec

from tuneornot import fingerprint
from tuneornot.errors import ModelError
from tuneornot.models.background import in_thread
from tuneornot.models.base import Reply, Request
from tuneornot.models.pace import Clock, Policy, RealClock
from tuneornot.models.pool import Fault
from tuneornot.models.pooled import PooledModel

MOST = 4
"""Programs at a time."""
TIMEOUT_S = 120.0
"""Longest wait for one answer."""
SHOWN = 200
"""Characters shown of what a program said of its failure."""


class CommandModel(PooledModel):
    """Answers by running a program.

    Args:
        name: ``command:`` and the program with its arguments.
        folder: where the program runs, and where a program with a ``/`` in its name is looked for.
        timeout_s: longest wait for one answer.

    Raises:
        ModelError: there is no such program.
    """

    def __init__(self, name: str, folder: Path, *, timeout_s: float = TIMEOUT_S) -> None:
        words = _words(name)
        self._identity = _identity(words, folder)
        clock = RealClock()
        super().__init__(
            name,
            Program(_found(words, folder), folder, timeout_s=timeout_s, clock=clock),
            who=f"The program {words[0]}",
            most=MOST,
            policy=Policy(max_tries=1),
            clock=clock,
        )

    def identity(self) -> str:
        """The words and a fingerprint of those files of the study's folder that they name.

        A program that is installed elsewhere is known by its name alone.
        """
        return self._identity


class Program:
    """See ``pooled.Sender``."""

    def __init__(self, words: list[str], folder: Path, *, timeout_s: float, clock: Clock) -> None:
        self._words = words
        self._folder = folder
        self._timeout_s = timeout_s
        self._clock = clock

    async def send(self, request: Request, alone: bool = False) -> Reply | Fault:
        """Run the program once."""
        asked = {"messages": request.messages, "sampling": request.sampling}
        try:
            line = msgspec.json.encode(asked) + b"\n"
        except UnicodeEncodeError as error:
            return Fault(f"the question is not valid Unicode ({error.reason})")
        began_s = self._clock.now()
        run = Run(self._words, self._folder)
        try:
            async with asyncio.timeout(self._timeout_s):
                code, out, said = await in_thread(run.talk, line)
        except TimeoutError:
            return Fault(f"no answer within {self._timeout_s:g} s")
        except OSError as error:
            sentence = f"{self._words[0]} cannot be started ({error.strerror})"
            return Fault(sentence, stop=ModelError(f"A program must run; {sentence}. Mend it."))
        finally:
            run.end()
        if code != 0:
            return Fault(_failure(self._words[0], code, said))
        return _reply(out, self._clock.now() - began_s)

    async def close(self) -> None:
        """Nothing is held: a run ends with its try."""


class Run:
    """One run of a program, carried out in a thread and ended from any other."""

    def __init__(self, words: list[str], folder: Path) -> None:
        self._words = words
        self._folder = folder
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._over = False

    def talk(self, line: bytes) -> tuple[int, bytes, bytes]:
        """Start the program and hand it a line: exit code, standard output and error.

        Raises:
            OSError: it cannot be started.
        """
        with self._lock:
            if self._over:
                return 0, b"", b""  # nobody waits any more
            self._process = subprocess.Popen(
                self._words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self._folder,
                start_new_session=True,  # so that what it starts can be ended with it
            )
        out, said = self._process.communicate(line)
        return self._process.returncode, out, said

    def end(self) -> None:
        """Kill what still runs of the program and of what it started."""
        with self._lock:
            self._over = True
            if self._process is not None and self._process.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)


def _reply(out: bytes, spent_s: float) -> Reply | Fault:
    with contextlib.suppress(msgspec.DecodeError):
        said = msgspec.json.decode(out, type=Reply)
        if said.error is not None and said.text is None:
            return Fault(said.error.removesuffix("."))
        if said.text is not None and said.error is None:
            return (
                said
                if said.latency_s is not None
                else msgspec.structs.replace(said, latency_s=spent_s)
            )
    text = out.decode("utf-8", "replace")
    return Reply(text=text.removesuffix("\n").removesuffix("\r"), latency_s=spent_s)


def _failure(program: str, code: int, said: bytes) -> str:
    how = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
    lines = said.decode("utf-8", "replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    return f"{program} {how}: {last[:SHOWN]}"


def _words(name: str) -> list[str]:
    try:
        words = shlex.split(name.removeprefix("command:"))
    except ValueError as error:
        raise ModelError(
            f"A command must be words as a shell splits them; found {name!r} ({error}). "
            "Close every quotation mark."
        ) from None
    if not words:
        raise ModelError(
            f"A command must name a program; found {name!r}. Write for example "
            "command:python3 answer.py."
        )
    return words


def _found(words: list[str], folder: Path) -> list[str]:
    """The words with the program's place in front."""
    program = words[0]
    # Links are not followed: a program may find its own files by the name that it was called by.
    where = str(folder.absolute() / program) if "/" in program else shutil.which(program)
    if where is None or shutil.which(where) is None:
        raise ModelError(
            f"A command must name a program that can be run; found {program!r} in "
            f"{' '.join(words)!r}. Install it, or give its path from the study's folder with a / "
            "in it, and make it executable."
        )
    return [where, *words[1:]]


def _identity(words: list[str], folder: Path) -> str:
    files = {word: fingerprint.of_file(folder / word) for word in words if _is_file(folder / word)}
    return f"{words[0]} {fingerprint.of([words, files])}"


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a word too long for a name
        return False
