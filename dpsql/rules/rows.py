"""rows: the unit attached, filters applied, keys coded, values bounded."""

from __future__ import annotations

from sqlglot import exp

from dpsql.aggregates.basis import PairBlock
from dpsql.rules import names
from dpsql.rules.build import conjunction, named, select
from dpsql.rules.keys import domain_tests, key_column
from dpsql.rules.shaped import Shaped
from dpsql.rules.source import Sources
from dpsql.rules.values import bounded_value, counts_all


def rows(plan: Shaped, sources: Sources) -> exp.Select:
    """One row per row of the relation: u, keys, values.

    Guarantee: each row's `u` is the block's unit, not NULL; each value is NULL (row not read) or
    an integer within its grid, whatever the data holds (NaN and infinities count as NULL).
    """
    query = sources.block(plan.aggregate.block)
    columns: list[exp.Expr] = [named(sources.column(plan.aggregate.block.unit), names.UNIT)]
    columns += [named(key_column(key, sources.expr(key.expr)), key.name) for key in plan.keys]
    for index, part in enumerate(plan.blocks):
        if isinstance(part.block, PairBlock):
            for block, name in zip(part.block.parts(), (names.value, names.other), strict=True):
                columns.append(named(bounded_value(block, sources), name(index)))
        elif plan.strategy == "row" or not counts_all(
            part.block
        ):  # `cells` counts rows as they are
            columns.append(named(bounded_value(part.block, sources), names.value(index)))
    query.set("expressions", columns)
    inside = domain_tests(plan.keys)
    if not inside or plan.strategy == "row":  # there, `totals` drops them, a group at a time
        return query
    kept: list[exp.Expr] = [exp.column(column.alias) for column in columns]
    outer = select(kept, query, "r")
    outer.set("where", exp.Where(this=conjunction(inside)))
    return outer
