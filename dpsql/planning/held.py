"""Which columns of an answer keep their error bar: those whose found bounds hold.

A bound that was found far too low, for lack of people or of ε, gives an answer near 0 with little
noise: its bar would be small, and wrong. So the choice counts whom it cuts, and where that may be
too large a share there is no bar (docs/proofs/automatic_bounds.md, 5).

Precondition: a plan with awaited bounds, and of each the law and the release of its choice.
Postcondition: a function of released numbers and public ones.
"""

from __future__ import annotations

from collections.abc import Sequence

from dpsql.aggregates.basis import UnitsBlock
from dpsql.core.ir import Expr
from dpsql.errors import InternalError
from dpsql.mechanisms.bound_choice import BoundChoice, Cut, holds
from dpsql.mechanisms.bound_size import enough
from dpsql.planning.types import Awaited, Plan

_COUNTS = ("count", "count_star", "count_units", "regr_count")


def barless(plan: Plan, laws: Sequence[BoundChoice], cuts: Sequence[Cut]) -> frozenset[int]:
    """The columns that a bound which does not hold has a say in, by their places."""
    broken = {
        value
        for value, places in _by_value(plan.awaited).items()
        if not holds([laws[at] for at in places], [cuts[at] for at in places])
    }
    return frozenset(place for place in range(len(plan.columns)) if _bounds(plan, place) & broken)


def choice_law(plan: Plan) -> BoundChoice:
    """The mechanism of a plan that is the choice of a bound."""
    (law,) = (part.mechanism for part in plan.blocks)
    if plan.choice is None or not isinstance(law, BoundChoice):
        raise InternalError("a bound is awaited of what chooses none", code="internal")
    return law


def enough_people(awaited: Sequence[Awaited], laws: Sequence[BoundChoice]) -> int:
    """About how many units it takes until every one of the bounds holds: a public number."""
    return max(
        enough([laws[at].epsilon for at in places]) for places in _by_value(awaited).values()
    )


def _by_value(awaited: Sequence[Awaited]) -> dict[Expr | None, list[int]]:
    """Both ends of a range are one bound; that of rows is of no value (None)."""
    found: dict[Expr | None, list[int]] = {}
    for at, one in enumerate(awaited):
        found.setdefault(one.choice.value, []).append(at)
    return found


def _bounds(plan: Plan, place: int) -> set[Expr | None]:
    """What bounds a column: the rows of a unit, and the range of what is summed."""
    column = plan.columns[place]
    if column.block is None or isinstance(plan.blocks[column.block].block, UnitsBlock):
        return set()
    call = column.aggregate
    return {None} if call.fn in _COUNTS else {None, call.arg}
