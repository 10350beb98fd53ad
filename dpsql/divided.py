"""How the ε of a release is divided among its blocks, and why, for explain."""

from __future__ import annotations

from dpsql.explanation import DivisionExplanation
from dpsql.planning.noise import reach, spread
from dpsql.planning.types import Plan

_NO_GAIN = 1.01


def division_explanation(plan: Plan) -> DivisionExplanation | None:
    """None where there is nothing to divide: one block, or none.

    What equal parts would give is worked out from the plan's own noise: of n blocks, one of the
    part x has noise that goes as 1/x under Laplace, as 1/√x under Gaussian.
    """
    division = plan.division
    if division is None or len(plan.blocks) < 2:
        return None
    spreads = [spread(part) / plan.weight for part in plan.blocks]
    count, power = len(plan.blocks), 1.0 if plan.law == "laplace" else 0.5
    shares = division.shares([reach(part) for part in plan.blocks], plan.law)
    equal = [
        one * float(share * count) ** power for one, share in zip(spreads, shares, strict=True)
    ]
    known = division.known
    gain = division.error(equal) / (division.error(spreads) or 1.0)
    why = (
        "for the least error of what the query shows of these answers"
        if known
        else "so that these answers have the same relative error: what is made of them is not known"
    )
    if known and gain > _NO_GAIN:
        why += f"; with equal parts it would be {gain:.2f} times as large"
    return DivisionExplanation(known, why + " (sizes as in the middle of the ranges)", gain)
