"""Where the values of a public group key come from: policy, types, public tables, the query."""

from __future__ import annotations

from collections.abc import Iterator

from dpsql.binding.context import domain_of
from dpsql.core.catalog import Catalog
from dpsql.core.domain import Kind
from dpsql.core.ir import Block, Call, Col, Expr, Listed, Scan, children
from dpsql.policy.schema import Policy


def key_origin(expr: Expr, block: Block, policy: Policy, catalog: Catalog) -> str:
    """In words, for people. `expr` has a public domain."""
    found = dict.fromkeys(_of_column(leaf, block, policy, catalog) for leaf in _leaves(expr))
    if not found:
        return "the constants of the query"
    text = " and ".join(found)
    return text if isinstance(expr, Col) else f"worked out from {text}"


def _of_column(column: Col, block: Block, policy: Policy, catalog: Catalog) -> str:
    source = next((one for one in block.sources if one.id == column.source), None)
    if isinstance(source, Listed):
        return "the list in the query"
    if not isinstance(source, Scan):
        return "the subquery's column"
    name = f"{source.table}.{column.name}"
    if not source.private:
        return f"the rows of the public table {source.table}"
    table = policy.tables[source.table]
    entry = catalog.find(".".join(table.parts))
    rule = table.rule(column.name)
    if entry is not None and column.name in entry.columns:
        declared = domain_of(rule, entry.columns[column.name])
        narrowed = (column.domain.values, column.domain.bounds) != (
            declared.values,
            declared.bounds,
        )
        also = ", within WHERE" if narrowed else ""
        if rule.values is not None:
            return f"values of {name} in the policy{also}"
        if rule.min is not None or rule.max is not None:
            return f"min and max of {name} in the policy{also}"
        if column.domain.type.kind is Kind.BOOLEAN and not narrowed:
            return f"the type of {name}, which is boolean"
    return f"WHERE, on {name}"


def _leaves(key: Expr) -> Iterator[Col]:
    """The columns that a key is made of: of a CASE those of its results, not of its conditions."""
    match key:
        case Col():
            yield key
            return
        case Call(fn="case", args=args):
            parts = [*args[1:-1:2], args[-1]]
        case Call(fn="switch", args=args):
            parts = [*args[2:-1:2], args[-1]]
        case _:
            parts = [*children(key)]
    for part in parts:
        yield from _leaves(part)
