"""A query above the noise line run over one made-up row of each table, before any charge.

The engine binds some conversions that it does not have (a number to a date) and raises only when
a row meets one. No row could pass, so the query is refused before it costs anything. Whatever else
the made-up row brings about says nothing of real ones and is ignored.
"""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from dpsql.dialects.duckdb import deadline
from dpsql.dialects.interrupts import heeding_interrupts

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SECONDS = 0.25
"""One row passes in a millisecond; what takes longer is not tried to its end."""
CONSTANT_SECONDS = 1.0
"""So long a constant of the query is computed, to see whether it can be."""
ABSENT = "Unimplemented type for cast"
"""How the engine says that it has no conversion between two types, whatever the value."""

_NUMBER = 1_000  # passes HAVING COUNT(*) > 100
_ROWS_MADE = (exp.Unnest, exp.Explode, exp.GenerateSeries)
_PLAIN_TYPES = frozenset(
    {
        *exp.DataType.INTEGER_TYPES,
        *exp.DataType.REAL_TYPES,
        *exp.DataType.TEXT_TYPES,
        exp.DataType.Type.INT128,
        exp.DataType.Type.UINT128,
    }
)
_MOMENTS = ("date", "time", "day", "month", "year", "week", "quarter", "hour", "minute")
_NESTED = (exp.Interval, exp.Bracket, exp.Array, exp.Struct)


def worth_trying(query: exp.Expr, tables: Mapping[str, pa.Table]) -> bool:
    """Could a conversion be missing? Numbers and text are converted into each other.

    Not where rows are made from constants: then one row may become many.
    """
    if any(True for _ in query.find_all(*_ROWS_MADE)):
        return False
    odd = any(not _plain(field.type) for table in tables.values() for field in table.schema)
    return odd or any(_odd(node) for node in query.walk())


def impossible(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Does the made-up row meet a conversion that does not exist? Under the caller's deadline."""

    def drain() -> None:
        for _ in connection.sql(sql).to_arrow_reader(1_024):
            pass

    try:
        heeding_interrupts(connection, drain)
    except Exception as problem:
        return ABSENT in str(problem)
    return False


def computes(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Does the query end without an error? Yes, too, where it does not bind or takes too long."""
    with deadline(connection, CONSTANT_SECONDS) as passed:
        try:
            connection.sql(sql)
        except Exception:  # in whatever class: it means nothing alone
            return True
        try:
            heeding_interrupts(connection, lambda: connection.sql(sql).fetchall())
        except Exception:
            return passed.is_set()
    return True


def one_row(table: pa.Table) -> pa.Table:
    """A table of one row in the place of this one: its own first, or an invented one.

    A column of a type that nothing is invented for holds NULL.
    """
    import pyarrow as pa

    if table.num_rows:
        return table.slice(0, 1)
    columns = [_array(field.type) for field in table.schema]
    return pa.table(columns, schema=table.schema)


def _array(kind: Any) -> pa.Array:
    import pyarrow as pa

    return pa.array([_value(kind)], type=kind)


def _value(kind: Any) -> Any:
    import pyarrow.types as of

    if of.is_boolean(kind):
        return True
    if of.is_integer(kind):
        return _NUMBER if kind.bit_width > 8 else 1
    if of.is_decimal(kind):
        return decimal.Decimal(_NUMBER if kind.precision - kind.scale > 3 else 0)
    if of.is_floating(kind):
        return float(_NUMBER)
    if of.is_date(kind):
        return dt.date(2000, 1, 1)
    if of.is_timestamp(kind):
        return dt.datetime(2000, 1, 1)
    return "a" if of.is_string(kind) or of.is_large_string(kind) else None


def _plain(kind: Any) -> bool:
    import pyarrow.types as of

    numbers = of.is_integer(kind) or of.is_floating(kind) or of.is_decimal(kind)
    return bool(numbers or of.is_string(kind) or of.is_large_string(kind))


def _odd(node: exp.Expr) -> bool:
    """Could it have another type than its columns, which are numbers and text?"""
    if isinstance(node, exp.DataType):
        return node.this not in _PLAIN_TYPES
    if isinstance(node, exp.Func):
        name = node.name if isinstance(node, exp.Anonymous) else type(node).__name__
        return any(word in name.lower() for word in _MOMENTS)
    return isinstance(node, _NESTED)
