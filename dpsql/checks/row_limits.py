"""`LIMIT -1`, `OFFSET 'a'`: a constant that is no number of rows, said before any charge."""

from __future__ import annotations

from sqlglot import exp

from dpsql.binding.context import Context

_MOST = 2**63


def check_row_limits(root: exp.Expr, context: Context) -> None:
    """Raises InvalidQuery where a constant LIMIT or OFFSET is negative, or is no number.

    What is computed from constants the engine reads when it binds; what is released, `row_limits`
    of the pipeline holds within what a limit can be.
    """
    for node in root.find_all(exp.Limit, exp.Offset):
        value = node.args.get("expression")
        number = None if value is None else value.unnest()
        if number is not None and not _counts(number):
            clause = "LIMIT" if isinstance(node, exp.Limit) else "OFFSET"
            context.invalid(
                number,
                "bad-limit",
                f"{clause} is a number of rows, at least 0",
                "leave it out for all rows" if clause == "LIMIT" else "leave it out to skip none",
            )


def _counts(number: exp.Expr) -> bool:
    """May it be a number of rows, as far as its text tells?"""
    negative = isinstance(number, exp.Neg)
    literal = number.this.unnest() if negative else number
    if not isinstance(literal, exp.Literal):
        return True
    try:
        value = float(literal.this)
    except ValueError:
        return False
    return 0 <= (-value if negative else value) < _MOST
