"""Constants and types in PostgreSQL's text, and what is an integer by what stands there."""

from __future__ import annotations

import re
from fractions import Fraction

from sqlglot import exp

from dpsql.certify.claim import require
from dpsql.certify.postgres_shapes import bare

_D = exp.DType
INTEGERS = {_D.SMALLINT: 15, _D.INT: 31, _D.BIGINT: 63}
_TYPES = {*INTEGERS, _D.DECIMAL, _D.DOUBLE, _D.TEXT, _D.BOOLEAN, _D.DATE, _D.TIMESTAMP}
NUMBER = re.compile(r"[0-9]{1,400}(\.[0-9]{1,400})?\Z")
_DOUBLE = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?(e[+-]?[0-9]{1,3})?\Z")
_ODD = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}


def type_of(to: exp.DataType) -> exp.DataType:
    """The normal form's name: a NUMERIC without digits is HUGEINT."""
    if to.this is _D.ARRAY:
        (of,) = to.expressions
        return exp.DataType(this=_D.ARRAY, expressions=[type_of(of)], nested=True)
    require(to.this in _TYPES, "a type is not on the list")
    if to.this is _D.DECIMAL and not to.expressions:
        return exp.DataType(this=_D.INT128)
    if to.this is _D.DECIMAL:
        precision, scale = digits(to)
        require(1 <= precision <= 38 and 0 <= scale <= precision, "a type is not on the list")
        return exp.DataType.build(f"DECIMAL({precision}, {scale})", dialect="duckdb")
    require(not to.expressions, "a type is not on the list")
    return exp.DataType(this=to.this)


def digits(to: exp.DataType) -> tuple[int, int]:
    parts = [int(str(part.name)) for part in to.expressions]
    return (parts[0], parts[1]) if len(parts) == 2 else (parts[0] if parts else 0, 0)


def constant(text: str, to: exp.DataType) -> exp.Expr:
    if to.this is _D.DOUBLE:
        require(text in _ODD or _DOUBLE.match(text) is not None, "a constant is a number")
        text = _ODD.get(text, text)
    else:
        known = to.this in (_D.DATE, _D.TIMESTAMP, _D.TEXT) or bool(to.expressions)
        require(known and to.this is not _D.ARRAY, "a constant is of a known type")
    return exp.Cast(this=exp.Literal.string(text), to=type_of(to))


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


def is_whole(node: exp.Expr) -> bool:
    """Is it an integer by what stands there: digits, a cast to an integer type, such divided?"""
    node = bare(node)
    if isinstance(node, exp.Nullif):
        return is_whole(node.this)
    return count_of(node) is not None or (isinstance(node, exp.Cast) and node.to.this in INTEGERS)


def is_given(node: exp.Expr) -> bool:
    return isinstance(bare(node), exp.Placeholder)
