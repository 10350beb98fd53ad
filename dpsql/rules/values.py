"""values: a row's value, clamped to the integers of its grid."""

from __future__ import annotations

import sys
from fractions import Fraction
from typing import TYPE_CHECKING, TypeGuard

from sqlglot import exp

from dpsql.aggregates.basis import (
    Block,
    CountBlock,
    MomentsBlock,
    Rows,
    SumBlock,
    TallyBlock,
    UnitsBlock,
)
from dpsql.core.domain import Kind
from dpsql.core.ir import Col
from dpsql.rules.build import bigint, clamp, conjunction, double, integer, is_not_null, paren, when
from dpsql.rules.narrow import narrow, text
from dpsql.rules.tallies import tally_class

if TYPE_CHECKING:
    from dpsql.rules.source import Sources

_BIGINT = exp.DataType.build("BIGINT")


def bounded_value(block: Block, sources: Sources) -> exp.Expr:
    """NULL where the block does not read the row, else an integer within the block's grid.

    Guarantee: for every value the data may hold, and without an error in the engine.
    """
    if isinstance(block, TallyBlock):
        return tally_class(block, sources)
    if _stepwise(block):
        return _stepped(block, sources)
    tests = _read(block.rows, sources)
    if not isinstance(block, (SumBlock, MomentsBlock)):
        return when(conjunction(tests), integer(1)) if tests else integer(1)
    if block.value not in (block.rows.present, block.rows.also):
        # The engine's LEAST and GREATEST would turn NULL into a bound.
        tests.append(is_not_null(sources.expr(block.value)))
    number = _shifted(block, _on_grid(block, sources.expr(block.value)))
    whole = when(conjunction(tests), number)
    short = _short(block, sources)
    return whole if short is None else exp.Case(ifs=[short], default=whole)


def counts_all(block: Block) -> bool:
    """Does the block count every row of the relation, whatever it holds?"""
    part = block.rows
    given = (part.where, part.present, part.also)
    return isinstance(block, (CountBlock, UnitsBlock)) and given == (None, None, None)


def _stepwise(block: Block) -> TypeGuard[SumBlock | MomentsBlock]:
    """Is it a plain column of floats, read wherever it is there?"""
    return (
        isinstance(block, (SumBlock, MomentsBlock))
        and isinstance(block.value, Col)
        and block.value.domain.type.kind is Kind.FLOAT
        and block.rows.where is None
        and block.rows.present == block.value
    )


def _stepped(block: SumBlock | MomentsBlock, sources: Sources) -> exp.Expr:
    """The clamp of floats as three intervals: within, below, above. The faster form.

        CASE WHEN x BETWEEN lo AND hi THEN TRY_CAST(x * scale AS BIGINT)
             WHEN x BETWEEN -largest AND lo THEN low
             WHEN x BETWEEN hi AND largest THEN high
             ELSE TRY_CAST(x * scale AS BIGINT) END

    NULL, NaN and infinities lie in none of them (BETWEEN holds NaN to be above `largest`). They
    alone reach the ELSE, which is NULL for each. A missing ELSE would say the same, but the engine
    then forgets between which numbers a CASE lies, and sums 128 bits where 64 are enough.
    """
    grid, value = block.grid, block.value
    lo, hi = double(grid.lo * grid.unit), double(_top(block) * grid.unit)
    largest = Fraction(sys.float_info.max)

    def step(low: exp.Expr, high: exp.Expr, then: exp.Expr) -> exp.If:
        test = exp.Between(this=sources.expr(value), low=low.copy(), high=high.copy())
        return exp.If(this=test, true=then)

    scaled = exp.Mul(this=sources.expr(value), expression=double(1 / grid.unit))
    attempt = _shifted(block, exp.TryCast(this=scaled, to=_BIGINT.copy(), safe=True))
    offset = grid.lo if isinstance(block, MomentsBlock) else 0
    return exp.Case(
        ifs=[
            step(lo, hi, attempt),
            step(double(-largest), lo, integer(grid.lo - offset)),
            step(hi, double(largest), integer(_top(block) - offset)),
        ],
        default=attempt.copy(),
    )


def _short(block: SumBlock | MomentsBlock, sources: Sources) -> exp.If | None:
    """A branch that most rows take: the value in 64 bits, if it is a decimal within its range."""
    plain = block.rows.where is None and block.rows.also is None
    if not (sources.narrow and plain and block.rows.present in (None, block.value)):
        return None
    if block.value.domain.type.kind is not Kind.DECIMAL or not _decimal_unit(block):
        return None
    found = narrow(block.value, sources, block.grid.lo, _top(block))
    if found is not None:
        found.set("true", _shifted(block, found.args["true"]))
    return found


def _top(block: SumBlock | MomentsBlock) -> int:
    grid = block.grid
    return grid.hi if isinstance(block, SumBlock) else grid.lo + grid.span


def _shifted(block: SumBlock | MomentsBlock, number: exp.Expr) -> exp.Expr:
    """Moments are of y = x - lo, from 0 to the span."""
    if isinstance(block, SumBlock) or not block.grid.lo:
        return number
    operation = exp.Sub if block.grid.lo > 0 else exp.Add
    return operation(this=number, expression=integer(abs(block.grid.lo)))


def _read(part: Rows, sources: Sources) -> list[exp.Expr]:
    """Conditions under which the block reads a row."""
    tests = []
    if part.where is not None:
        tests.append(paren(sources.expr(part.where)))
    for present in (part.present, part.also):
        if present is None:
            continue
        value = sources.expr(present)
        if present.domain.type.kind is Kind.FLOAT:
            tests.append(exp.func("isfinite", value))  # NULL for NULL, false for NaN and ±inf
        else:
            tests.append(is_not_null(value))
    return tests


def _on_grid(block: SumBlock | MomentsBlock, node: exp.Expr) -> exp.Expr:
    """x / unit, rounded to BIGINT within lo..hi; x is known to be neither NULL nor NaN.

    Floats: lo·unit and hi·unit are exact doubles and 1/unit is a power of two, so clamping first
    and scaling after stays within lo..hi (multiplying is exact, the cast rounds monotonically).
    """
    grid, kind, top = block.grid, block.value.domain.type, _top(block)
    bare = isinstance(block.value, Col)
    if kind.kind is Kind.INTEGER and grid.unit == 1:
        return bigint(_within(node, integer(grid.lo), integer(top), bare))
    if kind.kind is Kind.DECIMAL and _decimal_unit(block):
        target = _decimal(kind.scale)
        low = exp.cast(exp.Literal.string(text(grid.lo, kind.scale)), target)
        high = exp.cast(exp.Literal.string(text(top, kind.scale)), target)
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
