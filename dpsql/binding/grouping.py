"""What a SELECT over people's rows groups by, and its SELECT list with * written out."""

from __future__ import annotations

from sqlglot import exp

from dpsql.binding.grouping_sets import leaves, set_terms
from dpsql.binding.rewritings import ask_in, over
from dpsql.binding.select import PrivateSelect, aggregate_nodes, has_aggregates
from dpsql.core.ir import Expr


def group_sets(select: PrivateSelect) -> list[list[Expr]] | None:
    """The keys of each grouping set, None where the SELECT has one list of keys."""
    group = select.node.args.get("group")
    if group is None:
        return None
    for name, value in group.args.items():
        if value and name not in ("expressions", "all", "rollup", "cube", "grouping_sets"):
            select.context.refuse(
                group,
                "grouping-sets",
                f"{name.replace('_', ' ').upper()} is not available",
                "GROUPING SETS, ROLLUP and CUBE are",
            )
    sets = set_terms(group, select)
    if sets is None:
        return None
    return [list(dict.fromkeys(_key(term.unnest(), select) for term in terms)) for terms in sets]


def group_keys(select: PrivateSelect) -> list[Expr]:
    """What the SELECT groups by: GROUP BY terms, or all columns under DISTINCT."""
    node, scope = select.node, select.scope
    group, distinct = node.args.get("group"), node.args.get("distinct")
    if distinct is not None and distinct.args.get("on"):
        keys = distinct.args["on"].expressions
        select.context.refuse(
            distinct,
            "distinct-on",
            "DISTINCT ON picks one row of each group, which is somebody's",
            f"group by the keys{ask_in(over(node, [exp.Count(this=exp.Star())], keys))}",
        )
    if group is None:
        if distinct is None or has_aggregates(node):
            return []
        return [scope.key(p.unalias()) for p in expanded(select)]
    if group.args.get("all"):
        return [
            scope.key(p.unalias())
            for p in node.expressions
            if not any(True for _ in aggregate_nodes(p))
        ]
    return [_key(term.unnest(), select) for term in leaves(group)]


def check_order(select: PrivateSelect) -> None:
    """ORDER BY of a subquery's rows has no effect, but names what there is, and only rows."""
    order = select.node.args.get("order")
    for term in [] if order is None else order.expressions:
        if not isinstance(term.this, (exp.Literal, exp.Var)):  # a position, ALL
            select.scope.expr(term.this)


def _key(term: exp.Expr, select: PrivateSelect) -> Expr:
    node = select.node
    if isinstance(term, exp.Literal) and not term.is_string:
        text = str(term.this)
        position = int(text) if text.isdigit() and len(text) < 6 else 0
        if not 1 <= position <= len(node.expressions):
            select.context.invalid(
                term, "bad-ordinal", f"GROUP BY {text}: the SELECT list has no such column"
            )
        projection = node.expressions[position - 1].unalias()
        if any(True for _ in aggregate_nodes(projection)):
            select.context.invalid(term, "bad-ordinal", f"GROUP BY {text} names an aggregate")
        return select.scope.key(projection)
    return select.scope.key(term)


def expanded(select: PrivateSelect) -> list[exp.Expr]:
    """The SELECT list with * written out."""
    result: list[exp.Expr] = []
    for projection in select.node.expressions:
        star = projection.this if isinstance(projection, exp.Column) else projection
        if not isinstance(star, exp.Star):
            result.append(projection)
            continue
        if any(star.args.values()):
            select.context.refuse(projection, "star-here", "* with EXCLUDE, REPLACE or RENAME")
        table = projection.table.casefold() if isinstance(projection, exp.Column) else ""
        for item in select.scope.exposed:
            if not table or item.alias.casefold() == table:
                result += [
                    exp.column(exp.to_identifier(name, quoted=True), table=item.alias)
                    for name in item.columns
                    if table or item.visible(name) is not None
                ]
    return result
