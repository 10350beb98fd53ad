"""kept: the statement that makes a table of cells, and the one that reads it in place of rows."""

from __future__ import annotations

from sqlglot import exp

from dpsql.aggregates.basis import MomentsBlock, SumBlock
from dpsql.core.catalog import Catalog
from dpsql.planning.kept import KeptCells, Offer
from dpsql.planning.types import Plan
from dpsql.rules import names
from dpsql.rules.bound import bound
from dpsql.rules.build import col, integer, named, select
from dpsql.rules.cells import cells
from dpsql.rules.groups import key_columns, ranking
from dpsql.rules.rows import rows
from dpsql.rules.shaped import Blocked
from dpsql.rules.source import Sources, Tables
from dpsql.rules.totals import totals

SCHEMA = "dpsql_cells"


def made(kept: KeptCells, catalog: Catalog, tables: Tables, salt: int) -> exp.Select:
    """u, keys, the bounded coordinates of every block, and `rn`: the cell's rank in its unit.

    Guarantee: what `rows`, `cells` and `bound` guarantee of each cell; `rn` numbers a unit's cells
    1, 2, 3, ... by a salted hash of unit and keys, ties broken by the keys, as `groups` would.
    """
    bounded = bound(kept, cells(kept, rows(kept, Sources(catalog, tables))))
    rank = exp.Window(
        this=exp.RowNumber(),
        partition_by=[col(names.UNIT)],
        order=ranking(key_columns(kept), salt),
        over="OVER",
    )
    return select([exp.Star(), named(rank, names.RANK)], bounded, "p")


def read(plan: Plan, offer: Offer) -> exp.Select:
    """The plan's bounded statement over kept cells: the same sums as over rows under their salt.

    Guarantee: at most `bounds.max_groups` cells of a unit are summed, those of the least ranks.
    """
    kept, serving = offer.cells, offer.serving
    columns: list[exp.Expr] = [named(col(names.UNIT, "t"), names.UNIT)]
    for key, at in zip(plan.keys, serving.keys, strict=True):
        columns.append(named(col(kept.keys[at].name, "t"), key.name))
    for index, (part, at) in enumerate(zip(plan.blocks, serving.blocks, strict=True)):
        stored, wanted = bounded_columns(at, kept.blocks[at]), bounded_columns(index, part)
        for theirs, mine in zip(stored, wanted, strict=True):
            columns.append(named(col(theirs, "t"), mine))
    table = exp.Table(
        this=exp.to_identifier(offer.table, quoted=True),
        db=exp.to_identifier(SCHEMA, quoted=True),
        alias=exp.TableAlias(this=exp.to_identifier("t")),
    )
    query = exp.Select(expressions=columns, from_=exp.From(this=table))
    k = plan.bounds.max_groups
    if k is not None:
        capped = exp.LTE(this=col(names.RANK, "t"), expression=integer(k))
        query.set("where", exp.Where(this=capped))
    return totals(plan, query)


def bounded_columns(index: int, part: Blocked) -> list[str]:
    """What `bound` calls the coordinates of a block's cell."""
    if isinstance(part.block, SumBlock):
        return [names.total(index)]
    found = [names.count(index)]
    if isinstance(part.block, MomentsBlock):
        found += [names.total(index, power + 1) for power in range(part.block.degree)]
    return found
