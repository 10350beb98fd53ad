"""The statement behind the choice of a bound: by one key, counts that only rise with units.

`certify` has shown that a unit moves one group, by 1. Which way is told here: the mechanism counts
on scores that all move one way when a unit joins (docs/proofs/automatic_bounds.md).
"""

from __future__ import annotations

from sqlglot import exp

from dpsql.certify.claim import require
from dpsql.certify.reader import bare


def check_choice(root: exp.Select) -> None:
    """Refuse unless the outputs are one key and one COUNT of a column, without sign or factor."""
    require(len(root.expressions) == 2, "a choice gives a place and the units in it")
    key, count = (bare(item.unalias()) for item in root.expressions)
    require(type(key) is exp.Column, "a choice's place is a column")
    require(
        type(count) is exp.Count and type(bare(count.this)) is exp.Column and not count.expressions,
        "a choice counts: one more unit lowers no count",
    )
