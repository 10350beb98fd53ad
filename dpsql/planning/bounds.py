"""Contribution bounds from the query's options, the policy and enforced keys; never from data."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from dpsql.aggregates.basis import UnitsBlock
from dpsql.core.ir import Block, Listed, PrivateAggregate, Scan, Source, Union, Windowed, columns
from dpsql.errors import RefusedQuery
from dpsql.planning.types import KeyPlan, Plan
from dpsql.policy.schema import Auto, Policy

MAX_ROWS = 2**40
CONSTANT_KEYS = "the keys are functions of the unit"


@dataclass(frozen=True, slots=True)
class Limits:
    """k, m and C as they apply to one aggregate, and where each came from (for explain)."""

    touched: int
    """Groups one unit can touch, whatever the strategy (proved, or by the cap of `max_groups`)."""
    cap_needed: bool
    """Must the rewrite cap a unit's groups to make `touched` true?"""
    rows_per_group: int
    rows_per_unit: int | None
    origin: str


def limits(
    aggregate: PrivateAggregate,
    keys: tuple[KeyPlan, ...],
    policy: Policy,
    rows: int | None = None,
) -> Limits:
    """Raises RefusedQuery `no-bounds` where neither query, policy nor keys bound a unit.

    `rows`: of a unit in one group, where a choice finds them; nothing else then caps rows.
    """
    block = aggregate.block
    if block.one_row_per_unit:
        return Limits(1, False, 1, 1, "the database enforces one row per unit")
    total = declared_total(aggregate, policy)
    if rows is not None:
        touched, cap, origin = _groups(aggregate, keys, policy, total)
        return Limits(touched, cap, rows, None, origin)
    m = policy.bounds.max_rows_per_group
    per_group = None if isinstance(m, Auto) else m
    if per_group is None and total is None:
        raise _missing("max_rows_per_group", "how many rows of one unit may count in a group")
    per_group = min(n for n in (per_group, total) if n is not None)
    touched, cap, origin = _groups(aggregate, keys, policy, total)
    return Limits(touched, cap, min(per_group, MAX_ROWS), total, origin)


def declared_total(aggregate: PrivateAggregate, policy: Policy) -> int | None:
    """C of the policy's tables and the query's options; None where neither says."""
    total, asked = _rows_per_unit(aggregate.block, policy), aggregate.options.max_rows
    known = [n for n in (total, asked) if n is not None]
    return min(known) if known else None


def lowered(plan: Plan, policy: Policy) -> tuple[str, ...]:
    """The query's options that are above a cap of the policy which holds in their place, in words.

    From the plan and the policy alone.
    """
    options, block, ours = plan.aggregate.options, plan.aggregate.block, plan.bounds
    if block.one_row_per_unit:  # nothing is capped
        return ()
    told = []
    groups, most = options.max_groups, policy.bounds.max_groups
    if groups is not None and most is not None and groups > most == ours.max_groups:
        told.append(f"max_groups_contributed = {groups:,} was lowered to the policy's {most:,}")
    rows, total, m = options.max_rows, _rows_per_unit(block, policy), ours.max_rows_per_group
    counted = any(not isinstance(part.block, UnitsBlock) for part in plan.blocks)
    if rows is None or not (counted or plan.histograms):  # nobody's rows are capped
        return tuple(told)
    if total is not None and rows > total and total in (ours.max_rows_per_unit, m):
        told.append(f"max_rows_contributed = {rows:,} was lowered to the policy's {total:,}")
    elif (
        rows > m * ours.touched
        and m == policy.bounds.max_rows_per_group
        and ours.max_rows_per_unit is None
    ):
        told.append(
            f"max_rows_contributed = {rows:,} was lowered to the policy's {m:,} in each group"
        )
    return tuple(told)


def _groups(
    aggregate: PrivateAggregate, keys: tuple[KeyPlan, ...], policy: Policy, total: int | None
) -> tuple[int, bool, str]:
    block = aggregate.block
    if all(column.source in block.constant for key in keys for column in columns(key.expr)):
        where = "no group keys" if not keys else CONSTANT_KEYS
        return 1, False, where
    cells = prod(len(key.values) for key in keys if key.values is not None)
    public = all(key.values is not None for key in keys)
    wanted = [n for n in (policy.bounds.max_groups, aggregate.options.max_groups) if n is not None]
    if not wanted and total is not None:
        wanted = [total]
    if public and (not wanted or cells <= min(wanted)):
        # An empty domain (a public table without rows) touches nothing; bounds start at 1.
        return max(cells, 1), False, f"the public domain has {cells} groups"
    if not wanted:
        raise _missing("max_groups", "how many groups one unit may touch")
    return min(wanted), True, "max_groups of the policy or the query"


def _rows_per_unit(block: Block, policy: Policy) -> int | None:
    """C: the product over the sources that may hold several rows of a unit.

    It is enforced by the rewrite on the final relation, so a wrong product costs accuracy only.
    """
    product = 1
    for source in block.sources:
        if source.id in block.determined:
            continue
        if isinstance(source, Listed):  # a row of people's meets one of its rows, or any of them
            product *= len(source.rows) if source.id in block.fanning else 1
            continue
        cap = _rows_of(source, policy)
        if cap is None:
            return None
        product *= cap
    return min(product, MAX_ROWS)


def _rows_of(source: Source, policy: Policy) -> int | None:
    if isinstance(source, Scan):
        return policy.tables[source.table].max_rows_per_unit
    if isinstance(source, Windowed):
        return _rows_per_unit(source.block, policy)
    if not isinstance(source, Union):
        return None
    found = [
        1 if branch.block.one_row_per_unit else _rows_per_unit(branch.block, policy)
        for branch in source.branches
    ]
    known = [cap for cap in found if cap is not None]
    return sum(known) if len(known) == len(found) else None


def _missing(name: str, meaning: str) -> RefusedQuery:
    return RefusedQuery(
        f"nothing says {meaning}: {name} has no value",
        code="no-bounds",
        hint=f"the owner sets bounds.{name} in the policy, or ask with"
        " SELECT WITH DIFFERENTIAL_PRIVACY OPTIONS(max_groups_contributed = 3,"
        " max_rows_contributed = 10)",
    )
