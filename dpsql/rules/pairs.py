"""A pair's coordinates in SQL: products of the two Bernstein bases, from the values of a row.

Every product names both values, and so is NULL where either is: what is summed and what is
counted are the rows in which both are there.
"""

from __future__ import annotations

from math import comb

from sqlglot import exp

from dpsql.aggregates.basis import PairBlock
from dpsql.rules import names
from dpsql.rules.build import col, integer, paren


def pair_count(index: int) -> exp.Count:
    """COUNT(x * y): rows in which both values are there."""
    return exp.Count(this=exp.Mul(this=col(names.value(index)), expression=col(names.other(index))))


def pair_products(block: PairBlock, index: int) -> list[exp.Expr]:
    """B_i(x) · B_j(y) for every place but (0, 0), which is what the others leave of the total."""
    x, y = names.value(index), names.other(index)
    return [
        _product([*_factors(x, block, 0, i), *_factors(y, block, 1, j)])
        for i, j in block.places[1:]
    ]


def _factors(name: str, block: PairBlock, at: int, power: int) -> list[exp.Expr]:
    """C(d, i), then v i times and (M - v) d - i times."""
    degree, span = block.degrees[at], block.grids[at].span
    times = comb(degree, power)
    factors: list[exp.Expr] = [integer(times)] if times > 1 else []
    factors += [col(name) for _ in range(power)]
    factors += [
        paren(exp.Sub(this=integer(span), expression=col(name))) for _ in range(degree - power)
    ]
    return factors


def _product(factors: list[exp.Expr]) -> exp.Expr:
    result = factors[0]
    for factor in factors[1:]:
        result = exp.Mul(this=result, expression=factor)
    return result
