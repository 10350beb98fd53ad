"""Levels of a statement apart: one SELECT over one derived relation, and the cap on its groups.

Precondition: a SELECT of the listed grammar over one derived relation whose facts are known.
Postcondition: its outputs by name, each a column below as it is, or refused; a cap says in how many
groups of its keys one unit's rows lie at the most, whatever other units have.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from dpsql.certify.cells import check_ranking
from dpsql.certify.claim import refuse, require
from dpsql.certify.facts import Column, Relation, Unit
from dpsql.certify.reader import bare, conjuncts, fold, name_of, whole
from dpsql.certify.scope import Scope

APART = "a ranking tells all groups apart"


@dataclass(frozen=True, slots=True)
class Level:
    """One SELECT over one derived relation: its outputs by name, in order, and what it reads."""

    node: exp.Select
    outputs: dict[str, exp.Expr]

    def plain(self, name: str) -> str:
        """The name of the column below that an output shows as it is."""
        node = bare(self.outputs[name])
        if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
            refuse("columns are handed on as they are")
        return fold(str(node.this.this))


def level(node: exp.Select, stars: Relation | None = None) -> Level:
    """`stars`: what * stands for."""
    require(not node.args.get("joins"), "levels read one relation each")
    outputs: dict[str, exp.Expr] = {}
    for item in node.expressions:
        if isinstance(item, exp.Star):
            if stars is None:
                refuse("* stands for one derived relation")
            outputs.update({name: exp.column(name) for name in stars.columns})
            continue
        name = name_of(item)
        require(name not in outputs, "output names differ")
        outputs[name] = item.unalias()
    return Level(node, outputs)


def below(node: exp.Select) -> exp.Select:
    """The level that this one reads."""
    source = node.args.get("from_")
    inner = source.this.this if source and isinstance(source.this, exp.Subquery) else None
    if type(inner) is not exp.Select or inner.args.get("having") or inner.args.get("group"):
        refuse("levels drop and merge no rows but by rank")
    return inner


def grouped_by(node: exp.Select, size: int) -> None:
    """Refuse unless rows are grouped by the first `size` outputs."""
    group = node.args.get("group")
    ordinals = [whole(term) for term in group.expressions] if group is not None else []
    require(ordinals == list(range(1, size + 1)), "GROUP BY names keys and bin by place")


def column_of(base: Relation, name: str) -> Column:
    """The column of a relation by name."""
    if name not in base.columns:
        refuse("columns are handed on as they are")
    return base.columns[name]


def called(node: exp.Expr) -> str:
    """The name of a bare column; '' of anything else."""
    node = bare(node)
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Identifier):
        return fold(str(node.this.this))
    return ""


def groups_kept(node: exp.Select, ranked: Level, scope: Scope, keys: set[int]) -> int | None:
    """k of WHERE rn <= k; None without a cap. No other rows are dropped there."""
    where = node.args.get("where")
    if where is None:
        return None
    tests = conjuncts(where.this)
    if len(tests) != 1:
        refuse("groups are capped by rank")
    most, window = rank_test(tests[0], ranked)
    return group_cap(most, window, scope, keys)


def rank_test(test: exp.Expr, ranked: Level) -> tuple[int, exp.Window]:
    """k and the window of `rn <= k`, rn an output of the level below."""
    most = whole(test.args["expression"]) if isinstance(test, exp.LTE) else None
    name = called(test.this) if isinstance(test, exp.LTE) else ""
    if most is None or most < 1 or name not in ranked.outputs:
        refuse("groups are capped by rank")
    node = bare(ranked.outputs[name])
    if not isinstance(node, exp.Window) or node.args.get("order") is None:
        refuse("groups are capped by rank")
    require(node.args.get("over") == "OVER" and node.args.get("spec") is None, "ranks are plain")
    return most, node


def group_cap(most: int, window: exp.Window, scope: Scope, keys: set[int]) -> int:
    """k, where the window numbers the groups of each unit."""
    if type(window.this) is not exp.DenseRank:
        refuse("groups are capped by rank")
    require(partitioned(window, scope) == set(), "groups are ranked within a unit")
    check_ranking(window.args["order"], scope, keys, APART)
    return most


def partitioned(window: exp.Window, scope: Scope) -> set[int] | None:
    """By which columns beside the unit; None where it is not by the unit, once."""
    found = [scope.column(bare(part)) for part in window.args.get("partition_by") or []]
    units = [column for column in found if column is not None and isinstance(column.fact, Unit)]
    if None in found or len(units) != 1:
        return None
    return {column.serial for column in found if column is not None and column not in units}
