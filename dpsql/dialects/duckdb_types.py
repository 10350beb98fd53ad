"""DuckDB's type names as dpsql types, and the range every value of the type certainly has."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from dpsql.core.domain import (
    ANY,
    BOOLEAN,
    DATE,
    FLOAT,
    INTEGER,
    TEXT,
    TIMESTAMP,
    Interval,
    Kind,
    SqlType,
    decimal,
)

_INTEGERS = {
    "TINYINT": (8, True),
    "SMALLINT": (16, True),
    "INTEGER": (32, True),
    "BIGINT": (64, True),
    "HUGEINT": (128, True),
    "UTINYINT": (8, False),
    "USMALLINT": (16, False),
    "UINTEGER": (32, False),
    "UBIGINT": (64, False),
}
_PLAIN = {
    "BOOLEAN": BOOLEAN,
    "DOUBLE": FLOAT,
    "FLOAT": FLOAT,
    "VARCHAR": TEXT,
    "DATE": DATE,
    "TIMESTAMP": TIMESTAMP,
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)\Z")


def read_type(text: str) -> tuple[SqlType, Interval]:
    """The type and its certain range. Types without a total treatment are OPAQUE.

    TIMESTAMP_S and TIMESTAMP_MS are: a comparison with a TIMESTAMP can raise on their values.
    """
    name = text.upper()
    if name in _INTEGERS:
        bits, signed = _INTEGERS[name]
        half = 2 ** (bits - 1) if signed else 0
        top = 2 ** (bits - 1) - 1 if signed else 2**bits - 1
        return INTEGER, Interval(Fraction(-half), Fraction(top))
    if name in _PLAIN:
        return _PLAIN[name], ANY
    if match := _DECIMAL.match(name):
        precision, scale = int(match[1]), int(match[2])
        top_value = Fraction(10**precision - 1, 10**scale)
        return decimal(precision, scale), Interval(-top_value, top_value)
    return SqlType(Kind.OPAQUE), ANY


COLLATED = "VARCHAR COLLATE"
"""What a text column with a collation is called here; it is OPAQUE."""


def collated(
    made: Sequence[tuple[str, str, str]], *, mentioned: bool, everywhere: bool
) -> Callable[[str, str, str, bool], bool]:
    """(schema, table, column, is view) → may its text compare by a collation?

    `made`: CREATE TABLE texts that mention COLLATE or a generated column, the only place where
    DuckDB tells. `mentioned`: some table, view or macro says COLLATE. A view or a generated column
    may hand on such a text from anywhere, or say it in its own words, so then all of them are
    under suspicion; so is every column of a table whose text cannot be read.
    """
    known = {(schema, table): _collated_columns(sql) for schema, table, sql in made}

    def check(schema: str, table: str, column: str, is_view: bool) -> bool:
        if everywhere or (is_view and mentioned):
            return True
        if not mentioned or (schema, table) not in known:
            return False
        found = known[schema, table]
        return found is None or column in found

    return check


def _collated_columns(sql: str) -> set[str] | None:
    """Columns with a collation, and generated ones."""
    try:
        tree = parse_one(sql.rstrip(";"), read="duckdb")
    except SqlglotError:
        return None
    suspect = (exp.CollateColumnConstraint, exp.ComputedColumnConstraint)
    generated = (exp.GeneratedAsRowColumnConstraint, exp.GeneratedAsIdentityColumnConstraint)
    definitions = list(tree.find_all(exp.ColumnDef))
    found = {node.name for node in definitions if node.find(*suspect, *generated)}
    return found or None
