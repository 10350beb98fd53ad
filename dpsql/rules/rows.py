"""rows: the unit attached, filters applied, keys coded, values clamped to grid integers."""

from __future__ import annotations

from sqlglot import exp

from dpsql.aggregates.basis import Block, MomentsBlock, Rows, SumBlock
from dpsql.core.catalog import Catalog
from dpsql.core.domain import Kind, Scalar, of_literal
from dpsql.core.ir import Col, Expr, Lit
from dpsql.functions import emit_expr
from dpsql.planning.types import KeyPlan, Plan
from dpsql.rules import names
from dpsql.rules.build import (
    bigint,
    clamp,
    conjunction,
    double,
    integer,
    is_not_null,
    named,
    paren,
    select,
    when,
)
from dpsql.rules.source import Sources, Tables

MAX_LISTED = 1_000


def rows(plan: Plan, catalog: Catalog, tables: Tables) -> exp.Select:
    """One row per row of the relation: u, keys, values.

    Guarantee: each row's `u` is the block's unit, not NULL; each value is NULL (row not read) or
    an integer within its grid, whatever the data holds (NaN and infinities count as NULL).
    """
    sources = Sources(catalog, tables)
    query = sources.block(plan.aggregate.block)
    columns: list[exp.Expr] = [named(sources.column(plan.aggregate.block.unit), names.UNIT)]
    columns += [named(_key(key, sources), key.name) for key in plan.keys]
    for index, part in enumerate(plan.blocks):
        columns.append(named(_value(part.block, sources), names.value(index)))
    query.set("expressions", columns)
    inside = [test for key in plan.keys if (test := _inside(key)) is not None]
    if not inside:
        return query
    kept: list[exp.Expr] = [exp.column(column.alias) for column in columns]
    outer = select(kept, query, "r")
    outer.set("where", exp.Where(this=conjunction(inside)))
    return outer


# ---- keys ------------------------------------------------------------------------------------


def _key(key: KeyPlan, sources: Sources) -> exp.Expr:
    expr = sources.expr(key.expr)
    if key.coding == "index":
        return _position(key, expr)
    return _presentable(key.expr, expr)


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
    return exp.Case(ifs=branches)


def _literal(value: Scalar) -> exp.Expr:
    def no_column(_: Expr) -> exp.Expr:
        raise AssertionError("a literal has no columns")

    return emit_expr(Lit(value, of_literal(value)), no_column)


def _presentable(expr: Expr, node: exp.Expr) -> exp.Expr:
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


def _inside(key: KeyPlan) -> exp.Expr | None:
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
    elif key.expr.domain.type.kind is Kind.TEXT:
        test = _among(column, present)
    else:
        ordered = sorted(present)
        test = exp.Between(this=column.copy(), low=_literal(ordered[0]), high=_literal(ordered[-1]))
    if len(present) < len(key.values):
        null = exp.Is(this=column.copy(), expression=exp.Null())
        return paren(exp.Or(this=test, expression=null))
    return test


def _among(column: exp.Expr, present: list[Scalar]) -> exp.Expr:
    """Long lists are left to `perturb`, which drops unknown keys; no cap runs before it then."""
    if len(present) > MAX_LISTED:
        return is_not_null(column.copy())
    return exp.In(this=column.copy(), expressions=[_literal(value) for value in present])


# ---- values ----------------------------------------------------------------------------------


def _value(block: Block, sources: Sources) -> exp.Expr:
    tests = _read(block.rows, sources)
    if not isinstance(block, (SumBlock, MomentsBlock)):
        return when(conjunction(tests), integer(1)) if tests else integer(1)
    if block.rows.present is None:  # the engine's LEAST and GREATEST would turn NULL into a bound
        tests.append(is_not_null(sources.expr(block.value)))
    number = _on_grid(block, sources.expr(block.value))
    if isinstance(block, MomentsBlock) and block.grid.lo:
        shift = integer(abs(block.grid.lo))
        operation = exp.Sub if block.grid.lo > 0 else exp.Add
        number = operation(this=number, expression=shift)
    return when(conjunction(tests), number)


def _read(part: Rows, sources: Sources) -> list[exp.Expr]:
    """Conditions under which the block reads a row."""
    tests = []
    if part.where is not None:
        tests.append(paren(sources.expr(part.where)))
    if part.present is not None:
        value = sources.expr(part.present)
        if part.present.domain.type.kind is Kind.FLOAT:
            tests.append(exp.func("isfinite", value))  # NULL for NULL, false for NaN and ±inf
        else:
            tests.append(is_not_null(value))
    return tests


def _on_grid(block: SumBlock | MomentsBlock, node: exp.Expr) -> exp.Expr:
    """x / unit, rounded to BIGINT within lo..hi; x is known to be neither NULL nor NaN.

    Floats: lo·unit and hi·unit are exact doubles and 1/unit is a power of two, so clamping first
    and scaling after stays within lo..hi (multiplying is exact, the cast rounds monotonically).
    """
    grid, kind = block.grid, block.value.domain.type
    top = grid.hi if isinstance(block, SumBlock) else grid.lo + grid.span
    bare = isinstance(block.value, Col)
    if kind.kind is Kind.INTEGER and grid.unit == 1:
        return bigint(_within(node, integer(grid.lo), integer(top), bare))
    if kind.kind is Kind.DECIMAL and _decimal_unit(block):
        target = _decimal(kind.scale)
        low = exp.cast(exp.Literal.string(_plain(grid.lo, kind.scale)), target)
        high = exp.cast(exp.Literal.string(_plain(top, kind.scale)), target)
        scaled = exp.Mul(
            this=exp.cast(_within(node, low, high, bare), target),
            expression=exp.cast(exp.Literal.number(10**kind.scale), "DECIMAL(19,0)"),
        )
        return bigint(scaled)
    if kind.kind is not Kind.FLOAT:
        node, bare = exp.cast(node, exp.DType.DOUBLE), False
    inside = _within(node, double(grid.lo * grid.unit), double(top * grid.unit), bare)
    return bigint(exp.Mul(this=inside, expression=double(1 / grid.unit)))


def _within(node: exp.Expr, lo: exp.Expr, hi: exp.Expr, bare: bool) -> exp.Expr:
    """The value clamped. CASE is the faster form, but reads its argument three times."""
    if not bare:
        return clamp(node, lo, hi)
    above = exp.If(this=exp.GT(this=node.copy(), expression=hi), true=hi.copy())
    below = exp.If(this=exp.LT(this=node.copy(), expression=lo), true=lo.copy())
    return exp.Case(ifs=[below, above], default=node)


def _decimal_unit(block: SumBlock | MomentsBlock) -> bool:
    scale = block.value.domain.type.scale
    return block.grid.unit.denominator == 10**scale and scale <= 18


def _decimal(scale: int) -> str:
    return f"DECIMAL({min(19 + scale, 38) if scale < 19 else 38},{scale})"


def _plain(value: int, scale: int) -> str:
    """value · 10^-scale as plain decimal text."""
    sign, digits = ("-" if value < 0 else ""), str(abs(value)).rjust(scale + 1, "0")
    return f"{sign}{digits[:-scale]}.{digits[-scale:]}" if scale else f"{sign}{digits}"
