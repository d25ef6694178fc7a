"""The metric of answers in a format other than JSON: tables, XML, YAML, CSV, SQL.

It asks whether a strict reader of the format would accept the answer, never whether the content is
right. What each reader asks for beyond its library is said where it stands, because most texts are
YAML or CSV in the widest sense. JSON has metrics of its own in ``form``.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import logging
import re
from collections.abc import Callable, Sequence
from typing import Literal

import yaml

from tuneornot.errors import MissingExtra
from tuneornot.metrics.base import Mark, settings_of
from tuneornot.metrics.reading import fenced
from tuneornot.records import Case, Json, Response, Scale

Kind = Literal["csv", "markdown_table", "sql", "xml", "yaml"]
LONGEST = 50_000
"""Characters of an answer that is read: the readers of SQL and YAML take seconds for more."""


class NotWellFormed(ValueError):
    """The text is not in the format; the text of the error says why."""


@dataclasses.dataclass(kw_only=True)
class WellFormed:
    """1 if the answer is well-formed in a format, else 0.

    ``xml``: one element with its contents, without a document type or entities of its own.
    ``yaml``: one document that is a mapping or a list. ``csv``: a header and at least one record,
    all of as many cells, at least two (or as many as ``columns``). ``markdown_table``: a header, a
    line of dashes and at least one row, all of as many cells. ``sql``: statements that the parser
    sqlglot reads in ``dialect``, each a query, a change of data or a definition; names are not
    looked up. Answers of more than 50,000 characters are 0.
    """

    kind: Kind
    """The format."""
    name: str = "well_formed"
    columns: list[str] = dataclasses.field(default_factory=list)
    """For CSV and Markdown tables: the header, in order; any without it."""
    delimiter: str = ","
    """For CSV: what separates cells."""
    dialect: str = ""
    """For SQL: as sqlglot names it, for example ``sqlite``; any without it."""
    lenient: bool = False
    """Accept a code fence; for a Markdown table also text around it."""
    scale = Scale(binary=True)

    def __post_init__(self) -> None:
        try:
            csv.reader((), delimiter=self.delimiter)
        except (TypeError, ValueError) as fault:
            raise ValueError(
                f"delimiter must be one character, got {self.delimiter!r} ({fault}); "
                "write for example ';'"
            ) from None
        self._read = self._reader()

    def _reader(self) -> Callable[[str], None]:
        """What raises ``NotWellFormed`` for a text that is not in the format."""
        if self.kind == "sql":
            return _sql(self.dialect)
        if self.kind == "xml":
            return _xml()
        if self.kind == "yaml":
            return _yaml
        return self._csv if self.kind == "csv" else self._markdown_table

    def settings(self) -> dict[str, Json]:
        """What determines its values."""
        return settings_of(self, "well_formed")

    def score(self, case: Case, response: Response) -> Mark:
        """1 or 0, with the fault."""
        text = response.text or ""
        if len(text) > LONGEST:
            return Mark(0.0, f"{len(text)} characters are more than {LONGEST}")
        texts = [text, *fenced(text)] if self.lenient else [text]
        faults = [fault for fault in map(self._fault, texts) if fault is not None]
        return Mark(1.0) if len(faults) < len(texts) else Mark(0.0, faults[0])

    def _fault(self, text: str) -> str | None:
        try:
            self._read(text)
        except NotWellFormed as fault:
            said = " ".join(str(fault).split())[:200]
            return said.encode("utf-8", "backslashreplace").decode()
        except RecursionError:
            return "it is nested too deep"
        return None

    def _csv(self, text: str) -> None:
        try:
            rows = list(
                csv.reader(
                    io.StringIO(text.strip(), newline=""), delimiter=self.delimiter, strict=True
                )
            )
        except csv.Error as fault:
            raise NotWellFormed(fault) from None
        self._check_rows([row for row in rows if row])

    def _markdown_table(self, text: str) -> None:
        lines = text.strip("\n").split("\n")
        # Without a bar it would underline a heading.
        rules = (i for i, line in enumerate(lines) if i and "|" in line and _RULE.fullmatch(line))
        rule = next(rules, None)
        if rule is None:
            raise NotWellFormed("there is no line of dashes under a header")
        stop = next((i for i in range(rule, len(lines)) if "|" not in lines[i]), len(lines))
        if not self.lenient and (rule != 1 or any(map(str.strip, lines[stop:]))):
            raise NotWellFormed("there is text around the table")
        table = [_cells(line) for line in (lines[rule - 1], *lines[rule:stop])]
        if len(table[1]) != len(table[0]):
            raise NotWellFormed(
                f"the header has {len(table[0])} cells and the dashes {len(table[1])}"
            )
        self._check_rows([table[0], *table[2:]])

    def _check_rows(self, rows: Sequence[Sequence[str]]) -> None:
        if len(rows) < 2:
            raise NotWellFormed(f"{len(rows)} rows, expected a header and at least one more")
        header = [cell.strip() for cell in rows[0]]
        if self.columns and header != self.columns:
            raise NotWellFormed(f"the header is {header!r}, expected {self.columns!r}")
        if len(header) < 2 and not self.columns:
            raise NotWellFormed("one column only, which any text has")
        for number, row in enumerate(rows, start=1):
            if len(row) != len(header):
                raise NotWellFormed(f"row {number} has {len(row)} cells, the header {len(header)}")


_RULE = re.compile(r"[ \t]*\|?(?:[ \t]*:?-+:?[ \t]*\|)*[ \t]*:?-+:?[ \t]*\|?[ \t]*")
_BAR = re.compile(r"(?<!\\)\|")


def _cells(line: str) -> list[str]:
    """The cells of a row of a Markdown table; a bar after a backslash separates none."""
    return _BAR.split(line.strip().removeprefix("|").removesuffix("|"))


def _yaml(text: str) -> None:
    try:
        # The nodes are enough: making values would also refuse dates that do not exist.
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError) as fault:
        raise NotWellFormed(fault) from None
    if not isinstance(node, yaml.CollectionNode):
        raise NotWellFormed("it is a single text, expected a mapping or a list")


def _xml() -> Callable[[str], None]:
    try:
        from defusedxml import DefusedXmlException, ElementTree
    except ImportError as error:
        raise MissingExtra("The metric well_formed for XML", "metrics") from error

    def read(text: str) -> None:
        try:
            ElementTree.fromstring(text.strip(), forbid_dtd=True)
        except (ElementTree.ParseError, DefusedXmlException, ValueError) as fault:
            raise NotWellFormed(repr(fault)) from None

    return read


def _sql(dialect: str) -> Callable[[str], None]:
    try:
        import sqlglot
        from sqlglot import errors, expressions
    except ImportError as error:
        raise MissingExtra("The metric well_formed for SQL", "metrics") from error
    try:
        sqlglot.Dialect.get_or_raise(dialect or None)
    except ValueError:
        known = ", ".join(sorted(name for name in sqlglot.Dialect.classes if name))
        raise ValueError(f"dialect must be one of {known}, got {dialect!r}") from None
    # A statement that it does not know is a command to it, which is told as a fault below.
    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    definitions = (expressions.DDL, expressions.Drop, expressions.Alter, expressions.TruncateTable)
    whole = (expressions.Query, expressions.DML, *definitions)

    def read(text: str) -> None:
        try:
            parsed = sqlglot.parse(text, dialect=dialect or None)
        except (errors.SqlglotError, ValueError) as fault:
            raise NotWellFormed(fault) from None
        statements = [one for one in parsed if one is not None]
        if not statements or not all(isinstance(one, whole) for one in statements):
            raise NotWellFormed("it is no statement of SQL")

    return read
