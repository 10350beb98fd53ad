"""dpsql: ordinary SQL in, differentially private answers out.

    import dpsql

    with dpsql.connect("dpsql.yaml", analyst="alice") as connection:
        cursor = connection.execute("SELECT city, AVG(age) FROM users GROUP BY city")
        print(cursor.fetchall())
        print(cursor.privacy.epsilon)

A PEP 249 driver; `dpsql.accountant` prices privacy events on its own. Importing this module
imports neither the SQL engine nor numpy: every name below is looked up when it is first used.
"""

from __future__ import annotations

import importlib

from dpsql.errors import (
    BudgetExceeded,
    DatabaseError,
    DataError,
    EngineFailed,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    InvalidQuery,
    LedgerError,
    NotSupportedError,
    OperationalError,
    PolicyError,
    ProgrammingError,
    RefusedQuery,
    Warning,
)

TYPE_CHECKING = False  # as type checkers know it; `typing` itself would double the import's time
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from dpsql import accountant
    from dpsql.dbapi import Connection, Cursor
    from dpsql.explanation import Explanation
    from dpsql.pep249_types import (
        BINARY,
        DATETIME,
        NUMBER,
        ROWID,
        STRING,
        Binary,
        Date,
        DateFromTicks,
        Time,
        TimeFromTicks,
        Timestamp,
        TimestampFromTicks,
    )

__version__ = "0.1.0"

apilevel = "2.0"
threadsafety = 2  # threads may share the module and connections, not cursors
paramstyle = "qmark"  # :name and $name are accepted too, with a mapping

_LATER = {
    "Connection": "dpsql.dbapi",
    "Cursor": "dpsql.dbapi",
    "Explanation": "dpsql.explanation",
    **dict.fromkeys(
        (
            *("STRING", "BINARY", "NUMBER", "DATETIME", "ROWID"),
            *("Binary", "Date", "Time", "Timestamp"),
            *("DateFromTicks", "TimeFromTicks", "TimestampFromTicks"),
        ),
        "dpsql.pep249_types",
    ),
}
_MODULES = {"accountant"}

__all__ = [
    "connect",
    "Connection",
    "Cursor",
    "Explanation",
    "accountant",
    "apilevel",
    "threadsafety",
    "paramstyle",
    "STRING",
    "BINARY",
    "NUMBER",
    "DATETIME",
    "ROWID",
    "Binary",
    "Date",
    "Time",
    "Timestamp",
    "DateFromTicks",
    "TimeFromTicks",
    "TimestampFromTicks",
    "Warning",
    "Error",
    "InterfaceError",
    "DatabaseError",
    "DataError",
    "OperationalError",
    "IntegrityError",
    "InternalError",
    "ProgrammingError",
    "NotSupportedError",
    "RefusedQuery",
    "InvalidQuery",
    "PolicyError",
    "BudgetExceeded",
    "EngineFailed",
    "LedgerError",
    "__version__",
]


def connect(
    policy: str | Path | Mapping[str, Any],
    *,
    analyst: str,
    epsilon: object = None,
    delta: object = None,
    error: object = None,
    confidence: object = None,
    magnitude: object = None,
    error_rows: object = None,
    max_epsilon: object = None,
    engine: object = None,
) -> Connection:
    """Open a connection in an analyst's name. Raises subclasses of `Error` alone.

    `policy`: path of the owner's file, or the parsed dict. `epsilon`, `delta`: the price of each
    private query of this connection (never a budget); None leaves it to the query or the policy.
    int, float, Decimal, Fraction and decimal text are read exactly. `error` and what belongs to it
    (`Cursor.execute`) asks for accuracy in place of a price, of each query of this connection;
    `max_epsilon`: what one statement may cost at the most. `engine`: an open DuckDB
    connection to use, through a cursor of its own, in place of the policy's `database`.
    """
    from dpsql import dbapi

    return dbapi.connect(
        policy,
        analyst=analyst,
        epsilon=epsilon,
        delta=delta,
        error=error,
        confidence=confidence,
        magnitude=magnitude,
        error_rows=error_rows,
        max_epsilon=max_epsilon,
        engine=engine,
    )


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"dpsql.{name}")
    if name in _LATER:
        value = getattr(importlib.import_module(_LATER[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'dpsql' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
