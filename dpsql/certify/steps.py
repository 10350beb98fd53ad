"""A function of a row's class: a table of integers over a few whole numbers.

    CASE WHEN p1 THEN 1 WHEN p2 THEN 2 ELSE 0 END      a value in 0..2, never NULL
    CASE WHEN v = 1 THEN 65536 ELSE 0 END              of that value v: 65536 at 1, 0 elsewhere

Sums of such functions of one value are added up point by point: that of each row, being at one
point, is at most the largest of the table.

Precondition: an expression over one column, of the shapes above. Postcondition: a table of all
points at which it is not 0, at most `MOST`, whose entries are its exact values; None where it is
of another shape.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from dpsql.certify.polys import Poly
from dpsql.certify.reader import bare, whole

MOST = 1_000
"""Points of a table."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Values at lo, lo + 1, ... of a value that lies nowhere else."""

    lo: int
    values: tuple[int, ...]

    def times(self, factor: int) -> Steps:
        return Steps(self.lo, tuple(factor * value for value in self.values))


Function = Poly | Steps
"""Of a row's value, or of two."""


def less(one: Function, other: Function) -> Function:
    """one - other, of one value. Two tables are of the same points, being of the same value."""
    if isinstance(one, Poly) and isinstance(other, Poly):
        return one - other
    points = one if isinstance(one, Steps) else other
    assert isinstance(points, Steps)
    both = zip(_at(one, points), _at(other, points), strict=True)
    return Steps(points.lo, tuple(a - b for a, b in both))


def _at(function: Function, points: Steps) -> tuple[int, ...]:
    if isinstance(function, Steps):
        return function.values
    places = range(points.lo, points.lo + len(points.values))
    return tuple(function.c0 + function.c1 * at + function.c2 * at * at for at in places)


def one_step(node: exp.Case) -> tuple[exp.Expr, int, int] | None:
    """(x, c, a) of CASE WHEN x = c THEN a ELSE 0 END, all but x whole numbers."""
    branches, otherwise = node.args["ifs"], node.args.get("default")
    if node.this is not None or len(branches) != 1 or otherwise is None or whole(otherwise) != 0:
        return None
    test, then = bare(branches[0].this), whole(branches[0].args["true"])
    if type(test) is not exp.EQ or then is None:
        return None
    at = whole(test.args["expression"])
    return None if at is None else (test.this, at, then)


def table(lo: int, hi: int, at: int, value: int) -> Steps | None:
    """`value` at `at`, 0 at the other points of lo..hi; None where there are too many."""
    if hi - lo >= MOST:
        return None
    return Steps(lo, tuple(value if point == at else 0 for point in range(lo, hi + 1)))
