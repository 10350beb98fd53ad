"""Which rows an aggregate reads."""

from __future__ import annotations

from dpsql.aggregates.basis import Rows
from dpsql.core.domain import Kind
from dpsql.core.ir import Aggregate


def rows_of(aggregate: Aggregate) -> Rows:
    """Rows passing FILTER whose argument has a value: NULL, NaN and infinities are none.

    A float may be NaN even where the schema says NOT NULL, so its presence is always checked.
    """
    arg = aggregate.arg
    certain = arg is None or (not arg.domain.nullable and arg.domain.type.kind is not Kind.FLOAT)
    return Rows(aggregate.where, None if certain else arg)
