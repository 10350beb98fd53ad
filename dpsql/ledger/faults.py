"""Each way a ledger's database can fail, as one sentence with a way out.

The database's own words are not passed on: they may name paths and values of the machine that an
analyst has no business with. What they would have said is in the code.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from dpsql.errors import LedgerError


@contextmanager
def translated(path: str, patience: float) -> Iterator[None]:
    """Turn every database error of the block into a LedgerError; `patience` is the lock timeout."""
    try:
        yield
    except DBAPIError as error:
        raise _fault(error.orig, path, patience) from None
    except sqlite3.Error as error:
        raise _fault(error, path, patience) from None
    except SQLAlchemyError as error:
        raise _unknown(type(error).__name__, path) from None
    except UnicodeDecodeError:  # names in a damaged file, in SQLite's own message about them
        raise _damaged(path) from None


def locked(path: str, patience: float) -> LedgerError:
    """The ledger stayed locked by another reader or writer for the whole time we may wait."""
    return LedgerError(
        f"the ledger {path} was locked by another process for more than {patience:g} s; "
        "nothing was written by this call",
        code="ledger-locked",
        hint="ask again; a charge that was written before stands. If it stays locked, end the "
        "process that holds it (a backup tool, an open SQLite shell)",
    )


def read_only(path: str) -> LedgerError:
    """The file or its directory may not be written by this user."""
    return LedgerError(
        f"the ledger {path} cannot be written by this user: the file or its directory is read-only",
        code="ledger-read-only",
        hint="every private query is charged before it runs; give this user write permission on "
        "the file and its directory, or name another ledger in the policy",
    )


def linked(path: str) -> LedgerError:
    """The file has a second name, under which SQLite would keep a second log of commits."""
    return LedgerError(
        f"the ledger {path} has another name, too (a hard link): charges made under one would be "
        "unknown under the other",
        code="ledger-linked",
        hint="remove the other name; for a backup, copy the file",
    )


def unreachable(path: str, why: str, instead: str = "") -> LedgerError:
    """There is no way to the file: missing directory, a directory in its place, no permission.

    `instead`: a path that would do.
    """
    if instead:
        return LedgerError(
            f"the ledger {path} cannot be opened: {why}",
            code="ledger-unreachable",
            hint=f"name a file in the policy, such as `ledger: sqlite:///{instead}`",
        )
    return LedgerError(
        f"the ledger {path} cannot be opened: {why}",
        code="ledger-unreachable",
        hint="create the directory, or correct `ledger:` in the policy (sqlite:///relative.db, "
        "sqlite:////absolute/path.db)",
    )


def _fault(error: BaseException | None, path: str, patience: float) -> LedgerError:
    name = str(getattr(error, "sqlite_errorname", None) or "")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return locked(path, patience)
    if name.startswith(("SQLITE_READONLY", "SQLITE_PERM")):
        return read_only(path)
    if name.startswith(("SQLITE_CANTOPEN", "SQLITE_AUTH")):
        return unreachable(path, "the file or its directory is missing or not permitted")
    if name.startswith("SQLITE_NOTADB"):
        return LedgerError(
            f"the file {path} is not an SQLite database",
            code="not-a-ledger",
            hint="correct `ledger:` in the policy; if this was the ledger, restore it from a "
            "backup: a new one would forget what was spent",
        )
    if name.startswith("SQLITE_CORRUPT"):
        return _damaged(path)
    if name.startswith(("SQLITE_FULL", "SQLITE_IOERR")):
        return LedgerError(
            f"the disk of the ledger {path} is full or failing; nothing more can be charged",
            code="ledger-disk",
            hint="free space on that volume, then ask again; a charge that was written stands",
        )
    return _unknown(name or type(error).__name__, path)


def _damaged(path: str) -> LedgerError:
    return LedgerError(
        f"the ledger {path} is damaged: SQLite cannot read it",
        code="ledger-broken",
        hint="restore the file from a backup that `dpsql ledger verify` accepts",
    )


def _unknown(name: str, path: str) -> LedgerError:
    return LedgerError(
        f"the ledger {path} failed ({name})",
        code="ledger",
        hint="run `dpsql ledger verify`; a charge that was written stands",
    )
