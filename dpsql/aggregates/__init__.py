"""SQL aggregates over all units: one family a file, found through `FAMILIES`.

An aggregate states what it needs (rows, a sum, moments); the planner turns the needs of a SELECT
into shared blocks; `combine` turns their noisy coordinates into the answer.
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.aggregates import (
    avg,
    correlation,
    count,
    covariance,
    distinct,
    quantile,
    regression,
    regression_rows,
    squares,
    sum_,
    units,
    variance,
    weighted,
)
from dpsql.aggregates.protocol import Family
from dpsql.aggregates.spelled import CALLS, TWO, arguments, plain

FAMILIES: tuple[Family, ...] = (
    count.FAMILY,
    units.FAMILY,
    distinct.FAMILY,
    sum_.FAMILY,
    avg.FAMILY,
    variance.FAMILY,
    covariance.FAMILY,
    correlation.FAMILY,
    regression.FAMILY,
    squares.FAMILY,
    weighted.FAMILY,
    regression_rows.COUNT_FAMILY,
    regression_rows.MEAN_FAMILY,
    quantile.FAMILY,
)

NODES = tuple(node for family in FAMILIES for node in family.nodes)
_BY_NODE = {node: family for family in FAMILIES for node in family.nodes}
_BY_NAME = {name: family for family in FAMILIES for name in family.names}


def for_node(node: exp.Expr) -> Family | None:
    """The family that reads this call, or None: then it is not an aggregate that exists."""
    if isinstance(node, exp.Anonymous) and node.name.lower() in TWO:
        return _BY_NAME[TWO[node.name.lower()]]
    return _BY_NODE.get(type(plain(node)))


def for_name(name: str) -> Family:
    return _BY_NAME[name]


__all__ = ["CALLS", "FAMILIES", "NODES", "Family", "arguments", "for_name", "for_node", "plain"]
