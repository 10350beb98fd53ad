"""The ledger's tables and how an older file becomes a newer one.

`entries` is the ledger. `releases` is the store of paid answers (releases.py), `answers` those of
requests with an id (requests.py), `asked` names what answered the others of them for nothing
(free_answers.py): losing them costs budget, not privacy. `refusals` counts what was refused
(refusals.py). `dpsql_schema` names the version; each migration and the record of it are one
transaction (sqlite-utils' rule), so a crash leaves the old version or the new one.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    insert,
    inspect,
    select,
)
from sqlalchemy.engine import Connection

from dpsql.errors import LedgerError

metadata = MetaData()

Whole = Integer().with_variant(BigInteger(), "postgresql")
"""As wide as SQLite's integers are."""
Words = Text().with_variant(Text(collation="C"), "postgresql")
"""Compared by bytes, as SQLite compares."""

entries = Table(
    "dpsql_entries",
    metadata,
    Column("seq", Whole, primary_key=True, autoincrement=False),
    # UNIQUE: two successors of one entry (a fork) cannot both be stored.
    Column("prev", LargeBinary(32), nullable=False, unique=True),
    Column("hash", LargeBinary(32), nullable=False),
    Column("body", LargeBinary, nullable=False),
)

releases = Table(
    "dpsql_releases",
    metadata,
    Column("budget", Words, nullable=False),
    Column("data_version", Words, nullable=False),
    Column("fingerprint", Words, nullable=False),
    Column("epsilon", Words, nullable=False),
    Column("delta", Words, nullable=False),
    Column("seq", Whole, ForeignKey("dpsql_entries.seq"), nullable=False),
    Column("payload", LargeBinary, nullable=False),
    PrimaryKeyConstraint("budget", "data_version", "fingerprint", "epsilon", "delta"),
)

answers = Table(
    "dpsql_answers",
    metadata,
    Column("seq", Whole, ForeignKey("dpsql_entries.seq"), nullable=False),
    Column("fingerprint", Words, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    PrimaryKeyConstraint("seq", "fingerprint"),
)

asked = Table(
    "dpsql_asked",
    metadata,
    Column("analyst", Words, nullable=False),
    Column("id", Words, nullable=False),
    Column("hash", Words, nullable=False),
    Column("fingerprint", Words, nullable=False),
    Column("seq", Whole, nullable=False),
    Column("paid", Words, nullable=False),
    PrimaryKeyConstraint("analyst", "id", "fingerprint"),
)

refusals = Table(
    "dpsql_refusals",
    metadata,
    Column("day", Words, nullable=False),
    Column("analyst", Words, nullable=False),
    Column("budget", Words, nullable=False),
    Column("code", Words, nullable=False),
    Column("times", Whole, nullable=False),
    Column("first", Whole, nullable=False),
    Column("last", Whole, nullable=False),
    Column("sql", Words, nullable=False),
    PrimaryKeyConstraint("day", "analyst", "budget", "code"),
)

version = Table("dpsql_schema", metadata, Column("version", Whole, nullable=False))


def _create(connection: Connection) -> None:
    metadata.create_all(connection)
    connection.execute(insert(version).values(version=0))


def _own_prices(_: Connection) -> None:
    """No table changes: a charge's entry now holds ε and δ of each aggregate (entries.py).

    Older entries are read as they are. The number makes an older program say that it is too old
    instead of taking the newer entries for broken ones.
    """


def _named_requests(connection: Connection) -> None:
    """A charge may name its request (requests.py); an entry may accept a loss (acceptance.py)."""
    answers.create(connection, checkfirst=True)


def _refusals(connection: Connection) -> None:
    """Refusals are counted beside the chain (refusals.py)."""
    refusals.create(connection, checkfirst=True)


def _windows_and_grants(_: Connection) -> None:
    """No table changes: budgets may have windows and owners' grants (entries.py), and a raise by
    the policy, once written `grant`, is written `raise`. The number is for older programs."""


def _asked(connection: Connection) -> None:
    """Named requests that were answered for nothing (free_answers.py). An acceptance may burn more
    than its ledger's terms (acceptance.py): the number is for older programs, which refuse it."""
    asked.create(connection, checkfirst=True)


MIGRATIONS: tuple[Callable[[Connection], None], ...] = (
    _create,
    _own_prices,
    _named_requests,
    _refusals,
    _windows_and_grants,
    _asked,
)
"""Step i brings version i to i + 1. Only ever appended to."""


def stored_version(connection: Connection) -> int:
    """The file's schema version, 0 for an empty database.

    LedgerError `ledger-newer` for a later program's file, `not-a-ledger` for somebody else's.
    """
    return known_version(connection, set(inspect(connection).get_table_names()))


def known_version(connection: Connection, names: set[str]) -> int:
    """The same where these tables are found."""
    if not names:
        return 0
    found = connection.execute(select(version.c.version)).all() if version.name in names else []
    if len(found) != 1 or not isinstance(found[0][0], int) or found[0][0] < 1:
        raise not_a_ledger("the database named as ledger holds other tables, not a dpsql ledger")
    newest = len(MIGRATIONS)
    if found[0][0] > newest:
        raise LedgerError(
            f"the ledger was written by a newer dpsql (schema {found[0][0]}, "
            f"this one knows {newest})",
            code="ledger-newer",
            hint="upgrade dpsql on this machine; an older program could overlook charges",
        )
    return int(found[0][0])


def strangers(connection: Connection) -> list[str]:
    """Triggers and views: no dpsql makes any, and a trigger could undo what is written."""
    found = connection.exec_driver_sql(
        "SELECT name FROM sqlite_master WHERE type IN ('trigger', 'view') ORDER BY name"
    )
    return [str(row[0]) for row in found]


def not_a_ledger(why: str) -> LedgerError:
    """There is no ledger in the database that was named."""
    return LedgerError(
        why,
        code="not-a-ledger",
        hint="give the ledger a file or a schema of its own: `ledger: sqlite:///dpsql-ledger.db`, "
        "`ledger: postgresql://role@host/db?schema=dpsql`",
    )


def migrate(connection: Connection) -> bool:
    """Bring the file to the newest schema inside the caller's write transaction.

    True if it was empty before, so that the caller writes the first entry in the same transaction.
    """
    before = stored_version(connection)
    for step in MIGRATIONS[before:]:
        step(connection)
    if before < len(MIGRATIONS):
        connection.execute(version.update().values(version=len(MIGRATIONS)))
    return before == 0
