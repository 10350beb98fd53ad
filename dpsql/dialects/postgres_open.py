"""Opening PostgreSQL: a connection by the policy's URL, the server's version, all settings."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from dpsql.dialects.engine import FAILED, FAILED_HINT
from dpsql.dialects.postgres_drift import refuse_drift
from dpsql.errors import EngineFailed, PolicyError
from dpsql.owner_log import log_server

if TYPE_CHECKING:
    import psycopg2.extensions

SUPPORTED = range(14, 19)
"""Major versions."""
CONNECT_SECONDS = 15
LOCK_SECONDS = 10

SETTINGS: tuple[tuple[str, str], ...] = (
    # what names and texts mean
    ("search_path", "pg_catalog, pg_temp"),
    ("standard_conforming_strings", "on"),
    ("bytea_output", "hex"),
    ("DateStyle", "ISO, YMD"),
    ("IntervalStyle", "postgres"),
    ("TimeZone", "UTC"),
    ("extra_float_digits", "1"),
    ("transform_null_equals", "off"),
    ("xmloption", "content"),
    # a policy on rows is an error, not a filter
    ("row_security", "off"),
    # plans: compiling costs more than it gains, sorts and hashes get room
    ("jit", "off"),
    ("work_mem", "256MB"),
    # workers that hand over nearly a row for each of theirs, as those of (unit, key) cells do, cost
    # more than they save; those that hand over few groups are worth it still
    ("parallel_tuple_cost", "1"),
    # a join of people with their sums would have each worker make all the sums anew, for the little
    # that a shared scan of the people saves: workers start where they save a second or so
    ("parallel_setup_cost", "100000"),
    # nothing waits for ever
    ("lock_timeout", f"{LOCK_SECONDS}s"),
    ("idle_in_transaction_session_timeout", "1h"),
)
"""Set for each transaction, so that they hold through a pooler, too."""

BEGIN = "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY; " + "; ".join(
    f"SET LOCAL {name} = {value}" if name == "search_path" else f"SET LOCAL {name} = '{value}'"
    for name, value in SETTINGS
)


def connect(url: str) -> psycopg2.extensions.connection:
    """A connection of our own; EngineFailed without a word of the server's.

    libpq reads the URL: its options for TLS, its service and password files and PG* variables.
    """
    import psycopg2

    try:
        connection = psycopg2.connect(
            url, connect_timeout=CONNECT_SECONDS, fallback_application_name="dpsql"
        )
    except psycopg2.ProgrammingError as problem:  # libpq cannot read the URL, and may quote it
        log(problem, url)
        raise PolicyError(
            "the URL of the database cannot be read",
            code="database-url",
            hint="write it like postgresql://user@host:5432/name?sslmode=verify-full",
        ) from None
    except (psycopg2.Error, UnicodeError) as problem:
        log(problem, url)
        raise unreachable() from None
    try:
        connection.autocommit = True
        _check_server(connection)
        connection.set_client_encoding("UTF8")
        refuse_drift(connection)
    except psycopg2.Error as problem:
        connection.close()
        log(problem, url)
        raise unreachable() from None
    except BaseException:
        connection.close()
        raise
    return connection


def unreachable() -> EngineFailed:
    return EngineFailed(
        "the PostgreSQL server of this policy cannot be reached",
        code="engine-missing",
        hint="is it running, and may this user connect? the owner's log has the reason",
    )


def failed() -> EngineFailed:
    return EngineFailed(FAILED, hint=FAILED_HINT)


def _check_server(connection: psycopg2.extensions.connection) -> None:
    major = connection.server_version // 10_000
    if major not in SUPPORTED:
        raise EngineFailed(
            f"PostgreSQL {major} is not a version dpsql has been verified on",
            code="engine-version",
            hint=f"use PostgreSQL {SUPPORTED[0]} to {SUPPORTED[-1]}",
        )
    if connection.get_parameter_status("server_encoding") != "UTF8":
        raise EngineFailed(
            "the database keeps its texts in another encoding than UTF-8",
            code="engine-open",
            hint="text would be cut and compared otherwise: use a database with ENCODING 'UTF8'",
        )


def log(problem: BaseException, url: str) -> None:
    """The server's words, for the owner alone; the URL's password is in none of them."""
    log_server("PostgreSQL", problem, url)


IDENTITY = (
    "SELECT (SELECT system_identifier FROM pg_catalog.pg_control_system())::text,"
    " (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())::text"
)
_PLACE = (
    "SELECT pg_catalog.host(pg_catalog.inet_server_addr()) || ':' || pg_catalog.inet_server_port(),"
    " (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())::text"
)


def identity_of(connection: psycopg2.extensions.connection, url: str) -> str:
    """The cluster's own identifier and the database's number in it, by whatever way it is reached.

    Where the role may not ask for the identifier: the server's address as the server sees it.
    EngineFailed if the connection goes meanwhile.
    """
    import psycopg2.errors

    for query in (IDENTITY, _PLACE):
        try:
            with contextlib.suppress(psycopg2.errors.InsufficientPrivilege):
                found = list(_rows(connection, query))
                if found and None not in found[0]:
                    return "postgresql:" + "/".join(found[0])
        except psycopg2.Error as problem:
            log(problem, url)
            raise unreachable() from None
    host = connection.get_dsn_parameters()
    return f"postgresql:{host.get('host', '')}:{host.get('port', '')}/{host.get('dbname', '')}"


def _rows(connection: psycopg2.extensions.connection, query: str) -> Iterator[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        yield from cursor.fetchall()
