"""`ORDER BY 3`, `GROUP BY 3`: a number there counts the columns of the SELECT list."""

from __future__ import annotations

from sqlglot import exp

from dpsql.binding.context import Context


def check_ordinals(root: exp.Expr, context: Context) -> None:
    """Raises InvalidQuery where a number counts beyond the list of its own query.

    Beyond the columns that are shown, hidden ones may stand, which carry the error bars. Where a
    `*` stands in the list its length is not known here: the engine counts when it binds.
    """
    for query in root.find_all(exp.Select, exp.SetOperation):
        listed = _length(query)
        if listed is None:
            continue
        order, group = query.args.get("order"), query.args.get("group")
        for term in order.expressions if order is not None else ():
            _check(term.this, "ORDER BY", listed, context)
        for term in group.expressions if group is not None else ():
            _check(term, "GROUP BY", listed, context)


def _length(query: exp.Expr) -> int | None:
    """Columns that a query lists; a set operation has those of its first one."""
    while isinstance(query, (exp.SetOperation, exp.Subquery)):
        query = query.this
    if not isinstance(query, exp.Select) or any(_many(one) for one in query.expressions):
        return None
    return len(query.expressions)


def _many(projection: exp.Expr) -> bool:
    return projection.is_star or isinstance(projection.unalias(), exp.Columns)


def _check(term: exp.Expr, clause: str, listed: int, context: Context) -> None:
    number = term.unnest()
    sign = "-" if isinstance(number, exp.Neg) else ""
    literal = number.this.unnest() if isinstance(number, exp.Neg) else number
    if not isinstance(literal, exp.Literal) or literal.is_string:
        return
    text = str(literal.this)
    if not sign and text.isdigit() and len(text) < 6 and 1 <= int(text) <= listed:
        return
    context.invalid(
        number,
        "bad-ordinal",
        f"{clause} {sign}{text}: the SELECT list has no such column",
        f"it has {listed} column{'' if listed == 1 else 's'}; count from 1, or write its name",
    )
