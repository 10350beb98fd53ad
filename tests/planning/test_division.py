"""The closed forms of planning/division.py, against search by brute force."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planning_world import World

from dpsql.aggregates.basis import Grid, MomentsBlock, Rows, SumBlock
from dpsql.core.domain import INTEGER, Domain, Interval
from dpsql.core.ir import Aggregate, Col
from dpsql.planning.division import CENTRED, Division, relative

SIZES = st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=4)
LAWS = ("laplace", "gaussian")


def spreads(law, reaches, shares):
    """Standard deviations, up to a factor: D/ε under Laplace, D/√x under Gaussian noise."""
    power = 1.0 if law == "laplace" else 0.5
    return [reach / float(share) ** power for reach, share in zip(reaches, shares, strict=True)]


@pytest.mark.parametrize("law", LAWS)
@given(roots=SIZES, data=st.data())
def test_no_other_division_is_better(law, roots, data):
    """Whole shares cost less than 1 % of the error; moving any part of them never gains more."""
    reaches = data.draw(st.lists(st.floats(1, 1e4), min_size=len(roots), max_size=len(roots)))
    division = Division(tuple(roots), True, Fraction(len(roots)))
    shares = division.shares(reaches, law)
    best = division.error(spreads(law, reaches, shares))
    for one, other in itertools.permutations(range(len(roots)), 2):
        for part in (0.01, 0.1, 0.5):
            moved = [float(share) for share in shares]
            moved[other] += part * moved[one]
            moved[one] *= 1 - part
            assert best <= 1.01 * division.error(spreads(law, reaches, moved))


@pytest.mark.parametrize("law", LAWS)
@given(roots=SIZES)
def test_unknown_use_gives_all_the_same_relative_error(law, roots):
    reaches = [7.0] * len(roots)
    shares = Division(tuple(roots), False, Fraction(1)).shares(reaches, law)
    errors = [r * s for r, s in zip(roots, spreads(law, reaches, shares), strict=True)]
    # A share is at least 1/4096 or so: beyond it errors cannot be equal, but smaller.
    worst = max(errors)
    assert all(
        error == pytest.approx(worst, rel=0.2) or share < Fraction(1, 500)
        for error, share in zip(errors, shares, strict=True)
    )


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("law", LAWS)
@given(roots=st.lists(st.floats(0, 1e300), min_size=1, max_size=5), data=st.data())
def test_shares_are_exact_and_positive(law, known, roots, data):
    reaches = data.draw(st.lists(st.floats(1, 1e30), min_size=len(roots), max_size=len(roots)))
    shares = Division(tuple(roots), known, Fraction(1)).shares(reaches, law)
    assert sum(shares) == 1
    assert min(shares) > 0


def test_equals_get_equal_parts():
    for law, known in itertools.product(LAWS, (True, False)):
        division = Division((0.3, 0.3, 0.3), known, Fraction(3))
        assert division.shares([5.0, 5.0, 5.0], law) == [Fraction(1, 3)] * 3


# ---- relative variances ----------------------------------------------------------------------

WHOLE = Col(0, "x", Domain(INTEGER, Interval(Fraction(0), Fraction(40))))


def means(grid: Grid, coords: np.ndarray) -> np.ndarray:
    u, v = coords
    return grid.lo + grid.span * v / (u + v)


@pytest.mark.parametrize("turn", [None, CENTRED, (1, 1), (5, 2)])
def test_the_variance_of_a_mean(turn):
    """By numbers: means of groups with values anywhere in the range, noise of variance 1."""
    grid, rows = Grid(Fraction(1), 0, 40), 1_000
    block = MomentsBlock(Rows(None, None), WHOLE, grid, 1)
    rng, squares = np.random.default_rng(5), []
    for p in (np.arange(200) + 0.5) / 200:
        u, v = rows * grid.span * (1 - p), rows * grid.span * p
        a, b = rng.normal(size=(2, 2_000))
        if turn is None:
            noisy = np.array([u + a, v + b])
        else:
            total, difference = u + v + a / turn[0], v - u + b / turn[1]
            noisy = np.array([(total - difference) / 2, (total + difference) / 2])
        squares.append(np.mean((means(grid, noisy) - grid.span * p) ** 2))
    told = relative(Aggregate("a", "avg", WHOLE, None), block, turn)
    assert told == pytest.approx(np.mean(squares) / 20**2, rel=0.02)


def test_the_best_turn_of_a_mean():
    """(3, 4) is within 0.1 % of the best ratio, and 3.3 % below the error of (M - y, y)."""

    def error(turn):
        block = MomentsBlock(Rows(None, None), WHOLE, Grid(Fraction(1), 0, 40), 1)
        size = 1 if turn is None else turn[0] ** 2 + turn[1] ** 2
        return math.sqrt(size * relative(Aggregate("a", "avg", WHOLE, None), block, turn))

    best = min(error((t, 1_000)) for t in range(100, 3_000, 10))
    assert error(CENTRED) <= 1.001 * best
    assert error(CENTRED) < 0.967 * error(None)
    assert error((1, 1)) == pytest.approx(error(None))


def test_a_sum_is_told_relative_to_the_middle_of_its_range():
    block = SumBlock(Rows(None, None), WHOLE, Grid(Fraction(1), 0, 40))
    call = Aggregate("a", "sum", WHOLE, None)
    assert relative(call, block) == pytest.approx(1 / (1_000 * 20) ** 2)


def test_variances_fall_with_the_rows(world: World) -> None:
    """VAR of values spread evenly, by numbers: 24 over (rows · M²)²."""
    plan = world.planned("SELECT VAR_POP(age) FROM people").plans[0]
    (part,) = plan.blocks
    rng, each = np.random.default_rng(6), 1_000 * part.block.row_total / 3
    noise = rng.normal(size=(3, 100_000)) * 1e4
    a, b, c = each + noise
    n = a + b + c
    variances = c / n - ((b / 2 + c) / n) ** 2
    told = relative(plan.columns[0].aggregate, part.block) * 1e8
    assert told == pytest.approx(np.var(variances) * 144, rel=0.03)
