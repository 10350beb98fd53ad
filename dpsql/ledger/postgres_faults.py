"""Each way a ledger in PostgreSQL can fail, as one sentence with a way out.

The server's own words go to the owner's log alone: they may name hosts, roles and other people's
work. What they would have said is in the code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from dpsql.errors import LedgerError
from dpsql.ledger.doubts import Lost, lost
from dpsql.owner_log import log_server

_BUSY = ("55P03", "57014", "40001", "40P01", "23505")
"""Lock and statement time-outs, deadlocks; a second successor of an entry, which UNIQUE refuses."""
_GONE = ("57P01", "57P02", "57P03", "57P05", "25P03", "53300")
"""The server ends or starts, idle time-outs, too many connections."""
_STANDBY = ("25006", "0A000")
_ABSENT = ("42P01", "3F000", "42703")
_FULL = ("53100", "53400", "58030")
_DAMAGED = ("XX001", "XX002")


@contextmanager
def translated(name: str, url: str, patience: float) -> Iterator[None]:
    """Turn every database error of the block into a LedgerError; `patience` is the lock timeout."""
    try:
        yield
    except DBAPIError as error:
        log_server("ledger", error.orig or error, url)
        if error.connection_invalidated or went(error.orig):
            raise lost(name) from None
        raise _fault(error.orig, name, patience) from None
    except SQLAlchemyError as error:
        log_server("ledger", error, url)
        raise _unknown(type(error).__name__, name) from None


def went(error: BaseException | None) -> bool:
    """Whether it says that the connection is at an end."""
    state = str(getattr(error, "pgcode", None) or "")
    return state.startswith("08") or state in _GONE


def locked(name: str, patience: float) -> LedgerError:
    """Another writer held the ledger for the whole time we may wait."""
    return LedgerError(
        f"the ledger {name} was locked by another process for more than {patience:g} s; "
        "nothing was written by this call",
        code="ledger-locked",
        hint="ask again; a charge that was written before stands. If it stays locked, its owner "
        "finds who holds it in pg_locks (an advisory lock)",
    )


def read_only(name: str) -> LedgerError:
    """Opened to read, or the server is a standby."""
    return LedgerError(
        f"the ledger {name} cannot be written: it was opened to read, or its server is a standby",
        code="ledger-read-only",
        hint="every private query is charged before it runs; name the primary in the policy "
        "(with several hosts: target_session_attrs=read-write)",
    )


def unreachable(name: str) -> Lost:
    """There is no way to the server, or no room in it."""
    return Lost(
        f"the ledger {name} cannot be reached; nothing was charged by this call",
        code="ledger-unreachable",
        hint="is the server running, and may this role connect? the owner's log has the reason",
    )


def rights(name: str) -> LedgerError:
    """The role may not do what is needed, or a policy on rows would hide some."""
    return LedgerError(
        f"the ledger {name} may not be used so by this role",
        code="ledger-rights",
        hint="its owner grants what `dpsql ledger schema --role ROLE` prints; no policy on rows "
        "may apply to the role",
    )


def no_tables(name: str, schema: str, role: str) -> LedgerError:
    """Nothing is there yet, and the role may not make it."""
    option = "" if schema == "dpsql" else f" --schema {schema}"
    return LedgerError(
        f"there is no ledger {name} yet, and this role may not create it",
        code="ledger-rights",
        hint=f"as the database's owner: `dpsql ledger schema --role {role}{option} | psql ...`",
    )


def _fault(error: BaseException | None, name: str, patience: float) -> LedgerError:
    state = str(getattr(error, "pgcode", None) or "")
    if state in _BUSY:
        return locked(name, patience)
    if state in _STANDBY:
        return read_only(name)
    if state == "42501":
        return rights(name)
    if state in _ABSENT:
        return LedgerError(
            f"the tables of the ledger {name} are gone, or not such as dpsql makes",
            code="ledger-replaced",
            hint="put them back from a backup that verifies; a new ledger would forget what was "
            "spent",
        )
    if state in _FULL:
        return LedgerError(
            f"the disk of the ledger {name} is full or failing; nothing more can be charged",
            code="ledger-disk",
            hint="free space on the server's volume, then ask again; a charge that was written "
            "stands",
        )
    if state in _DAMAGED:
        return LedgerError(
            f"the ledger {name} is damaged: the server cannot read it",
            code="ledger-broken",
            hint="restore it from a backup that `dpsql ledger verify` accepts",
        )
    return _unknown(state or type(error).__name__, name)


def _unknown(what: str, name: str) -> LedgerError:
    return LedgerError(
        f"the ledger {name} failed ({what})",
        code="ledger",
        hint="run `dpsql ledger verify`; a charge that was written stands",
    )
