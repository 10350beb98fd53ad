"""The arithmetic of the derivation: polynomials on a range, vertices of a unit's part."""

from __future__ import annotations

from itertools import product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpsql.certify.bounds import Form, RowSum, sensitivity
from dpsql.certify.facts import ONE, Capped, Clamped, Number, Pair, Poly, Share, Weighted
from dpsql.errors import InternalError

_SMALL = st.integers(-6, 6)


@given(_SMALL, _SMALL, _SMALL, _SMALL, st.integers(0, 8))
def test_a_range_holds_all_values_at_integers(
    c0: int, c1: int, c2: int, lo: int, width: int
) -> None:
    least, most = Poly(c0, c1, c2).range(lo, lo + width)
    values = [c0 + c1 * v + c2 * v * v for v in range(lo, lo + width + 1)]
    assert least <= min(values)
    assert max(values) <= most
    assert (least, most) == (min(values), max(values)) or c2


@given(_SMALL, _SMALL, _SMALL, _SMALL, _SMALL)
def test_products_of_lines(a: int, b: int, c: int, d: int, v: int) -> None:
    found = Poly(a, b) * Poly(c, d)
    assert found.c0 + found.c1 * v + found.c2 * v * v == (a + b * v) * (c + d * v)


def test_a_cube_is_refused() -> None:
    with pytest.raises(InternalError):
        Poly(0, 1) * Poly(0, 0, 1)


@given(st.integers(1, 5), st.integers(1, 4), st.integers(1, 9), st.integers(1, 4))
def test_weighted_cells_at_their_worst(cell: int, row: int, total: int, groups: int) -> None:
    """Against all integer parts of a unit: x_i ≤ cell, Σ x_i ≤ total, at most `groups` cells."""
    value = Number(0, 0, row)
    atom = Weighted(Share(1, total, cell), value, Poly(0, 1))
    found = sensitivity([{atom: 1}], groups)
    worst = [0, 0, 0]
    for parts in product(range(min(cell, total) + 1), repeat=groups):
        if sum(parts) <= total:
            moved = [x * row for x in parts]
            worst[0] = max(worst[0], *moved)
            worst[1] = max(worst[1], sum(moved))
            worst[2] = max(worst[2], sum(x * x for x in moved))
    assert worst[0] <= found.linf
    assert worst[1] <= found.l1
    assert worst[2] <= found.l2_squared
    assert found.l0 <= groups


def test_lone_coordinates() -> None:
    value = Number(0, -3, 5)
    row: Form = {RowSum(value, Poly(0, 1)): 2}
    assert sensitivity([row], 4).linf == 10
    assert sensitivity([{Capped(1, value, ONE, 7): -1}], 4).l1 == 28
    assert sensitivity([{Clamped(9, -4, 3): 1}], 2).l2_squared == 32


def _joint(top: int, hi: int) -> list[Form]:
    value = Number(0, 0, hi)
    count, total = RowSum(value, ONE), RowSum(value, Poly(0, 1))
    return [{count: top, total: -1}, {total: 1}]


def test_a_joint_basis_moves_by_its_row_total() -> None:
    assert sensitivity(_joint(9, 9), 3).l1 == 27
    with pytest.raises(InternalError):
        sensitivity(_joint(8, 9), 3)


def test_shapes_that_are_not_understood_are_refused() -> None:
    value, other = Number(0, 0, 9), Number(1, 0, 9)
    count, total = RowSum(value, ONE), RowSum(value, Poly(0, 1))
    twice = RowSum(value, Poly(0, 2))
    foreign = RowSum(other, Poly(0, 1))
    clamped = Clamped(5, 0, 9)
    for forms in (
        [{count: 9, total: -1}, {total: 2}],
        [{count: 9, total: -2}, {total: 1}],
        [{count: 9, total: 1}, {total: 1}],
        [{count: 9}, {total: 1}],
        [{total: 1}, {count: 9, total: -1}],
        [{count: 9, foreign: -1}, {foreign: 1}],
        [{count: 9, total: -1, foreign: -1}, {total: 1}],
        [{count: 9, clamped: -1}, {clamped: 1}],
        [{count: 18, total: -1, twice: -1}, {total: 1}, {twice: 1}],
        [{count: 9, total: -1}, {total: 1}, {total: 1}],
        [{count: -9, total: -1}, {total: 1}],
        [{count: 9, total: -1}],
        [{}],
    ):
        with pytest.raises(InternalError):
            sensitivity(forms, 1)
    with pytest.raises(InternalError):
        sensitivity([{count: 1}], None)


# ---- two values ------------------------------------------------------------------------------


_BOX = st.tuples(st.integers(-4, 4), st.integers(0, 5))


@given(st.lists(_SMALL, min_size=9, max_size=9), _BOX, _BOX)
def test_a_range_over_a_box_holds_all_values(
    cs: list[int], x: tuple[int, int], y: tuple[int, int]
) -> None:
    poly = Poly(cs[0], cs[1], cs[2], (cs[3], cs[4], cs[5]), (cs[6], cs[7], cs[8]))
    (lo, width), (low, height) = x, y
    least, most = poly.range_of_pair((lo, lo + width), (low, low + height))
    values = [
        sum(row[i] * v**i * w**k for k, row in enumerate(poly.rows) for i in range(3))
        for v in range(lo, lo + width + 1)
        for w in range(low, low + height + 1)
    ]
    assert least <= min(values)
    assert max(values) <= most


@given(*[_SMALL] * 6)
def test_products_over_two_values(a: int, b: int, c: int, d: int, v: int, w: int) -> None:
    found = Poly(a, b) * Poly(c, d).of_second()
    value = sum(row[i] * v**i * w**k for k, row in enumerate(found.rows) for i in range(3))
    assert value == (a + b * v) * (c + d * w)


@pytest.mark.parametrize("degrees", [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_the_tensor_basis_is_tight(degrees: tuple[int, int]) -> None:
    """Bernstein coefficients of a Bernstein basis are 0 and 1: the derivation loses nothing."""
    x, y = Number(0, 0, 7), Number(1, 0, 5)
    total = 7 ** degrees[0] * 5 ** degrees[1]
    sums = [
        RowSum(Pair(x, y), _bernstein(i, degrees[0], 7) * _bernstein(j, degrees[1], 5).of_second())
        for i in range(degrees[0] + 1)
        for j in range(degrees[1] + 1)
    ][1:]
    count = RowSum(Pair(x, y), ONE)
    forms: list[Form] = [{count: total, **dict.fromkeys(sums, -1)}, *({s: 1} for s in sums)]
    assert sensitivity(forms, 3).l1 == 3 * total
    forms[0] = {count: total - 1, **dict.fromkeys(sums, -1)}
    with pytest.raises(InternalError):
        sensitivity(forms, 3)


def _bernstein(i: int, degree: int, span: int) -> Poly:
    poly = Poly(comb(degree, i))
    for _ in range(i):
        poly = poly * Poly(0, 1)
    for _ in range(degree - i):
        poly = poly * Poly(span, -1)
    return poly
