"""Expressions over one row: listed parts alone, BOOLEAN conditions, casts that cannot fail.

An engine casts a condition to BOOLEAN and may fail over one row's text; a cast may fail over one
row's number. Such an error would tell of that row, so both are proved not to occur.
"""

from __future__ import annotations

import re
from fractions import Fraction

from sqlglot import exp

from dpsql.certify.claim import require
from dpsql.certify.facts import Column
from dpsql.certify.grammar import INTEGERS
from dpsql.certify.instants import INSTANTS, constant, instants
from dpsql.certify.kinds import kind_of
from dpsql.certify.ranges import ranged
from dpsql.certify.reader import EXACT_NUMBER
from dpsql.certify.scope import Scope
from dpsql.certify.spans import Span, after_rounding, of_type
from dpsql.core.domain import NUMERIC, Kind

_TRUTH = (Kind.BOOLEAN, Kind.NULL)
_TEXTS = (exp.DType.TEXT, exp.DType.VARCHAR)
_DOUBLE = re.compile(r"-?([0-9]{1,400}(\.[0-9]{1,400})?(e[+-]?[0-9]{1,3})?|inf|nan)\Z")


def check_condition(node: exp.Expr, scope: Scope) -> list[Column]:
    """`check_row` for a condition of WHERE, ON or FILTER."""
    _boolean(node, scope)
    return check_row(node, scope)


def check_row(root: exp.Expr, scope: Scope) -> list[Column]:
    """The columns the expression reads. Refuses unless all the module says of it holds."""
    read = scope.check(root)
    for node in root.walk():
        if isinstance(node, (exp.And, exp.Or)):
            _boolean(node.this, scope)
            _boolean(node.args["expression"], scope)
        elif isinstance(node, exp.Not):
            _boolean(node.this, scope)
        elif isinstance(node, exp.Case) and node.this is None:
            for branch in node.args["ifs"]:
                _boolean(branch.this, scope)
        elif isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast):
            require(_total(node, scope), "a cast fits whatever it is given")
    return read


def _boolean(node: exp.Expr, scope: Scope) -> None:
    require(kind_of(node, scope) in _TRUTH, "a condition is BOOLEAN")


def _total(node: exp.Cast, scope: Scope) -> bool:
    target, source = node.to.this, node.this
    if isinstance(source, exp.Placeholder):  # a constant: if it fails, it does for everybody's rows
        return target is not exp.DType.ARRAY
    if isinstance(source, exp.Literal) and source.is_string:
        return _reads(str(source.this), node)
    kind = kind_of(source, scope)
    if target in _TEXTS or kind is Kind.NULL:
        return True
    if target is exp.DType.BOOLEAN:
        return kind is Kind.BOOLEAN or kind in NUMERIC
    if target is exp.DType.DOUBLE:
        return kind is Kind.BOOLEAN or kind in NUMERIC
    if target is exp.DType.FLOAT:
        return kind in (Kind.BOOLEAN, Kind.INTEGER, Kind.DECIMAL)
    if target is exp.DType.DATE:
        return kind in (Kind.DATE, Kind.TIMESTAMP)
    if target in INSTANTS:
        return kind is Kind.TIMESTAMP or (kind is Kind.DATE and instants(source, scope) is not None)
    return _fits(node, kind, scope)


def _fits(node: exp.Cast, kind: Kind | None, scope: Scope) -> bool:
    """Into an integer type or DECIMAL(p, s): by the source's span, or by a clamp of constants."""
    target = of_type(node.to)
    if target is None or kind is Kind.BOOLEAN:
        return target is not None and node.to.this in INTEGERS
    found = after_rounding(node, scope) if kind in (Kind.INTEGER, Kind.DECIMAL) else None
    if found is not None and _within(found, target):
        return True
    clamped = ranged(node, scope)
    return clamped is not None and _within((clamped.lo, clamped.hi), target)


def _within(inner: Span, outer: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]


def _reads(text: str, node: exp.Cast) -> bool:
    """Does the engine read the constant as the type?"""
    if node.to.this in _TEXTS:
        return True
    if node.to.this in INSTANTS:
        return constant(node) is not None
    if node.to.this is exp.DType.DOUBLE:
        return _DOUBLE.match(text) is not None
    target = of_type(node.to)
    if target is None or EXACT_NUMBER.match(text) is None:
        return False
    value = Fraction(text)
    return _within((value, value), target) and (
        value.denominator == 1 or node.to.this not in INTEGERS
    )
