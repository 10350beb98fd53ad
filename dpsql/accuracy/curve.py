"""Expected error against price, for explain: planned at each price, never run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction

from dpsql.accuracy.columns import Candidate, candidates, expected
from dpsql.accuracy.settle import cap_of
from dpsql.core.numbers import MIN_EPSILON
from dpsql.core.targets import CONFIDENCE
from dpsql.errors import InvalidQuery, RefusedQuery
from dpsql.expected import threshold_explanation
from dpsql.explanation import CurvePoint, ErrorCurve
from dpsql.pipeline.plan import Asked, Settled
from dpsql.pipeline.stages import Planned
from dpsql.policy.schema import Policy

_STEPS = (Fraction(1), Fraction(2), Fraction(5))
DROPPED = ("price-too-small", "range-too-wide", "bad-epsilon", "max-epsilon")
"""Why a price has no point: no group could be shown for it, its noise would fit no number, or the
statement may not cost so much. What else refuses the query at another price is a fault."""
_AROUND = 10  # from a tenth of the price to ten times it


def curve(
    planned: Planned,
    index: int,
    asked: Asked,
    plan: Callable[[Asked], Planned],
    policy: Policy,
) -> ErrorCurve | None:
    """Of one release, at prices around its own; None where no column has an error bar."""
    own = planned.plans[index]
    reached = planned.reached.get(index)
    sure = CONFIDENCE if reached is None else reached.confidence
    columns = _columns(planned, index, float(sure))
    if not own.items or not columns:
        return None
    others = {at: Settled(one.epsilon) for at, one in enumerate(planned.plans) if one.items}
    points = []
    for epsilon in _prices(own.epsilon, cap_of(planned.bound, index, asked, policy)):
        law = (own.law,) if epsilon == own.epsilon else None
        prices = {**others, index: Settled(epsilon, law)}
        try:
            found = plan(replace(asked, settled=prices, trial=True)).plans[index]
        except (RefusedQuery, InvalidQuery) as problem:
            if problem.code not in DROPPED:
                raise
            continue
        halves = tuple(expected(found, one, rows, float(sure))[0] for one, rows in columns.values())
        units = None if found.threshold is None else threshold_explanation(found.threshold).even
        points.append(CurvePoint(epsilon, halves, units, epsilon == own.epsilon))
    named = tuple((one.label, rows) for one, rows in columns.values())
    return ErrorCurve(float(sure), named, tuple(points))


def _columns(
    planned: Planned, index: int, sure: float
) -> Mapping[int, tuple[Candidate, int | None]]:
    """Those with a bar, and the rows for which it is told, by place."""
    plan, reached = planned.plans[index], planned.reached.get(index)
    asked_rows = {} if reached is None else {one.place: one.rows for one in reached.columns}
    found: dict[int, tuple[Candidate, int | None]] = {}
    for one in candidates(planned, index):
        half, rows = expected(plan, one, asked_rows.get(one.place), sure)
        if half is not None or rows is not None:
            found[one.place] = (one, rows)
    return found


def _prices(own: Fraction, cap: Fraction) -> list[Fraction]:
    """1, 2, 5, 10, ... around the price, and the price itself."""

    def ladder() -> Iterator[Fraction]:
        for decade in range(-10, 14):
            for step in _STEPS:
                yield step * Fraction(10) ** decade

    low, high = max(own / _AROUND, MIN_EPSILON), min(own * _AROUND, max(cap, own))
    return sorted({own, *(one for one in ladder() if low <= one <= high)})
