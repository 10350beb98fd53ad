"""How well a contribution bound can be found at a price: public numbers, before any draw.

`BoundChoice` draws by them; `check`, `init` and `explain` tell by them how many people it takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil

SHARE = Fraction(1, 10)
"""Of a query's ε, for all of its bounds together (benchmarks/joins.py)."""
STEP = Fraction(3, 4)
"""What a step up the candidates costs, in nats: a public prior for small bounds.

A candidate j steps beyond the last unit's is e^(-3j/4) times as likely as the one there, so a
bound far above all data is never drawn (benchmarks/joins.py).
"""
COUNTED = Fraction(1, 4)
"""Of the price, for the count of units within the bound and beyond it.

It costs the answers of benchmarks/joins.py 2 % in error, on average.
"""
MOST_CUT = Fraction(1, 5)
"""A bound holds if it cuts no larger share of the units that have anything to be bounded."""


def margin(prices: Sequence[Fraction]) -> float:
    """What the sum of so many choices' counts is off by at the most, on one side at 97.5 %."""
    from dpsql.mechanisms.interval import half_width

    return half_width("laplace", [1.0] * len(prices), [1 / (each * COUNTED) for each in prices])


def enough(prices: Sequence[Fraction]) -> int:
    """About how many units it takes until the bounds found at these prices are seen to hold.

    A few times STEP / ε of them are cut where the data thin out, as numbers do that double within
    some steps; the places to climb must be worth as many, which is known of nobody's data.
    """
    share = float(MOST_CUT / (1 - MOST_CUT))
    cut = 4 * float(sum(STEP / (each * (1 - COUNTED)) for each in prices))
    off = margin(prices)
    return ceil((cut + off) / share + off + cut)
