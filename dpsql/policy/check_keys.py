"""Which keys the database enforces on each table, and what a copied unit column would win."""

from __future__ import annotations

from collections.abc import Iterator

from dpsql.core.catalog import Catalog, CatalogTable
from dpsql.policy.catalog import find_column, find_table
from dpsql.policy.findings import Finding
from dpsql.policy.schema import Hop, Policy, Table

_FORMATS = {"parquet": "Parquet", "csv": "CSV"}
_PERSONS = frozenset(
    "people persons person users user customers customer patients patient members member clients"
    " client employees employee students student accounts account".split()
)


def check_keys(
    policy: Policy, table: Table, entry: CatalogTable, catalog: Catalog
) -> Iterator[Finding]:
    """Two notes: the enforced keys; and, where each query must join its way up, how not to."""
    yield Finding("note", f"tables.{table.name}.keys", _enforced(table, entry))
    yield from _own_key(policy, table, entry, catalog)
    if table.unit is not None and table.unit.hops:
        yield from _copied(policy, table, entry, catalog)


def _own_key(
    policy: Policy, table: Table, entry: CatalogTable, catalog: Catalog
) -> Iterator[Finding]:
    """A row that is its own unit, though it refers to a table that looks like the people's.

    That is one with a unit, or a public one named so: orders by `id` would protect an order, not
    whose it is.
    """
    unit = table.unit
    if unit is None or unit.hops or not entry.unique(unit.column):
        return
    for key in entry.foreign_keys:
        names = [
            name for name, one in policy.tables.items() if _is(one, entry, key.target, catalog)
        ]
        own = [name.casefold() for name in key.columns] == [unit.column.casefold()]
        if len(key.columns) != 1 or not names or own or names[0] == table.name:
            continue
        target, column = policy.tables[names[0]], key.columns[0]
        if target.public and not _people(target.name, policy.unit):
            continue
        whose = "is public" if target.public else f"has the {policy.unit} by {_path(target)}"
        yield Finding(
            "warning",
            f"tables.{table.name}.unit",
            f"{unit.column} is the table's own key, so each row counts as one {policy.unit}; yet "
            f"{column} refers to {target.name}, which {whose}. Several rows of one person would be "
            "protected one by one only",
            f"if {target.name} are the people: unit: {column} -> {target.name}."
            f"{key.target_columns[0]}",
        )


def _people(name: str, unit: str) -> bool:
    """Is a table called after persons? Most public ones are lists of places, products, codes."""
    word = name.casefold().rpartition(".")[2]
    return word in _PERSONS or word.startswith(unit.casefold())


def _is(table: Table, entry: CatalogTable, name: str, catalog: Catalog) -> bool:
    """Is it the table that a foreign key of `entry` names, in the schema of `entry`?"""
    found = find_table(catalog, table)
    return found is not None and (found.schema, found.name) == (entry.schema, name)


def _path(table: Table) -> str:
    assert table.unit is not None
    steps = [f"{hop.column} -> {hop.target_table}.{hop.target_column}" for hop in table.unit.hops]
    return ", then ".join([*steps, table.unit.column])


def _enforced(table: Table, entry: CatalogTable) -> str:
    """All that dpsql may rely on: total unique keys, and foreign keys."""
    if table.files is not None:
        return f"{_FORMATS[table.files.format]} files: nothing enforces a key on them"
    if entry.is_view:
        return "a view: the database enforces no key on it"
    unique = [f"({', '.join(columns)}) is unique and not NULL" for columns in entry.keys]
    foreign = [
        f"{', '.join(fk.columns)} refers to {fk.target} ({', '.join(fk.target_columns)})"
        for fk in entry.foreign_keys
    ]
    if not unique and not foreign:
        return "the database enforces no key, so nothing rests on one"
    return f"enforced by the database: {'; '.join([*unique, *foreign])}"


def _copied(
    policy: Policy, table: Table, entry: CatalogTable, catalog: Catalog
) -> Iterator[Finding]:
    """The joins that attribute a row, as the binder follows the path, and the key that ends them.

    An enforced foreign key onto the unit's id holds that id itself: such a last hop is no join.
    """
    assert table.unit is not None
    joined = _joined(policy, table, entry, catalog)
    if not joined:
        return
    where = f"tables.{table.name}.unit"
    targets = ", ".join(hop.target_table for hop in joined)
    last = table.unit.hops[-1]
    if len(table.unit.hops) == 1 and last.target_column.casefold() == table.unit.column.casefold():
        message = f"each query joins {targets}: nothing enforces that {last.column} names a row"
        yield Finding("note", where, message, f"declare {_foreign_key(last.column, last)}")
        return
    holder = policy.tables[last.target_table]
    column = table.unit.column
    kind = find_table(catalog, holder)
    found = None if kind is None else find_column(kind, column)
    type_text = "" if found is None else f" {found.type_text}"
    number = "join" if len(joined) == 1 else f"{len(joined)} joins"
    yield Finding(
        "note",
        where,
        f"each query joins {targets} to find the {policy.unit}. A copy of the id in {table.name} "
        f"would win the {number}, and its rows could be counted by {policy.unit} without them (on "
        "TPC-H line items such queries took 5 to 7 times the plain one instead of 10)",
        f"add {column}{type_text} NOT NULL to {table.name}, filled along the path, with a foreign "
        f"key to the table of {policy.unit}s, and write unit: {column}",
    )


def _joined(policy: Policy, table: Table, entry: CatalogTable, catalog: Catalog) -> tuple[Hop, ...]:
    """The hops that are joins; none where the way cannot be followed (reported by itself)."""
    assert table.unit is not None
    hops, here = table.unit.hops, entry
    for index, hop in enumerate(hops):
        target = find_table(catalog, policy.tables[hop.target_table])
        if target is None:
            return ()
        names_unit = hop.target_column.casefold() == table.unit.column.casefold()
        last = index == len(hops) - 1
        if last and names_unit and here.references(hop.column, target, hop.target_column):
            return hops[:index]
        here = target
    return hops


def _foreign_key(column: str, hop: Hop) -> str:
    return f"FOREIGN KEY ({column}) REFERENCES {hop.target_table} ({hop.target_column})"
