"""Is a CSV's first line one of column names? Else it is a person's row, and would become schema."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dpsql.errors import InterfaceError
from dpsql.setup.names import sql_name

if TYPE_CHECKING:
    import duckdb

_LETTER = re.compile(r"[^\W\d_]")
_SEPARATOR = re.compile(r"[,;\t|]")
_VALUES = frozenset({"true", "false", "null", "nan", "none", "n/a"})
_LONGEST = 64


def check_header(
    connection: duckdb.DuckDBPyConnection,
    file: str,
    names: Sequence[str],
    *,
    lines: str,
    rows: str,
) -> None:
    """InterfaceError `init-header` where the names DuckDB took cannot be a header's.

    `lines` reads the file as text without a header, `rows` with it; the message holds places, no
    text of the file. What passes may be a row of text all the same: the owner has to confirm it.
    """
    first: tuple[Any, ...] = next(
        iter(connection.execute(f"SELECT * FROM {lines} LIMIT 1").fetchall()), ()
    )
    if not first:
        raise _wrong(file, "is empty")
    if first != tuple(names):
        raise _wrong(file, "does not begin with one name for each column, each a different one")
    if len(names) == 1 and _SEPARATOR.search(names[0]):
        raise _wrong(file, "was read as one column whose name holds a separator")
    for place, name in enumerate(names, 1):
        if not _named(name):
            raise _wrong(file, f"has a value where column {place} should have its name")
    again = ", ".join(
        f"bool_or(CAST({sql_name(name)} AS VARCHAR) = '{name.replace(chr(39), chr(39) * 2)}')"
        for name in names
    )
    (found,) = connection.execute(f"SELECT {again} FROM {rows}").fetchall()
    for place, repeated in enumerate(found, 1):
        if repeated:
            raise _wrong(file, f"has the name of column {place} among that column's values, too")


def _named(name: str) -> bool:
    plain = _LETTER.search(name) is not None and "@" not in name and len(name) <= _LONGEST
    return plain and name.strip().casefold() not in _VALUES


def _wrong(file: str, why: str) -> InterfaceError:
    return InterfaceError(
        f"the first line of {file} is no header: {file} {why}",
        code="init-header",
        hint="write a line with the columns' names above the data, or rename the column",
    )
