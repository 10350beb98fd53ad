"""groups: at most k cells of a unit are kept, chosen by a freshly salted hash of the cell."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from dpsql.planning.types import Plan
from dpsql.rules import names
from dpsql.rules.build import col, integer, named, select
from dpsql.rules.shaped import Shaped


def groups(
    plan: Plan, cells: exp.Select, salt: int, ranked: Sequence[int] | None = None
) -> exp.Select:
    """Keeps the k first cells of each unit; all of them where no cap is needed.

    Guarantee: at most `bounds.max_groups` rows per unit remain, whatever the hash: row_number
    counts them, and ties are broken by the keys. The order has two terms or more on purpose:
    DuckDB 2 rewrites row_number over one term into arg_min and unnest, which is slower and
    spills. Hash quality and the salt's secrecy matter for bias alone, never for privacy.
    `ranked`: the order of the keys in it, where it is to be that of kept cells.
    """
    k = plan.bounds.max_groups
    if k is None:
        return cells
    keys = key_columns(plan)
    rank = exp.Window(
        this=exp.RowNumber(),
        partition_by=[col(names.UNIT)],
        order=ranking(keys if ranked is None else [keys[at] for at in ranked], salt),
        over="OVER",
    )
    numbered = select([exp.Star(), named(rank, names.RANK)], cells, "p")
    carried: list[exp.Expr] = [exp.column(column.alias_or_name) for column in cells.expressions]
    kept = select(carried, numbered, "k")
    kept.set("where", exp.Where(this=exp.LTE(this=col(names.RANK), expression=integer(k))))
    return kept


def group_rank(plan: Plan, salt: int) -> exp.Expr:
    """The number of a row's group among its unit's, in the order in which groups are kept."""
    rank = exp.Window(
        this=exp.DenseRank(),
        partition_by=[col(names.UNIT)],
        order=ranking(key_columns(plan), salt),
        over="OVER",
    )
    return named(rank, names.RANK)


def key_columns(plan: Plan | Shaped) -> list[exp.Expr]:
    return [col(key.name) for key in plan.keys]


def ranking(keys: list[exp.Expr], salt: int) -> exp.Order:
    """By a salted hash of unit and keys, ties broken by the keys."""
    inner = exp.func("hash", col(names.UNIT), *(key.copy() for key in keys), salted(salt))
    terms = (exp.func("hash", inner), *keys)
    return exp.Order(expressions=[exp.Ordered(this=term) for term in terms])


def salted(salt: int) -> exp.Expr:
    return exp.cast(exp.Literal.string(str(salt)), exp.DType.UBIGINT)
