"""What binding one statement needs: the text, the policy, the catalog, and fresh ids."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NoReturn

from sqlglot import exp

from dpsql.core import nearest
from dpsql.core.catalog import Catalog, CatalogColumn, CatalogTable
from dpsql.core.domain import Domain, Interval, Kind, Moment, Point, point
from dpsql.core.ir import PrivateAggregate
from dpsql.errors import EngineFailed, InvalidQuery, RefusedQuery
from dpsql.policy import fit_value
from dpsql.policy.schema import ColumnRule, Policy, Table
from dpsql.sql.caret import build

MAX_INTEGER_DOMAIN = 1_000


@dataclass(frozen=True)
class Site:
    """Where a private aggregate stands in the text: its SELECT, and each release column's nodes.

    `columns`: k0, a0, ... to the expressions of the statement that were read as that column.
    """

    select: exp.Select
    columns: Mapping[str, tuple[exp.Expr, ...]]


@dataclass(frozen=True)
class Step:
    """A query over releases and public tables that a private aggregate reads (a chain).

    It runs above the noise line once they are made; what it gives is public. `types`: the engine's,
    of its columns. `value`: it stands for one value. `most`: the rows that it may give.
    """

    query: exp.Expr
    types: tuple[str, ...]
    value: bool
    most: int


Describe = Callable[["Context", exp.Expr], tuple[tuple[str, ...], tuple[str, ...]]]
"""Names and engine's types of the columns of a query above the noise line; no row is read."""


def undescribed(context: Context, query: exp.Expr) -> NoReturn:
    """Where nothing can say what a query gives, no chain is bound."""
    context.refuse(query, "chain", "a release cannot feed another query here")


@dataclass
class Context:
    """State of one binding run. `released` grows by one for each private aggregate met."""

    text: str
    policy: Policy
    catalog: Catalog
    default_schema: str
    released: list[PrivateAggregate | None] = field(default_factory=list)
    sites: dict[int, Site] = field(default_factory=dict)
    public_used: dict[str, Table] = field(default_factory=dict)
    ids: itertools.count[int] = field(default_factory=itertools.count)
    steps: list[Step] = field(default_factory=list)
    describe: Describe = undescribed
    clips: bool = False
    """Every private SELECT counts what clipping moves, as OPTIONS(clip_estimate = true) asks."""

    def reserve(self) -> int:
        """The number of a private aggregate that is about to be bound."""
        self.released.append(None)
        return len(self.released) - 1

    def mark(self) -> tuple[int, int]:
        """What is registered so far, for `take_back`."""
        return len(self.released), len(self.steps)

    def take_back(self, mark: tuple[int, int]) -> None:
        """Forget what was registered since: it was bound to see what it is."""
        del self.released[mark[0] :]
        del self.steps[mark[1] :]

    # ---- errors ------------------------------------------------------------------------

    def refuse(self, node: exp.Expr | None, code: str, message: str, hint: str = "") -> NoReturn:
        raise build(RefusedQuery, self.text, node, code, message, hint)

    def invalid(self, node: exp.Expr | None, code: str, message: str, hint: str = "") -> NoReturn:
        raise build(InvalidQuery, self.text, node, code, message, hint)

    # ---- tables ------------------------------------------------------------------------

    def table(self, node: exp.Table, ctes: Iterable[str] = ()) -> Table:
        """The declared table a FROM item names. One that is not declared does not exist.

        `ctes`: names that could have been meant, too.
        """
        if node.args.get("catalog") or not isinstance(node.this, exp.Identifier):
            self._no_table(node, ctes)
        wanted = [part.name.casefold() for part in node.parts]
        for table in self.policy.tables.values():
            parts = [part.casefold() for part in table.parts]
            qualified = parts if len(parts) == 2 else [self.default_schema, *parts]
            if wanted in (parts, qualified):
                return table
        self._no_table(node, ctes)

    def _no_table(self, node: exp.Table, ctes: Iterable[str]) -> NoReturn:
        name = ".".join(part.name for part in node.parts) or node.sql()
        known = [*self.policy.tables, *ctes]
        listed = f"declared tables: {', '.join(sorted(self.policy.tables)) or 'none'}"
        self.refuse(
            node,
            "unknown-table",
            f"there is no table {name}",
            nearest.hint(name, known) or nearest.hint(node.name, known, listed),
        )

    def catalog_table(self, table: Table) -> CatalogTable:
        """The engine's view of a declared table; a policy ahead of its database is an error."""
        found = self.catalog.find(".".join(table.parts))
        if found is None:
            raise table_missing(table)
        return found

    def visible(self, table: Table) -> dict[str, CatalogColumn]:
        """Columns that exist for analysts, in the database's order."""
        columns = self.catalog_table(table).columns
        return {name: column for name, column in columns.items() if not table.rule(name).hidden}


def table_missing(table: Table) -> EngineFailed:
    """A declared table is gone since the policy was checked."""
    return EngineFailed(
        f"table {table.name} of the policy is not in the database",
        code="table-missing",
        hint="`dpsql check` compares the policy with the database",
    )


def domain_of(rule: ColumnRule, column: CatalogColumn) -> Domain:
    """What policy and schema together say of a column.

    Of a type's limits only the 0 of an unsigned one tells something of the values.
    """
    kind = column.type.kind
    nullable = column.nullable or rule.nullable is True
    declared = Interval(_start(rule.min), _end(rule.max, kind))
    values = rule.values
    if values is not None:
        fitted = (fit_value(value, kind) for value in values)
        values = tuple(value for value in fitted if value is not None)
    if values is not None and declared == Interval() and column.type.numeric:
        ends = [end for value in values if isinstance(end := point(value), Fraction)]
        declared = Interval(min(ends), max(ends)) if ends else declared
    if declared.lo is None and kind is Kind.INTEGER and column.certain.lo == 0:
        declared = Interval(Fraction(0), declared.hi)
    if values is None and kind is Kind.BOOLEAN:
        values = (False, True)
    if values is None and kind is Kind.INTEGER and rule.min is not None and rule.max is not None:
        lo, hi = declared.numbers()
        first, last = -(-lo.numerator // lo.denominator), hi.numerator // hi.denominator
        if 0 <= last - first < MAX_INTEGER_DOMAIN:
            values = tuple(range(first, last + 1))
    return Domain(column.type, column.certain, declared, nullable, values)


def _start(value: Fraction | Moment | None) -> Point | None:
    return None if value is None else value if isinstance(value, Fraction) else point(value)


def _end(value: Fraction | Moment | None, kind: Kind) -> Point | None:
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime) and kind is Kind.TIMESTAMP:
        return dt.datetime.combine(value, dt.time.max)  # a date as max means that whole day
    return _start(value)
