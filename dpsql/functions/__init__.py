"""Allow-listed scalar functions: one family a file, found through `REGISTRY`.

A function that is not here does not exist below the noise line. Each knows how to read its
sqlglot nodes (typing, domain propagation) and how to write a *total* form for the engine: one
that cannot raise, cannot loop long on one row, and never yields NaN or an infinity.

    for_node(node)          the family that reads a sqlglot node, or None: not allowed
    for_call(fn)            the family that writes an IR call
    emit_expr(expr, column) a whole bound expression as DuckDB AST
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from dpsql.core.ir import Call, Col, Expr, Lit, Unknown, value_parameter
from dpsql.functions import (
    arithmetic,
    calendar,
    cast,
    comparison,
    conditional,
    dates,
    division,
    logic,
    membership,
    places,
    powers,
    rounding,
    shorthand,
    stamps,
    text,
    text_lengths,
    trigonometry,
)
from dpsql.functions.forms import call as _engine_call
from dpsql.functions.forms import when
from dpsql.functions.intervals import finite
from dpsql.functions.literals import emit_literal
from dpsql.functions.names import names_of
from dpsql.functions.narrow import narrow
from dpsql.functions.protocol import Function, Scope

REGISTRY: tuple[Function, ...] = (
    arithmetic.FAMILY,
    division.FAMILY,
    comparison.FAMILY,
    membership.FAMILY,
    logic.FAMILY,
    conditional.FAMILY,
    rounding.FAMILY,
    powers.FAMILY,
    trigonometry.FAMILY,
    cast.FAMILY,
    dates.FAMILY,
    calendar.FAMILY,
    stamps.FAMILY,
    text.FAMILY,
    text_lengths.FAMILY,
    places.FAMILY,
    shorthand.FAMILY,
)

_BY_NODE = {node: family for family in REGISTRY for node in family.nodes}
_BY_CALL = {name: family for family in REGISTRY for name in family.calls}
_BY_NAME = {name: family for family in REGISTRY for name in family.names}

KNOWN = names_of(_BY_NODE.keys(), _BY_CALL)
"""The names of all these functions in SQL."""


def for_node(node: exp.Expr) -> Function | None:
    """The family that reads this node: by its exact class, then by an unknown function's name."""
    if isinstance(node, exp.Anonymous):
        return _BY_CALL.get(node.name.lower())
    return _BY_NODE.get(type(node))


def bind(function: Function, node: exp.Expr, scope: Scope) -> Expr:
    """The node as its family reads it. InvalidQuery `wrong-arguments` where one was not written."""
    try:
        return function.bind(node, scope)
    except KeyError as missing:  # of `node.args`, from which sqlglot leaves it out
        name = missing.args[0] if missing.args else None
        if name not in node.arg_types:
            raise
    word = str(name).replace("_", " ")
    scope.invalid(node, "wrong-arguments", f"{node.key.upper()} misses an argument ({word})")


def for_call(fn: str) -> Function:
    """The family that emits `Call.fn`."""
    return _BY_NAME[fn]


def emit_expr(expr: Expr, column: Callable[[Col], exp.Expr]) -> exp.Expr:
    """The total form of a bound expression.

    Inside, floats may pass through infinities and NaN, which raise nowhere; what leaves is NULL
    instead. A bare column is left as it is: whoever clamps it treats NaN apart.
    """
    node = _emit(expr, column)
    if isinstance(expr, Call) and not finite(expr.domain):
        return when(_engine_call("isfinite", node), node.copy())
    return node


def parameter(name: str, kind: str) -> exp.Cast:
    """A public value of a type of the engine, given beside the text when it runs."""
    type_ = exp.DataType.build(kind, dialect="duckdb")
    return exp.Cast(this=exp.Placeholder(this=name), to=type_)


def _emit(expr: Expr, column: Callable[[Col], exp.Expr]) -> exp.Expr:
    if isinstance(expr, Col):
        return column(expr)
    if isinstance(expr, Lit):
        return emit_literal(expr.value)
    if isinstance(expr, Unknown):
        return parameter(value_parameter(expr.step), expr.kind)
    args = tuple(_emit(arg, column) for arg in expr.args)
    return for_call(expr.fn).emit(expr, args)


__all__ = [
    "KNOWN",
    "REGISTRY",
    "Function",
    "Scope",
    "bind",
    "emit_expr",
    "emit_literal",
    "for_call",
    "for_node",
    "names_of",
    "narrow",
    "parameter",
]
