"""Keys on the owner's word: verified on the data for its owner, required of every query.

A query reads no row to see whether a promise holds: what the ledger says of the data version is
all, so a refusal here is a function of text, policy, schema and ledger.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from dpsql.core.catalog import CatalogTable
from dpsql.core.ir import Scan
from dpsql.core.walk import within
from dpsql.dialects.engine import Engine
from dpsql.dialects.writing import written
from dpsql.errors import EngineFailed, RefusedQuery
from dpsql.pipeline.stages import Bound
from dpsql.policy.catalog import find_table
from dpsql.policy.promises import Promise, Resting, rested_on
from dpsql.policy.schema import Policy
from dpsql.sql.caret import build

if TYPE_CHECKING:
    from dpsql.ledger import Ledger

COMMAND = "dpsql check --verify-keys"


# ---- of a query ------------------------------------------------------------------------------


def required(
    bound: Bound, policy: Policy, verified: Collection[tuple[str, str]] | None, version: str
) -> tuple[Resting, ...]:
    """What the answer rests on: the promises over which private tables of it reach their unit.

    `verified`: (table, key) of those the ledger holds for `version`; None: there is no ledger to
    hold any. RefusedQuery `promise-unverified` unless all are among them.
    """
    tables = private_tables(bound)
    for promise in rested_on(policy, bound.catalog, tables):
        if verified is None or (promise.table, promise.key) not in verified:
            _refuse(bound, policy, promise, in_memory=verified is None)
    return tuple(Resting(one, version) for one in rested_on(policy, bound.catalog, tables))


def private_tables(bound: Bound) -> tuple[str, ...]:
    """The private tables that the aggregates of a statement read, by the policy's names."""
    scans = (part for part in within(bound.private) if isinstance(part, Scan) and part.private)
    return tuple(dict.fromkeys(scan.table for scan in scans))


def _refuse(bound: Bound, policy: Policy, promise: Promise, *, in_memory: bool) -> None:
    """Pointing at the first table in the text whose path leads over the promise."""
    clause = None
    for node in bound.parsed.root.find_all(exp.Table, bfs=False):
        said = ".".join(part.name for part in node.parts).casefold()
        own = [n for n, t in policy.tables.items() if ".".join(t.parts).casefold() == said]
        if promise in rested_on(policy, bound.catalog, own):
            clause = node
            break
    message = (
        f"whose rows these are rests on the owner's promise that {promise.column} is a key, which"
        f" was not verified for this version of the data"
    )
    hint = f"the owner runs `{COMMAND}`, once for each data_version"
    if in_memory:
        message += ", nor can it be: the policy names no ledger that would hold it"
        hint = f"the owner names a `ledger` in the policy, then runs `{COMMAND}`"
    raise build(RefusedQuery, bound.parsed.text, clause, "promise-unverified", message, hint)


# ---- of the owner ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """What the data says of a promise: rows whose key is NULL, rows that share theirs.

    For the owner alone: both are exact counts.
    """

    promise: Promise
    lacking: int
    shared: int

    @property
    def holds(self) -> bool:
        return not self.lacking and not self.shared

    @property
    def words(self) -> str:
        faults = []
        if self.shared:
            faults.append(f"{self.shared:,} rows share a value of {self.promise.key} with another")
        if self.lacking:
            faults.append(f"{self.lacking:,} rows have none (NULL)")
        return f"{self.promise.column} is not the key that was promised: {'; '.join(faults)}"


def look(promise: Promise, policy: Policy, engine: Engine) -> Found:
    """One statement over the table, whole, however long it takes. EngineFailed."""
    catalog = engine.catalog()
    entry = find_table(catalog, policy.tables[promise.table])
    if entry is None:
        raise EngineFailed("the database has no such table", code="table-missing")
    sql = written(_statement(entry, promise.key), engine.dialect, catalog)
    (row,) = engine.fetch(sql).to_pylist()
    values, lacking, shared = row.values()
    if not values:
        return Found(promise, 0, 0)  # no row at all, and no sum of any
    if lacking is None or shared is None:
        raise EngineFailed("the database did not count the rows of a promised key")
    return Found(promise, int(lacking), int(shared))


def verify(promise: Promise, policy: Policy, engine: Engine, ledger: Ledger, version: str) -> Found:
    """Look, and record the promise for this data version where it holds."""
    with engine.snapshot():
        found = look(promise, policy, engine)
    if found.holds:
        ledger.promises.record(promise.table, promise.key, version)
    return found


def _statement(entry: CatalogTable, key: str) -> exp.Select:
    """Rows by value of the key; then how many values, the rows of NULL, and the rows that share."""
    table = exp.Table(
        this=exp.to_identifier(entry.name, quoted=True),
        db=exp.to_identifier(entry.schema, quoted=True),
        catalog=exp.to_identifier(entry.database or None, quoted=True),
        alias=exp.TableAlias(this=exp.to_identifier("t")),
    )
    value = exp.column(exp.to_identifier(key, quoted=True), "t")
    rows = exp.alias_(exp.Count(this=exp.Star()), "n")
    inner = exp.Select(expressions=[exp.alias_(value, "k"), rows], from_=exp.From(this=table))
    inner = inner.group_by(exp.Literal.number(1))
    absent = exp.Is(this=exp.column("k", "g"), expression=exp.Null())
    many = exp.GT(this=exp.column("n", "g"), expression=exp.Literal.number(1))
    shared = exp.and_(exp.Not(this=absent.copy()), many)
    columns = [exp.alias_(exp.Count(this=exp.Star()), "found")]
    columns += [
        exp.alias_(exp.Sum(this=_if(test, exp.column("n", "g"))), name)
        for name, test in (("lacking", absent), ("shared", shared))
    ]
    return exp.Select(expressions=columns, from_=exp.From(this=inner.subquery("g")))


def _if(test: exp.Expr, value: exp.Expr) -> exp.Case:
    return exp.Case(ifs=[exp.If(this=test, true=value)], default=exp.Literal.number(0))
