"""Constants that stand in a foreign engine's text, and the digits of its types."""

from __future__ import annotations

import re
from fractions import Fraction

from sqlglot import exp

from dpsql.certify.claim import require
from dpsql.certify.foreign_shapes import bare, only

_D = exp.DType
NUMBER = re.compile(r"[0-9]{1,400}(\.[0-9]{1,400})?\Z")
_DOUBLE = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?(e[+-]?[0-9]{1,3})?\Z")
_DIGITS = re.compile(r"[0-9]{1,2}\Z")
_ODD = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}


def digits(to: exp.DataType) -> tuple[int, int]:
    parts = []
    for part in to.expressions:
        only(part, "this")
        require(_DIGITS.match(part.name) is not None, "a type has digits")
        parts.append(int(part.name))
    require(len(parts) <= 2, "a type has digits")
    return (parts[0], parts[1]) if len(parts) == 2 else (parts[0] if parts else 0, 0)


def decimal(to: exp.DataType) -> exp.DataType:
    """The normal form's name of a type with digits."""
    precision, scale = digits(to)
    require(1 <= precision <= 38 and 0 <= scale <= precision, "a type is not on the list")
    return exp.DataType.build(f"DECIMAL({precision}, {scale})", dialect="duckdb")


def constant(text: str, to: exp.DataType) -> exp.Expr:
    """Of a type that is named as the normal form names it."""
    if to.this is _D.DOUBLE:
        require(text in _ODD or _DOUBLE.match(text) is not None, "a constant is a number")
        text = _ODD.get(text, text)
    else:
        known = to.this in (_D.DATE, _D.TIMESTAMP, _D.TEXT) or bool(to.expressions)
        require(known and to.this is not _D.ARRAY, "a constant is of a known type")
    return exp.Cast(this=exp.Literal.string(text), to=to)


def is_text(node: object) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)


def count_of(node: exp.Expr) -> int | None:
    """An integer as digits, or its negative."""
    node = bare(node)
    if isinstance(node, exp.Neg):
        value = count_of(node.this)
        return None if value is None else -value
    if isinstance(node, exp.Literal) and not node.is_string and str(node.this).isdigit():
        return int(str(node.this))
    return None


def number_of(node: exp.Expr) -> Fraction | None:
    """A number that stands in the text."""
    node = bare(node)
    if isinstance(node, exp.Neg):
        value = number_of(node.this)
        return None if value is None else -value
    if isinstance(node, exp.Literal) and not node.is_string and NUMBER.match(str(node.this)):
        return Fraction(str(node.this))
    double = isinstance(node, exp.Cast) and node.to.this is _D.DOUBLE and is_text(node.this)
    if double and _DOUBLE.match(str(node.this.this)):
        return Fraction(float(str(node.this.this)))
    return None


def power_of_ten(node: exp.Expr) -> int | None:
    value = number_of(node)
    return next((n for n in range(1, 16) if value == 10**n), None)
