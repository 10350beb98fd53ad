"""PostgreSQL's types as dpsql reads them: the type, DuckDB's name for it, and how it is stored.

Some columns are read through a conversion, which the catalog names (`CatalogColumn.stored`) and
`postgres_forms` writes around each of them. All but `number` keep different values apart:

    numeric      numeric(p, s): NaN, which no DECIMAL has, is NULL
    number       numeric without digits: the nearest DOUBLE; beyond 1e300, NaN and infinities NULL
    real         real: the DOUBLE of the same value
    zoned        timestamptz: the TIMESTAMP in UTC
    padded       character(n): the text without its trailing blanks, which do not count in `=`
    label        an enum: its text
    collated     a text with a collation of its own: under the database's, as two would be at odds

Types that are not here are OPAQUE: they can be counted and tested with IS NULL.
"""

from __future__ import annotations

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

INJECTIVE = frozenset({"", "numeric", "real", "zoned", "padded", "label", "collated"})
"""Conversions under which a key of the table is still a key of what is read."""


@dataclass(frozen=True, slots=True)
class Read:
    """A column's type as it is read."""

    text: str
    type: SqlType
    certain: Interval = ANY
    stored: str = ""
    may_vanish: bool = False
    """Can a value that is not NULL be read as NULL?"""


def _integer(name: str, bits: int) -> Read:
    top = 2 ** (bits - 1)
    return Read(name, INTEGER, Interval(Fraction(-top), Fraction(top - 1)))


_TEXTS = ("text", "varchar")
_PLAIN = {
    "bool": Read("BOOLEAN", BOOLEAN),
    "int2": _integer("SMALLINT", 16),
    "int4": _integer("INTEGER", 32),
    "int8": _integer("BIGINT", 64),
    "float4": Read("DOUBLE", FLOAT, stored="real"),
    "float8": Read("DOUBLE", FLOAT),
    "date": Read("DATE", DATE),
    "timestamp": Read("TIMESTAMP", TIMESTAMP),
    "timestamptz": Read("TIMESTAMP", TIMESTAMP, stored="zoned"),
    "text": Read("VARCHAR", TEXT),
    "varchar": Read("VARCHAR", TEXT),
    "bpchar": Read("VARCHAR", TEXT, stored="padded"),
    "uuid": Read("UUID", SqlType(Kind.OPAQUE)),
}
COLLATED = "VARCHAR COLLATE"
"""A text whose collation holds different texts equal; OPAQUE."""


def read_type(
    name: str, typmod: int, *, kind: str, shown: str, deterministic: bool, collated: bool
) -> Read:
    """`name` in pg_catalog, its modifier, pg_type's `typtype`, the type as PostgreSQL shows it."""
    if name in (*_TEXTS, "bpchar") and not deterministic:
        return Read(COLLATED, SqlType(Kind.OPAQUE))
    if name in (*_TEXTS, "bpchar") and collated:
        if name == "bpchar":
            return Read(shown, SqlType(Kind.OPAQUE))
        return Read("VARCHAR", TEXT, stored="collated")
    if kind == "e":
        return Read("VARCHAR", TEXT, stored="label")
    if name == "numeric":
        return _numeric(typmod)
    return _PLAIN.get(name) or Read(shown, SqlType(Kind.OPAQUE))


def _numeric(typmod: int) -> Read:
    if typmod >= 4:
        precision, scale = (typmod - 4) >> 16 & 0xFFFF, (typmod - 4) & 0x7FF
        if scale >= 1024:
            scale -= 2048
        if precision <= 38 and 0 <= scale <= precision:
            top = Fraction(10**precision - 1, 10**scale)
            return Read(
                f"DECIMAL({precision},{scale})",
                decimal(precision, scale),
                Interval(-top, top),
                "numeric",
                may_vanish=True,
            )
    return Read("DOUBLE", FLOAT, stored="number", may_vanish=True)
