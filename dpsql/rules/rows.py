"""rows: the unit attached, filters applied, keys coded, values clamped to grid integers."""

from __future__ import annotations

from sqlglot import exp

from dpsql.aggregates.basis import Block, MomentsBlock, Rows, SumBlock
from dpsql.core.catalog import Catalog
from dpsql.core.domain import Kind
from dpsql.core.ir import Col
from dpsql.planning.types import Plan
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
from dpsql.rules.keys import inside_domain, key_column
from dpsql.rules.source import Sources, Tables


def rows(plan: Plan, catalog: Catalog, tables: Tables) -> exp.Select:
    """One row per row of the relation: u, keys, values.

    Guarantee: each row's `u` is the block's unit, not NULL; each value is NULL (row not read) or
    an integer within its grid, whatever the data holds (NaN and infinities count as NULL).
    """
    sources = Sources(catalog, tables)
    query = sources.block(plan.aggregate.block)
    columns: list[exp.Expr] = [named(sources.column(plan.aggregate.block.unit), names.UNIT)]
    columns += [named(key_column(key, sources.expr(key.expr)), key.name) for key in plan.keys]
    for index, part in enumerate(plan.blocks):
        columns.append(named(_value(part.block, sources), names.value(index)))
    query.set("expressions", columns)
    inside = [test for key in plan.keys if (test := inside_domain(key)) is not None]
    if not inside:
        return query
    kept: list[exp.Expr] = [exp.column(column.alias) for column in columns]
    outer = select(kept, query, "r")
    outer.set("where", exp.Where(this=conjunction(inside)))
    return outer


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
