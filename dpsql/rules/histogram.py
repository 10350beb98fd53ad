"""histogram: weight by group and bin, one row for each bin that is not empty; one statement each.

rows      unit, keys, the value's place on its grid; bins of it, rows without a value dropped
counts    one row for each (unit, keys, bin)
shares    rows of the unit in the group; which of its groups these are
weights   a row weighs W, or floor(W·m/n) where its unit has n > m rows in the group
totals    the weight of each bin
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.aggregates.basis import HistogramBlock, MomentsBlock
from dpsql.core.catalog import Catalog
from dpsql.planning.types import HistogramPlan, Plan
from dpsql.rules import names
from dpsql.rules.build import col, conjunction, integer, is_not_null, named, paren, select, when
from dpsql.rules.groups import group_rank, key_columns
from dpsql.rules.keys import domain_tests, key_column
from dpsql.rules.source import Sources, Tables
from dpsql.rules.values import bounded_value


def histogram(plan: Plan, index: int, catalog: Catalog, tables: Tables, salt: int) -> exp.Select:
    """keys, bin, weight.

    Guarantee: the rows of one unit add at most W·m to the weights of a group, in at most
    `bounds.touched` groups; bins are integers from 0 to the block's last.
    """
    part = plan.histograms[index]
    binned = _bins(plan, part.block, _rows(plan, part.block, catalog, tables))
    if part.strategy == "row":
        return _totals(plan, exp.Count(this=exp.Star()), binned)
    weighed = _weights(plan, part, _shares(plan, part, _counts(plan, binned), salt))
    total = exp.Coalesce(this=exp.Sum(this=col(names.WEIGHT)), expressions=[integer(0)])
    return _totals(plan, total, weighed)


def _rows(plan: Plan, block: HistogramBlock, catalog: Catalog, tables: Tables) -> exp.Select:
    sources = Sources(catalog, tables)
    query = sources.block(plan.aggregate.block)
    place = bounded_value(MomentsBlock(block.rows, block.value, block.grid, 1), sources)
    columns: list[exp.Expr] = [named(sources.column(plan.aggregate.block.unit), names.UNIT)]
    columns += [named(key_column(key, sources.expr(key.expr)), key.name) for key in plan.keys]
    query.set("expressions", [*columns, named(place, names.PLACE)])
    return query


def _bins(plan: Plan, block: HistogramBlock, rows: exp.Select) -> exp.Select:
    place = col(names.PLACE)
    bin_: exp.Expr = place
    if block.step > 1:  # to the nearest: the place is at least 0, so that division rounds down
        shifted = exp.Add(this=place, expression=integer(block.step // 2))
        bin_ = exp.IntDiv(this=paren(shifted), expression=integer(block.step))
    query = select([col(names.UNIT), *key_columns(plan), named(bin_, names.BIN)], rows, "r")
    tests = [*domain_tests(plan.keys), is_not_null(place.copy())]
    query.set("where", exp.Where(this=conjunction(tests)))
    return query


def _counts(plan: Plan, binned: exp.Select) -> exp.Select:
    grouped = [col(names.UNIT), *key_columns(plan), col(names.BIN)]
    query = select([*grouped, named(exp.Count(this=exp.Star()), names.COUNT)], binned, "d")
    query.set("group", exp.Group(expressions=[integer(i + 1) for i in range(len(grouped))]))
    return query


def _shares(plan: Plan, part: HistogramPlan, counts: exp.Select, salt: int) -> exp.Select:
    rows = exp.Window(
        this=exp.Sum(this=col(names.COUNT)),
        partition_by=[col(names.UNIT), *key_columns(plan)],
        over="OVER",
    )
    columns: list[exp.Expr] = [exp.Star(), named(rows, names.ROWS)]
    if part.bounds.max_groups is not None:
        columns.append(group_rank(plan, salt))
    return select(columns, counts, "p")


def _weights(plan: Plan, part: HistogramPlan, shares: exp.Select) -> exp.Select:
    m, rows = part.bounds.max_rows_per_group, col(names.ROWS)
    share = exp.IntDiv(this=integer(part.weight * m), expression=rows.copy())
    each = when(exp.GT(this=rows, expression=integer(m)), share, integer(part.weight))
    weight = exp.Mul(this=each, expression=col(names.COUNT))
    columns = [col(names.UNIT), *key_columns(plan), col(names.BIN), named(weight, names.WEIGHT)]
    query = select(columns, shares, "k")
    if part.bounds.max_groups is not None:
        most = integer(part.bounds.max_groups)
        query.set("where", exp.Where(this=exp.LTE(this=col(names.RANK), expression=most)))
    return query


def _totals(plan: Plan, weight: exp.Expr, source: exp.Select) -> exp.Select:
    columns = [*key_columns(plan), col(names.BIN), named(weight, names.TOTAL)]
    query = select(columns, source, "b")
    terms: list[exp.Expr] = [integer(i + 1) for i in range(len(plan.keys) + 1)]
    query.set("group", exp.Group(expressions=terms))
    return query
