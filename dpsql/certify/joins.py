"""FROM and WHERE over several sources: whose row is it, and how many can a unit have?

What is proved, from bare column equalities and keys the catalog enforces, nothing else (but that
a hop of a unit path may land on a key that the policy promises):

unit      every private source's row belongs to the unit of the whole row: inner ones by
          conditions that hold for every row, a LEFT JOINed one by its own ON
single    sources of which a unit meets at most one row
kept      derived relations whose rows are not repeated, since all other sources are single
by unit   sources whose columns are the same in all rows of a unit. A LEFT JOINed source is
          NULL in some rows and not in others as soon as its ON looks at anything that varies
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from dpsql.certify.claim import refuse, require
from dpsql.certify.facts import Column, Relation, Unit
from dpsql.certify.given import GivenTable
from dpsql.certify.reader import bare, fold, not_null
from dpsql.certify.scope import Place, Scope
from dpsql.certify.tables import BaseTable, Tables, exact_equality, identifies
from dpsql.core.domain import Kind


@dataclass(frozen=True, slots=True)
class Source:
    """A FROM item: a base table or a derived relation. `on` are the conjuncts of its join."""

    alias: str
    origin: BaseTable | Relation | GivenTable
    left: bool
    on: tuple[exp.Expr, ...]

    @property
    def private(self) -> bool:
        if isinstance(self.origin, GivenTable):
            return False
        return isinstance(self.origin, Relation) or self.origin.path is not None


class Classes:
    """Columns known to be equal (union-find)."""

    def __init__(self, pairs: Sequence[tuple[Place, Place]]) -> None:
        self._parent: dict[Place, Place] = {}
        for a, b in pairs:
            self._parent[self.root(a)] = self.root(b)

    def root(self, item: Place) -> Place:
        while (parent := self._parent.get(item, item)) != item:
            item = parent
        return item

    def same(self, a: Place, b: Place) -> bool:
        return self.root(a) == self.root(b)


@dataclass(slots=True)
class Joined:
    """Facts of one FROM with its conditions; `analyse` fills them in."""

    sources: Sequence[Source]
    scope: Scope
    tables: Tables
    where: Sequence[exp.Expr]
    inner: list[exp.Expr] = field(default_factory=list)
    pairs: list[tuple[Place, Place]] = field(default_factory=list)
    units: frozenset[Place] = frozenset()
    single: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    by_unit: set[str] = field(default_factory=set)

    def analyse(self) -> None:
        joins = [c for source in self.sources if not source.left for c in source.on]
        self.inner = [*self.where, *joins]
        self.pairs = [p for c in self.inner if (p := self._equality(c))]
        self._find_unit()
        self._find_single()
        self._find_kept()
        self._find_by_unit()

    def column(self, place: Place) -> Column:
        """The column as rows of the join have it."""
        column = self.scope.at(place)
        fixed = place[0] in self.by_unit or place in self.units
        if place in self.units:
            return replace(column, fact=Unit(), by_unit=True, barred="")
        if place[0] in self.kept:
            return replace(column, by_unit=fixed)
        return replace(column, fact=None, by_unit=fixed)  # a join may repeat rows: facts end

    @property
    def one_row(self) -> bool:
        return len(self.single) == len(self.sources)

    def relation(self) -> Relation:
        """How many rows of a unit there are, and by which columns they are told apart."""
        if self.one_row:
            return Relation({}, 1, frozenset())
        for source in self.sources:
            if source.alias in self.kept and isinstance(source.origin, Relation):
                return Relation({}, source.origin.rows, source.origin.keys)
        return Relation({}, None, None)

    # ---- the unit ----------------------------------------------------------------------

    def _find_unit(self) -> None:
        classes = Classes(self.pairs)
        inner = [s for s in self.sources if s.private and not s.left]
        if not inner:
            refuse("some source holds rows of units")
        owner = self._owner(inner[0], classes)
        require(identifies(self.scope.at(owner).kind), "equality of units is identity")
        for source in inner[1:]:
            require(
                classes.same(owner, self._owner(source, classes)),
                "all private sources are equated on the unit",
            )
        reached = False
        for source in self.sources:
            if source.left:
                require(reached, "the preserved side of a join holds rows of units")
                self._check_left(source, owner, classes)
            reached = reached or source.private
        inside = {s.alias for s in self.sources if not s.left}
        self.units = frozenset(
            (alias, name)
            for alias, columns in self.scope.sources.items()
            if alias in inside
            for name in columns
            if classes.same((alias, name), owner)
        )
        present = [not_null(part) for part in self.where]
        require(
            any(self._place(node) in self.units for node in present if node is not None),
            "rows without a unit are dropped",
        )

    def _owner(self, source: Source, classes: Classes) -> Place:
        """Where the unit of a private source's rows is read, over its declared path."""
        if isinstance(source.origin, Relation):
            return self._own_unit(source.alias, source.origin)
        if isinstance(source.origin, GivenTable):
            refuse("every private source holds its unit")
        table, alias = source.origin, source.alias
        assert table.path is not None
        for index, hop in enumerate(table.path.hops):
            target = self.tables.named(hop.target_table)
            require(target.path is not None, "a unit path leads over private tables")
            local = (alias, fold(table.column(hop.column).name))
            if index == len(table.path.hops) - 1 and self._is_unit_id(table, target, source, index):
                return local
            key = target.column(hop.target_column).name
            require(
                target.unique(key) or target.promised(key),
                "a unit path lands on keys that are enforced, or promised by the owner",
            )
            alias = self._reached(local, target, fold(key), classes)
            table = replace(target, path=source.origin.path)
        assert table.path is not None
        return alias, fold(table.column(table.path.column).name)

    def _is_unit_id(self, table: BaseTable, target: BaseTable, source: Source, index: int) -> bool:
        """Does the last hop's column hold the unit's id itself, by an enforced foreign key?"""
        assert isinstance(source.origin, BaseTable)
        assert source.origin.path is not None
        hop = source.origin.path.hops[index]
        return fold(hop.target_column) == fold(source.origin.path.column) and (
            table.catalog.references(hop.column, target.catalog, hop.target_column)
        )

    def _reached(self, local: Place, target: BaseTable, key: str, classes: Classes) -> str:
        """The scan of `target` that the hop from `local` meets: equated on its key."""
        for other in self.sources:
            if (
                not other.left
                and isinstance(other.origin, BaseTable)
                and other.origin.catalog is target.catalog
                and classes.same(local, (other.alias, key))
            ):
                return other.alias
        refuse("every hop of a unit path is joined on its key")

    def _own_unit(self, alias: str, relation: Relation) -> Place:
        for name, column in relation.columns.items():
            if isinstance(column.fact, Unit):
                return alias, name
        refuse("every private source holds its unit")

    def _check_left(self, source: Source, owner: Place, classes: Classes) -> None:
        """A LEFT JOINed private source holds its unit itself, equated in its own ON."""
        if not source.private:
            return
        mine = self._owner(source, Classes(()))
        for part in source.on:
            pair = self._equality(part)
            if pair and mine in pair and mine[0] == source.alias:
                other = pair[0] if pair[1] == mine else pair[1]
                if other[0] != source.alias and classes.same(other, owner):
                    return
        refuse("all private sources are equated on the unit")

    # ---- how many rows -----------------------------------------------------------------

    def _find_single(self) -> None:
        for source in self.sources:
            origin = source.origin
            if isinstance(origin, Relation):
                if origin.rows == 1:
                    self.single.add(source.alias)
            elif isinstance(origin, BaseTable) and origin.path is not None:
                holds = self._own_column(source, origin)
                if holds is not None and origin.unique(holds):
                    self.single.add(source.alias)
        grown = True
        while grown:
            grown = False
            for source in self.sources:
                if source.alias not in self.single and self._looked_up(source):
                    self.single.add(source.alias)
                    grown = True

    def _own_column(self, source: Source, table: BaseTable) -> str | None:
        """The column of the table itself that holds the unit, if one does."""
        assert table.path is not None
        if not table.path.hops:
            return table.path.column
        if len(table.path.hops) > 1:
            return None
        target = self.tables.named(table.path.hops[0].target_table)
        return table.path.hops[0].column if self._is_unit_id(table, target, source, 0) else None

    def _looked_up(self, source: Source) -> bool:
        """Is the source joined on an enforced key, each part equal to one a unit has once?"""
        keys = _keys(source.origin)
        if not keys:
            return False
        own = [pair for c in source.on if (pair := self._equality(c))]
        pinned = {at for c in (*self.inner, *source.on) if (at := self._pinned(c))}
        told = pinned | {
            mine
            for a, b in (*self.pairs, *own)
            for mine, theirs in ((a, b), (b, a))
            if mine[0] == source.alias and (theirs[0] in self.single or theirs in self.units)
        }
        return any(all((source.alias, fold(name)) in told for name in key) for key in keys)

    def _find_kept(self) -> None:
        """A relation each row of which is met by at most one row of all others, or dropped.

        What is known of its rows, how many a unit has and what tells them apart stays true.
        """
        for source in self.sources:
            others = {s.alias for s in self.sources} - {source.alias}
            if isinstance(source.origin, Relation) and not source.left and others <= self.single:
                self.kept.add(source.alias)

    def _find_by_unit(self) -> None:
        if self.one_row:
            self.by_unit = set(self.single)
            return
        for source in self.sources:
            if source.alias not in self.single:
                continue
            if source.left:
                read = {p[0] for part in source.on for p in self._places(part)}
                if not read <= self.by_unit | {source.alias}:
                    continue
            self.by_unit.add(source.alias)

    # ---- conditions --------------------------------------------------------------------

    def _place(self, node: exp.Expr) -> Place | None:
        return self.scope.place(bare(node))

    def _equality(self, node: exp.Expr) -> tuple[Place, Place] | None:
        """Two bare columns of one exact type, set equal."""
        if not isinstance(node, exp.EQ):
            return None
        a, b = self._place(node.this), self._place(node.args["expression"])
        if a is None or b is None:
            return None
        exact = exact_equality(self.scope.at(a).kind, self.scope.at(b).kind)
        return (a, b) if exact else None

    def _pinned(self, node: exp.Expr) -> Place | None:
        """A bare column set equal to a literal of its own type."""
        if not isinstance(node, exp.EQ):
            return None
        for one, other in (
            (node.this, node.args["expression"]),
            (node.args["expression"], node.this),
        ):
            place, value = self._place(one), bare(other)
            if place is not None and _literal_kind(value) is self.scope.at(place).kind:
                return place
        return None

    def _places(self, node: exp.Expr) -> list[Place]:
        return [p for c in node.find_all(exp.Column) if (p := self.scope.place(c)) is not None]


def _keys(origin: BaseTable | Relation | GivenTable) -> Sequence[Collection[str]]:
    """Columns that name at most one row: enforced by the engine, or made so by the text."""
    if isinstance(origin, GivenTable):
        return () if origin.keys is None else (origin.keys,)
    if isinstance(origin, Relation) or origin.catalog.is_view:
        return ()
    return [key for key in origin.catalog.keys if key]


def _literal_kind(node: exp.Expr) -> Kind:
    """TEXT, INTEGER, DATE or TIMESTAMP for a literal of it; NULL for anything else."""
    if isinstance(node, exp.Neg):
        node = bare(node.this)
        if _literal_kind(node) is not Kind.INTEGER:
            return Kind.NULL
        return Kind.INTEGER
    if isinstance(node, exp.Literal):
        if node.is_string:
            return Kind.TEXT
        return Kind.INTEGER if str(node.this).isdigit() else Kind.NULL
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.this.is_string:
        moments = {exp.DType.DATE: Kind.DATE, exp.DType.TIMESTAMPNTZ: Kind.TIMESTAMP}
        return moments.get(node.to.this, Kind.NULL)
    return Kind.NULL
