"""Does a CSV write 3,20 where others write 3.20? Then its numbers would be read as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

COMMA = "decimal_separator = ','"
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "DOUBLE", "FLOAT", "DECIMAL")
_FIRST = 65_536


def writes_commas(
    connection: duckdb.DuckDBPyConnection, file: Path, plain: str, comma: str
) -> bool:
    """Whether reading commas as decimal points makes numbers of text, and text of no number.

    `plain`, `comma`: the two ways to read the file, in SQL. Only a file whose columns are
    separated by something else is looked at.
    """
    import duckdb

    try:
        with file.open("rb") as lines:
            header = lines.readline(_FIRST)
    except OSError:
        return False  # DuckDB says what is wrong with it
    if header.count(b";") + header.count(b"\t") + header.count(b"|") == 0:
        return False
    before = _types(connection, plain)
    try:
        after = _types(connection, comma)
    except duckdb.Error:  # the separator DuckDB finds is the comma itself
        return False
    if list(before) != list(after):
        return False
    numbers = {name for name, kind in before.items() if kind.startswith(_NUMBERS)}
    now = {name for name, kind in after.items() if kind.startswith(_NUMBERS)}
    return numbers < now


def _types(connection: duckdb.DuckDBPyConnection, reader: str) -> dict[str, str]:
    rows = connection.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()
    return {str(row[0]): str(row[1]) for row in rows}
