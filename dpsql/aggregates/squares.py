"""REGR_SXX, REGR_SYY and REGR_SXY: sums of squares and products around the means."""

from __future__ import annotations

from math import inf
from typing import ClassVar

from sqlglot import exp

from dpsql.aggregates.pairs import Array, Bools, Moments, PairFamily, Value, divided

_DEGREES = {"regr_sxx": (1, 2), "regr_syy": (2, 1), "regr_sxy": (1, 1)}


class Squares(PairFamily):
    """n times the variance of x, of y, or their covariance; NULL where the noisy count is ≤ 0."""

    by_node: ClassVar[dict[type[exp.Expr], str]] = {
        exp.RegrSxx: "regr_sxx",
        exp.RegrSyy: "regr_syy",
        exp.RegrSxy: "regr_sxy",
    }
    nodes: tuple[type[exp.Expr], ...] = tuple(by_node)
    names: tuple[str, ...] = tuple(by_node.values())

    def degrees(self, fn: str) -> tuple[int, int]:
        return _DEGREES[fn]

    def statistic(self, fn: str, m: Moments) -> tuple[Array, Bools]:
        y, x, defined = m.first, m.second, m.some
        if fn == "regr_sxy":
            found, unit = m.c_ab, x.width * y.width
        elif fn == "regr_sxx":
            found, unit = m.c_bb, x.width * x.width
        else:
            found, unit = m.c_aa, y.width * y.width
        return divided(found, m.n * m.row, defined) * unit, defined

    def ends(self, fn: str, first: Value, second: Value) -> tuple[float, float]:
        return (-inf if fn == "regr_sxy" else 0.0), inf


FAMILY = Squares()
