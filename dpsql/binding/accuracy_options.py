"""Accuracy in OPTIONS: max_error, confidence, magnitude, error_rows, max_epsilon."""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

from dpsql.binding.context import Context
from dpsql.core.targets import NOTHING, Aims, read_aims
from dpsql.errors import InvalidQuery

AIMS = ("max_error", "confidence", "magnitude", "error_rows", "max_epsilon")
AIM_HINTS = {
    "max_error": "in place of epsilon: max_error = 100, '5%', or of one column 'income=500'",
    "confidence": "of max_error's half-width: confidence = 0.9; 0.95 where nothing is said",
    "magnitude": "of what a percentage is meant: magnitude = 20000, or 'income=9000'",
    "error_rows": "means, variances and quantiles are held to max_error in groups of so many rows",
    "max_epsilon": "refuse, before any charge, a private query that would cost more",
}
_NAMES = {"max_error": "error"}
_TWICE = "a query names its price or its error, not both"


def read_aims_in(found: Mapping[str, exp.Expr], context: Context) -> Aims:
    """What a SELECT's options say of accuracy; a mistake is shown at its option's value."""
    aims = NOTHING
    for name in AIMS:
        value = found.get(name)
        if value is None or isinstance(value, exp.Null):
            continue
        try:
            aims = read_aims(**{_NAMES.get(name, name): _constant(value, name)}).over(aims)
        except InvalidQuery as problem:
            context.invalid(value, problem.code, problem.message, problem.hint)
    price = found.get("epsilon")
    if aims.error is not None and price is not None and not isinstance(price, exp.Null):
        context.invalid(found["max_error"], "bad-target", _TWICE, "leave one of them out")
    return aims


def _constant(value: exp.Expr, name: str) -> str:
    """A number or a text as written; `5%` alone is read as text where it is no operator."""
    literal = value.this if isinstance(value, exp.Neg) else value
    if not isinstance(literal, exp.Literal):
        raise InvalidQuery(
            f"{name} has a value that cannot be used",
            code="bad-target",
            hint="write a number or a text: max_error = 100, max_error = '5%'",
        )
    return ("-" if isinstance(value, exp.Neg) else "") + str(literal.this)
