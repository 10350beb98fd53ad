"""AST forms shared by the families: parentheses, casts, strict reading of a node's arguments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

from sqlglot import exp

from dpsql.core.domain import (
    ANY,
    BOOLEAN,
    Domain,
    Interval,
    Kind,
    Scalar,
    SqlType,
)
from dpsql.core.ir import Expr, Lit
from dpsql.functions.protocol import Scope
from dpsql.sql.caret import title


def operand(node: exp.Expr) -> exp.Expr:
    """In parentheses wherever precedence could regroup it: sqlglot writes trees as they are."""
    loose = (exp.Binary, exp.Unary, exp.Between, exp.In, exp.Interval)
    if isinstance(node, loose) and not isinstance(node, (exp.Paren, exp.Dot)):
        return exp.Paren(this=node)
    return node


def cast(node: exp.Expr, type_name: str) -> exp.Expr:
    """CAST for what cannot fail."""
    return exp.Cast(this=node, to=exp.DataType.build(type_name, dialect="duckdb"))


def try_cast(node: exp.Expr, type_name: str) -> exp.Expr:
    """TRY_CAST: what would raise becomes NULL."""
    return exp.TryCast(this=node, to=exp.DataType.build(type_name, dialect="duckdb"), safe=True)


def when(condition: exp.Expr, value: exp.Expr, default: exp.Expr | None = None) -> exp.Expr:
    """CASE WHEN condition THEN value [ELSE default] END: the only guard engines keep in order."""
    return exp.Case(ifs=[exp.If(this=condition, true=value)], default=default)


def call(name: str, *args: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name.upper(), expressions=list(args))


def nonzero(node: exp.Expr) -> exp.Expr:
    """NULLIF(y, 0): a divisor that cannot be zero (-0.0 included)."""
    return exp.Nullif(this=node, expression=exp.Literal.number(0))


def result(
    type_: SqlType,
    args: Iterable[Expr],
    *,
    certain: Interval = ANY,
    declared: Interval = ANY,
    nullable: bool | None = None,
    values: tuple[Scalar, ...] | None = None,
) -> Domain:
    """The domain of a call: NULL if any argument may be.

    A FLOAT not proved finite is nullable: NaN and the infinities become NULL in the end.
    """
    domains = [arg.domain for arg in args]
    if nullable is None:
        nullable = any(d.nullable for d in domains)
    if type_.kind is Kind.FLOAT and not certain.bounded:
        nullable = True
    if values is not None and len(values) > 100_000:
        values = None
    return Domain(type_, certain, declared, nullable, values)


def truth(args: Iterable[Expr], *, nullable: bool | None = None) -> Domain:
    """The domain of a BOOLEAN expression: its values are public by themselves."""
    return result(BOOLEAN, args, nullable=nullable, values=(False, True))


# ---- reading -----------------------------------------------------------------------------


def only(node: exp.Expr, scope: Scope, *allowed: str) -> None:
    """Refuse a node that carries an argument this family does not read."""
    for name, value in node.args.items():
        if name not in allowed and value not in (None, False, []):
            scope.refuse(
                node,
                "unsupported-expression",
                f"{name.replace('_', ' ')} is not available in {title(node)} on people's rows",
            )


def arity(node: exp.Anonymous, scope: Scope, least: int, most: int | None = None) -> list[exp.Expr]:
    args = list(node.expressions)
    if not least <= len(args) <= (most or least):
        scope.invalid(
            node,
            "wrong-arguments",
            f"{node.name.lower()} takes {least} argument{'s' if least > 1 else ''},"
            f" {len(args)} were given",
        )
    return args


def constant_text(node: exp.Expr | None) -> str | None:
    """The text of a string literal, else None."""
    return str(node.this) if isinstance(node, exp.Literal) and node.is_string else None


def constant_int(expr: Expr) -> int | None:
    """The value of an integer literal, else None."""
    if isinstance(expr, Lit) and isinstance(expr.value, int) and not isinstance(expr.value, bool):
        return expr.value
    return None


def need(node: exp.Expr, expr: Expr, kinds: Iterable[Kind], what: str, scope: Scope) -> None:
    """`what` ("+ needs numbers") must hold of the argument; NULL is of every type."""
    kind = expr.domain.type.kind
    if kind is Kind.NULL or kind in kinds:
        return
    mismatch(node, scope, f"{what}, and this is {kind.value}", _way_out(kind))


def _way_out(kind: Kind) -> str:
    if kind is Kind.TEXT:
        return "convert it first: TRY_CAST(... AS DOUBLE)"
    if kind is Kind.BOOLEAN:
        return "convert it first: CASE WHEN ... THEN 1 ELSE 0 END"
    if kind is Kind.OPAQUE:
        return "columns of this type can be counted and tested with IS NULL"
    return "convert it with CAST, or take a part of it with EXTRACT"


def mismatch(node: exp.Expr, scope: Scope, message: str, hint: str = "") -> NoReturn:
    scope.invalid(node, "type-mismatch", message, hint)


def not_constant(node: exp.Expr, scope: Scope, message: str) -> NoReturn:
    """RefusedQuery `unsupported-function`: what bounds a row's cost has to be a constant."""
    scope.refuse(node, "unsupported-function", message, "constants keep the cost of a row bounded")
