"""`LIMIT -1`, `OFFSET 'a'`: a constant that is no number of rows, said before any charge."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from sqlglot import exp

from dpsql.binding.context import Context

_WHOLE = {exp.DType.INT: 2**31 - 1, exp.DType.BIGINT: 2**63}
_DIGITS = re.compile("[0-9]{1,19}")


def check_row_limits(root: exp.Expr, context: Context) -> None:
    """Raises InvalidQuery where LIMIT or OFFSET is neither a plain number >= 0 nor a subquery's.

    The engine would raise when it runs, after the charge. What is released, `row_limits` of the
    pipeline holds within what a limit can be.
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
                "write the number out, or leave it out "
                + ("for all rows" if clause == "LIMIT" else "to skip none"),
            )


def _counts(number: exp.Expr) -> bool:
    """Is it certainly a number of rows, or a subquery's? Sums of constants may have no value."""
    if number.find(exp.Subquery, exp.Select) is not None or isinstance(number, exp.Null):
        return True
    negative, most = isinstance(number, exp.Neg), 2**63
    literal = number.this.unnest() if negative else number
    if isinstance(literal, exp.Cast) and literal.to.this in _WHOLE:
        most, literal = _WHOLE[literal.to.this], literal.this.unnest()
    if not isinstance(literal, exp.Literal):
        return False
    text = str(literal.this)
    if literal.is_string:
        return not negative and _DIGITS.fullmatch(text) is not None and int(text) < most
    try:
        value = Decimal(text)
    except InvalidOperation:
        return False
    return value == 0 if negative else value < most
