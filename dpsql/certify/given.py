"""Tables that come beside the text: lists of public values, as rows. Nobody's, whatever they hold.

    SELECT UNNEST(CAST($given_0_c0 AS T[])) AS c0, ...
    SELECT c0, MIN(c1) AS c1, ... FROM (the above) AS g GROUP BY 1, ...
    SELECT MIN(c0) AS c0, ... FROM (the above) AS g HAVING COUNT(*) > 0

The lists are not known here and nothing is taken from them: a column has its type, and of the
second form the grouping columns name at most one row, of the third no column is needed to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.facts import Column
from dpsql.certify.kinds import kind_of_type
from dpsql.certify.reader import fold, whole
from dpsql.certify.scope import Serials
from dpsql.certify.spans import of_type


@dataclass(frozen=True, slots=True)
class GivenTable:
    """A table of public values. `keys`: columns that name at most one row; None: rows repeat."""

    columns: Mapping[str, Column]
    keys: frozenset[str] | None


def given_table(node: exp.Expr, serials: Serials) -> GivenTable | None:
    """The table that a FROM item's SELECT makes of given lists; None where it reads anything."""
    if type(node) is not exp.Select:
        return None
    if _has_lists(node):
        return GivenTable(_lists(node, serials), None)
    first = node.args.get("from_")
    inner = first.this.this if first is not None and isinstance(first.this, exp.Subquery) else None
    if type(inner) is not exp.Select or not _has_lists(inner):
        return None
    require(not node.args.get("joins") and not node.args.get("where"), "a given table is plain")
    return _unique(node, _lists(inner, serials))


def _has_lists(node: exp.Select) -> bool:
    return any(isinstance(item.unalias(), exp.Explode) for item in node.expressions)


def _lists(node: exp.Select, serials: Serials) -> dict[str, Column]:
    """Every column one list, of one type that is known."""
    used = {name for name, value in node.args.items() if value}
    require(used == {"expressions"}, "given lists are read alone")
    columns: dict[str, Column] = {}
    for item in node.expressions:
        rows = item.unalias()
        require(isinstance(rows, exp.Explode), "given lists are read alone")
        type_ = rows.this.to.expressions[0]
        column = Column(serials(), None, kind_of_type(type_), by_unit=False, span=of_type(type_))
        _add(columns, item, column)
    return columns


def _unique(node: exp.Select, inner: dict[str, Column]) -> GivenTable:
    """One row for each value of the grouping columns, or one row at most."""
    group, having = node.args.get("group"), node.args.get("having")
    size = len(group.expressions) if group is not None else 0
    if group is None:
        require(having is not None and _some(having.this), "a given row is there, or not")
    else:
        require(having is None, "a given table is plain")
        ordinals = [whole(term) for term in group.expressions]
        require(ordinals == list(range(1, size + 1)), "GROUP BY names the first columns by place")
    columns: dict[str, Column] = {}
    keys = set()
    for index, item in enumerate(node.expressions):
        value = item.unalias()
        if index >= size:
            require(isinstance(value, exp.Min), "a given row is the one of its key")
            value = value.this
        name = fold(value.name) if isinstance(value, exp.Column) else ""
        if name not in inner:
            refuse("every column is one of a source in sight")
        column = inner[name]
        require(index >= size or column.exact, "a key's equality is identity")
        shown = _add(columns, item, column)
        if index < size:
            keys.add(shown)
    return GivenTable(columns, frozenset(keys))


def _some(node: exp.Expr) -> bool:
    """Is it COUNT(*) > 0?"""
    if type(node) is not exp.GT or type(node.this) is not exp.Count:
        return False
    return isinstance(node.this.this, exp.Star) and whole(node.args["expression"]) == 0


def _add(columns: dict[str, Column], item: exp.Expr, column: Column) -> str:
    name = fold(item.alias_or_name)
    require(bool(name) and name not in columns, "column names differ")
    columns[name] = column
    return name
