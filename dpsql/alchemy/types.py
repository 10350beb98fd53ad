"""The engine's type names as SQLAlchemy types, for reflection and CAST."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import types

from dpsql.pep249_types import base_name, precision_and_scale

if TYPE_CHECKING:
    from sqlalchemy.types import TypeEngine


class HUGEINT(types.BigInteger):
    """Integers of 128 bits; Python ints in results."""

    __visit_name__ = "HUGEINT"


_NAMES: Mapping[str, Callable[[], TypeEngine[Any]]] = {
    "BOOLEAN": types.BOOLEAN,
    "TINYINT": types.SMALLINT,
    "UTINYINT": types.SMALLINT,
    "SMALLINT": types.SMALLINT,
    "USMALLINT": types.INTEGER,
    "INTEGER": types.INTEGER,
    "UINTEGER": types.BIGINT,
    "BIGINT": types.BIGINT,
    "UBIGINT": HUGEINT,
    "HUGEINT": HUGEINT,
    "UHUGEINT": HUGEINT,
    "FLOAT": types.REAL,
    "DOUBLE": lambda: types.Float(53),
    "VARCHAR": types.VARCHAR,
    "ENUM": types.VARCHAR,
    "JSON": types.VARCHAR,
    "DATE": types.DATE,
    "TIME": types.TIME,
    "TIMESTAMP": types.TIMESTAMP,
    "TIMESTAMP_S": types.TIMESTAMP,
    "TIMESTAMP_MS": types.TIMESTAMP,
    "TIMESTAMP_NS": types.TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": lambda: types.TIMESTAMP(timezone=True),
    "BLOB": types.BLOB,
}


def reflected(type_text: str) -> TypeEngine[Any]:
    """The SQLAlchemy type of a column; NullType for those it has none for (lists, intervals)."""
    precision, scale = precision_and_scale(type_text)
    if precision is not None:
        return types.NUMERIC(precision, scale)
    name = base_name(type_text)
    if name.startswith("VARCHAR"):  # with a collation, in our catalog's words
        name = "VARCHAR"
    return _NAMES.get(name, types.NullType)()
