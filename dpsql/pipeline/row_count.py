"""How many rows an answer has at the least, read off the query: a cross join says so itself.

What filters, groups or joins on a condition may leave nothing: then nothing is claimed. The sizes
are those of public tables and of releases over public keys, both public numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

_DROPPING = ("where", "group", "having", "qualify", "distinct", "offset", "sample")


def least_rows(query: exp.Expr, sizes: Mapping[str, int]) -> int:
    """A lower bound on the rows of the query. `sizes`: rows of tables by name, at the least."""
    if isinstance(query, exp.Subquery):
        return _limited(query, least_rows(query.this, sizes))
    if isinstance(query, exp.SetOperation):
        known = _with(query, sizes)
        both = least_rows(query.this, known) + least_rows(query.expression, known)
        every = isinstance(query, exp.Union) and query.args.get("distinct") is False
        return _limited(query, both if every else 0)
    if not isinstance(query, exp.Select) or any(query.args.get(name) for name in _DROPPING):
        return 0
    if any(node.find(exp.AggFunc) for node in query.expressions):
        return 0  # one row, or a window's many
    known = _with(query, sizes)
    source = query.args.get("from_")
    rows = 1 if source is None else _source(source.this, known)
    for join in query.args.get("joins") or []:
        if join.args.get("on") is None and join.args.get("using") is None and _crossing(join):
            rows *= _source(join.this, known)
        elif join.side != "LEFT" or join.kind not in ("", "OUTER") or join.args.get("method"):
            return 0
    return _limited(query, rows)


def several_values(query: exp.Expr, sizes: Mapping[str, int]) -> bool:
    """Has some subquery that stands for one value several rows for certain?

    `sizes` of tables whose names no WITH can take.
    """
    return any(
        one_value(node) and least_rows(node, sizes) > 1 for node in query.find_all(exp.Subquery)
    )


def one_value(node: exp.Subquery) -> bool:
    """Does it stand for one value, and not for rows?"""
    parents = (exp.Condition, exp.Alias, exp.Select, exp.Ordered, exp.Limit, exp.Offset)
    return (
        isinstance(node.parent, parents)
        and not isinstance(node.parent, (exp.In, exp.Exists, exp.Any, exp.All))
        and node.arg_key not in ("from_", "joins", "laterals", "with_", "query")
    )


def _crossing(join: exp.Join) -> bool:
    return not join.side and not join.args.get("method") and join.kind in ("", "CROSS")


def _with(query: exp.Expr, sizes: Mapping[str, int]) -> Mapping[str, int]:
    clause = query.args.get("with_")
    known = dict(sizes)
    for cte in clause.expressions if clause is not None else []:
        known[cte.alias.casefold()] = least_rows(cte.this, known)
    return known


def _source(node: exp.Expr, sizes: Mapping[str, int]) -> int:
    if isinstance(node, exp.Table) and not node.args.get("joins"):
        return sizes.get(node.name.casefold(), 0)
    return least_rows(node, sizes)


def _limited(query: exp.Expr, rows: int) -> int:
    """Under the query's own LIMIT: a number, or no claim."""
    limit, offset = query.args.get("limit"), query.args.get("offset")
    if offset is not None:
        return 0
    if limit is None:
        return rows
    value = None if limit.args.get("limit_options") else limit.args.get("expression")
    if not isinstance(value, exp.Literal) or value.is_string or not value.name.isdigit():
        return 0
    return min(rows, int(value.name))
