"""cells: one row per (unit, keys), with counts and integer sums of what each block reads."""

from __future__ import annotations

from sqlglot import exp

from dpsql.aggregates.basis import MomentsBlock, PairBlock, SumBlock, TallyBlock
from dpsql.rules import names
from dpsql.rules.build import col, integer, named, select
from dpsql.rules.pairs import pair_count, pair_products
from dpsql.rules.shaped import Shaped
from dpsql.rules.tallies import tally_parts
from dpsql.rules.values import counts_all


def cells(plan: Shaped, rows: exp.Select) -> exp.Select:
    """u, keys, n (all rows of the cell, if rows are weighed), and per block its count, Σv, Σv².

    Guarantee: (u, keys) is unique; all sums are of integers, so no other unit's cell changes
    when one unit leaves.
    """
    columns: list[exp.Expr] = [col(names.UNIT), *(col(key.name) for key in plan.keys)]
    grouped = len(columns)
    if plan.strategy == "weights" and any(
        not isinstance(part.block, SumBlock) for part in plan.blocks
    ):
        columns.append(named(exp.Count(this=exp.Star()), names.ROWS))
    for index, part in enumerate(plan.blocks):
        if isinstance(part.block, PairBlock):
            columns.append(named(pair_count(index), names.count(index)))
            products = enumerate(pair_products(part.block, index), start=1)
            columns += [named(exp.Sum(this=node), names.part(index, at)) for at, node in products]
            continue
        if counts_all(part.block):
            columns.append(named(exp.Count(this=exp.Star()), names.count(index)))
            continue
        value = col(names.value(index))
        if isinstance(part.block, TallyBlock):
            columns.append(named(exp.Count(this=value), names.count(index)))
            counted = enumerate(tally_parts(part.block, index), start=1)
            columns += [named(exp.Sum(this=node), names.part(index, at)) for at, node in counted]
            continue
        if not isinstance(part.block, SumBlock):
            columns.append(named(exp.Count(this=value.copy()), names.count(index)))
        if isinstance(part.block, (SumBlock, MomentsBlock)):
            columns.append(named(exp.Sum(this=value.copy()), names.total(index)))
        if isinstance(part.block, MomentsBlock) and part.block.degree == 2:
            square = exp.Mul(this=value.copy(), expression=value.copy())
            columns.append(named(exp.Sum(this=square), names.total(index, 2)))
    result = select(columns, rows, "r")
    result.set("group", exp.Group(expressions=[integer(i + 1) for i in range(grouped)]))
    return result
