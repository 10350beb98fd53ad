"""Building a block: scans with their unit paths, joins, and the proof that units are equated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from dpsql.binding.context import Context, domain_of
from dpsql.binding.listed import ListedRelation
from dpsql.binding.units import (
    Classes,
    SourceFacts,
    constant,
    determined,
    equalities,
    fanning,
    merge_same_rows,
    place,
)
from dpsql.core.catalog import CatalogTable
from dpsql.core.domain import BOOLEAN, Domain, Kind
from dpsql.core.ir import Block, Call, Col, Expr, Given, Join, PublicIn, Scan, SemiJoin, columns
from dpsql.errors import EngineFailed
from dpsql.policy.promises import promises
from dpsql.policy.schema import Hop, Table

MAX_SOURCES = 32


@dataclass(frozen=True)
class PrivateRelation:
    """Rows of units: a block and the columns a query sees of it."""

    block: Block
    outputs: Mapping[str, Expr]
    facts: tuple[SourceFacts, ...]


@dataclass(frozen=True)
class GivenTable:
    """A step as a FROM item. `columns`: by name, the source's own name for it and its domain."""

    source: Given
    columns: Mapping[str, tuple[str, Domain]]


@dataclass
class BlockBuilder:
    """Collects the sources of one FROM clause; `finish` proves the block unit-separable."""

    context: Context
    joins: list[Join] = field(default_factory=list)
    facts: list[SourceFacts] = field(default_factory=list)
    where: list[Expr] = field(default_factory=list)
    semijoins: list[SemiJoin] = field(default_factory=list)
    lookups: list[PublicIn] = field(default_factory=list)
    padded: list[int] = field(default_factory=list)
    units: list[tuple[int, Col, exp.Expr]] = field(default_factory=list)
    """(join index, unit column, node) of each private relation joined in: `finish` equates them."""

    # ---- adding sources ----------------------------------------------------------------

    def add_table(self, table: Table, node: exp.Expr) -> tuple[dict[str, Expr], Col | None]:
        """A scan, and for a private table the hidden scans of its unit path."""
        catalog = self.context.catalog_table(table)
        scan = Scan(next(self.context.ids), table.name, private=not table.public)
        exposed = self.exposed(scan, table)
        self.joins.append(Join("inner", scan, ()))
        at = len(self.facts)
        self.facts.append(SourceFacts(scan, catalog, None, tuple(catalog.columns)))
        if table.public or table.unit is None:
            return exposed, None
        unit = self._follow(scan, catalog, table, node)
        self.facts[at] = replace(self.facts[at], unit=unit)
        return exposed, unit

    def add_given(self, found: GivenTable) -> dict[str, Expr]:
        """A table made of releases: nobody's rows, with the columns that analysts see."""
        source = found.source
        self.joins.append(Join("inner", source, ()))
        names = tuple(name for name, _ in source.columns)
        self.facts.append(SourceFacts(source, None, None, names))
        return {name: Col(source.id, own, domain) for name, (own, domain) in found.columns.items()}

    def exposed(self, scan: Scan, table: Table) -> dict[str, Expr]:
        """The columns of a scan that analysts see."""
        return {
            name: Col(scan.id, name, domain_of(table.rule(name), column))
            for name, column in self.context.visible(table).items()
        }

    def _follow(self, scan: Scan, catalog: CatalogTable, table: Table, node: exp.Expr) -> Col:
        assert table.unit is not None
        hops = table.unit.hops
        here, here_catalog = scan, catalog
        for index, hop in enumerate(hops):
            target_table = self.context.policy.tables[hop.target_table]
            target = self.context.catalog_table(target_table)
            last = index == len(hops) - 1
            local = _column(here.id, here_catalog, hop.column)
            names_the_unit = last and hop.target_column.casefold() == table.unit.column.casefold()
            if names_the_unit and here_catalog.references(hop.column, target, hop.target_column):
                return self._checked(local, node)  # the enforced foreign key holds the unit's id
            here, here_catalog = self._hop(local, target_table, target, hop, node), target
        return self._checked(_column(here.id, here_catalog, table.unit.column), node)

    def _hop(
        self, local: Col, table: Table, target: CatalogTable, hop: Hop, node: exp.Expr
    ) -> Scan:
        enforced = target.unique(hop.target_column)
        if not enforced and not promises(table, hop.target_column):
            self.context.refuse(
                node,
                "path-not-enforced",
                f"the path to the unit leads over {table.name}.{hop.target_column},"
                " which the database does not enforce as a key",
                "the owner can add PRIMARY KEY or UNIQUE NOT NULL there, or promise the key;"
                " `dpsql check` explains",
            )
        scan = Scan(next(self.context.ids), table.name, private=True)
        key = _column(scan.id, target, hop.target_column)
        self.joins.append(Join("inner", scan, (equal(local, key),)))
        landed = None if enforced else key.name
        self.facts.append(SourceFacts(scan, target, None, tuple(target.columns), landed))
        return scan

    def _checked(self, unit: Col, node: exp.Expr) -> Col:
        kind = unit.domain.type.kind
        if kind not in (Kind.INTEGER, Kind.TEXT, Kind.OPAQUE, Kind.DATE, Kind.TIMESTAMP):
            self.context.refuse(
                node,
                "unit-type",
                f"the unit column {unit.name} has type {unit.domain.type}, whose equality is not"
                " exact",
                "the owner can declare an integer, text or UUID column as the unit",
            )
        return unit

    def add_relation(self, relation: PrivateRelation) -> Col:
        """An inlined subquery: its sources, conditions and semi-joins become the block's own."""
        block = relation.block
        self.joins.append(Join("inner", block.first, ()))
        self.joins.extend(block.joins)
        self.where.extend(block.where)
        self.semijoins.extend(block.semijoins)
        self.lookups.extend(block.lookups)
        self.facts.extend(relation.facts)
        return block.unit

    def add_listed(self, relation: ListedRelation) -> dict[str, Expr]:
        """A list of constants: a public table without a name."""
        self.joins.append(Join("inner", relation.source, ()))
        self.facts.append(relation.facts())
        return dict(relation.outputs)

    # ---- proof -------------------------------------------------------------------------

    def check_size(self, node: exp.Expr) -> None:
        """Inlined CTEs may stand for very many tables: refused before they are worked on."""
        if len(self.joins) > MAX_SOURCES:
            self.context.refuse(
                node,
                "too-complex",
                f"more than {MAX_SOURCES} tables are joined here, counting those of subqueries",
                "aggregate by unit in a subquery first",
            )

    def finish(self) -> tuple[Block, tuple[SourceFacts, ...]]:
        """The block, with every private relation's unit equated with the first one's.

        Raises RefusedQuery `join-not-on-unit` where the equality does not follow from bare
        column equalities of inner conditions (of the join itself, for LEFT), enforced keys, and
        those promised ones that unit paths land on.
        """
        unit = self.units[0][1]
        for index, other, node in self.units[1:]:
            join = self.joins[index]
            conditions = list(join.on)
            for earlier in self.joins[: index + 1]:
                if earlier.kind == "inner":
                    conditions.extend(earlier.on)
            if join.kind == "inner":
                conditions.extend(self.where)
                for later in self.joins[index:]:
                    if later.kind == "inner":
                        conditions.extend(later.on)
            self._require_equal(unit, other, conditions, node)
            self.joins[index] = replace(
                join, on=(*_without(join.on, other, unit), equal(other, unit))
            )
        self._order()
        inner = [*self.where, *(c for j in self.joins if j.kind == "inner" for c in j.on)]
        left = {j.source.id: j.on for j in self.joins if j.kind == "left"}
        first, *rest = self.joins
        if first.on:
            self.where.extend(first.on)
        known = determined(self.facts, inner, left)
        block = Block(
            first.source,
            tuple(rest),
            tuple(self.where),
            tuple(self.semijoins),
            unit,
            known,
            constant(known, left),
            fanning(self.facts, inner, left) - known,
            tuple(self.lookups),
            tuple((fact.source.id, fact.unit) for fact in self.facts if fact.unit is not None),
        )
        return block, tuple(self.facts)

    def _require_equal(
        self, unit: Col, other: Col, conditions: Sequence[Expr], node: exp.Expr
    ) -> None:
        classes = Classes()
        for a, b in equalities(conditions):
            if a.domain.type == b.domain.type:
                classes.union(place(a), place(b))
        merge_same_rows(classes, self.facts)
        if unit.domain.type != other.domain.type or not classes.same(place(unit), place(other)):
            word = self.context.policy.unit
            self.context.refuse(
                node,
                "join-not-on-unit",
                f"private tables can only be joined on the {word}: rows of different {word}s"
                " would meet",
                f"add {self._equality(other, node, unit)} to the join condition",
            )

    def _equality(self, other: Col, node: exp.Expr, unit: Col) -> str:
        """The missing condition: by the aliases of the two FROM items where they hold the units."""
        names = [self._name(other, node), self._name(unit, self.units[0][2])]
        if None in names:
            return f"`{other.name} = {unit.name}` of the two tables"
        return f"`{names[0]} = {names[1]}`"

    def _name(self, unit: Col, node: exp.Expr) -> str | None:
        item = node.this if isinstance(node, exp.Join) else node
        source = next(fact.source for fact in self.facts if fact.source.id == unit.source)
        if not isinstance(item, exp.Table) or not isinstance(source, Scan):
            return None
        itself = item.name.casefold() == source.table.rpartition(".")[2].casefold()
        return f"{item.alias_or_name}.{unit.name}" if itself else None

    def _order(self) -> None:
        """A condition may only speak of sources to its left: move early ones to where they can."""
        seen: set[int] = set()
        for index, join in enumerate(self.joins):
            seen.add(join.source.id)
            stay: list[Expr] = []
            move: list[Expr] = []
            for condition in join.on:
                used = {column.source for column in columns(condition)}
                (stay if used <= seen else move).append(condition)
            if move:
                assert join.kind == "inner"
                self.joins[index] = replace(join, on=tuple(stay))
                self.where.extend(move)


def equal(a: Col, b: Col) -> Call:
    nullable = a.domain.nullable or b.domain.nullable
    return Call("eq", (a, b), Domain(BOOLEAN, nullable=nullable, values=(False, True)))


def _without(conditions: Sequence[Expr], a: Col, b: Col) -> tuple[Expr, ...]:
    """The conditions less a plain `a = b` among them: it is added back once, bare."""
    pair = {place(a), place(b)}
    kept = []
    for condition in conditions:
        match condition:
            case Call(fn="eq", args=(Col() as x, Col() as y)) if {place(x), place(y)} == pair:
                continue
        kept.append(condition)
    return tuple(kept)


def _column(source: int, catalog: CatalogTable, name: str) -> Col:
    """A column by its catalog spelling (policies may write another case)."""
    for real, column in catalog.columns.items():
        if real.casefold() == name.casefold():
            return Col(source, real, Domain(column.type, column.certain, nullable=column.nullable))
    raise EngineFailed(
        f"column {name} of the policy is not in table {catalog.name}",
        code="column-missing",
        hint="`dpsql check` compares the policy with the database",
    )
