"""Keys on the owner's word: which ones a table's unit path rests on, from policy and schema alone.

Files and Spark enforce no key. A path may land on a column that the owner promises to be one; the
promise is verified on the data by `dpsql check --verify-keys`, once a data version.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dpsql.core.catalog import Catalog
from dpsql.policy.catalog import find_column, find_table
from dpsql.policy.identifiers import same_name
from dpsql.policy.schema import Policy, Table


@dataclass(frozen=True, slots=True)
class Promise:
    """The owner's word that `key`, spelled as the catalog does, is NOT NULL and unique in `table`,
    a name of the policy."""

    table: str
    key: str

    @property
    def column(self) -> str:
        return f"{self.table}.{self.key}"


@dataclass(frozen=True, slots=True)
class Resting:
    """A promise that an answer rests on, and the stored data version it was verified for."""

    promise: Promise
    data_version: str

    def to_json(self) -> dict[str, str]:
        return {
            "table": self.promise.table,
            "key": self.promise.key,
            "data_version": self.data_version,
        }

    def __str__(self) -> str:
        return (
            f"rests on the owner's promise that {self.promise.column} is a key (verified for data"
            f" version {self.data_version})"
        )


def promises(table: Table, column: str) -> bool:
    """Does the owner promise that this column of the table is a key?"""
    return table.promised and table.key is not None and same_name(table.key, (column,)) is not None


def all_promises(policy: Policy, catalog: Catalog) -> tuple[Promise, ...]:
    """Every promised key that the database does not enforce; those of unknown columns left out."""
    found = []
    for name, table in policy.tables.items():
        entry = find_table(catalog, table)
        if entry is None or table.key is None or not table.promised:
            continue
        column = find_column(entry, table.key)
        if column is not None and not entry.unique(column.name):
            found.append(Promise(name, column.name))
    return tuple(found)


def rested_on(policy: Policy, catalog: Catalog, names: Iterable[str]) -> tuple[Promise, ...]:
    """The promises over which the paths of these tables lead, each once, in their order.

    A path that the database enforces hop by hop rests on none, whatever the policy says beside.
    """
    known = {(one.table, one.key.casefold()): one for one in all_promises(policy, catalog)}
    found: dict[Promise, None] = {}
    for name in names:
        path = policy.tables[name].unit
        for hop in () if path is None else path.hops:
            promise = known.get((hop.target_table, hop.target_column.casefold()))
            if promise is not None:
                found[promise] = None
    return tuple(found)
