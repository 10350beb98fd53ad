"""COVAR_POP and COVAR_SAMP from the tensor basis of degrees (1, 1)."""

from __future__ import annotations

from typing import ClassVar

from sqlglot import exp

from dpsql.aggregates.pairs import Array, Bools, Moments, PairFamily, Value, divided


class Covariance(PairFamily):
    """NULL where the noisy count is ≤ 0 (≤ 1 for SAMP); held within what the ranges allow."""

    by_node: ClassVar[dict[type[exp.Expr], str]] = {
        exp.CovarPop: "covar_pop",
        exp.CovarSamp: "covar_samp",
    }
    nodes: tuple[type[exp.Expr], ...] = tuple(by_node)
    names: tuple[str, ...] = tuple(by_node.values())

    def degrees(self, fn: str) -> tuple[int, int]:
        return 1, 1

    def statistic(self, fn: str, m: Moments) -> tuple[Array, Bools]:
        less = m.row if fn == "covar_samp" else 0
        defined = (m.n > less).astype(bool)
        found = divided(m.c_ab, m.n * (m.n - less), defined)
        return found * (m.first.width * m.second.width), defined

    def ends(self, fn: str, first: Value, second: Value) -> tuple[float, float]:
        """|cov| ≤ σa·σb ≤ width·width/4 (Cauchy and Schwarz, Popoviciu); n/(n-1) ≤ 2."""
        most = first.width * second.width / (2 if fn == "covar_samp" else 4)
        return -most, most


FAMILY = Covariance()
