"""bound: each cell's partial bounded (cap strategy), or every row of a unit weighted (weights)."""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from dpsql.aggregates.basis import (
    CountBlock,
    MomentsBlock,
    PairBlock,
    SumBlock,
    TallyBlock,
    UnitsBlock,
)
from dpsql.rules import names
from dpsql.rules.build import bigint, clamp, col, integer, least, named, paren, select, when
from dpsql.rules.shaped import Blocked, Shaped

_FITS = 2**62  # below it a partial is kept as BIGINT, which later sums read faster


def bound(plan: Shaped, cells: exp.Select) -> exp.Select:
    """Cell by cell: integers whose L1, block by block, is at most m · M^d (bounding.md 3, 4).

    Guarantee (cap): a count is clamped to 0..m; a sum asked alone to [min(0, m·lo), max(0, m·hi)];
    in a joint basis every coordinate but the first is scaled to floor(coordinate · m / n) when
    the cell has n > m rows, and the first is what is left of min(n, m) · M^d (`totals`).
    Guarantee (weights): every row of the cell weighs w = min(W, ⌊W·C/N⌋, ⌊W·m/n⌋), N the unit's
    rows in all cells, so a unit's weight is at most W·C in all and W·m in a cell. A sum asked
    alone weighs by its own size instead: with V = max(|lo|, |hi|), w = min(W, ⌊W·C·V/Σ|s|⌋,
    ⌊W·m·V/|s|⌋), s the cell's sum and Σ over the unit's cells. The same L1; many rows of small
    values are not cut, as their number would have them.
    """
    columns: list[exp.Expr] = [col(names.UNIT), *(col(key.name) for key in plan.keys)]
    if plan.strategy == "weights":
        return _weighted(plan, columns, cells)
    for index, part in enumerate(plan.blocks):
        columns += _capped(index, part, plan.bounds.max_rows_per_group)
    return select(columns, cells, "c")


# ---- cap -------------------------------------------------------------------------------------


def _capped(index: int, part: Blocked, m: int) -> list[exp.Expr]:
    n = col(names.count(index))
    match part.block:
        case UnitsBlock():
            return [named(least(n, integer(1)), names.count(index))]
        case CountBlock():
            return [named(least(n, integer(m)), names.count(index))]
        case SumBlock(grid=grid):
            total = exp.Coalesce(this=col(names.total(index)), expressions=[integer(0)])
            lo, hi = min(0, m * grid.lo), max(0, m * grid.hi)
            return [
                named(
                    _narrow(clamp(total, integer(lo), integer(hi)), max(-lo, hi)),
                    names.total(index),
                )
            ]
        case MomentsBlock(grid=grid, degree=degree):
            most = m * grid.span**degree
            scaled = [
                named(_narrow(_scaled(part_sum, n, m), most), names.total(index, power + 1))
                for power, part_sum in enumerate(_upper(index, grid.span, degree))
            ]
            return [named(least(n.copy(), integer(m)), names.count(index)), *scaled]
        case (PairBlock() | TallyBlock()) as pair:
            most = m * pair.row_total
            scaled = [
                named(_narrow(_scaled(sum_, n, m), most), names.part(index, at))
                for at, sum_ in _pair_sums(index, pair)
            ]
            return [named(least(n.copy(), integer(m)), names.count(index)), *scaled]


def _pair_sums(index: int, pair: PairBlock | TallyBlock) -> list[tuple[int, exp.Expr]]:
    """The coordinates of a pair's or a tally's cell but the first."""
    return [
        (at, exp.Coalesce(this=col(names.part(index, at)), expressions=[integer(0)]))
        for at in range(1, pair.coordinates)
    ]


def _upper(index: int, span: int, degree: int) -> list[exp.Expr]:
    """The coordinates of a cell but the first: Σy, or Σ2y(M-y) and Σy².

    All are NULL where the block reads no row of the cell; the sums over cells skip them.
    """
    first: exp.Expr = col(names.total(index))
    if degree == 1:
        return [first]
    square = col(names.total(index, 2))
    product = exp.Mul(this=integer(span), expression=first)
    middle = exp.Mul(
        this=integer(2), expression=paren(exp.Sub(this=product, expression=square.copy()))
    )
    return [middle, square]


def _scaled(coordinate: exp.Expr, n: exp.Expr, m: int) -> exp.Expr:
    """floor(coordinate · m / n) where the cell has n > m rows (the coordinate is ≥ 0)."""
    product = exp.Mul(this=paren(coordinate.copy()), expression=integer(m))
    share = exp.IntDiv(this=paren(product), expression=n.copy())
    return when(exp.GT(this=n.copy(), expression=integer(m)), share, coordinate)


def _narrow(node: exp.Expr, most: int) -> exp.Expr:
    return bigint(node) if most < _FITS else node


# ---- weights ---------------------------------------------------------------------------------


def _weighted(plan: Shaped, columns: list[exp.Expr], cells: exp.Select) -> exp.Select:
    weights: list[exp.Expr] = []
    if any(not isinstance(part.block, SumBlock) for part in plan.blocks):
        weights.append(named(_share(plan, col(names.ROWS), 1, _itself), names.WEIGHT))
    for index, part in enumerate(plan.blocks):
        block, total = (
            part.block,
            exp.Coalesce(this=col(names.total(index)), expressions=[integer(0)]),
        )
        if isinstance(block, SumBlock):
            size = exp.Abs(this=total.copy())
            share = _share(plan, size, block.row_total, _at_least_one)
            weights.append(named(share, names.weight(index)))
            columns.append(named(_times(names.weight(index), total), names.total(index)))
            continue
        columns.append(named(_times(names.WEIGHT, col(names.count(index))), names.count(index)))
        if isinstance(block, (PairBlock, TallyBlock)):
            for at, part_sum in _pair_sums(index, block):
                columns.append(named(_times(names.WEIGHT, part_sum), names.part(index, at)))
        if isinstance(block, MomentsBlock):
            for power, part_sum in enumerate(_upper(index, block.grid.span, block.degree)):
                weighed = _times(names.WEIGHT, paren(part_sum))
                columns.append(named(weighed, names.total(index, power + 1)))
    return select(columns, select([exp.Star(), *weights], cells, "c"), "w")


def _share(
    plan: Shaped, size: exp.Expr, one_row: int, divisor: Callable[[exp.Expr], exp.Expr]
) -> exp.Expr:
    """min(W, ⌊W·C·V/Σ size⌋, ⌊W·m·V/size⌋), V = `one_row` the size of one row at the most."""
    cap, m = plan.bounds.max_rows_per_unit, plan.bounds.max_rows_per_group
    assert cap is not None
    over_unit = exp.Window(
        this=exp.Sum(this=size.copy()), partition_by=[col(names.UNIT)], over="OVER"
    )
    whole = plan.weight * one_row
    shares = [
        integer(plan.weight),
        exp.IntDiv(this=integer(whole * cap), expression=divisor(over_unit)),
        exp.IntDiv(this=integer(whole * m), expression=divisor(size)),
    ]
    return bigint(least(*shares))


def _itself(size: exp.Expr) -> exp.Expr:
    return size


def _at_least_one(size: exp.Expr) -> exp.Expr:
    """Cells of sum 0 take any weight."""
    return exp.Greatest(this=size, expressions=[integer(1)], ignore_nulls=True)


def _times(weight: str, node: exp.Expr) -> exp.Expr:
    return exp.Mul(this=col(weight), expression=node)
