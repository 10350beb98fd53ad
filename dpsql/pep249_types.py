"""PEP 249's type objects and constructors.

A column's type code in `cursor.description` is the engine's own type name, text such as
`DECIMAL(18,2)`. It compares equal to exactly one of the type objects below, or to none (lists,
structs).
"""

from __future__ import annotations

import datetime as dt
import re

_BASE = re.compile(r"[A-Z_0-9]+(?: [A-Z]+)*")
_PARAMETERS = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)\Z")


class TypeObject:
    """Equal to every engine type name of its kind: `cursor.description[0][1] == dpsql.NUMBER`."""

    __slots__ = ("_names", "_word")

    def __init__(self, word: str, *names: str) -> None:
        self._word = word
        self._names = frozenset(names)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, TypeObject):
            return self is other
        return isinstance(other, str) and base_name(other) in self._names

    def __hash__(self) -> int:
        return hash(self._word)

    def __repr__(self) -> str:
        return f"dpsql.{self._word}"


def base_name(type_code: str) -> str:
    """`DECIMAL` of `DECIMAL(18,2)`; empty for nested types, which no type object names."""
    if type_code.endswith("]") or type_code.startswith(("STRUCT", "MAP", "UNION")):
        return ""
    found = _BASE.match(type_code)
    return found[0] if found else ""


def precision_and_scale(type_code: str) -> tuple[int, int] | tuple[None, None]:
    """What `description` says of a DECIMAL; (None, None) for all others."""
    found = _PARAMETERS.match(type_code)
    return (int(found[1]), int(found[2])) if found else (None, None)


STRING = TypeObject("STRING", "VARCHAR", "ENUM", "UUID", "JSON")
BINARY = TypeObject("BINARY", "BLOB", "BIT")
NUMBER = TypeObject(
    "NUMBER",
    *("BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
    *("FLOAT", "DOUBLE", "DECIMAL"),
)
DATETIME = TypeObject(
    "DATETIME",
    *("DATE", "TIME", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "INTERVAL"),
    *("TIMESTAMP WITH TIME ZONE", "TIME WITH TIME ZONE"),
)
ROWID = TypeObject("ROWID")
"""Equal to nothing: no row of dpsql has an identity."""

Date = dt.date
Time = dt.time
Timestamp = dt.datetime
Binary = bytes


def DateFromTicks(ticks: float) -> dt.date:
    """The local date at `ticks` seconds after 1970."""
    return dt.date.fromtimestamp(ticks)


def TimeFromTicks(ticks: float) -> dt.time:
    """The local time of day at `ticks` seconds after 1970."""
    return dt.datetime.fromtimestamp(ticks).time()


def TimestampFromTicks(ticks: float) -> dt.datetime:
    """The local time at `ticks` seconds after 1970."""
    return dt.datetime.fromtimestamp(ticks)
