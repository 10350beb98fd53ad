"""What reconciling will gain, from plans alone: for explain."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dpsql.consistency.blocks import Reconciliation, Source, by_text
from dpsql.consistency.families import Family, Left, Mode, families
from dpsql.consistency.nonnegative import MAX_CELLS
from dpsql.consistency.reconcile import COUNTS, drawn_width, linear_form
from dpsql.pipeline.stages import Planned
from dpsql.planning.answer_types import noise_scale, noisy_part
from dpsql.policy.schema import Policy
from dpsql.reconciled import Reconciled
from dpsql.wording import spelled


def expected(
    planned: Planned, policy: Policy, usual: Mode
) -> tuple[tuple[Reconciled, ...], tuple[Left, ...]]:
    """Linear answers with their half-widths as drawn and reconciled; what is left as drawn."""
    found, left = families(planned, policy, usual)
    told: list[Reconciled] = []
    for family in found:
        for places in by_text(family).values():
            if len(places) > 1 or family.nonnegative:
                told += _block(family, planned, places)
    return tuple(sorted(told, key=lambda one: one.release)), left


def _block(family: Family, planned: Planned, places: list[tuple[int, int]]) -> list[Reconciled]:
    sources = [_undrawn(family, planned, at, place) for at, place in places]
    whole = Reconciliation(family, sources)
    fits = whole.lattice.cells(range(len(whole.lattice.sizes))) <= MAX_CELLS
    told = []
    for at, one in enumerate(sources):
        index = one.node.plans[0]
        plan, site = planned.plans[index], planned.bound.sites[index]
        part = plan.blocks[one.place]
        block = noisy_part(part, plan.weight, plan.law, np.zeros((part.block.coordinates, 0)))
        for column in plan.columns:
            call = column.aggregate
            form = linear_form(column, block) if column.block == one.place else None
            positive = fits and family.nonnegative and call.fn in COUNTS
            if form is None or (len(sources) == 1 and not positive):
                continue
            before = form.unit * drawn_width(one, form.linear)
            after = form.unit * whole.half_width(at, form.linear, 0.0 if form.real else 1.0)
            label = _label(spelled(site.columns, call.name, call.fn), planned, index)
            told.append(Reconciled(index, label, before, after, positive, family.resting))
    return told


def _label(call: str, planned: Planned, index: int) -> str:
    plan, columns = planned.plans[index], planned.bound.sites[index].columns
    keys = [spelled(columns, key.name, key.expr) for key in plan.keys]
    return f"{call} by {', '.join(keys)}" if keys else f"{call} in all"


def _undrawn(family: Family, planned: Planned, at: int, place: int) -> Source:
    node = family.nodes[at]
    plan = planned.plans[node.plans[0]]
    sizes = [family.sizes[axis] for axis in node.axes]
    nothing = np.zeros((1, *sizes), dtype=np.int64)
    return Source(node, place, nothing, 1, plan.law, noise_scale(plan.blocks[place]), plan.weight)


def remarks(left: tuple[Left, ...], numbers: Mapping[int, int]) -> list[str]:
    """Of what is shown as drawn, why: one sentence a reason."""
    reasons: dict[str, list[int]] = {}
    for one in left:
        if one.plan in numbers:
            reasons.setdefault(one.why, []).append(numbers[one.plan])
    return [f"{_listed(sorted(set(which)))} as drawn: {why}" for why, which in reasons.items()]


def _listed(which: list[int]) -> str:
    return f"release{'s' if len(which) > 1 else ''} {', '.join(map(str, which))}"
