"""Types as PostgreSQL's text names them, and what is an integer by what stands there."""

from __future__ import annotations

from sqlglot import exp

from dpsql.certify.claim import require
from dpsql.certify.foreign_constants import count_of, decimal
from dpsql.certify.foreign_shapes import bare, only

_D = exp.DType
INTEGERS = {_D.SMALLINT: 15, _D.INT: 31, _D.BIGINT: 63}
_TYPES = {*INTEGERS, _D.DECIMAL, _D.DOUBLE, _D.TEXT, _D.BOOLEAN, _D.DATE, _D.TIMESTAMP}


def type_of(to: exp.DataType) -> exp.DataType:
    """The normal form's name: a NUMERIC without digits is HUGEINT."""
    only(to, "this", "expressions", "nested")
    if to.this is _D.ARRAY:
        (of,) = to.expressions
        return exp.DataType(this=_D.ARRAY, expressions=[type_of(of)], nested=True)
    require(to.this in _TYPES, "a type is not on the list")
    if to.this is _D.DECIMAL and not to.expressions:
        return exp.DataType(this=_D.INT128)
    if to.this is _D.DECIMAL:
        return decimal(to)
    require(not to.expressions, "a type is not on the list")
    return exp.DataType(this=to.this)


def is_whole(node: exp.Expr) -> bool:
    """Is it an integer by what stands there: digits, a cast to an integer type, such divided?"""
    node = bare(node)
    if isinstance(node, exp.Nullif):
        return is_whole(node.this)
    return count_of(node) is not None or (isinstance(node, exp.Cast) and node.to.this in INTEGERS)


def is_given(node: exp.Expr) -> bool:
    return isinstance(bare(node), exp.Placeholder)
