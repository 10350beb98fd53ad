"""Names in sight of one SELECT, and expressions over one row: listed parts only, nothing hidden."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.facts import Column, Relation
from dpsql.certify.grammar import FUNCTIONS, SCALAR
from dpsql.certify.reader import fold

Place = tuple[str, str]
"""(folded alias of a source, folded column name)."""


@dataclass(slots=True)
class Serials:
    """Fresh numbers for columns, values and levels of one statement."""

    _count: itertools.count[int] = field(default_factory=itertools.count)

    def __call__(self) -> int:
        return next(self._count)


@dataclass(slots=True)
class Scope:
    """Columns by place. `single`: the one derived relation read, if it is the only source."""

    sources: Mapping[str, Mapping[str, Column]]
    serials: Serials
    single: Relation | None = None

    def place(self, node: exp.Expr | None) -> Place | None:
        """Where a bare column reference points; None for any other expression."""
        if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
            return None
        alias = fold(node.table)
        if not alias:
            require(len(self.sources) == 1, "columns say which source they are of")
            (alias,) = self.sources
        name = fold(node.name)
        if name not in self.sources.get(alias, {}):
            refuse("every column is one of a source in sight")
        return alias, name

    def at(self, place: Place) -> Column:
        return self.sources[place[0]][place[1]]

    def column(self, node: exp.Expr | None) -> Column | None:
        """The column a bare reference names, None for any other expression."""
        place = self.place(node)
        return None if place is None else self.at(place)

    def check(self, root: exp.Expr) -> list[Column]:
        """The columns an expression over one row reads. Refuses all that is not such a one."""
        found: list[Column] = []
        stack = [root]
        while stack:
            node = stack.pop()
            if type(node) not in SCALAR or node.args.get("query") is not None:
                refuse("scalar expressions hold no aggregate, window or query")
            if isinstance(node, exp.Column):
                column = self.column(node)
                if column is None:
                    refuse("columns are plain")
                require(not column.barred, column.barred)
                found.append(column)
                continue
            if isinstance(node, exp.Anonymous):
                require(str(node.this).upper() in FUNCTIONS, "a function is not on the list")
            for value in node.args.values():
                if isinstance(value, exp.Expr):
                    stack.append(value)
                elif isinstance(value, list):
                    stack += [child for child in value if isinstance(child, exp.Expr)]
        return found
