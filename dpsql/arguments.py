"""What callers pass to a cursor, checked and as the session expects it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dpsql.errors import InvalidQuery

Parameters = Sequence[object] | Mapping[str, object]

DIALECT = "duckdb"


def text(value: object, what: str) -> str:
    """A plain str: a subclass could say one thing when checked and another when run."""
    if not isinstance(value, str):
        raise InvalidQuery(f"{what} must be text, not {type(value).__name__}", code="bad-sql")
    return str.__str__(value)


def dialect_name(value: object) -> str:
    """The dialect of the text, DuckDB's where none is named; whether it exists is seen later."""
    if value is None:
        return DIALECT
    if not isinstance(value, str):
        raise InvalidQuery(
            f"dialect must be a name, not {type(value).__name__}",
            code="dialect",
            hint="duckdb, postgres, spark, bigquery, snowflake and all others of sqlglot",
        )
    return value


def parameters(values: object) -> Parameters | None:
    """A copy, so that nobody changes what was checked."""
    if values is None:
        return None
    if isinstance(values, Mapping):
        return {name: values[name] for name in values}
    if isinstance(values, Sequence) and not isinstance(values, (str, bytes, bytearray)):
        return tuple(values)
    raise InvalidQuery(
        f"parameters are a sequence or a mapping, not a {type(values).__name__}",
        code="bad-parameter",
        hint='cursor.execute(sql, ["Berlin"])',
    )
