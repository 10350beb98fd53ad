"""The ledger's tables in PostgreSQL: how they are made, who may do what, and whether they are ours.

The owner of a database makes them once, with the first entry, by the script that `dpsql ledger
schema` prints, and gives the role that charges no more than INSERT and SELECT on what must never
change. A role that may create makes them itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from sqlalchemy import MetaData, PrimaryKeyConstraint, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection
from sqlalchemy.schema import CreateTable

from dpsql.ledger import postgres_faults as faults
from dpsql.ledger import schema
from dpsql.ledger.chain import GENESIS, link
from dpsql.ledger.entries import Genesis, write
from dpsql.ledger.postgres_target import Target

NEWEST = len(schema.MIGRATIONS)

_RIGHTS = {
    schema.entries.name: ("INSERT", ()),
    schema.releases.name: ("INSERT", ()),
    schema.answers.name: ("INSERT", ()),
    schema.asked.name: ("INSERT", ("seq", "paid")),
    schema.refusals.name: ("INSERT", ("times", "last", "sql")),
    schema.version.name: ("", ()),
}
"""By table what the charging role may do beside SELECT, and the columns it may UPDATE."""

_NAMES = text("""
SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY 1
""")
_CREATION = text("""
SELECT CASE WHEN n.oid IS NULL THEN has_database_privilege(current_database(), 'CREATE')
            ELSE has_schema_privilege(n.oid, 'CREATE') AND has_schema_privilege(n.oid, 'USAGE') END,
       n.oid IS NOT NULL, current_user::text
FROM (SELECT 1) one LEFT JOIN pg_namespace n ON n.nspname = :schema
""")
_STRANGERS = text("""
WITH ours AS (
    SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
)
SELECT 'the trigger ' || t.tgname FROM pg_trigger t JOIN ours ON ours.oid = t.tgrelid
WHERE NOT t.tgisinternal
UNION ALL
SELECT 'the rule ' || r.rulename FROM pg_rewrite r JOIN ours ON ours.oid = r.ev_class
WHERE ours.relkind = 'r'
UNION ALL
SELECT 'the relation ' || relname || ', which is no plain table' FROM ours WHERE relkind <> 'r'
UNION ALL
SELECT 'the policy on rows of ' || relname FROM ours WHERE relrowsecurity
UNION ALL
SELECT 'the table ' || relname || ', which a crash empties' FROM ours WHERE relpersistence <> 'p'
UNION ALL
SELECT 'the table ' || relname || ', which inherits' FROM ours
WHERE EXISTS (SELECT 1 FROM pg_inherits i WHERE ours.oid IN (i.inhrelid, i.inhparent))
UNION ALL
SELECT 'no unique index on ' || wanted.name || ' of dpsql_entries' FROM (VALUES ('seq'), ('prev'))
wanted(name) WHERE EXISTS (SELECT 1 FROM ours WHERE relname = 'dpsql_entries') AND NOT EXISTS (
    SELECT 1 FROM ours JOIN pg_index x ON x.indrelid = ours.oid
    JOIN pg_attribute a ON a.attrelid = ours.oid AND a.attnum = x.indkey[0]
    WHERE ours.relname = 'dpsql_entries' AND a.attname = wanted.name AND x.indisunique
      AND x.indisvalid AND x.indimmediate AND x.indnkeyatts = 1 AND x.indpred IS NULL
)
""")

_REWRITING = text("""
SELECT bool_or(
    pg_has_role(n.nspowner, 'USAGE') OR pg_has_role(c.relowner, 'USAGE')
    OR has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER')
    OR c.relname = ANY(:once) AND has_any_column_privilege(c.oid, 'UPDATE'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relname = ANY(:all)
""")


def creation(name: str) -> list[str]:
    """The statements that make the tables, in a schema that is there."""
    copies = MetaData()
    made = [table.to_metadata(copies, schema=name) for table in schema.metadata.sorted_tables]
    # No index over texts of any length (an ε of ten thousand digits): a server's rows of one are
    # 2,700 bytes at most.
    released = copies.tables[f"{name}.{schema.releases.name}"]
    for column in released.primary_key.columns.values():
        column.primary_key = False
    released.append_constraint(PrimaryKeyConstraint("seq", "fingerprint"))
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    shown = [str(CreateTable(table).compile(dialect=dialect)).strip() for table in made]
    shown = ["\n".join(line.rstrip() for line in one.splitlines() if line.strip()) for one in shown]
    found = f'CREATE INDEX dpsql_releases_found ON "{name}".{released.name} (fingerprint)'
    return [*shown, found, f'INSERT INTO "{name}".dpsql_schema (version) VALUES ({NEWEST})']


def script(name: str, role: str, reader: str | None, now: int) -> str:
    """The whole of it for a database's owner: tables, first entry and rights, or nothing at all."""
    body = write(1, now, Genesis(uuid.uuid4().hex))  # a name, not noise
    values = ", ".join(f"'\\x{part.hex()}'" for part in (GENESIS, link(GENESIS, body), body))
    lines = [
        "BEGIN",
        "SET LOCAL standard_conforming_strings = on",
        f'CREATE SCHEMA IF NOT EXISTS "{name}"',
        *creation(name),
        f'INSERT INTO "{name}".dpsql_entries (seq, prev, hash, body) VALUES (1, {values})',
        f'REVOKE ALL ON ALL TABLES IN SCHEMA "{name}" FROM PUBLIC',
        f'REVOKE CREATE ON SCHEMA "{name}" FROM PUBLIC',
        *grants(name, role, charging=True),
        *(grants(name, reader, charging=False) if reader is not None else ()),
        "COMMIT",
    ]
    return "".join(f"{line};\n" for line in lines)


def grants(name: str, role: str, *, charging: bool) -> Iterator[str]:
    """The least rights of who charges, or of who only reads."""
    yield f'GRANT USAGE ON SCHEMA "{name}" TO {quoted(role)}'
    for table, (right, columns) in _RIGHTS.items():
        rights = ["SELECT", *([right] if right and charging else [])]
        if columns and charging:
            rights.append(f"UPDATE ({', '.join(map(quoted, columns))})")
        yield f'GRANT {", ".join(rights)} ON "{name}".{table} TO {quoted(role)}'


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def stored_version(connection: Connection, name: str) -> int:
    """The version of the schema, 0 where there are no tables. LedgerError if they are not ours."""
    names = {row[0] for row in connection.execute(_NAMES, {"schema": name})}
    return schema.known_version(connection, names)


def prepare(connection: Connection, target: Target) -> bool:
    """Make the tables, if there are none; True then. LedgerError where the role may not."""
    before = stored_version(connection, target.schema)
    if before:
        if before < NEWEST:  # no dpsql wrote an older one into PostgreSQL
            raise schema.not_a_ledger(f"the tables {target.name} are not such as dpsql makes")
        return False
    exists = _require_creation(connection, target)
    if not exists:
        connection.exec_driver_sql(f'CREATE SCHEMA "{target.schema}"')
    for statement in creation(target.schema):
        connection.exec_driver_sql(statement)
    return True


def strangers(connection: Connection, name: str) -> list[str]:
    """What could undo or double what is written: none of it is dpsql's."""
    found = connection.execute(_STRANGERS, {"schema": name})
    return [f"the schema {name}: {row[0]} is not dpsql's" for row in found]


def usable(connection: Connection, target: Target) -> list[tuple[str, str]]:
    """Warnings, each with a way out. LedgerError if this role could not charge here."""
    name = target.schema
    if connection.exec_driver_sql("SELECT pg_is_in_recovery()").scalar():
        raise faults.read_only(target.name)
    if not stored_version(connection, name):
        _require_creation(connection, target)
    else:
        for table, (right, columns) in _RIGHTS.items():
            wanted = [(None, one) for one in ("SELECT", right) if one]
            _require(connection, target, table, [*wanted, *((c, "UPDATE") for c in columns)])
    found = []
    if connection.exec_driver_sql("SHOW fsync").scalar() != "on":
        message = "its server runs with fsync = off: a power cut would forget charges"
        found.append((message, "set fsync = on in postgresql.conf"))
    if _may_rewrite(connection, name):
        message = "this role may change and delete entries, which charging does not need"
        found.append((message, "give it what `dpsql ledger schema --role ROLE` prints, no more"))
    return found


def _require_creation(connection: Connection, target: Target) -> bool:
    """Whether the schema is there already. LedgerError where this role may not make the tables."""
    row = connection.execute(_CREATION, {"schema": target.schema}).one()
    if not row[0]:
        raise faults.no_tables(target.name, target.schema, str(row[2]))
    return bool(row[1])


def _require(
    connection: Connection, target: Target, table: str, rights: list[tuple[str | None, str]]
) -> None:
    place = f'"{target.schema}".{table}'
    for column, right in rights:
        if column is None:
            query = text("SELECT has_table_privilege(:place, :right)")
            found = connection.execute(query, {"place": place, "right": right})
        else:
            query = text("SELECT has_column_privilege(:place, :column, :right)")
            found = connection.execute(query, {"place": place, "column": column, "right": right})
        if not found.scalar():
            raise faults.rights(target.name)


def _may_rewrite(connection: Connection, name: str) -> bool:
    """Of any table, or by owning it or the schema, whose owner may drop what is in it."""
    if not stored_version(connection, name):
        return False
    once = [table for table, (_, columns) in _RIGHTS.items() if not columns]
    found = connection.execute(_REWRITING, {"schema": name, "all": list(_RIGHTS), "once": once})
    return bool(found.scalar())
