"""Group keys in SQL: public ones coded and filtered, others made presentable and one-valued."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlglot import exp

from dpsql.core.domain import Kind, Scalar, of_literal
from dpsql.core.ir import Expr, Lit
from dpsql.functions import emit_expr
from dpsql.planning.types import KeyPlan
from dpsql.rules.build import integer, is_not_null, paren, when

MAX_LISTED = 1_000


def key_column(key: KeyPlan, expr: exp.Expr) -> exp.Expr:
    """What the row level computes for a key: its public position, or a presentable value."""
    if key.coding == "index":
        return _position(key, presentable(key.expr, expr))
    return presentable(key.expr, expr)


def _position(key: KeyPlan, expr: exp.Expr) -> exp.Expr:
    """The key's place in the public list, by the engine's own equality; NULL if outside."""
    assert key.values is not None
    branches = []
    for index, value in enumerate(key.values):
        test: exp.Expr = (
            exp.Is(this=expr.copy(), expression=exp.Null())
            if value is None
            else exp.EQ(this=expr.copy(), expression=_literal(value))
        )
        branches.append(exp.If(this=test, true=integer(index)))
    # A public table without rows has no key: every row is outside.
    return exp.Case(ifs=branches or [exp.If(this=exp.false(), true=integer(0))])


def _literal(value: Scalar) -> exp.Expr:
    def no_column(_: Expr) -> exp.Expr:
        raise AssertionError("a literal has no columns")

    return emit_expr(Lit(value, of_literal(value)), no_column)


def presentable(expr: Expr, node: exp.Expr) -> exp.Expr:
    """Keys that every client can show: no NaN, no infinity, no -0.0, dates of years 1 to 9999."""
    kind = expr.domain.type.kind
    if kind is Kind.FLOAT:
        finite = exp.func("isfinite", node.copy())
        return when(finite, exp.Add(this=node, expression=exp.Literal.number("0.0")))
    if kind in (Kind.DATE, Kind.TIMESTAMP):
        target = exp.DType.DATE if kind is Kind.DATE else exp.DType.TIMESTAMP
        last = "9999-12-31" if kind is Kind.DATE else "9999-12-31 23:59:59.999999"
        first = "0001-01-01"
        inside = exp.Between(
            this=node.copy(),
            low=exp.cast(exp.Literal.string(first), target),
            high=exp.cast(exp.Literal.string(last), target),
        )
        return when(inside, node)
    return node


def domain_tests(keys: Sequence[KeyPlan]) -> list[exp.Expr]:
    """A condition for each public key that has one: its value is in its domain, or its span."""
    return [test for key in keys if (test := inside_domain(key)) is not None]


def inside_domain(key: KeyPlan) -> exp.Expr | None:
    """Drop rows outside the public domain before anything is capped. None: nothing to drop."""
    if key.values is None:
        return None
    column = exp.column(key.name)
    if key.coding == "index":
        return is_not_null(column)
    present = [value for value in key.values if value is not None]
    if not present:
        return exp.Is(this=column, expression=exp.Null())
    if key.expr.domain.type.kind is Kind.BOOLEAN:
        test: exp.Expr = exp.In(this=column.copy(), expressions=[_literal(v) for v in present])
    elif key.expr.domain.type.kind is Kind.TEXT or _gaps(key.expr, present):
        test = _among(column, present)
    else:
        ordered = sorted(present)
        test = exp.Between(this=column.copy(), low=_literal(ordered[0]), high=_literal(ordered[-1]))
    if len(present) < len(key.values):
        null = exp.Is(this=column.copy(), expression=exp.Null())
        return paren(exp.Or(this=test, expression=null))
    return test


def _gaps(expr: Expr, present: list[Scalar]) -> bool:
    """Are there integers between the least and greatest of a list that are not in it?"""
    if expr.domain.type.kind is not Kind.INTEGER or len(present) > MAX_LISTED:
        return False
    numbers = {int(value) for value in present if not isinstance(value, (str, dt.date))}
    return max(numbers) - min(numbers) + 1 != len(numbers)


def _among(column: exp.Expr, present: list[Scalar]) -> exp.Expr:
    """Long lists are left to `perturb`, which drops unknown keys; no cap runs before it then."""
    if len(present) > MAX_LISTED:
        return is_not_null(column.copy())
    return exp.In(this=column.copy(), expressions=[_literal(value) for value in present])
