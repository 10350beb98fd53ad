"""What of an error can still be had where a budget does not cover the one that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from dpsql.accuracy.columns import columns_of, met
from dpsql.accuracy.prices import Prices
from dpsql.accuracy.settle import targets_of
from dpsql.accuracy.words import expected
from dpsql.pipeline.plan import Asked, Settled
from dpsql.pipeline.stages import Planned

Fits = Callable[[Sequence[Any]], bool]
"""Whether what is left covers these privacy events."""


def reachable(
    planned: Planned, asked: Asked, plan: Callable[[Asked], Planned], fits: Fits
) -> tuple[Fraction, str] | None:
    """(ε, the errors at it) of the largest price that is covered, of a statement of one release.

    None where nothing is, or where several releases would share what is left.
    """
    if len(planned.plans) != 1 or 0 not in planned.reached:
        return None
    law, target = planned.plans[0].law, targets_of(planned.bound, asked).get(0)
    prices = Prices(planned.plans[0].epsilon)
    low, high, found = prices.first - 1, prices.last, None
    while high - low > 1 and target is not None:
        middle = (low + high) // 2
        price = {0: Settled(prices.at(middle), (law,))}
        tried = plan(replace(asked, settled=price, trial=True))
        if fits(tried.plans[0].items):
            low, found = middle, tried
        else:
            high = middle
    if found is None or target is None:
        return None
    known = None if asked.looked is None else asked.looked.magnitudes
    told = met(found.plans[0], columns_of(found, 0, target, known), target)
    return found.plans[0].epsilon, ", ".join(f"{one.name} {expected(one)}" for one in told[:4])


def way_out(found: tuple[Fraction, str]) -> str:
    return f"what is left covers ε = {float(found[0]):.3g}: {found[1]}"
