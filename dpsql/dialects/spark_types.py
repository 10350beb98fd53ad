"""Spark's types as dpsql reads them: the type, DuckDB's name for it, and how it is stored.

Some columns are read through a conversion, which the catalog names (`CatalogColumn.stored`) and the
writer puts around each of them; all keep different values apart:

    real         float: the DOUBLE of the same value
    zoned        timestamp (with the session's zone): the TIMESTAMP in UTC
    padded       char(n): the text without its trailing blanks, which do not count in `=`

Types that are not here are OPAQUE: they can be counted and tested with IS NULL. A text with any
collation but UTF8_BINARY is: others hold different texts equal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

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

COLLATED = "VARCHAR COLLATE"


@dataclass(frozen=True, slots=True)
class Read:
    """A column's type as it is read."""

    text: str
    type: SqlType
    certain: Interval = ANY
    stored: str = ""


def _integer(name: str, bits: int) -> Read:
    top = 2 ** (bits - 1)
    return Read(name, INTEGER, Interval(Fraction(-top), Fraction(top - 1)))


_PLAIN = {
    "boolean": Read("BOOLEAN", BOOLEAN),
    "tinyint": _integer("TINYINT", 8),
    "smallint": _integer("SMALLINT", 16),
    "int": _integer("INTEGER", 32),
    "bigint": _integer("BIGINT", 64),
    "float": Read("DOUBLE", FLOAT, stored="real"),
    "double": Read("DOUBLE", FLOAT),
    "date": Read("DATE", DATE),
    "timestamp_ntz": Read("TIMESTAMP", TIMESTAMP),
    "timestamp": Read("TIMESTAMP", TIMESTAMP, stored="zoned"),
    "string": Read("VARCHAR", TEXT),
    "string collate utf8_binary": Read("VARCHAR", TEXT),
}
_DECIMAL = re.compile(r"decimal\((\d+),\s*(\d+)\)\Z")
_CHAR = re.compile(r"char\(\d+\)\Z")
_VARCHAR = re.compile(r"varchar\(\d+\)\Z")


def read_type(shown: str) -> Read:
    """`shown`: the type as DESCRIBE TABLE has it."""
    name = " ".join(shown.lower().split())
    if name in _PLAIN:
        return _PLAIN[name]
    if _CHAR.match(name):
        return Read("VARCHAR", TEXT, stored="padded")
    if _VARCHAR.match(name):
        return Read("VARCHAR", TEXT)
    if match := _DECIMAL.match(name):
        precision, scale = int(match[1]), int(match[2])
        if 0 <= scale <= precision <= 38:
            top = Fraction(10**precision - 1, 10**scale)
            text = f"DECIMAL({precision},{scale})"
            return Read(text, decimal(precision, scale), Interval(-top, top))
    if " collate " in name and name.startswith(("string", "char", "varchar")):
        return Read(COLLATED, SqlType(Kind.OPAQUE))
    return Read(_opaque(name), SqlType(Kind.OPAQUE))


def _opaque(name: str) -> str:
    return "BLOB" if name == "binary" else name.upper()
