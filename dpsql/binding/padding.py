"""`public LEFT JOIN people`: every public row is kept, so the public keys are all there.

It is answered as an inner join by public keys, whose groups are all shown anyway. Where nothing
matches, plain SQL has a row with NULLs that is nobody's: what is aggregated must not see it, and
no key may read people's columns.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.binding.select import PrivateSelect, has_aggregates, strict
from dpsql.core.ir import Expr, columns


def check(select: PrivateSelect, keys: list[Expr]) -> None:
    """Only a released aggregate, by keys of the kept public side alone."""
    released = select.node.args.get("group") is not None or has_aggregates(select.node)
    if not released or any(select.is_unit(key) for key in keys):
        _refuse_rows(select)
    _check_keys(select, keys)


def _check_keys(select: PrivateSelect, keys: list[Expr]) -> None:
    """Keys are of the kept public side alone."""
    for key in keys:
        if any(column.source not in select.padded for column in columns(key)):
            select.context.refuse(
                select.node.args.get("group") or select.node,
                "outer-join",
                "with a public table on the kept side of a LEFT JOIN, groups are of its columns",
                "group by the public table's column, or use an inner JOIN",
            )


def check_call(node: exp.Expr, select: PrivateSelect) -> None:
    """The call skips rows in which all of the people's columns are NULL."""
    call = node.this if isinstance(node, exp.Filter) else node
    argument = call.this
    if isinstance(argument, exp.Distinct) and len(argument.expressions) == 1:
        argument = argument.expressions[0]
    plain = argument is not None and not isinstance(argument, exp.Star)
    if plain and strict(select.scope.expr(argument), select.padded):
        return
    select.context.refuse(
        node,
        "outer-join",
        "where nobody matches, the kept public row is nobody's: it cannot be counted",
        f"aggregate a column of the {select.context.policy.unit}s' table:"
        f" COUNT({select.block.unit.name})",
    )


def _refuse_rows(select: PrivateSelect) -> None:
    """Rows of nobody have no place in a subquery of people's rows."""
    select.context.refuse(
        select.node,
        "outer-join",
        "a public table on the kept side of a LEFT JOIN is available where its groups are released",
        "aggregate here, or use an inner JOIN in the subquery",
    )
