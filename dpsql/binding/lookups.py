"""x [NOT] IN (SELECT ... FROM a public or released table): a condition on one row of people's.

Which rows of a unit stay depends on that row and on public values alone, so any column will do.
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from dpsql.binding.conditions import bound, split
from dpsql.binding.relations import BlockBuilder, GivenTable
from dpsql.binding.scope import Exposed, Scope
from dpsql.core.domain import Kind
from dpsql.core.ir import Col, Expr, PublicIn, Scan
from dpsql.policy.schema import Table

_COMPARED = (Kind.INTEGER, Kind.TEXT, Kind.DATE, Kind.TIMESTAMP, Kind.BOOLEAN)
_CLAUSES = {"expressions", "from_", "where", "distinct"}


def look_up_public(
    node: exp.In,
    select: exp.Select,
    table: Table,
    negated: bool,
    builder: BlockBuilder,
    scope: Scope,
    *,
    exists: bool = False,
) -> None:
    """`x IN (SELECT column FROM public WHERE ...)`, with SQL's NULLs; without them for EXISTS."""
    context = scope.context
    unfit = {name for name, value in select.args.items() if value} - _CLAUSES
    item = select.args["from_"].this
    unfit |= {name for name, value in item.args.items() if value} - {"this", "db", "alias"}
    alias = item.args.get("alias")
    if unfit or len(select.expressions) != 1 or (alias is not None and alias.columns):
        scope.refuse(
            node,
            "subquery",
            "a subquery over a public table is a plain SELECT column FROM table WHERE ... here",
            "join the public table instead",
        )
    scan = Scan(next(context.ids), table.name, private=False)
    inside = Scope(context, [Exposed(item.alias_or_name, builder.exposed(scan, table))])
    where = select.args.get("where")
    conditions = [
        part
        for one in split(where.this if where is not None else None)
        for part in bound(one, inside)
    ]
    output = inside.expr(select.expressions[0].unalias())
    target = _comparable(node, output, scope)
    builder.lookups.append(PublicIn(target, scan, tuple(conditions), output, negated, exists))


def look_up_given(
    node: exp.In,
    found: GivenTable,
    negated: bool,
    builder: BlockBuilder,
    scope: Scope,
    *,
    exists: bool = False,
) -> None:
    """`x IN (SELECT column FROM ... a query over releases)`, with SQL's NULLs; EXISTS without."""
    if len(found.source.columns) != 1 or len(found.columns) != 1:
        scope.invalid(
            node, "does-not-bind", "IN takes a subquery of one column", "name the one column"
        )
    ((own, domain),) = found.columns.values()
    source = replace(found.source, keys=None)
    output = Col(source.id, own, domain)
    target = _comparable(node, output, scope)
    builder.lookups.append(PublicIn(target, source, (), output, negated, exists))


def _comparable(node: exp.In, output: Expr, scope: Scope) -> Expr:
    """What is looked for, of the one type that is looked among."""
    target = scope.expr(node.this)
    kinds = {output.domain.type.kind, target.domain.type.kind}
    if len(kinds) != 1 or not kinds <= set(_COMPARED):
        scope.invalid(
            node,
            "type-mismatch",
            f"{target.domain.type} is not looked for among {output.domain.type} here",
            "CAST one side: both must be integers, texts, booleans, dates or timestamps",
        )
    return target
