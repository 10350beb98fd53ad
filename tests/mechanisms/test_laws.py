"""The cells, their table, and the exact decisions that finish what the floats leave open."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest

from dpsql.mechanisms import entropy
from dpsql.mechanisms.laws import (
    EXPONENTIAL,
    HALF_GAUSSIAN,
    exact_accept,
    exact_cell,
    table,
)
from dpsql.mechanisms.lazy import LazyUniform, scaled_floor

LAWS = pytest.mark.parametrize("law", [EXPONENTIAL, HALF_GAUSSIAN], ids=["laplace", "gaussian"])
TOP = (1 << 64) - 1


def true_cumulative(law):
    with mpmath.workdps(60):
        weights = [mpmath.exp(-mpmath.mpf(n) / d) for n, d in map(law.weight, range(3000))]
        total = mpmath.fsum(weights)
        below, sums = mpmath.mpf(0), []
        for weight in weights[:1500]:
            below += weight
            sums.append(below / total)
        return sums


@LAWS
def test_table_is_the_cumulative_probability(law):
    sums = true_cumulative(law)
    entries = table(law).tolist()
    assert entries == [int(mpmath.floor(s * 2**32)) for s in sums[: len(entries)]]
    assert entries[-1] == 2**32 - 1
    assert entries == sorted(entries)


@LAWS
def test_exact_cell_agrees_with_the_table_where_it_decides(law):
    words = (entropy.words(400) >> np.uint64(32)).astype(np.uint32)
    bounds = table(law)
    cells = bounds.searchsorted(words)
    clear = bounds[cells] != words
    assert clear.sum() > 390
    for word, cell in zip(words[clear].tolist(), cells[clear].tolist(), strict=True):
        assert exact_cell(law, word) == cell


@LAWS
def test_a_word_equal_to_the_table_is_decided_by_further_bits(law, script_words):
    entry = int(table(law)[3])
    script_words(0)
    assert exact_cell(law, entry) == 3
    script_words(TOP)
    assert exact_cell(law, entry) == 4


@LAWS
def test_the_tail_has_no_end(law, script_words):
    sums = true_cumulative(law)
    script_words(TOP, 0)  # U = 1 - 2^-96: far beyond the last entry of the table
    cell = exact_cell(law, 2**32 - 1, 32)
    assert cell > len(table(law))
    with mpmath.workdps(60):
        assert 1 - sums[cell] < mpmath.mpf(2) ** -96 <= 1 - sums[cell - 1]


@LAWS
def test_float_gamma_is_close_to_the_exact_one(law):
    cells = np.arange(0, 1000, 7)
    prefix = entropy.words(len(cells)) >> np.uint64(11)
    floats = law.gamma_float(cells.astype(float), prefix * 2.0**-53)
    for cell, bits, value in zip(cells.tolist(), prefix.tolist(), floats.tolist(), strict=True):
        exact = Fraction(*law.gamma(cell, bits, 53))
        assert abs(Fraction(value) - exact) < Fraction(1, 2**46)


def test_the_assumption_on_exp():
    """|np.exp(-x) - exp(-x)| < 2^-41 on [0, 1], and far beyond it relative to the value."""
    points = np.concatenate([np.linspace(0, 1, 3000), entropy.words(3000) * 2.0**-64])
    with mpmath.workdps(40):
        for x, value in zip(points.tolist(), np.exp(-points).tolist(), strict=True):
            assert abs(mpmath.mpf(value) - mpmath.exp(-mpmath.mpf(x))) < mpmath.mpf(2) ** -50


@LAWS
def test_gamma_is_the_change_of_the_exponent(law):
    for cell, prefix in [(0, 3), (5, 1), (90, 7)]:
        h_left = Fraction(*law.weight(cell))
        # weight(v) is h(v / 16) and holds for every multiple of 1/8 by going to finer cells
        fine = Fraction(*law.weight(8 * cell + prefix))
        h_right = fine / (8 if law is EXPONENTIAL else 64)
        assert Fraction(*law.gamma(cell, prefix, 3)) == h_right - h_left


@LAWS
def test_exact_accept_decides_as_real_numbers_do(law):
    for _ in range(100):
        cell = int(entropy.words(1)[0] % np.uint64(60))
        prefix = int(entropy.words(1)[0]) >> 11
        coin = int(entropy.words(1)[0]) >> 32
        gamma = Fraction(*law.gamma(cell, prefix, 53))
        expected = Fraction(coin, 2**32) < Fraction(float(mpmath.exp(-float(gamma))))
        got = exact_accept(law, cell, LazyUniform(prefix, 53), LazyUniform(coin, 32))
        assert got == expected


@LAWS
@pytest.mark.parametrize("coin_word", [0, TOP])
def test_a_coin_on_the_edge_is_decided_by_further_bits(law, script_words, coin_word):
    prefix = 1 << 52
    gamma = Fraction(*law.gamma(2, prefix, 53))
    with mpmath.workdps(40):
        edge = int(mpmath.exp(-mpmath.mpf(gamma.numerator) / gamma.denominator) * 2**32)
    position, coin = LazyUniform(prefix, 53), LazyUniform(edge, 32)
    script_words(12345, coin_word)
    assert exact_accept(law, 2, position, coin) == (coin_word == 0)
    # The position keeps the bits that the decision has drawn.
    assert (position.prefix, position.bits) == (prefix << 64 | 12345, 117)


def test_scaled_floor_extends_at_a_boundary(script_words):
    # 3 * (1 + u) crosses 4 at u = 1/3 = 0.0101...: the prefix 0101 0101 cannot tell.
    for word, expected in [(0, 3), (TOP, 4)]:
        script_words(word)
        assert scaled_floor(1, LazyUniform(0b01010101, 8), Fraction(3), Fraction(0)) == expected


def test_scaled_floor_excludes_its_right_end():
    # u in [1/2, 1): 2 u + 1/2 lies in [3/2, 5/2), which needs bits; 2 u in [1, 2) does not.
    assert scaled_floor(0, LazyUniform(1, 1), Fraction(2), Fraction(0)) == 1
