"""What the policy's `kept` asks for: a SELECT for each entry, bound as an analyst's would be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from dpsql.core.catalog import Catalog
from dpsql.core.ir import PrivateAggregate
from dpsql.errors import Error, PolicyError
from dpsql.guard import not_too_deep
from dpsql.pipeline import bind, parse
from dpsql.planning.kept import KeptCells, kept_cells
from dpsql.policy.schema import Kept, Policy, Table


@dataclass(frozen=True, slots=True)
class Entry:
    """One table of cells to be: `where` in the policy, `name` for people, `id` for the file."""

    where: str
    name: str
    id: str
    cells: KeptCells


@dataclass(frozen=True, slots=True)
class Unfit:
    """An entry of the policy of which no cells can be made, and why."""

    where: str
    problem: Error


def entries(policy: Policy, catalog: Catalog, default_schema: str) -> Iterator[Entry | Unfit]:
    """Every table of cells that the policy asks for. Reads schema and policy, no row."""
    for name, table in policy.tables.items():
        for index, kept in enumerate(table.kept):
            where = f"tables.{name}.kept[{index}]"
            try:
                with not_too_deep():
                    aggregate = _bound(policy, table, kept, catalog, default_schema)
                    found = list(kept_cells(aggregate, policy, lambda table, column: None))
            except Error as problem:
                yield Unfit(where, problem)
                continue
            for cells in found:
                label = f"{name} by {', '.join(kept.by) or policy.unit}"
                label += " (weighted)" if cells.strategy == "weights" else ""
                yield Entry(where, label, _id(name, kept, cells), cells)


def _id(table: str, kept: Kept, cells: KeptCells) -> str:
    said = json.dumps([table, kept.by, kept.values, cells.strategy])
    return hashlib.sha256(said.encode()).hexdigest()


def _bound(
    policy: Policy, table: Table, kept: Kept, catalog: Catalog, default_schema: str
) -> PrivateAggregate:
    """SELECT by, COUNT(*), SUM(value), ... FROM table GROUP BY by, as an analyst's is bound."""
    keys = [_expression(one) for one in kept.by]
    sums: list[exp.Expr] = [exp.Sum(this=_expression(one)) for one in kept.values]
    source = exp.Table(
        this=exp.to_identifier(table.parts[-1], quoted=True),
        db=exp.to_identifier(table.parts[0], quoted=True) if len(table.parts) == 2 else None,
    )
    select = exp.Select(
        expressions=[*keys, exp.Count(this=exp.Star()), *sums], from_=exp.From(this=source)
    )
    if keys:
        places = [exp.Literal.number(at) for at in range(1, len(keys) + 1)]
        select.set("group", exp.Group(expressions=places))
    bound = bind.run(
        parse.run(select.sql("duckdb"), dialect="duckdb"),
        policy=policy,
        catalog=catalog,
        default_schema=default_schema,
    )
    if len(bound.private) != 1 or bound.steps:
        raise _no_expression()
    return bound.private[0]


def _expression(text: str) -> exp.Expr:
    """One expression over a row: a column, or what is computed from columns."""
    try:
        found = parse_one(text, dialect="duckdb")
    except SqlglotError:
        raise _no_expression() from None
    strange = (exp.Query, exp.AggFunc, exp.Window, exp.Star, exp.Alias, exp.Command, exp.Literal)
    if isinstance(found, exp.Literal) or any(found.find_all(*strange[:-1])):
        raise _no_expression()
    return found


def _no_expression() -> PolicyError:
    return PolicyError(
        "`by` and `values` list columns, or expressions over one row's columns",
        code="kept-unfit",
        hint="by: [city, \"date_trunc('month', visited_on)\"], values: [amount, price * qty]",
    )
