"""Which rows an aggregate reads."""

from __future__ import annotations

from dpsql.aggregates.basis import Rows
from dpsql.core.domain import Kind
from dpsql.core.ir import Aggregate, Expr


def rows_of(aggregate: Aggregate) -> Rows:
    """Rows passing FILTER whose argument has a value: NULL, NaN and infinities are none.

    A float may be NaN even where the schema says NOT NULL, so its presence is always checked.
    """
    doubtful = [arg for arg in pair_of(aggregate) if not _certain(arg)]
    doubtful = list(dict.fromkeys(doubtful))
    present, also = (*doubtful, None, None)[:2]
    return Rows(aggregate.where, present, also)


def pair_of(aggregate: Aggregate) -> tuple[Expr, ...]:
    """The arguments, two of them in an order of their own: CORR(a, b) is CORR(b, a)."""
    given = [arg for arg in (aggregate.arg, aggregate.other) if arg is not None]
    return tuple(sorted(given, key=repr))


def _certain(arg: Expr) -> bool:
    return not arg.domain.nullable and arg.domain.type.kind is not Kind.FLOAT
