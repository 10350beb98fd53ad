"""certify: the text that will be sent is read again, by code that shares nothing with its maker."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

from dpsql.certify import (
    BlockClaim,
    Claim,
    DistinctClaim,
    HistogramClaim,
    certify,
    certify_choice,
    certify_distinct,
    certify_from_cells,
    certify_histogram,
    normal_form,
)
from dpsql.errors import InternalError
from dpsql.pipeline.stages import Certified, Rewritten
from dpsql.planning.types import Plan
from dpsql.policy.schema import Policy
from dpsql.rules import names
from dpsql.rules.kept import SCHEMA

if TYPE_CHECKING:
    from dpsql.dialects.engine import Engine


def run(
    rewritten: Rewritten, *, policy: Policy, engine: Engine, cells: Engine | None = None
) -> tuple[Certified, ...]:
    """Raises InternalError where the two derivations disagree: what is not certified never runs.

    `cells`: where kept cells lie.
    """
    catalog = rewritten.planned.bound.catalog
    done = []
    for plan, sql, counted, paired, kept in zip(
        rewritten.planned.plans,
        rewritten.statements,
        rewritten.histograms,
        rewritten.distincts,
        rewritten.kept,
        strict=True,
    ):
        if sql:
            normal = normal_form(sql, engine.dialect, catalog)
            certify(normal, claim(plan), policy=policy, catalog=catalog)
            if plan.choice is not None:
                certify_choice(normal)
        elif plan.choice is not None:
            raise InternalError("the choice of a bound has no statement", code="certify")
        for text, told in zip(counted, histogram_claims(plan), strict=True):
            normal = normal_form(text, engine.dialect, catalog)
            certify_histogram(normal, told, policy=policy, catalog=catalog)
        for text, listed in zip(paired, distinct_claims(plan), strict=True):
            normal = normal_form(text, engine.dialect, catalog)
            certify_distinct(normal, listed, policy=policy, catalog=catalog)
        if kept is not None:
            certify_from_cells(
                kept.sql,
                claim(plan),
                place=(SCHEMA, kept.offer.table),
                definition=kept.offer.definition,
                policy=policy,
                catalog=catalog,
            )
        made = Certified(plan, sql, counted, paired, kept)
        timeout = policy.limits.timeout_seconds
        bind = all(engine.binds(text, timeout=timeout) for text in made.texts)
        if kept is not None:
            bind = bind and cells is not None and cells.binds(kept.sql, timeout=timeout)
        if not bind:
            raise InternalError("the bounded statement does not fit the database", code="binding")
        done.append(made)
    return tuple(done)


def histogram_claims(plan: Plan) -> list[HistogramClaim]:
    """What the mechanisms of each histogram were calibrated for: those that claim the least."""
    found = []
    for part in plan.histograms:
        laws = part.laws
        found.append(
            HistogramClaim(
                keys=tuple(key.name for key in plan.keys),
                bin=names.BIN,
                weight=names.TOTAL,
                bins=min(law.bins for law in laws),
                most=min(law.sensitivity for law in laws),
                groups=min(law.cells for law in laws),
                cells=_cells(plan),
            )
        )
    return found


def distinct_claims(plan: Plan) -> list[DistinctClaim]:
    """What the mechanism of each count of values was calibrated for."""
    return [
        DistinctClaim(
            keys=tuple(key.name for key in plan.keys),
            unit=names.OWNER,
            value=names.ITEM,
            most=part.bounds.max_rows_per_group,
            groups=part.mechanism.cells,
            cells=_cells(plan),
        )
        for part in plan.distincts
    ]


def _cells(plan: Plan) -> int | None:
    """Cells of the public key domain; an empty one has at most one. None for private keys."""
    if not plan.public_keys:
        return None
    return max(prod(len(key.values or ()) for key in plan.keys), 1)


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
    return Claim(
        keys=tuple(key.name for key in plan.keys),
        units=names.UNITS if plan.threshold is not None else None,
        max_groups_for_units=plan.threshold.max_groups if plan.threshold is not None else None,
        blocks=blocks,
        cells=_cells(plan),
    )
