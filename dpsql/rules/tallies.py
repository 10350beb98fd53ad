"""A tally in SQL: the class of a row, and what it counts in each class.

    CASE WHEN p1 THEN 1 WHEN p2 THEN 2 ELSE 0 END
    CASE WHEN v = 1 THEN 65536 ELSE 0 END

The first condition that is true decides, so a row is in one class, whatever the conditions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import exp

from dpsql.aggregates.basis import TallyBlock
from dpsql.rules import names
from dpsql.rules.build import col, integer, paren

if TYPE_CHECKING:
    from dpsql.rules.source import Sources


def tally_class(block: TallyBlock, sources: Sources) -> exp.Expr:
    """0..d, never NULL: the first of the tests that the row passes, 0 for none."""
    steps = [
        exp.If(this=paren(sources.expr(test)), true=integer(place))
        for place, test in enumerate(block.tests, start=1)
    ]
    return exp.Case(ifs=steps, default=integer(0))


def tally_parts(block: TallyBlock, index: int) -> list[exp.Expr]:
    """What a row counts in each class but the rest, which is what they leave of the total."""
    return [
        exp.Case(
            ifs=[
                exp.If(
                    this=exp.EQ(this=col(names.value(index)), expression=integer(place)),
                    true=integer(block.steps),
                )
            ],
            default=integer(0),
        )
        for place in range(1, block.coordinates)
    ]
