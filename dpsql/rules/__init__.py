"""The rewrite of a plan into one bounded statement: one rule a file, in this order.

rows        unit attached, filters, keys coded, values clamped to integers
cells       one row per (unit, keys): counts and sums
bound       each cell's partial bounded, or rows weighted
groups      at most k cells of a unit kept
totals      integer sums over units, one row per key

Quantiles have a statement of their own for each histogram (`histogram`), and each expression whose
distinct values are counted has one (`distinct`).
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.core.catalog import Catalog
from dpsql.planning.types import Plan
from dpsql.rules.bound import bound
from dpsql.rules.cells import cells
from dpsql.rules.distinct import distinct
from dpsql.rules.groups import groups
from dpsql.rules.histogram import histogram
from dpsql.rules.rows import rows
from dpsql.rules.source import Tables
from dpsql.rules.totals import totals


def rewrite(plan: Plan, catalog: Catalog, tables: Tables, salt: int) -> exp.Select:
    """The bounded statement, as DuckDB AST. `salt` decides which groups are kept, freshly."""
    statement = rows(plan, catalog, tables)
    if plan.strategy != "row":
        statement = cells(plan, statement)
        statement = bound(plan, statement)
        statement = groups(plan, statement, salt)
    return totals(plan, statement)


__all__ = ["distinct", "histogram", "rewrite"]
