"""The query that would be answered in place of a refused one, for hints: `ask: SELECT ...`.

Text for people, nothing is planned from it; that such a query is answered is tested over all
refusals of tests/cases/refuse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlglot import exp

from dpsql.binding.relations import PrivateRelation
from dpsql.core.domain import Kind
from dpsql.core.ir import Expr, PerUnit
from dpsql.policy.schema import Policy
from dpsql.sql.not_queries import PIVOT

ASK = "ask: "
MAX_TEXT = 400
"""Characters; a longer query is not repeated in a hint."""

_OUTSIDE = ("order", "limit", "offset", "hint")
_SHAPING = ("group", "distinct", "windows", "qualify", "having")


def ask_in(query: exp.Expr | None) -> str:
    """What stands behind another way out; nothing where there is no such query, or it is long."""
    text = "" if query is None else query.sql("duckdb", comments=False)
    return f"; {ASK}{text}" if text and len(text) <= MAX_TEXT else ""


def across(clause: str, unit: str) -> tuple[str, str]:
    """What is said of a clause, by its key in a SELECT, that picks or orders rows across units."""
    if clause == "pivots":
        return "PIVOT and UNPIVOT are not available over people's rows", PIVOT
    name = "ORDER BY" if clause == "order" else clause.upper()
    if clause not in ("order", "limit", "offset"):
        return (
            f"{name} on people's rows would let one person move another's",
            "use it on the aggregated result, outside",
        )
    return (
        f"{name} inside a private subquery picks rows across {unit}s: one would move another's",
        f"aggregate first, and put {name} on the result; the first rows of each {unit}:"
        " QUALIFY ROW_NUMBER() OVER (PARTITION BY the unit ORDER BY ...) <= 3",
    )


def gives_rows(node: exp.Expr, bound: PrivateRelation, policy: Policy) -> tuple[str, str]:
    """What is said of a statement that gives out rows, and the way out."""
    word = policy.unit
    if isinstance(bound.block.first, PerUnit):
        return (
            f"this query gives out one row (or more) for each {word}",
            f"group by an attribute in place of the {word}, or aggregate once more, over all"
            f"{ask_in(averaged(node, bound))}",
        )
    return (
        f"this query gives out rows of the {word}s themselves",
        f"aggregate them, alone or by a key that {word}s share (LIMIT 0 shows the columns for"
        f" nothing){ask_in(counted(node, bound, policy))}",
    )


def counted(node: exp.Expr, bound: PrivateRelation, policy: Policy) -> exp.Expr:
    """Rows → how many there are, by the first text or boolean column among them if there is one."""
    if not isinstance(node, exp.Select) or any(node.args.get(name) for name in _SHAPING):
        return _around(node, exp.Count(this=exp.Star()))
    key = _key(node, bound.outputs, policy)
    return over(node, [exp.Count(this=exp.Star())], [] if key is None else [key])


def averaged(node: exp.Expr, bound: PrivateRelation) -> exp.Expr:
    """One row a unit → their mean, of the first column whose range is known; else their number."""
    for name, expr in bound.outputs.items():
        both = expr.domain.certain.meet(expr.domain.declared)
        bounded = both.lo is not None and both.hi is not None
        units = {fact.unit for fact in bound.facts}
        numeric = expr.domain.type.numeric and name.isidentifier()
        if bounded and numeric and expr not in units:
            return _around(node, exp.Avg(this=exp.column(name)))
    return _around(node, exp.Count(this=exp.Star()))


def over(
    select: exp.Select, shown: Iterable[exp.Expr], keys: Iterable[exp.Expr] = ()
) -> exp.Select:
    """SELECT keys, shown FROM and WHERE as they are, GROUP BY keys."""
    query = select.copy()
    for name in (*_OUTSIDE, *_SHAPING):
        query.set(name, None)
    keys = [key.copy() for key in keys]
    query.set("expressions", [*keys, *(one.copy() for one in shown)])
    if keys:
        query.set("group", exp.Group(expressions=[key.copy() for key in keys]))
    return query


def by_value(call: exp.Expr, value: exp.Expr, *, most: bool = False) -> exp.Expr | None:
    """An aggregate that gives values out → the values with their numbers, the most frequent first.

    Only where the SELECT has no groups of its own.
    """
    select = call.parent_select
    if not isinstance(select, exp.Select) or select.args.get("group"):
        return None
    number = exp.alias_(exp.Count(this=exp.Star()), "n")
    query = over(select, [number], [value])
    if most:
        ordered = exp.Ordered(this=exp.column("n"), desc=True, nulls_first=False)
        query.set("order", exp.Order(expressions=[ordered]))
        query.set("limit", exp.Limit(expression=exp.Literal.number(1)))
    return query


def counting(call: exp.Expr, condition: exp.Expr) -> exp.Expr | None:
    """BOOL_AND(x) → how often x holds, beside the number of rows."""
    select = call.parent_select
    if not isinstance(select, exp.Select):
        return None
    query = select.copy()
    query.set("hint", None)
    shown = [exp.CountIf(this=condition.copy()), exp.Count(this=exp.Star())]
    group = query.args.get("group")
    keys = [key.copy() for key in group.expressions] if group is not None else []
    return over(query, shown, keys)


def merged(node: exp.SetOperation, policy: Policy) -> exp.Expr | None:
    """Units in two sets, merged by a set operation → their number by UNION ALL, IN or NOT IN."""
    sides = [node.this, node.expression]
    if not all(isinstance(side, exp.Select) and len(side.expressions) == 1 for side in sides):
        return None
    left, right = sides
    column, other = left.expressions[0], right.expressions[0]
    names = {column.name.casefold(), other.name.casefold()}
    plain = _plain(column) and _plain(other)
    if not plain or not names <= _unit_columns(policy) or left.args.get("group"):
        return None
    number = exp.Count(this=exp.Distinct(expressions=[exp.column(column.name)]))
    if isinstance(node, exp.Union):
        both = exp.Union(this=left.copy(), expression=right.copy(), distinct=False)
        return _around(both, number)
    test: exp.Expr = exp.In(this=column.copy(), query=exp.Subquery(this=right.copy()))
    if isinstance(node, exp.Except):
        test = exp.Not(this=test)
    counted = exp.Count(this=exp.Distinct(expressions=[column.copy()]))
    query = over(left, [counted])
    query.where(test, copy=False)
    return query


def _unit_columns(policy: Policy) -> set[str]:
    paths = [table.unit for table in policy.tables.values() if table.unit is not None]
    return {(name or "").casefold() for path in paths for name in (path.column, path.own_column)}


def _around(node: exp.Expr, shown: exp.Expr) -> exp.Select:
    """SELECT shown FROM (the query, unordered and whole) AS q."""
    inner = node.copy()
    for name in _OUTSIDE:
        inner.set(name, None)
    alias = exp.TableAlias(this=exp.to_identifier("q"))
    source = exp.Subquery(this=inner, alias=alias)
    return exp.Select(expressions=[shown], from_=exp.From(this=source))


def _key(node: exp.Select, outputs: Mapping[str, Expr], policy: Policy) -> exp.Expr | None:
    """A column to group by: shown as it is, no unit's, of few values as a rule."""
    if policy.bounds.max_groups is None:
        return None
    units = _unit_columns(policy)
    shown: dict[str, exp.Expr] = {
        column.name.casefold(): column for column in node.expressions if _plain(column)
    }
    starred = node.is_star and not node.args.get("joins")
    for name, expr in outputs.items():
        if expr.domain.type.kind not in (Kind.TEXT, Kind.BOOLEAN) or name.casefold() in units:
            continue
        if name.casefold() in shown:
            return shown[name.casefold()]
        if starred:
            return exp.column(exp.to_identifier(name))
    return None


def _plain(column: exp.Expr) -> bool:
    return isinstance(column, exp.Column) and not isinstance(column.this, exp.Star)
