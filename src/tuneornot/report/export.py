"""The report as strict JSON, for other programs: the sentences, then everything they came from.

    {"schema": "tuneornot.report", "schema_version": 1, "version": ..., "study": ..., "plan": ...,
     "verdicts": [{"outcome", "baseline", "candidate", "headline", "advice", "n_more",
                   "reasons": [{"state", "role", "metric", "dataset", "quantity", "sentence"}]}],
     "limits": [sentence, ...],
     "findings": the records as they are, with every response and score}

Within one schema version fields are added, never renamed or removed. What is not determined is
``null`` (JSON has no NaN); ``read`` turns it back. It does not cover the cases' pictures.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import cast

import msgspec

from tuneornot.errors import DataError, StoreError
from tuneornot.records import Comparison, Findings, Json, Reason, Verdict
from tuneornot.report import remarks, sentences

SCHEMA_VERSION = 1


def render(findings: Findings) -> bytes:
    """The whole report as UTF-8 JSON, indented, ending in a line end."""
    report = {
        "schema": "tuneornot.report",
        "schema_version": SCHEMA_VERSION,
        "version": findings.version,
        "study": findings.study,
        "plan": findings.plan,
        "verdicts": [_verdict(verdict, findings) for verdict in findings.verdicts],
        "limits": list(remarks.limits(findings)),
        "findings": findings,
    }
    # msgspec writes NaN and infinities as null by itself.
    return msgspec.json.format(msgspec.json.encode(report), indent=1) + b"\n"


def write(findings: Findings, path: Path) -> Path:
    """Write the JSON, whole or not at all, and return its path.

    Raises:
        StoreError: the file cannot be written.
    """
    return save(render(findings), path)


def save(content: bytes, path: Path) -> Path:
    """Put a report's bytes in their place, whole or not at all.

    Raises:
        StoreError: the file cannot be written.
    """
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        raise StoreError(
            f"A report needs a folder that can be written to; {str(path)!r} cannot be written:"
            f" {error.strerror or error}. Free some space or name another folder."
        ) from error
    return path


def read(path: Path) -> Findings:
    """The findings that a report was written from.

    Raises:
        DataError: the file is not such a report, or of a later schema version.
    """
    advice = "Give a report.json that this version of tuneornot or an earlier one wrote."
    try:
        report = msgspec.json.decode(path.read_bytes(), type=dict[str, object])
        version = report.get("schema_version")
        if report.get("schema") != "tuneornot.report" or version != SCHEMA_VERSION:
            fault = f"a report has schema_version {SCHEMA_VERSION}, this file has {version!r}"
            raise DataError(str(path), [fault], advice)
        restored = _restored(cast(Json, report["findings"]), msgspec.inspect.type_info(Findings))
        return msgspec.convert(restored, Findings)
    except (OSError, KeyError, msgspec.MsgspecError) as error:
        raise DataError(str(path), [f"a report must be readable JSON: {error}"], advice) from error


def _verdict(verdict: Verdict, findings: Findings) -> dict[str, Json]:
    comparison = sentences.comparison_of(verdict, findings)
    return {
        "outcome": verdict.outcome,
        "baseline": verdict.baseline,
        "candidate": verdict.candidate,
        "headline": sentences.headline(verdict, findings),
        "advice": sentences.advice(verdict),
        "n_more": verdict.n_more,
        "reasons": [_reason(reason, comparison) for reason in verdict.reasons],
    }


def _reason(reason: Reason, comparison: Comparison | None) -> dict[str, Json]:
    return {
        "state": sentences.STATES[reason.holds],
        "role": reason.role,
        "metric": reason.metric,
        "dataset": reason.dataset,
        "quantity": reason.quantity,
        "sentence": sentences.reason(reason, comparison),
    }


def _restored(value: Json, kind: msgspec.inspect.Type) -> Json:
    """The value with NaN wherever null stands for a number that must be there."""
    if isinstance(kind, msgspec.inspect.FloatType):
        return math.nan if value is None else value
    if isinstance(kind, msgspec.inspect.StructType) and isinstance(value, dict):
        fields = {field.encode_name: field.type for field in kind.fields}
        return {
            key: _restored(each, fields[key]) if key in fields else each
            for key, each in value.items()
        }
    if isinstance(kind, msgspec.inspect.VarTupleType) and isinstance(value, list):
        return [_restored(each, kind.item_type) for each in value]
    if isinstance(kind, msgspec.inspect.DictType) and isinstance(value, dict):
        return {key: _restored(each, kind.value_type) for key, each in value.items()}
    if isinstance(kind, msgspec.inspect.UnionType) and value is not None:
        records = [one for one in kind.types if isinstance(one, msgspec.inspect.StructType)]
        return _restored(value, records[0]) if len(records) == 1 else value
    return value
