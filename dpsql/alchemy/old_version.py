"""pandas 2.2 and later take SQLAlchemy 2 alone: on 1.4 they are told what to do instead.

They do not know the engine of an older SQLAlchemy, take it for a plain connection and call its
`cursor()`. There is none; this one says why.
"""

from __future__ import annotations

from typing import Any, NoReturn

import sqlalchemy
from sqlalchemy.engine import Engine

from dpsql.errors import InterfaceError


def refuse_to_pandas(engine: Engine) -> None:
    """Give an engine of SQLAlchemy 1.4, and its connections, a `cursor()` that explains itself."""
    if not sqlalchemy.__version__.startswith("1."):
        return
    old: Any = engine
    kind = old._connection_cls
    old._connection_cls = type(kind.__name__, (kind,), {"cursor": _no_cursor})
    old.cursor = _no_cursor


def _no_cursor(*_: object, **__: object) -> NoReturn:
    raise InterfaceError(
        f"this pandas does not take an engine of SQLAlchemy {sqlalchemy.__version__}",
        code="old-sqlalchemy",
        hint="pandas.read_sql(sql, engine.raw_connection()), or cursor.fetch_df() of a"
        " dpsql.connect(...), or install SQLAlchemy 2",
    )
