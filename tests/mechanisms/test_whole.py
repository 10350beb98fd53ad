"""Integer columns: 64 bits, Python's integers and fractions give the same to the last digit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpsql.aggregates.whole import combined, largest, nearest, quotient, times

NUMBERS = st.one_of(
    st.integers(-5, 5), st.integers(-(2**53) - 2, 2**53 + 2), st.integers(-(2**63), 2**63 - 1)
)
COLUMNS = st.lists(NUMBERS, min_size=1, max_size=6)
WEIGHTS = st.one_of(st.integers(-3, 3), st.integers(-(2**70), 2**70))
DIVISORS = st.fractions(min_value=Fraction(1, 2**40), max_value=2**70)


def both(column):
    """A column as 64 bits and as Python's integers."""
    return np.array(column, dtype=np.int64), np.array(column, dtype=object)


@given(st.lists(WEIGHTS, min_size=2, max_size=2), COLUMNS, st.data())
def test_sums_are_exact(weights, first, data):
    second = data.draw(st.lists(NUMBERS, min_size=len(first), max_size=len(first)))
    true = [weights[0] * a + weights[1] * b for a, b in zip(first, second, strict=True)]
    for kind in (np.int64, object):
        rows = np.array([first, second], dtype=kind)
        assert combined(weights, rows).tolist() == true


@given(COLUMNS, WEIGHTS)
def test_products_are_exact(column, factor):
    for form in both(column):
        assert times(form, factor).tolist() == [one * factor for one in column]


@given(COLUMNS, DIVISORS)
def test_the_nearest_integer_ties_away_from_zero(column, divisor):
    def true(one):
        ratio = abs(Fraction(one) / divisor) + Fraction(1, 2)
        return (ratio.numerator // ratio.denominator) * (-1 if one < 0 else 1)

    for form in both(column):
        assert nearest(form, divisor).tolist() == [true(one) for one in column]


@given(COLUMNS, st.data())
def test_quotients_are_the_nearest_doubles(top, data):
    size = len(top)
    bottom = data.draw(st.lists(NUMBERS.filter(bool), min_size=size, max_size=size))
    true = [a / b for a, b in zip(top, bottom, strict=True)]
    for over, under in zip(both(top), both(bottom), strict=True):
        assert quotient(over, under).tolist() == true
    assert quotient(both(top)[0], bottom[0]).tolist() == [a / bottom[0] for a in top]


@pytest.mark.parametrize("column", [[], [-(2**63), 5], [2**63 - 1, -7]])
def test_the_largest_value_is_no_overflow(column):
    assert largest(np.array(column, dtype=np.int64)) == max(map(abs, column), default=0)
