"""Small builders of DuckDB AST; SQL is never put together from strings."""

from __future__ import annotations

from fractions import Fraction

from sqlglot import exp


def col(name: str, table: str | None = None) -> exp.Column:
    return exp.column(name, table=table)


def integer(value: int) -> exp.Expr:
    """An integer literal; the engine reads digits beyond 64 bits as a HUGEINT."""
    literal: exp.Expr = exp.Literal.number(abs(value))
    if value < 0:
        literal = exp.Neg(this=literal)
    return literal


def double(value: Fraction) -> exp.Expr:
    return exp.cast(exp.Literal.string(repr(float(value))), exp.DType.DOUBLE)


def paren(node: exp.Expr) -> exp.Expr:
    return exp.Paren(this=node)


def when(condition: exp.Expr, then: exp.Expr, otherwise: exp.Expr | None = None) -> exp.Case:
    case = exp.Case(ifs=[exp.If(this=condition, true=then)])
    if otherwise is not None:
        case.set("default", otherwise)
    return case


def conjunction(parts: list[exp.Expr]) -> exp.Expr:
    result = parts[0]
    for part in parts[1:]:
        result = exp.And(this=result, expression=part)
    return result


def is_not_null(node: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Is(this=node, expression=exp.Null()))


def least(*nodes: exp.Expr) -> exp.Expr:
    return exp.Least(this=nodes[0], expressions=list(nodes[1:]), ignore_nulls=True)


def clamp(node: exp.Expr, lo: exp.Expr, hi: exp.Expr) -> exp.Expr:
    """LEAST(GREATEST(x, lo), hi): x must not be NULL (the engine's LEAST ignores NULL)."""
    return least(exp.Greatest(this=node, expressions=[lo], ignore_nulls=True), hi)


def bigint(node: exp.Expr) -> exp.Cast:
    return exp.cast(node, exp.DType.BIGINT)


def hugeint(node: exp.Expr) -> exp.Cast:
    return exp.cast(node, exp.DType.INT128)


def select(columns: list[exp.Expr], source: exp.Select, alias: str) -> exp.Select:
    """SELECT columns FROM (source) AS alias."""
    return exp.Select(
        expressions=columns,
        from_=exp.From(
            this=exp.Subquery(this=source, alias=exp.TableAlias(this=exp.to_identifier(alias)))
        ),
    )


def named(node: exp.Expr, name: str) -> exp.Alias:
    return exp.Alias(this=node, alias=exp.to_identifier(name))
