"""What to do instead of a statement that is no query."""

from __future__ import annotations

from sqlglot import exp

_ALONE = "each query stands alone: there is no transaction, cursor or setting; send the SELECT"
_COLUMNS = "LIMIT 0 behind the query shows its columns for nothing"
_TABLES = "SHOW TABLES and DESCRIBE table show what is declared; of values, ask COUNT(*), AVG(x)"
PIVOT = "write a column for each value: COUNT(*) FILTER (WHERE status = 'paid') AS paid"
_HINTS: dict[type[exp.Expr], str] = {
    exp.Describe: _COLUMNS,
    exp.Summarize: _TABLES,
    exp.Pragma: _TABLES,
    exp.Transaction: _ALONE,
    exp.Commit: _ALONE,
    exp.Rollback: _ALONE,
    exp.Set: _ALONE,
    exp.Pivot: PIVOT,
}
_COMMANDS = {
    "EXPLAIN": "`dpsql explain` shows cost, bounds and expected error, and asks nothing",
    "SHOW": _TABLES,
    "DECLARE": _ALONE,
    "FETCH": _ALONE,
    "DISCARD": _ALONE,
}


def hint_for(statement: exp.Expr) -> str:
    """The hint of refusal `not-a-query`."""
    if isinstance(statement, exp.Command):
        known = _COMMANDS.get(statement.name.upper())
    else:
        known = _HINTS.get(type(statement))
    return known or "write a SELECT with aggregates such as COUNT(*) or AVG(x)"
