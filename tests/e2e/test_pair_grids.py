"""Grids of two values: one row's coordinates fit, whole units where they do, never too coarse."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpsql.core.domain import FLOAT, INTEGER, Interval, decimal
from dpsql.errors import RefusedQuery
from dpsql.planning.grids import make_pair_grids

WEIGHT = 2**16


def grids(kinds, spans, degrees, rows=1):
    bounds = tuple(Interval(Fraction(lo), Fraction(hi)) for lo, hi in spans)
    return make_pair_grids(
        kinds, bounds, degrees=degrees, rows=rows, weight=WEIGHT, epsilon=Fraction(1)
    )


def test_small_values_keep_their_units():
    age, wage = grids((INTEGER, decimal(10, 2)), ((0, 120), (0, 5000)), (2, 1), rows=100)
    assert (age.unit, age.span) == (1, 120)
    assert (wage.unit, wage.span) == (Fraction(1, 100), 500_000)


def test_a_wide_value_beside_a_small_one_is_read_coarsely():
    age, income = grids((INTEGER, FLOAT), ((0, 120), (0, 10**6)), (2, 2), rows=10)
    assert age.unit == 1
    assert income.span == 2_000_000  # 2^22 at the most: 61 bits less those of the ages


_ENDS = st.tuples(st.integers(-(10**9), 10**9), st.integers(1, 10**12))
_KIND = st.sampled_from([INTEGER, FLOAT, decimal(18, 2)])


@given(_KIND, _KIND, _ENDS, _ENDS, st.sampled_from([(1, 1), (1, 2), (2, 2)]), st.integers(1, 4_000))
def test_one_row_of_one_unit_fits(a, b, x, y, degrees, rows):
    spans = [(lo, lo + width) for lo, width in (x, y)]
    found = grids((a, b), spans, degrees, rows)
    row = found[0].span ** degrees[0] * found[1].span ** degrees[1]
    assert row <= 2**61
    assert row * rows * WEIGHT * 2**48 <= 2**126
    for grid, (lo, hi) in zip(found, spans, strict=True):
        assert grid.lo * grid.unit <= lo
        assert hi <= grid.hi * grid.unit


def test_a_grid_of_few_steps_is_refused():
    with pytest.raises(RefusedQuery) as caught:
        grids((FLOAT, FLOAT), ((0, 1), (0, 1)), (2, 2), rows=2**30)
    assert caught.value.code == "range-too-wide"
