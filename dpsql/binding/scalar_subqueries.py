"""Scalar subqueries tied to the unit: `(SELECT COUNT(*) FROM orders o WHERE o.user = u.user)`.

Each becomes a LEFT JOIN of a per-unit aggregate, which has one row for each unit at most, so it
multiplies nothing; where a unit has none, COUNT is 0 and the others NULL, as in SQL.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.binding.conditions import split
from dpsql.binding.context import Context
from dpsql.binding.semi_joins import refuse_outside, tie_of
from dpsql.sql.remade import remade

PREFIX = "dpsql_scalar_"
_CLAUSES = {"expressions", "from_", "joins", "where"}


def with_joins(node: exp.Select, context: Context) -> tuple[exp.Select, list[exp.Expr]]:
    """The SELECT over LEFT JOINs in place of its tied subqueries, and the sources joined."""
    tables = [node.args["from_"].this, *(join.this for join in node.args.get("joins") or [])]
    outside = {table.alias_or_name.casefold() for table in tables}
    joins: list[exp.Join] = []
    args = dict(node.args)
    args["expressions"] = [_visit(part, outside, joins, context) for part in node.expressions]
    for clause in ("where", "having", "group"):
        if args.get(clause):
            args[clause] = _visit(args[clause], outside, joins, context)
    if not joins:
        return node, []
    args["joins"] = [*(node.args.get("joins") or []), *joins]
    made = remade(node, args)
    assert isinstance(made, exp.Select)
    return made, [join.this for join in joins]


def _visit(node: exp.Expr, outside: set[str], joins: list[exp.Join], context: Context) -> exp.Expr:
    """The expression with its tied subqueries replaced; other nested SELECTs are not entered."""
    if node.find(exp.Subquery) is None:  # long conditions nest deeper than Python recurses
        return node
    if isinstance(node, exp.Subquery):
        return _joined(node, outside, joins, context) or node
    if isinstance(node, (exp.Query, exp.In, exp.Exists)):
        return node
    args: dict[str, object] = {}
    changed = False
    for name, value in node.args.items():
        if isinstance(value, exp.Expr):
            args[name] = _visit(value, outside, joins, context)
        elif isinstance(value, list):
            args[name] = [
                _visit(v, outside, joins, context) if isinstance(v, exp.Expr) else v for v in value
            ]
            changed |= any(a is not b for a, b in zip(args[name], value, strict=True))  # type: ignore[call-overload]
            continue
        else:
            args[name] = value
        changed |= args[name] is not value
    return remade(node, args) if changed else node


def _joined(
    node: exp.Subquery, outside: set[str], joins: list[exp.Join], context: Context
) -> exp.Expr | None:
    select = node.this
    if not isinstance(select, exp.Select) or select.args.get("from_") is None:
        return None
    if {name for name, value in select.args.items() if value} - _CLAUSES:
        return None
    inside = {select.args["from_"].this.alias_or_name.casefold()}
    inside |= {join.this.alias_or_name.casefold() for join in select.args.get("joins") or []}
    where = select.args.get("where")
    parts = list(split(where.this if where is not None else None))
    ties = [tie for part in parts if (tie := tie_of(part, outside - inside)) is not None]
    if len(ties) != 1 or len(select.expressions) != 1:
        return None
    kept = [part for part in parts if tie_of(part, outside - inside) is None]
    for part in (*kept, *select.expressions):
        refuse_outside(part, outside - inside, context)
    calls = _calls(select.expressions[0])
    if calls is None:
        return None
    mine, theirs = ties[0]
    alias = f"{PREFIX}{len(joins)}"
    grouped = select.copy()
    columns = [exp.alias_(mine.copy(), "k")]
    columns += [exp.alias_(call.copy(), f"v{i}") for i, call in enumerate(calls)]
    grouped.set("expressions", columns)
    grouped.set("where", exp.Where(this=exp.and_(*kept, copy=True)) if kept else None)
    grouped.set("group", exp.Group(expressions=[mine.copy()]))
    source = exp.Subquery(this=grouped, alias=exp.TableAlias(this=exp.to_identifier(alias)))
    on = exp.EQ(this=exp.column("k", table=alias), expression=theirs.copy())
    joins.append(exp.Join(this=source, side="LEFT", on=on))
    return exp.Paren(this=_replaced(select.expressions[0].unalias(), calls, alias))


def _calls(node: exp.Expr) -> list[exp.Expr] | None:
    """The aggregate calls of the expression; None if it reads columns outside of them."""
    found: list[exp.Expr] = []
    stack = [node.unalias()]
    while stack:
        part = stack.pop()
        if isinstance(part, (exp.Filter, exp.AggFunc)):
            found.append(part)
        elif isinstance(part, (exp.Column, exp.Query, exp.Window, exp.Star)):
            return None
        else:
            stack += list(part.iter_expressions())
    return found or None


def _replaced(node: exp.Expr, calls: list[exp.Expr], alias: str) -> exp.Expr:
    for index, call in enumerate(calls):
        if node is call:
            column = exp.column(f"v{index}", table=alias)
            inner = call.this if isinstance(call, exp.Filter) else call
            if isinstance(inner, exp.Count):
                return exp.Coalesce(this=column, expressions=[exp.Literal.number(0)])
            return column
    args: dict[str, object] = {
        name: _replaced(value, calls, alias)
        if isinstance(value, exp.Expr)
        else [_replaced(v, calls, alias) if isinstance(v, exp.Expr) else v for v in value]
        if isinstance(value, list)
        else value
        for name, value in node.args.items()
    }
    return remade(node, args)
