"""CORR and REGR_R2, its square, from the tensor basis of degrees (2, 2)."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from sqlglot import exp

from dpsql.aggregates.noisy import Answer, NoisyBlock
from dpsql.aggregates.pairs import Array, Bools, Moments, PairFamily, Value, divided
from dpsql.core.ir import Aggregate


class Correlation(PairFamily):
    """NULL where the noise leaves no variance; within -1 to 1, REGR_R2 within 0 to 1."""

    by_node: ClassVar[dict[type[exp.Expr], str]] = {exp.Corr: "corr", exp.RegrR2: "regr_r2"}
    nodes: tuple[type[exp.Expr], ...] = tuple(by_node)
    names: tuple[str, ...] = tuple(by_node.values())

    def degrees(self, fn: str) -> tuple[int, int]:
        return 2, 2

    def statistic(self, fn: str, m: Moments) -> tuple[Array, Bools]:
        together, of_a, of_b = m.c_ab, m.c_aa, m.c_bb
        defined = m.some & (of_a > 0).astype(bool) & (of_b > 0).astype(bool)
        square = divided(together * together, of_a * of_b, defined).astype(float)
        if fn == "corr":
            signs = np.where((together < 0).astype(bool), -1.0, 1.0)
            return signs * np.sqrt(square), defined
        # SQL's own rule: a value that does not vary is explained wholly.
        flat = m.some & (of_b > 0).astype(bool) & (of_a == 0).astype(bool)
        return np.where(flat, 1.0, square), defined | flat

    def combine(self, aggregate: Aggregate, noisy: NoisyBlock) -> Answer:
        """R² has the bar of CORR, squared: 0 is its low end where CORR may be of either sign."""
        answer = super().combine(aggregate, noisy)
        if aggregate.fn == "corr":
            return answer
        of_corr = super().combine(replace(aggregate, fn="corr"), noisy)
        low, high = np.square(of_corr.low), np.square(of_corr.high)
        either = (of_corr.low <= 0) & (of_corr.high >= 0)
        return Answer(
            answer.values, np.where(either, 0.0, np.minimum(low, high)), np.maximum(low, high)
        )

    def ends(self, fn: str, first: Value, second: Value) -> tuple[float, float]:
        return (-1.0 if fn == "corr" else 0.0), 1.0


FAMILY = Correlation()
