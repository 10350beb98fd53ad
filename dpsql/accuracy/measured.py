"""Percentages of magnitudes that nobody states: a small paid look first, then the answer.

Two statements, two charges, one after the other. The first asks the same question at a small price
that is known beforehand (`settle.FIRST_SHARE` of the usual one). The second's price is worked out
from what the first *released*, and from nothing else of the data; so it is a query chosen after an
answer was seen, for which the filter holds (docs/proofs/accuracy.md). Each price depends on its own
plan alone, as everywhere.

A column's magnitude is the median over the groups shown of |value| less its half-width, of the
first look's 95 % bars: with 97.5 % probability no more than the group's true size.
"""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np

from dpsql.binding.interval_ends import HIGH, LOW
from dpsql.core.numbers import MIN_EPSILON
from dpsql.core.targets import FirstLook
from dpsql.errors import Error, InvalidQuery
from dpsql.pipeline.computed_bars import formulas_of, interval, line_value
from dpsql.pipeline.plan import Asked, Looked
from dpsql.pipeline.stages import Planned, Release


def is_first(planned: Planned) -> bool:
    """Is it the small look that a percentage takes first?"""
    return any(one.first for one in planned.reached.values())


def after(asked: Asked, planned: Planned, tables: Sequence[Release]) -> Asked:
    """What to ask after the first look. InvalidQuery `magnitude-unknown` where it was too noisy,
    `max-epsilon` where nothing is left of what the analyst allows.
    """
    looked = Looked(
        magnitudes(planned, tables),
        {index: one.epsilon for index, one in planned.reached.items()},
    )
    whole = asked.aims.max_epsilon
    if whole is None:
        return replace(asked, looked=looked)
    drawn = dict(zip(planned.fingerprints, planned.plans, strict=True))
    left = whole - sum((plan.epsilon for plan in drawn.values() if plan.items), Fraction(0))
    if left < MIN_EPSILON:
        raise InvalidQuery(
            "the first look takes all that max_epsilon allows",
            code="max-epsilon",
            hint="allow more (--max-epsilon), or state the magnitude (--magnitude 20000)",
        )
    return replace(asked, aims=replace(asked.aims, max_epsilon=left), looked=looked)


def enough(first: Planned, second: Planned) -> bool:
    """Has the first look met the target already? Then there is nothing more to ask."""
    return all(one.epsilon <= first.reached[index].epsilon for index, one in second.reached.items())


def magnitudes(planned: Planned, tables: Sequence[Release]) -> dict[tuple[int, int], Fraction]:
    """By aggregate and column. InvalidQuery `magnitude-unknown`."""
    found = {}
    for index, reached in planned.reached.items():
        for one in reached.columns:
            if one.limit is None:
                size = _magnitude(*_seen(planned, index, one.place, tables[index]))
                if size is None:
                    raise _unknown(one.name)
                found[index, one.place] = size
    return found


_Column = Sequence[Any]


def _seen(
    planned: Planned, index: int, place: int, release: Release
) -> tuple[_Column, _Column, _Column]:
    """What was released of a column: its values, and both ends of their intervals."""
    plan, table = planned.plans[index], release.table
    if place < len(plan.columns):
        name = plan.columns[place].aggregate.name
        value, low, high = (table.column(name + end).to_pylist() for end in ("", LOW, HIGH))
        return value, low, high
    one = formulas_of(planned.bound.remainder, planned.plans)[1][place - len(plan.columns)]
    middle = line_value(table, one.top)
    if one.bottom is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            middle = middle / line_value(table, one.bottom)
    ends = interval(release, plan, one)
    value, low, high = (part.tolist() for part in (middle, *ends))
    return value, low, high


def _magnitude(values: _Column, lows: _Column, highs: _Column) -> Fraction | None:
    """None where the noise hides it."""
    sizes: list[Fraction] = []
    for value, low, high in zip(values, lows, highs, strict=True):
        if None not in (value, low, high) and _is_number(value) and _finite(value):
            half = (Fraction(high) - Fraction(low)) / 2 if _finite(low, high) else None
            sizes.append(Fraction(0) if half is None else abs(Fraction(value)) - half)
    middle = statistics.median(sizes) if sizes else Fraction(0)
    return middle if middle > 0 else None


def _is_number(value: object) -> bool:
    return not isinstance(value, (bool, str)) and hasattr(value, "__float__")


def _finite(*values: float) -> bool:
    return all(map(math.isfinite, values))


def _unknown(name: str) -> InvalidQuery:
    return InvalidQuery(
        f"the first look cannot tell how large {name} is: the noise hides it",
        code="magnitude-unknown",
        hint="state the magnitude (--magnitude 20000), or ask for an error in its own units",
    )


def first_look(
    planned: Planned,
    paid: tuple[Fraction, Fraction],
    found: Mapping[tuple[int, int], Fraction],
    refused: Error | None = None,
) -> FirstLook:
    """What the report tells of it. `refused`: why nothing was asked after it."""
    named = {
        one.name: float(found[index, one.place])
        for index, reached in planned.reached.items()
        for one in reached.columns
        if (index, one.place) in found
    }
    sizes = tuple(named.items())
    if refused is None:
        return FirstLook(*paid, sizes)
    why = f"{refused.message}; {refused.hint}" if refused.hint else refused.message
    return FirstLook(*paid, sizes, why, refused.code, refused.exit_code)


def second_id(request_id: object) -> str | None:
    """The second statement's request, of one that its analyst named."""
    if request_id is None:
        return None
    return "after:" + hashlib.sha256(str(request_id).encode()).hexdigest()
