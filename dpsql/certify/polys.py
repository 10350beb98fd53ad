"""Polynomials with integer coefficients in the value of a row, or in the two values of a pair."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from dpsql.certify.claim import refuse

Coefficients = tuple[int, int, int]
_NONE: Coefficients = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Poly:
    """c0 + c1·v + c2·v², and for a pair (v, w) also w·(c3 of v) + w²·(c4 of v)."""

    c0: int = 0
    c1: int = 0
    c2: int = 0
    c3: Coefficients = _NONE
    c4: Coefficients = _NONE

    @property
    def rows(self) -> tuple[Coefficients, Coefficients, Coefficients]:
        """Coefficients of w^0, w^1, w², each a polynomial in v."""
        return (self.c0, self.c1, self.c2), self.c3, self.c4

    def of_second(self) -> Poly:
        """The same polynomial, in w."""
        return Poly(self.c0, 0, 0, (self.c1, 0, 0), (self.c2, 0, 0))

    def __add__(self, other: Poly) -> Poly:
        return _poly(
            [
                [a + b for a, b in zip(x, y, strict=True)]
                for x, y in zip(self.rows, other.rows, strict=True)
            ]
        )

    def __sub__(self, other: Poly) -> Poly:
        return self + other.times(-1)

    def times(self, factor: int) -> Poly:
        return _poly([[c * factor for c in row] for row in self.rows])

    def __mul__(self, other: Poly) -> Poly:
        """Refuses what has a cube in it."""
        found = [[0] * 3 for _ in range(3)]
        for k, row in enumerate(self.rows):
            for m, column in enumerate(other.rows):
                for i, a in enumerate(row):
                    for j, b in enumerate(column):
                        if not a * b:
                            continue
                        if i + j > 2 or k + m > 2:
                            refuse("a row's value is squared at most")
                        found[k + m][i + j] += a * b
        return _poly(found)

    def range(self, lo: int, hi: int) -> tuple[Fraction, Fraction]:
        """Least and greatest value over the reals lo..hi: at the ends or at the vertex."""
        ends = [Fraction(self.c0 + self.c1 * v + self.c2 * v * v) for v in (lo, hi)]
        if self.c2:
            vertex = Fraction(-self.c1, 2 * self.c2)
            if lo < vertex < hi:
                ends.append(self.c0 + self.c1 * vertex + self.c2 * vertex * vertex)
        return min(ends), max(ends)

    def range_of_pair(
        self, first: tuple[int, int], second: tuple[int, int]
    ) -> tuple[Fraction, Fraction]:
        """Bounds over the box: a polynomial lies between its least and greatest Bernstein
        coefficient there (Lorentz 1953), of degree 2 in each variable."""
        by_v = [_bernstein([Fraction(c) for c in row], *first) for row in self.rows]
        found = [c for at in range(3) for c in _bernstein([row[at] for row in by_v], *second)]
        return min(found), max(found)


def _bernstein(c: list[Fraction], lo: int, hi: int) -> list[Fraction]:
    """c0 + c1·v + c2·v² in the basis (1-t)², 2t(1-t), t² of v = lo + t·(hi - lo)."""

    def value(v: int) -> Fraction:
        return c[0] + c[1] * v + c[2] * v * v

    return [value(lo), c[0] + c[1] * Fraction(lo + hi, 2) + c[2] * lo * hi, value(hi)]


def _poly(rows: list[list[int]]) -> Poly:
    (c0, c1, c2), second, third = rows
    return Poly(c0, c1, c2, (second[0], second[1], second[2]), (third[0], third[1], third[2]))


ONE = Poly(1)
