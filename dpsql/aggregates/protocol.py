"""What an aggregate's file provides."""

from __future__ import annotations

from typing import Protocol

from sqlglot import exp

from dpsql.aggregates.basis import Need, ResultType
from dpsql.aggregates.noisy import Answer, Linear, NoisyBlock
from dpsql.core.ir import Aggregate


class Family(Protocol):
    """One family of aggregates: how it is read, what it needs, how noise becomes an answer."""

    nodes: tuple[type[exp.Expr], ...]
    """sqlglot classes it reads."""
    names: tuple[str, ...]
    """`Aggregate.fn` values it answers."""

    def fn(self, node: exp.Expr) -> str:
        """The `Aggregate.fn` of a call with one argument."""

    def need(self, aggregate: Aggregate) -> Need:
        """The statistic it is computed from."""

    def result_type(self, aggregate: Aggregate) -> ResultType:
        """The column's type, as the plain engine would give it."""

    def linear(self, aggregate: Aggregate, noisy: NoisyBlock) -> Linear | None:
        """An exact answer, counted in its type's last digit; None where it is no linear form."""

    def combine(self, aggregate: Aggregate, noisy: NoisyBlock) -> Answer:
        """Values and 95 % intervals from noisy coordinates alone: post-processing."""

    def expected_error(self, aggregate: Aggregate, noisy: NoisyBlock) -> float | None:
        """Root mean squared noise error before any data is read; None where it depends on it."""
