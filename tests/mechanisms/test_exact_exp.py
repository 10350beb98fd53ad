from __future__ import annotations

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpsql.mechanisms.exact_exp import exp_minus


def check(numerator: int, denominator: int, bits: int) -> None:
    low, high = exp_minus(numerator, denominator, bits)
    with mpmath.workprec(bits * 2 + 200):
        truth = mpmath.exp(-mpmath.mpf(numerator) / denominator) * mpmath.mpf(2) ** bits
        assert low <= truth <= high
    assert high - low <= 3


@settings(max_examples=300)
@given(
    st.integers(0, 10**9),
    st.integers(1, 10**9),
    st.sampled_from([8, 32, 53, 64, 96, 117, 256, 600]),
)
def test_encloses_the_exponential(numerator, denominator, bits):
    check(numerator, denominator, bits)


@pytest.mark.parametrize("bits", [8, 64, 300])
@pytest.mark.parametrize(
    ("numerator", "denominator"),
    [(0, 1), (1, 10**40), (10**40, 10**40 + 1), (44, 1), (63, 1), (299, 1), (700, 3)],
)
def test_encloses_at_the_edges(numerator, denominator, bits):
    check(numerator, denominator, bits)


def test_a_huge_exponent_costs_nothing():
    assert exp_minus(10**30, 1, 64) == (0, 1)


@pytest.mark.parametrize(("numerator", "denominator"), [(-1, 2), (1, 0), (1, -3)])
def test_refuses_what_is_no_rational_of_at_least_zero(numerator, denominator):
    with pytest.raises(ValueError, match="rational"):
        exp_minus(numerator, denominator, 64)
