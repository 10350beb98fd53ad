"""What cannot be a group key of a release: the unit, and values of types without a treatment."""

from __future__ import annotations

from collections.abc import Iterable

from dpsql.binding.select import PrivateSelect
from dpsql.core.domain import Kind
from dpsql.core.ir import Expr, columns


def check_keys(select: PrivateSelect, keys: Iterable[Expr]) -> None:
    """RefusedQuery `unit-as-key` and `key-type`."""
    context = select.context
    for key in keys:
        if any(select.is_unit(column) for column in columns(key)):
            word = context.policy.unit
            context.refuse(
                select.node.args.get("group") or select.node,
                "unit-as-key",
                f"the {word} cannot be a group key: each group would be one {word}",
                f"group by an attribute of the {word} instead, or count with"
                f" COUNT(DISTINCT {select.block.unit.name})",
            )
        if key.domain.type.kind is Kind.OPAQUE:
            context.refuse(
                select.node.args.get("group") or select.node,
                "key-type",
                "a column of this type cannot be a group key here",
                "numbers, text, booleans, dates and timestamps without time zone can",
            )
