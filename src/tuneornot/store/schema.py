"""The tables of a store as they are now, for queries; ``migrations`` is how a file gets there.

Keys and what is filtered by are columns; the record itself is JSON in ``body``. Nothing here is
particular to one database: strings, integers, booleans and texts, and keys made of what the
records say, so that the same thing kept twice is one row. Times are ISO 8601 in UTC, which sorts
as text.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, MetaData, String, Table, Text

FINGERPRINT = String(20)
TIME = String(32)

metadata = MetaData()

schema_version = Table(
    "schema_version",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("what", Text, nullable=False),
    Column("at", TIME, nullable=False),
)

responses = Table(
    "responses",
    metadata,
    Column("arm", FINGERPRINT, primary_key=True),
    Column("purpose", String(16), primary_key=True),
    Column("question", FINGERPRINT, primary_key=True),
    Column("repeat", Integer, primary_key=True, autoincrement=False),
    # Whether there is a text; a failure is kept too, until an answer takes its place.
    Column("answered", Boolean, nullable=False),
    Column("at", TIME, nullable=False),
    Column("body", Text, nullable=False),
)

adapters = Table(
    "adapters",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("seed", Integer, primary_key=True, autoincrement=False),
    Column("at", TIME, nullable=False),
    Column("body", Text, nullable=False),
)

ledgers = Table(
    "ledgers",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("at", TIME, nullable=False),
    Column("body", Text, nullable=False),
)

plans = Table(
    "plans",
    metadata,
    Column("fingerprint", FINGERPRINT, primary_key=True),
    Column("study", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("first_seen", TIME, nullable=False),
)

looks = Table(
    "looks",
    metadata,
    Column("plan", FINGERPRINT, primary_key=True),
    Column("dataset", String(255), primary_key=True),
    Column("arm", String(255), primary_key=True),
    Column("at", TIME, primary_key=True),
    Column("n", Integer),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("plan", FINGERPRINT, primary_key=True),
    Column("baseline", String(255), primary_key=True),
    Column("candidate", String(255), primary_key=True),
    Column("at", TIME, primary_key=True),
    Column("body", Text, nullable=False),
)

phases = Table(
    "phases",
    metadata,
    Column("plan", FINGERPRINT, primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("at", TIME, primary_key=True),
    Column("body", Text, nullable=False),
)

orders = Table(
    "orders",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("at", TIME, nullable=False),
    Column("body", Text, nullable=False),
)

labels = Table(
    "labels",
    metadata,
    Column("item", FINGERPRINT, primary_key=True),
    Column("who", String(255), primary_key=True),
    Column("at", TIME, nullable=False),
    Column("body", Text, nullable=False),
)
