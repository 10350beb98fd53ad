"""Is every row of a relation in the public domain of a key? Then its groups are all rows.

Proved from the engine's types and NOT NULLs, from WHERE and from the query's own constants. What
the policy lists or ranges over is a promise: rows beyond it are in no group, and in every total.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from dpsql.core.catalog import Catalog
from dpsql.core.domain import BOOLEAN, Domain, Kind, Scalar
from dpsql.core.ir import Block, Call, Col, Expr, Listed, Lit, Scan, columns
from dpsql.functions.narrow import narrow
from dpsql.planning.types import KeyPlan
from dpsql.policy.schema import Policy

_MOST = 1_000


def complete(key: KeyPlan, block: Block, policy: Policy, catalog: Catalog) -> bool:
    """Whether every row of the block has a value of `key.values`, whatever the tables hold."""
    values, expr = key.values, key.expr
    if values is None:
        return False
    if (listed := _results(expr)) is not None:
        return all(isinstance(one, Lit) and one.value in values for one in listed)
    if isinstance(expr, Col):
        source = next((one for one in block.sources if one.id == expr.source), None)
        inner = source is not None and source.id not in _left(block)
        of_query = isinstance(source, Listed) or (isinstance(source, Scan) and not source.private)
        if of_query and expr.domain.values is None:
            return inner or None in values
        if not isinstance(source, Scan):
            return False
        found = _certain(expr, source, block, policy, catalog)
        if found is None:
            return False
        return _covers(values, found, nullable=found.nullable or not inner)
    return _covers(values, _told(expr.domain), nullable=_may_be_null(expr, block, policy, catalog))


def _results(expr: Expr) -> Sequence[Expr] | None:
    """What a CASE may give; None for anything else."""
    match expr:
        case Call(fn="case", args=args):
            return [*args[1:-1:2], args[-1]]
        case Call(fn="switch", args=args):
            return [*args[2:-1:2], args[-1]]
    return None


def _covers(values: Sequence[Scalar | None], domain: Domain, *, nullable: bool) -> bool:
    if nullable and None not in values:
        return False
    possible = domain.values
    if possible is None and domain.type.kind is Kind.INTEGER and domain.certain.bounded:
        lo, hi = domain.certain.numbers()
        if hi - lo <= _MOST:
            possible = tuple(range(-(-lo.numerator // lo.denominator), int(Fraction(hi) // 1) + 1))
    return possible is not None and set(possible) <= set(values)


def _told(domain: Domain) -> Domain:
    """A computed value: of a condition both truths, else what its range holds for certain."""
    truths = (False, True) if domain.type == BOOLEAN else None
    return domain.with_(values=truths)


def _certain(
    column: Col, source: Scan, block: Block, policy: Policy, catalog: Catalog
) -> Domain | None:
    """What schema and WHERE say of a column; nothing of the policy's."""
    entry = catalog.find(".".join(policy.tables[source.table].parts))
    found = None if entry is None else entry.columns.get(column.name)
    if found is None:
        return None
    truths = (False, True) if found.type == BOOLEAN else None
    domain = Domain(found.type, found.certain, nullable=found.nullable, values=truths)
    change = narrow(_alone(block)).get((column.source, column.name))
    return domain if change is None else change(domain)


def _alone(block: Block) -> list[Expr]:
    """Conditions on one column and constants, of those that hold for every row."""
    every = [*block.where, *(part for j in block.joins if j.kind == "inner" for part in j.on)]
    return [part for part in every if len(set(columns(part))) == 1]


def _left(block: Block) -> set[int]:
    return {join.source.id for join in block.joins if join.kind != "inner"}


def _may_be_null(expr: Expr, block: Block, policy: Policy, catalog: Catalog) -> bool:
    """Not where it cannot be, its columns being NOT NULL in the schema."""
    if expr.domain.nullable:
        return True
    left, sources = _left(block), {one.id: one for one in block.sources}
    for column in set(columns(expr)):
        source = sources.get(column.source)
        if not isinstance(source, Scan) or source.id in left:
            return True
        found = _certain(column, source, block, policy, catalog)
        if found is None or found.nullable:
            return True
    return False
