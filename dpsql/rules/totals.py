"""totals: integer sums over units, one row per key; the vector that is noised."""

from __future__ import annotations

from sqlglot import exp

from dpsql.aggregates.basis import MomentsBlock, PairBlock, SumBlock, TallyBlock
from dpsql.planning.types import BlockPlan, Plan
from dpsql.rules import names
from dpsql.rules.build import col, conjunction, hugeint, integer, named, paren, select
from dpsql.rules.keys import domain_tests
from dpsql.rules.pairs import pair_count, pair_products
from dpsql.rules.tallies import tally_parts


def totals(plan: Plan, bounded: exp.Select) -> exp.Select:
    """keys, `units` (kept cells, for the threshold), and every block's coordinates.

    Guarantee: each coordinate is a fixed linear combination of sums over bounded cells; a joint
    block's coordinates sum to M^d times the (bounded, weighted) row count.
    """
    columns: list[exp.Expr] = [col(key.name) for key in plan.keys]
    if plan.threshold is not None:
        columns.append(named(exp.Count(this=exp.Star()), names.UNITS))
    for index, part in enumerate(plan.blocks):
        coordinates = _coordinates(plan, index, part)
        columns += [named(node, names.coordinate(index, i)) for i, node in enumerate(coordinates)]
    result = select(columns, bounded, "b")
    if plan.keys:
        terms: list[exp.Expr] = [integer(i + 1) for i in range(len(plan.keys))]
        result.set("group", exp.Group(expressions=terms))
        inside = domain_tests(plan.keys) if plan.strategy == "row" else []
        if inside:
            result.set("having", exp.Having(this=_late(inside)))
    return result


def _late(inside: list[exp.Expr]) -> exp.Expr:
    """Groups of the public domain, dropped after they are made: few groups instead of all rows.

    No group has fewer rows than one: the count is there to keep the engine from testing rows.
    """
    test = inside[0] if len(inside) == 1 else paren(conjunction(inside))
    never = exp.LT(this=exp.Count(this=exp.Star()), expression=integer(1))
    return exp.Or(this=test, expression=never)


def _coordinates(plan: Plan, index: int, part: BlockPlan) -> list[exp.Expr]:
    rows = plan.strategy == "row"
    block = part.block
    if isinstance(block, SumBlock):
        return [_sum(col(names.value(index) if rows else names.total(index)))]
    if not rows:
        count: exp.Expr = _sum(col(names.count(index)))
    elif isinstance(block, PairBlock):
        count = pair_count(index)
    else:
        count = exp.Count(this=col(names.value(index)))
    if not isinstance(block, (MomentsBlock, PairBlock, TallyBlock)):
        return [count]
    upper = _row_sums(block, index) if rows else [_sum(col(n)) for n in _bounded(block, index)]
    # HUGEINT: M^d times a BIGINT count could leave 64 bits.
    first: exp.Expr = exp.Mul(this=hugeint(integer(block.row_total)), expression=count)
    for node in upper:
        first = exp.Sub(this=first, expression=node.copy())
    return [first, *upper]


def _bounded(block: MomentsBlock | PairBlock | TallyBlock, index: int) -> list[str]:
    """The bounded coordinates of a cell but the first."""
    if isinstance(block, (PairBlock, TallyBlock)):
        return [names.part(index, at) for at in range(1, block.coordinates)]
    return [names.total(index, power + 1) for power in range(block.degree)]


def _row_sums(block: MomentsBlock | PairBlock | TallyBlock, index: int) -> list[exp.Expr]:
    """Σy, or Σ2y(M-y) and Σy², a pair's products or a tally's classes, straight from rows."""
    if isinstance(block, TallyBlock):
        return [_sum(node) for node in tally_parts(block, index)]
    if isinstance(block, PairBlock):
        return [_sum(node) for node in pair_products(block, index)]
    y = col(names.value(index))
    if block.degree == 1:
        return [_sum(y)]
    square = exp.Mul(this=y.copy(), expression=y.copy())
    rest = exp.Paren(this=exp.Sub(this=integer(block.grid.span), expression=y.copy()))
    middle = exp.Mul(this=exp.Mul(this=integer(2), expression=y.copy()), expression=rest)
    return [_sum(middle), _sum(square)]


def _sum(node: exp.Expr) -> exp.Expr:
    return exp.Coalesce(this=exp.Sum(this=node), expressions=[integer(0)])
