"""A prompt as a file that people read, compare and change: YAML, one key for each part.

    instructions: |-
      Convert the citation to JSON.
    demonstrations:
    - id: t17
      input: 410 U. S. 113 (1973)
      expected: {volume: 410, page: 113}

What is written reads back as the same prompt. What a prompt is does not hang on the comment that
stands above it.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Any

import msgspec
import yaml

from tuneornot.errors import StudyError
from tuneornot.formats import form
from tuneornot.records import Prompt


class _Blocks(yaml.SafeDumper):  # type: ignore[misc]
    """Texts of several lines stand as they are, line under line."""


class _Block(dict[str, Any]):
    """A mapping with a line for each key, however short; others stand in braces where they can."""


_OTHER_BREAKS = re.compile("[\r\x85\u2028\u2029]")
"""A block of lines would not give these line ends back."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if _OTHER_BREAKS.search(text) else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


def _block(dumper: yaml.SafeDumper, block: _Block) -> yaml.MappingNode:
    return dumper.represent_mapping("tag:yaml.org,2002:map", block, flow_style=False)


_Blocks.add_representer(str, _text)
_Blocks.add_representer(_Block, _block)


def written(prompt: Prompt, *, about: str = "") -> str:
    """The file's text.

    Args:
        prompt: what to write.
        about: a line to stand above it, besides the prompt's fingerprint.
    """
    fields = _without_defaults(prompt)
    shown = [_Block(_without_defaults(case)) for case in prompt.demonstrations]
    fields["demonstrations"] = shown
    if prompt.steps:
        fields["steps"] = [_Block(_without_defaults(step)) for step in prompt.steps]
    kept = _Block({name: value for name, value in fields.items() if value not in ([], "")})
    text = yaml.dump(
        kept,
        Dumper=_Blocks,
        sort_keys=False,
        allow_unicode=True,
        width=100,
        default_flow_style=None,
    )
    head = f"# {' '.join(about.split())}\n" if about else ""
    return f"{head}# prompt {prompt.fingerprint}\n{text if kept else ''}"


def read(path: Path) -> Prompt:
    """The prompt that a file holds.

    Raises:
        StudyError: the file cannot be read, or every fault of it.
    """
    advice = "Give the path of a prompt file; `tuneornot prompt STUDY --to FILE` writes one."
    raw = form.values(form.read(path, advice), str(path), "Mend the syntax.")
    faults: list[str] = []
    prompt = form.gather(Prompt, {} if raw is None else raw, faults)
    if prompt is not None:
        faults += _contradictions(prompt)
    if faults or prompt is None:
        raise StudyError(str(path), faults, "docs/guides/prompts.md explains every field.")
    return prompt


def difference(old: Prompt, new: Prompt, names: tuple[str, str]) -> str:
    """What has changed from one prompt to another, as a unified diff; empty where nothing has."""
    before, after = (written(prompt).splitlines()[1:] for prompt in (old, new))
    found = difflib.unified_diff(before, after, *names, lineterm="")
    return "".join(f"{line}\n" for line in found)


def _contradictions(prompt: Prompt) -> list[str]:
    faults = []
    for case in prompt.demonstrations:
        if case.expected is None:
            faults.append(f"demonstrations: {case.id!r} has no answer; give `expected`")
        if not case.input:
            faults.append(f"demonstrations: {case.id!r} asks nothing; give `input`")
    if prompt.nearest is not None and prompt.nearest < 1:
        faults.append(f"nearest: found {prompt.nearest!r}, expected 1 or more")
    elif prompt.nearest is not None and not prompt.demonstrations:
        faults.append("nearest: there are no demonstrations to choose from; give some")
    if prompt.reasoning is not None and prompt.reasoning < 1:
        faults.append(f"reasoning: found {prompt.reasoning!r}, expected 1 token or more")
    for n, step in enumerate(prompt.steps or ()):
        if not step.ask.strip():
            faults.append(f"steps[{n}].ask: asks nothing; say what the model is to prepare")
        if step.max_tokens < 1:
            faults.append(f"steps[{n}].max_tokens: found {step.max_tokens!r}, expected 1 or more")
    if prompt.reasoning is not None and prompt.form is not None:
        faults.append("form: leaves no room for `reasoning`; leave one of them out")
    return faults


def _without_defaults(record: msgspec.Struct) -> dict[str, Any]:
    defaults = {field.name: field.default for field in msgspec.structs.fields(record)}
    found = msgspec.to_builtins(record, builtin_types=())
    return {
        name: value
        for name, value in found.items()
        if value is not None and value != defaults.get(name)
    }
