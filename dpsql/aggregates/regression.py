"""REGR_SLOPE(y, x) and REGR_INTERCEPT(y, x) from the tensor basis of degree 1 in y, 2 in x."""

from __future__ import annotations

from math import inf
from typing import ClassVar

from sqlglot import exp

from dpsql.aggregates.pairs import Array, Bools, Moments, PairFamily, Value, divided


class Regression(PairFamily):
    """The least-squares line; NULL where the noise leaves x no variance."""

    by_node: ClassVar[dict[type[exp.Expr], str]] = {
        exp.RegrSlope: "regr_slope",
        exp.RegrIntercept: "regr_intercept",
    }
    nodes: tuple[type[exp.Expr], ...] = tuple(by_node)
    names: tuple[str, ...] = tuple(by_node.values())

    def degrees(self, fn: str) -> tuple[int, int]:
        return 1, 2

    def statistic(self, fn: str, m: Moments) -> tuple[Array, Bools]:
        y, x, of_x = m.first, m.second, m.c_bb
        defined = m.some & (of_x > 0).astype(bool)
        slope = divided(m.c_ab, of_x, defined) * (y.width / x.width)
        if fn == "regr_slope":
            return slope, defined
        mean_y = y.lo + y.width * divided(m.a, m.n, defined)
        mean_x = x.lo + x.width * divided(m.b, m.n, defined)
        return mean_y - slope * mean_x, defined

    def ends(self, fn: str, first: Value, second: Value) -> tuple[float, float]:
        return -inf, inf


FAMILY = Regression()
