"""SHOW and DESCRIBE as SELECTs over the catalog views (dpsql.binding.metadata)."""

from __future__ import annotations

import re

from sqlglot import exp

DESCRIBED = "described"
"""The key in a SELECT's meta: the table (exp.Table) that it describes, to be found when bound."""

_LISTS = {
    "tables": "SELECT table_name AS name FROM information_schema.tables ORDER BY 1",
    "all tables": "SELECT table_catalog AS database, table_schema AS schema, table_name AS name"
    " FROM information_schema.tables ORDER BY 1, 2, 3",
    "schemas": "SELECT catalog_name AS database_name, schema_name"
    " FROM information_schema.schemata ORDER BY 1, 2",
    "databases": "SELECT DISTINCT catalog_name AS database_name"
    " FROM information_schema.schemata ORDER BY 1",
}
_COLUMNS = (
    'SELECT column_name, column_type, "null", key, "default", extra FROM dpsql_catalog.described'
    " WHERE table_schema = '' AND table_name = '' ORDER BY ordinal_position"
)
_NAME = re.compile(r"(?:columns\s+(?:from|in)\s+)?((?:\w+|\"[^\"]+\")(?:\.(?:\w+|\"[^\"]+\"))?)")


def as_query(root: exp.Expr) -> exp.Select | None:
    """The SELECT that answers a SHOW or DESCRIBE of tables; None for other statements.

    Where it describes one table, `complete` must still be given the declared name of it.
    """
    if isinstance(root, exp.Describe):
        return _describe(root.this) if isinstance(root.this, exp.Table) else None
    words = _shown(root)
    if words in _LISTS:
        return _select(_LISTS[words])
    found = _NAME.fullmatch(words)
    return None if found is None else _describe(exp.to_table(found[1], dialect="duckdb"))


def complete(query: exp.Select, schema: str, name: str) -> None:
    """Say which table a describing SELECT is about."""
    texts = [node for node in query.args["where"].find_all(exp.Literal) if node.is_string]
    for literal, value in zip(texts, (schema, name), strict=True):
        literal.set("this", value)


def _shown(root: exp.Expr) -> str:
    """What stands behind SHOW, in small letters but for quoted names; empty for no SHOW."""
    if isinstance(root, exp.Show):
        target = root.args.get("target") or root.args.get("from_") or root.args.get("db")
        if target is not None:
            words = root.name.casefold()
            return f"columns from {target.sql('duckdb')}" if words == "columns" else ""
        return root.name.casefold()
    if isinstance(root, exp.Command) and root.name.upper() == "SHOW":
        rest = root.expression
        text = rest.name if isinstance(rest, exp.Expr) else str(rest or "")
        text = text.strip().rstrip(";").strip()
        return text if '"' in text else text.casefold()
    return ""


def _describe(table: exp.Table) -> exp.Select:
    query = _select(_COLUMNS)
    query.meta[DESCRIBED] = table
    return query


def _select(sql: str) -> exp.Select:
    found: exp.Expr = exp.maybe_parse(sql, dialect="duckdb")
    assert isinstance(found, exp.Select)
    for node in found.walk():
        node.meta.clear()  # positions speak of another text
    return found
