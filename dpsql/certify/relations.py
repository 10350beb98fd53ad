"""One SELECT below the totals, read into what is known of its rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from sqlglot import exp

from dpsql.certify.cells import fact_of
from dpsql.certify.claim import refuse, require
from dpsql.certify.facts import (
    HIDDEN,
    ONE,
    VAGUE,
    CellSum,
    Column,
    Const,
    Fact,
    Number,
    Rank,
    Relation,
    Unit,
    UnitTotal,
)
from dpsql.certify.given import given_table
from dpsql.certify.joins import Joined, Source
from dpsql.certify.kept import KeptTable
from dpsql.certify.kinds import kind_of
from dpsql.certify.listed import listed_table
from dpsql.certify.lookups import check_lookup, lookup_of, reads_public
from dpsql.certify.normal import normal
from dpsql.certify.reader import bare, conjuncts, fold, name_of, not_null, whole
from dpsql.certify.rows import check_condition, check_row
from dpsql.certify.scope import Place, Scope, Serials
from dpsql.certify.spans import COUNTED, SUMMED, Span, of_type, present, span
from dpsql.certify.tables import BaseTable, Tables, column_span
from dpsql.certify.tables import kind_of as column_kind
from dpsql.certify.unions import selects, united
from dpsql.certify.values import as_row_poly
from dpsql.certify.windows import check_ties, check_window, over_rows
from dpsql.core.domain import Kind

_ORDERED = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.DATE, Kind.TIMESTAMP})


@dataclass(slots=True)
class Reader:
    """Derives relations bottom-up. One for each statement."""

    tables: Tables
    serials: Serials
    kept: KeptTable | None = None

    def relation(self, node: exp.Expr) -> Relation:
        """A nested SELECT over rows of units, or UNION ALL of such."""
        if type(node) is exp.Union:
            return united([self.relation(part) for part in selects(node)], self.serials)
        if type(node) is not exp.Select:
            refuse("subqueries are SELECTs")
        require(node.args.get("having") is None, "no group of a unit is dropped by what it holds")
        scope, base = self.sources(node)
        group = node.args.get("group")
        columns = (
            self._projected(node, scope) if group is None else self._grouped(node, group, scope)
        )
        if group is None:
            kept = {column.serial for column in columns.values()}
            keys = base.keys if base.keys is not None and base.keys <= kept else None
            result = Relation(columns, base.rows, keys)
        else:
            keys = self._keys(group, columns)
            by_unit = all(c.by_unit for c in columns.values() if c.serial in keys)
            result = Relation(columns, 1 if by_unit else base.rows, keys)
        require(result.unit, "every level carries the unit")
        if result.rows == 1:
            columns = {name: replace(c, by_unit=True) for name, c in columns.items()}
            result = replace(result, columns=columns)
        return result

    # ---- FROM and WHERE ----------------------------------------------------------------

    def sources(self, node: exp.Select) -> tuple[Scope, Relation]:
        """The columns in sight after FROM and WHERE, and what is known of these rows."""
        first = node.args.get("from_")
        if first is None:
            refuse("every SELECT reads a relation")
        joins = node.args.get("joins") or []
        where = conjuncts(node.args["where"].this) if node.args.get("where") else []
        found = [self._source(first.this, None), *(self._source(j.this, j) for j in joins)]
        require(len({s.alias for s in found}) == len(found), "aliases differ")
        columns = {source.alias: self._columns(source) for source in found}
        origin = found[0].origin
        if len(found) == 1 and isinstance(origin, Relation):
            scope = Scope(columns, self.serials, origin)
            return scope, replace(origin, rows=self._filter(where, scope, origin.rows))
        scope = Scope(columns, self.serials)
        joined = Joined(found, scope, self.tables, where)
        joined.analyse()
        for source in found:
            for part in source.on:
                self._condition(part, scope, joined)
        for part in where:
            self._condition(part, scope, joined)
        after = {
            alias: {name: joined.column((alias, name)) for name in names}
            for alias, names in columns.items()
        }
        return Scope(after, self.serials), joined.relation()

    def _source(self, node: exp.Expr, join: exp.Join | None) -> Source:
        alias = node.args.get("alias")
        if not isinstance(alias, exp.TableAlias) or not isinstance(alias.this, exp.Identifier):
            refuse("every source has an alias")
        left, on = False, None
        if join is not None:
            side, kind = join.args.get("side") or "", join.args.get("kind") or ""
            on = join.args.get("on")
            left = side == "LEFT"
            require(
                (side, kind) in (("", ""), ("LEFT", ""), ("", "CROSS"))
                and (on is None) == (kind == "CROSS"),
                "joins are inner, left or cross",
            )
        name, parts = fold(str(alias.this.this)), tuple(conjuncts(on))
        if isinstance(node, exp.Table) and self.kept is not None and self.kept.named_by(node):
            alone = Reader(self.tables, self.serials)  # cells are made of rows, not of cells
            return Source(name, self.kept.relation(alone.relation), left, parts)
        if isinstance(node, exp.Table):
            return Source(name, self.tables.of(node), left, parts)
        if isinstance(node, exp.Values):
            return Source(name, listed_table(node), left, parts)
        if not isinstance(node, exp.Subquery):
            refuse("sources are tables and subqueries")
        origin = given_table(node.this, self.serials) or self.relation(node.this)
        return Source(name, origin, left, parts)

    def _columns(self, source: Source) -> dict[str, Column]:
        origin = source.origin
        if isinstance(origin, BaseTable):
            found = {
                fold(name): Column(
                    self.serials(),
                    None,
                    column_kind(column),
                    by_unit=False,
                    barred=HIDDEN if origin.policy.rule(name).hidden else "",
                    span=column_span(column),
                    present=not column.nullable and not source.left,
                )
                for name, column in origin.catalog.columns.items()
            }
            require(len(found) == len(origin.catalog.columns), "columns differ in more than case")
            return found
        there = not source.left  # no match makes all of them NULL
        return {n: replace(c, present=c.present and there) for n, c in origin.columns.items()}

    def _filter(self, where: list[exp.Expr], scope: Scope, rows: int | None) -> int | None:
        """WHERE over one derived relation: a condition on each row, or the cap on ranks."""
        for part in where:
            column = scope.column(bare(part.this)) if isinstance(part, exp.LTE) else None
            if column is not None and isinstance(column.fact, Rank):
                most = whole(part.args["expression"])
                if most is None or most < 1:
                    refuse("ranks are capped by a constant")
                rows = most if rows is None else min(rows, most)
                continue
            self._unit_condition(part, scope, None)
        return rows

    def _condition(self, part: exp.Expr, scope: Scope, joined: Joined) -> None:
        """Of a join or WHERE: the unit's presence, a path's equality, a semi-join, a row's."""
        if isinstance(part, exp.EQ) and self._on_path(part, scope, joined):
            return
        self._unit_condition(part, scope, joined)

    def _unit_condition(self, part: exp.Expr, scope: Scope, joined: Joined | None) -> None:
        present = not_null(part)
        if present is not None and self._is_unit(scope.place(present), scope, joined):
            return
        lookup = lookup_of(part)
        if lookup is not None:
            public = reads_public(lookup, lambda item: self._source(item, None))
            if public is not None:
                check_lookup(lookup, public, self._columns(public), scope)
                return
            require(not isinstance(part, exp.Or), "IN with a subquery is on the unit")
            self._semijoin(lookup, scope, joined)
            return
        check_condition(part, scope)

    def _semijoin(self, part: exp.In, scope: Scope, joined: Joined | None) -> None:
        """unit [NOT] IN (SELECT unit ...): the subquery's rows of other units never matter.

        Neither side is ever NULL, so NOT is true for exactly the units that are not there.
        """
        query = part.args["query"]
        require(
            self._is_unit(scope.place(bare(part.this)), scope, joined)
            and isinstance(query, exp.Subquery)
            and not part.expressions,
            "IN with a subquery is on the unit",
        )
        columns = list(self.relation(query.this).columns.values())
        require(
            len(columns) == 1 and isinstance(columns[0].fact, Unit),
            "IN with a subquery is on the unit",
        )

    def _is_unit(self, place: Place | None, scope: Scope, joined: Joined | None) -> bool:
        if place is None:
            return False
        if joined is not None:
            return place in joined.units
        return isinstance(scope.at(place).fact, Unit)

    def _on_path(self, part: exp.EQ, scope: Scope, joined: Joined) -> bool:
        """Equality of two bare columns, where barred ones serve as unit path columns only."""
        places = [scope.place(bare(part.this)), scope.place(bare(part.args["expression"]))]
        for place in places:
            if place is None:
                return False
            if scope.at(place).barred and not self._is_path_column(place, joined):
                return False
        return True

    def _is_path_column(self, place: Place, joined: Joined) -> bool:
        origin = next(s.origin for s in joined.sources if s.alias == place[0])
        if not isinstance(origin, BaseTable):
            return False
        for table in self.tables.policy.tables.values():
            if table.unit is None:
                continue
            at = table
            for hop in table.unit.hops:
                target = self.tables.policy.tables.get(hop.target_table)
                if at is origin.policy and fold(hop.column) == place[1]:
                    return True
                if target is origin.policy and fold(hop.target_column) == place[1]:
                    return True
                if target is None:
                    return False
                at = target
            if at is origin.policy and fold(table.unit.column) == place[1]:
                return True
        return False

    # ---- SELECT without GROUP BY -------------------------------------------------------

    def _projected(self, node: exp.Select, scope: Scope) -> dict[str, Column]:
        columns: dict[str, Column] = {}
        check_ties([item.unalias() for item in node.expressions], scope)
        for item in node.expressions:
            if isinstance(item, exp.Star):
                if scope.single is None:
                    refuse("* stands for one derived relation")
                for name, column in scope.single.columns.items():
                    _add(columns, name, column)
                continue
            _add(columns, name_of(item), self.value(item.unalias(), scope))
        return columns

    def value(self, node: exp.Expr, scope: Scope) -> Column:
        """An expression over one row, as a column."""
        column = scope.column(bare(node))
        if column is not None:
            require(not column.barred, column.barred)
            return column
        if isinstance(node, exp.Window) and over_rows(node, scope):
            return self._windowed(node, scope)
        fact = fact_of(node, scope)
        if fact is None:
            read = check_row(node, scope)
            kind = kind_of(node, scope)
        else:
            read = [c for n in node.find_all(exp.Column) if (c := scope.column(n)) is not None]
            kind = Kind.INTEGER
        if isinstance(fact, Const):
            fact = Number(self.serials(), fact.value, fact.value)
        by_unit = all(c.by_unit for c in read) and not isinstance(fact, (Rank, UnitTotal))
        lies = None if fact is not None else span(node, scope)
        if isinstance(fact, Number):
            lies = Fraction(fact.lo), Fraction(fact.hi)
        here = fact is None and present(node, scope)
        zeroless = normal(node)
        return Column(self.serials(), fact, kind, by_unit, normal=zeroless, span=lies, present=here)

    def _windowed(self, node: exp.Window, scope: Scope) -> Column:
        """A window over the rows of a unit; the aggregates are those of GROUP BY the unit."""
        given = check_window(node, scope)
        if given is not None:
            return replace(given, serial=self.serials())
        found = self._aggregate(node.this, scope, self.serials())
        return replace(found, fact=None)

    # ---- GROUP BY the unit -------------------------------------------------------------

    def _grouped(self, node: exp.Select, group: exp.Group, scope: Scope) -> dict[str, Column]:
        size, level = len(group.expressions), self.serials()
        ordinals = [whole(term) for term in group.expressions]
        require(ordinals == list(range(1, size + 1)), "GROUP BY names the first columns by place")
        columns: dict[str, Column] = {}
        for index, item in enumerate(node.expressions):
            if isinstance(item, exp.Star):
                refuse("* stands for one derived relation")
            if index < size:
                column = self.value(item.unalias(), scope)
                fact = column.fact if isinstance(column.fact, Unit) else None
                barred = "" if column.exact else VAGUE
                _add(columns, name_of(item), replace(column, fact=fact, barred=barred))
            else:
                _add(columns, name_of(item), self._aggregate(item.unalias(), scope, level))
        require(len(columns) >= size, "GROUP BY names the first columns by place")
        require(
            any(isinstance(c.fact, Unit) for c in list(columns.values())[:size]),
            "below the totals every GROUP BY includes the unit",
        )
        return columns

    def _keys(self, group: exp.Group, columns: dict[str, Column]) -> frozenset[int]:
        leading = list(columns.values())[: len(group.expressions)]
        return frozenset(c.serial for c in leading if not isinstance(c.fact, Unit))

    def _aggregate(self, node: exp.Expr, scope: Scope, level: int) -> Column:
        """COUNT, COUNT DISTINCT, MIN, MAX or an integer SUM within the unit's rows."""
        if isinstance(node, exp.Filter):
            inner = self._aggregate(node.this, scope, level)
            where = node.args["expression"]
            require(isinstance(where, exp.Where), "FILTER has a condition")
            for part in conjuncts(where.this):
                check_condition(part, scope)
            return replace(inner, fact=None)
        argument = node.args.get("this")
        fact: Fact = None
        kind: Kind | None = Kind.INTEGER
        lies: Span | None = COUNTED
        if isinstance(node, exp.Count) and isinstance(argument, exp.Star):
            fact = CellSum(level, None, ONE, nullable=False)
        elif isinstance(node, exp.Count) and isinstance(argument, exp.Distinct):
            require(len(argument.expressions) == 1, "COUNT DISTINCT has one argument")
            check_row(argument.expressions[0], scope)
        elif isinstance(node, exp.Count):
            fact = self._counted(argument, scope, level)
        elif isinstance(node, exp.Sum):
            fact, kind, lies = self._summed(argument, scope, level)
        elif isinstance(node, (exp.Min, exp.Max)) and argument is not None:
            check_row(argument, scope)
            kind, lies = kind_of(argument, scope), span(argument, scope)
            column = scope.column(bare(argument))
            one = normal(argument) or (column is not None and column.normal)
            require(kind in _ORDERED or one, "MIN and MAX are of exact values")
        else:
            refuse("within a unit's rows: COUNT, COUNT DISTINCT, MIN, MAX, integer SUM")
        counts = isinstance(node, exp.Count)
        return Column(self.serials(), fact, kind, by_unit=False, span=lies, present=counts)

    def _counted(self, argument: exp.Expr | None, scope: Scope, level: int) -> Fact:
        if argument is None:
            refuse("COUNT has an argument")
        node = bare(argument)
        if isinstance(node, exp.Column) or _of_columns(node):
            value = as_row_poly(fact_of(node, scope))
            if value is not None:
                return CellSum(level, value.of, ONE, nullable=False)
        check_row(argument, scope)
        return None

    def _summed(
        self, argument: exp.Expr | None, scope: Scope, level: int
    ) -> tuple[Fact, Kind, Span]:
        """A sum of integers, or of decimals of 18 digits, which 2^48 rows cannot overflow."""
        if argument is None:
            refuse("SUM has an argument")
        value = as_row_poly(fact_of(argument, scope))
        if value is not None:
            return CellSum(level, value.of, value.poly, nullable=True), Kind.INTEGER, SUMMED
        check_row(argument, scope)
        node = bare(argument)
        if isinstance(node, exp.Cast) and node.to.this is exp.DType.DECIMAL:
            digits = whole(node.to.expressions[0].this) if node.to.expressions else None
            lies = of_type(node.to)
            require(digits is not None and digits <= 18 and lies is not None, "sums fit")
            assert lies is not None
            return None, Kind.DECIMAL, (lies[0] * COUNTED[1], lies[1] * COUNTED[1])
        require(kind_of(argument, scope) is Kind.INTEGER, "sums are of integers")
        return None, Kind.INTEGER, SUMMED


def _of_columns(node: exp.Expr) -> bool:
    """A product of two columns: NULL where either of them is."""
    parts = (node.this, node.args["expression"]) if isinstance(node, exp.Mul) else (node,)
    return len(parts) == 2 and all(isinstance(part, exp.Column) for part in parts)


def _add(columns: dict[str, Column], name: str, column: Column) -> None:
    require(name not in columns, "column names differ")
    columns[name] = column
