"""A mechanism that is priced for less than a unit can do makes no plan."""

from __future__ import annotations

from fractions import Fraction

import pytest

from dpsql.core.bounds import Sensitivity
from dpsql.errors import InternalError
from dpsql.mechanisms.bound_choice import BoundChoice
from dpsql.mechanisms.centred import CentredGaussian
from dpsql.mechanisms.gaussian import GaussianMechanism
from dpsql.mechanisms.laplace import LaplaceMechanism
from dpsql.planning.types import BlockPlan, covers

MOVED = Sensitivity(2, 5, 10, 50)  # L0, Linf, L1, L2²


@pytest.mark.parametrize(
    ("law", "enough"),
    [
        (LaplaceMechanism(Fraction(7), 10, 1), True),
        (LaplaceMechanism(Fraction(7), 9, 1), False),
        (LaplaceMechanism(Fraction(7), 5, 2), True),
        (LaplaceMechanism(Fraction(7), 4, 3), False),
        (LaplaceMechanism(Fraction(7), 5, 1), False),
        (GaussianMechanism(Fraction(7), 50), True),
        (GaussianMechanism(Fraction(7), 49), False),
        (CentredGaussian(Fraction(7), 1250, 3, 4), True),
        (CentredGaussian(Fraction(7), 1225, 3, 4), False),
        (BoundChoice(Fraction(1), 3), False),
    ],
)
def test_what_is_priced_covers_what_is_moved(law, enough):
    assert covers(law, MOVED) is enough
    if not enough:
        with pytest.raises(InternalError):
            BlockPlan(None, MOVED, law)


def test_a_choice_is_for_one_unit_in_one_place():
    assert covers(BoundChoice(Fraction(1), 3), Sensitivity(1, 1, 1, 1))
