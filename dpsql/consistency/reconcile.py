"""Releases of a statement made to add up, before the remainder runs over them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from dpsql import aggregates
from dpsql.aggregates.noisy import Answer, Linear, NoisyBlock, symmetric
from dpsql.canonical import Form
from dpsql.consistency.blocks import Contradiction, Reconciliation, Source, by_text, source
from dpsql.consistency.families import Family, Mode, Node, families
from dpsql.consistency.nonnegative import MAX_CELLS
from dpsql.core.domain import Kind
from dpsql.core.ir import Aggregate
from dpsql.pipeline import storage
from dpsql.pipeline.release_table import with_answers
from dpsql.pipeline.stages import Planned, Release
from dpsql.planning.answer_types import noisy_part
from dpsql.planning.types import ColumnPlan, Plan
from dpsql.policy.schema import Policy
from dpsql.reconciled import Reconciled
from dpsql.wording import spelled

_EXACT = Context(prec=60)
COUNTS = ("count_star", "count", "count_units")
_MANTISSA = 51
_FINEST = 20


def reconciled(
    planned: Planned,
    policy: Policy,
    drawn: Sequence[Release],
    shown: Sequence[Release],
    usual: Mode,
) -> tuple[list[Release], tuple[Reconciled, ...]]:
    """The releases as they are shown, reconciled where that is proved or asked for.

    Precondition: `drawn` are the statement's releases with their coordinates, in their forms'
    order; `shown` the same in their plans'. Postcondition: a function of these, of the plans and of
    `usual` alone: released values and public numbers (docs/proofs/consistency.md). A release whose
    coordinates are not kept is shown as it is.
    """
    tables, told = list(shown), list[Reconciled]()
    found, _ = families(planned, policy, usual)
    for family in found:
        try:
            _reconcile(family, planned, drawn, tables, told)
        except Contradiction:
            continue
    return tables, tuple(sorted(told, key=lambda one: one.release))


def _reconcile(
    family: Family,
    planned: Planned,
    drawn: Sequence[Release],
    tables: list[Release],
    told: list[Reconciled],
) -> None:
    answers: dict[int, dict[int, Answer]] = {}
    notes: list[Reconciled] = []
    for places in by_text(family).values():
        sources = [
            made
            for at, place in places
            if (made := _source(family.nodes[at], planned, drawn, place)) is not None
        ]
        if len(sources) < 2 and not family.nonnegative:
            continue
        whole = Reconciliation(family, sources)
        for at, one in enumerate(sources):
            for index in one.node.plans:
                _columns(whole, at, index, planned, family, answers, notes)
    for index, columns in answers.items():
        answered = with_answers(planned.plans[index], tables[index], columns)
        tables[index] = replace(answered, held=family.nonnegative)
    told += notes


def _source(node: Node, planned: Planned, drawn: Sequence[Release], place: int) -> Source | None:
    index = node.plans[0]
    form: Form = planned.forms[index]
    coordinates = drawn[index].drawn
    if coordinates is None:
        return None
    plan = planned.plans[index]
    return source(node, plan, storage.restored_coords(form, plan, coordinates), place)


def _columns(
    whole: Reconciliation,
    at: int,
    index: int,
    planned: Planned,
    family: Family,
    answers: dict[int, dict[int, Answer]],
    notes: list[Reconciled],
) -> None:
    """The answers of one plan that are read from the block, reconciled."""
    plan, site = planned.plans[index], planned.bound.sites[index]
    one = whole.sources[at]
    for place, column in enumerate(plan.columns):
        if column.block is None or not _reads(whole, at, plan, column):
            continue
        call, part = column.aggregate, plan.blocks[column.block]
        block = noisy_part(part, plan.weight, plan.law, np.zeros((part.block.coordinates, 0)))
        label = spelled(site.columns, call.name, call.fn)
        form = linear_form(column, block)
        single = len(whole.sources) == 1
        positive = family.nonnegative and call.fn in COUNTS
        if form is None or (single and not positive):
            if not single:
                exact = whole.noisy(at, plan, block)
                found = aggregates.for_name(call.fn).combine(call, exact)
                answers.setdefault(index, {})[place] = found
                notes.append(Reconciled(index, label, None, None, resting=family.resting))
            continue
        fits = whole.lattice.cells(range(len(whole.lattice.sizes))) <= MAX_CELLS
        answer, half = _linear(whole, at, form, positive and fits)
        before = form.unit * drawn_width(one, form.linear)
        answers.setdefault(index, {})[place] = answer
        notes.append(Reconciled(index, label, before, half, positive and fits, family.resting))


def _reads(whole: Reconciliation, at: int, plan: Plan, column: ColumnPlan) -> bool:
    """Is the column read from the source's block?"""
    return column.block == whole.sources[at].place


@dataclass(frozen=True)
class Shown:
    """How a linear answer is shown: whole numbers of `linear`, times `unit`; `scale` of decimals.

    `real`: a DOUBLE, whole multiples of a power of two so that doubles add up exactly.
    """

    linear: Linear
    unit: float
    scale: int | None
    real: bool


def linear_form(column: ColumnPlan, block: NoisyBlock) -> Shown | None:
    """None where the answer is no linear form of the coordinates."""
    call, family = column.aggregate, aggregates.for_name(column.aggregate.fn)
    form = family.linear(call, block)
    kind = _kind(call)
    if form is not None and kind is Kind.DECIMAL:
        assert call.arg is not None
        scale = call.arg.domain.type.scale
        return Shown(form, 10.0**-scale, scale, False)
    if form is not None:
        return Shown(form, 1.0, None, False)
    if call.fn == "sum":
        return Shown(block.sum_weights(call.arg), float(block.grid_of(call.arg).unit), None, True)
    return None


def _kind(call: Aggregate) -> Kind | None:
    return call.arg.domain.type.kind if call.fn == "sum" and call.arg is not None else None


def _linear(whole: Reconciliation, at: int, form: Shown, positive: bool) -> tuple[Answer, float]:
    digits = _digits(whole.size(form.linear)) if form.real else 0
    step = 2.0**-digits
    axes = whole.axes[at]
    table = whole.values(form.linear, digits=digits, atleast0=positive)[axes]
    order = whole.sources[at].node.order
    cells = np.transpose(table, order).ravel().tolist() if order else [table.item()]
    values: list[Any] = [int(cell) for cell in cells]
    half = form.unit * whole.half_width(at, form.linear, step)
    if form.real:
        values = [math.ldexp(value, -digits) * form.unit for value in values]
    elif form.scale is not None:
        values = [_EXACT.scaleb(Decimal(value), -form.scale) for value in values]
    low, high = symmetric(values, half)
    if positive:
        low, high = _above_zero(whole, at, form, values, half)
    return Answer(values, low, high), half


def _above_zero(
    whole: Reconciliation, at: int, form: Shown, values: Sequence[Any], half: float
) -> tuple[Any, Any]:
    """The unbiased estimate's interval, cut at 0 below which no count is, with what is shown in it.

    It holds the count whenever the unbiased one does.
    """
    table = whole.values(form.linear)[whole.axes[at]]
    order = whole.sources[at].node.order
    cells = np.transpose(table, order).ravel().tolist() if order else [table.item()]
    centre, shown = np.array(cells, dtype=float), np.array(values, dtype=float)
    low, high = np.maximum(centre - half, 0.0), np.maximum(centre + half, 0.0)
    return np.minimum(low, shown), np.maximum(high, shown)


def _digits(size: float) -> int:
    """Bits after the point, or less than none, with which doubles up to `size` add up exactly."""
    return min(_FINEST, _MANTISSA - max(0, math.ceil(math.log2(size + 1))))


def drawn_width(one: Source, linear: Linear) -> float:
    from dpsql.mechanisms.interval import half_width

    weights, divisor = linear
    terms = [Fraction(weight) / divisor for weight in weights]
    return half_width(one.law, terms, [one.scale] * len(weights))
