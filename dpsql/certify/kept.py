"""A table of kept cells is what its definition says: a bounded private relation, read as one.

The definition is the statement whose rows the table holds. It is read by the very code that reads a
subquery, so that what is known of the table's columns (whose they are, how far they reach, which of
them rank a unit's cells) is derived from it anew for each statement, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.facts import Capped, Clamped, Rank, Relation, Unit, Weighted, WeightedSum

_BOUNDED = (Capped, Clamped, Weighted, WeightedSum)


@dataclass(frozen=True, slots=True)
class KeptTable:
    """Where the table is written (schema, name), and its definition."""

    schema: str
    name: str
    definition: exp.Select

    def named_by(self, node: exp.Table) -> bool:
        """Does the text read this table? By its exact name, without a database before it."""
        schema, name = node.args.get("db"), node.this
        return (
            isinstance(schema, exp.Identifier)
            and isinstance(name, exp.Identifier)
            and (schema.this, name.this) == (self.schema, self.name)
            and node.args.get("catalog") is None
        )

    def relation(self, read: Callable[[exp.Expr], Relation]) -> Relation:
        """What is known of its rows; `read` derives a relation from its SELECT."""
        found = read(self.definition)
        check_cells(found)
        return found


def check_cells(relation: Relation) -> None:
    """Refuse unless the rows are bounded cells, one for each unit and keys, with their ranks."""
    keys = relation.keys
    if keys is None:
        refuse("kept cells are cells: a unit has one for each of its keys")
    ranks = 0
    for column in relation.columns.values():
        require(not column.barred, column.barred)
        if column.serial in keys:
            require(column.exact, "equal keys are the same bytes")
            continue
        ranks += isinstance(column.fact, Rank)
        known = isinstance(column.fact, (Unit, Rank, *_BOUNDED))
        require(known, "kept cells hold units, keys, ranks and bounded sums alone")
    require(ranks == 1, "kept cells are ranked once")
