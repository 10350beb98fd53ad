"""The rewrite of a plan into one bounded statement: one rule a file, in this order.

paths       a table of the unit path that the query joins itself, scanned once
rows        unit attached, filters, keys coded, values clamped to integers
cells       one row per (unit, keys): counts and sums
bound       each cell's partial bounded, or rows weighted
groups      at most k cells of a unit kept
late        sources that a unit meets once joined to them, for keys that are functions of it
totals      integer sums over units, one row per key

Quantiles have a statement of their own for each histogram (`histogram`), and each expression whose
distinct values are counted has one (`distinct`). Kept cells have two: one makes them, once, and
one reads them in place of rows (`kept`).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from dpsql.core.catalog import Catalog
from dpsql.core.ir import Scan
from dpsql.planning.types import Plan
from dpsql.rules.bound import bound
from dpsql.rules.cells import cells
from dpsql.rules.distinct import distinct
from dpsql.rules.groups import groups
from dpsql.rules.histogram import histogram
from dpsql.rules.late import Late, attach, late
from dpsql.rules.paths import without_repeats
from dpsql.rules.rows import rows
from dpsql.rules.source import Sources, Tables
from dpsql.rules.totals import totals


def rewrite(
    plan: Plan,
    catalog: Catalog,
    tables: Tables,
    salt: int,
    ranked: Sequence[int] | None = None,
    *,
    narrow: bool = True,
) -> exp.Select:
    """The bounded statement, as DuckDB AST. `salt` decides which groups are kept, freshly.

    Where kept cells serve the plan it is theirs, and `ranked` their order of keys; no source is
    joined late there, for the ranks are of all keys. `narrow`: as of `Sources`.
    """
    if ranked is None:
        plan, split = _split(plan, catalog, tables)
    else:
        plan, split = without_repeats(plan, catalog, tables), None
    sources = Sources(catalog, tables, narrow)
    core = plan if split is None else split.core
    statement = rows(core, sources)
    if plan.strategy != "row":
        statement = cells(core, statement)
        statement = bound(core, statement)
        statement = groups(core, statement, salt, ranked)
    if split is not None:
        statement = attach(plan, split, statement, sources)
    return totals(plan, statement)


def _split(plan: Plan, catalog: Catalog, tables: Tables) -> tuple[Plan, Late | None]:
    """The plan without repeated scans, and in two where that is possible.

    Where the unit's own table is both a hop of its rows' path and where the keys are, it is
    scanned twice: a hop is joined to each row, and cannot be late.
    """
    for all_ in (True, False):
        found = without_repeats(plan, catalog, tables, all_=all_)
        split = late(found)
        if split is not None:
            return found, split
    return without_repeats(plan, catalog, tables), None


def joined_late(plan: Plan, catalog: Catalog, tables: Tables) -> tuple[str, ...]:
    """Names of the tables that meet a unit's aggregated rows, not each of them; for explain."""
    split = _split(plan, catalog, tables)[1] if plan.sums else None
    found = () if split is None else split.sources
    return tuple(source.table if isinstance(source, Scan) else "a subquery" for source in found)


__all__ = ["distinct", "histogram", "joined_late", "rewrite"]
