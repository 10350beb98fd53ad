"""certify: the text that will be sent is read again, by code that shares nothing with its maker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpsql.certify import BlockClaim, Claim, certify
from dpsql.errors import InternalError
from dpsql.pipeline.stages import Certified, Rewritten
from dpsql.planning.types import Plan
from dpsql.policy.schema import Policy
from dpsql.rules import names

if TYPE_CHECKING:
    from dpsql.dialects.duckdb import DuckDBEngine


def run(rewritten: Rewritten, *, policy: Policy, engine: DuckDBEngine) -> tuple[Certified, ...]:
    """Raises InternalError where the two derivations disagree: then nothing is charged or run."""
    catalog = rewritten.planned.bound.catalog
    done = []
    for plan, sql in zip(rewritten.planned.plans, rewritten.statements, strict=True):
        certify(sql, claim(plan), policy=policy, catalog=catalog)
        if not engine.binds(sql, timeout=policy.limits.timeout_seconds):
            raise InternalError("the bounded statement does not fit the database", code="binding")
        done.append(Certified(plan, sql))
    return tuple(done)


def claim(plan: Plan) -> Claim:
    """What the plan's noise was calibrated for, in numbers."""
    blocks = tuple(
        BlockClaim(
            tuple(names.coordinate(index, i) for i in range(part.block.coordinates)),
            linf=part.sensitivity.linf,
            l0=part.sensitivity.l0,
            l1=part.sensitivity.l1,
            l2_squared=part.sensitivity.l2_squared,
        )
        for index, part in enumerate(plan.blocks)
    )
    cells = 1
    for key in plan.keys:
        cells *= len(key.values) if key.values is not None else 1
    return Claim(
        keys=tuple(key.name for key in plan.keys),
        units=names.UNITS if plan.threshold is not None else None,
        max_groups_for_units=plan.threshold.max_groups if plan.threshold is not None else None,
        blocks=blocks,
        cells=max(cells, 1) if plan.public_keys else None,  # an empty domain has at most one
    )
