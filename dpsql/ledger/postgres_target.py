"""Which tables in which server `postgresql://role@host/db?schema=dpsql` names, and a way there.

Everything but `schema` is libpq's: options for TLS, several hosts, service and password files, the
PG* variables. Nothing here repeats a password or a host in a message.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dpsql.errors import LedgerError
from dpsql.ledger import postgres_faults as faults
from dpsql.ledger import postgres_wire as wire
from dpsql.owner_log import log_server

if TYPE_CHECKING:
    import psycopg2.extensions

SCHEMA = "dpsql"
"""Where the tables lie if the URL does not say."""
SUPPORTED = range(14, 19)
"""Major versions."""
_BYTEA = 17
_CONFORMING = "-c standard_conforming_strings=on"
_PATIENT = "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = '60s'"
"""Whatever the role's are: for what comes before a transaction sets its own."""
_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "dbname": "PGDATABASE",
    "hostaddr": "PGHOSTADDR",
    "service": "PGSERVICE",
}
_NAME = re.compile(r"[^\W\d][\w$-]*")
_DEFAULTS = {
    "fallback_application_name": "dpsql ledger",
    # A network that swallows packets is found out in half a minute, not in two hours.
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "4",
    "tcp_user_timeout": "30000",
}


@dataclass(frozen=True, slots=True)
class Target:
    """`options`: libpq's own, by keyword. Both they and the URL may hold a password."""

    schema: str
    options: Mapping[str, str] = field(repr=False)
    url: str = field(repr=False)

    @property
    def name(self) -> str:
        """For messages."""
        return f"in PostgreSQL (schema {self.schema})"

    @property
    def key(self) -> str:
        """The place, whoever looks: without role and password."""
        host, port, name = (self._said(one) for one in ("host", "port", "dbname"))
        other = [f"&{one}={self._said(one)}" for one in ("hostaddr", "service") if self._said(one)]
        return f"postgresql://{host}:{port}/{name}?schema={self.schema}{''.join(other)}"

    def _said(self, option: str) -> str:
        """By the URL, or by libpq's environment."""
        return self.options.get(option) or os.environ.get(_VARIABLES[option], "")

    @property
    def lock(self) -> int:
        """The number of the advisory lock that every writer of this ledger takes."""
        digest = hashlib.sha256(f"dpsql ledger {self.schema}".encode()).digest()
        return int.from_bytes(digest[:8], "big", signed=True)


def read_target(url: str) -> Target:
    """LedgerError `ledger-url` for what libpq cannot read, or no name of a schema."""
    import psycopg2
    from psycopg2.extensions import parse_dsn

    rest, schema = _without_schema("postgresql://" + url.partition("://")[2])
    checked_schema(schema)
    try:
        options = parse_dsn(rest)
    except (psycopg2.Error, UnicodeError) as problem:  # its words may quote the URL
        log_server("ledger", problem, url)
        raise _unreadable("the ledger's URL cannot be read") from None
    return Target(schema, options, url)


def checked_schema(name: str) -> str:
    """The name of a schema as dpsql writes it. LedgerError `ledger-url` for others."""
    if not _NAME.fullmatch(name) or len(name.encode()) > 63 or name.startswith("pg_"):
        raise _unreadable(
            "a ledger's schema is a name of letters, digits, _, - and $ that begins with a letter"
        )
    return name


def connect(target: Target, patience: float) -> psycopg2.extensions.connection:
    """A connection of our own. `Lost` where there is no way to the server."""
    import psycopg2

    wait = {"connect_timeout": str(max(2, min(15, round(patience))))}
    try:
        options = {**_DEFAULTS, **wait, **target.options, "client_encoding": "UTF8"}
        raw = psycopg2.connect(**options)
        if raw.get_parameter_status("standard_conforming_strings") != "on":
            # psycopg2 spells bytes as was right when it connected, whatever is set later.
            raw.close()
            options["options"] = f"{options.get('options', '')} {_CONFORMING}"
            raw = psycopg2.connect(**options)
        raw.autocommit = True
        with raw.cursor() as cursor, wire.answered_within(raw, wire.ANSWER_SECONDS):
            cursor.execute(_PATIENT)
        raw.autocommit = False
    except (psycopg2.Error, UnicodeError) as problem:
        log_server("ledger", problem, target.url)
        raise faults.unreachable(target.name) from None
    if raw.server_version // 10_000 not in SUPPORTED:
        raw.close()
        raise LedgerError(
            f"the ledger {target.name} lies in a server of a version that dpsql has not been "
            "verified on",
            code="ledger-server",
            hint=f"use PostgreSQL {SUPPORTED[0]} to {SUPPORTED[-1]}",
        )
    if raw.get_parameter_status("server_encoding") != "UTF8":
        raw.close()
        raise LedgerError(
            f"the ledger {target.name} lies in a database whose encoding is not UTF-8",
            code="ledger-server",
            hint="names would be cut or confused: use a database with ENCODING 'UTF8'",
        )
    psycopg2.extensions.register_type(_bytes_caster(), raw)
    return raw


def _bytes_caster() -> Any:
    """A bytea as bytes: what is stored is compared with what was hashed."""
    import psycopg2.extensions

    def cast(value: Any, cursor: Any) -> bytes | None:
        found = psycopg2.BINARY(value, cursor)
        return None if found is None else bytes(found)

    return psycopg2.extensions.new_type((_BYTEA,), "DPSQL_BYTES", cast)


def _without_schema(url: str) -> tuple[str, str]:
    """The URL as libpq reads it, and the schema; the rest is not written anew."""
    rest, mark, query = url.partition("?")
    pairs = query.split("&") if mark else []
    named = [pair.partition("=")[2] for pair in pairs if pair.partition("=")[0] == "schema"]
    if len(named) > 1:
        raise _unreadable("the ledger's URL names two schemas")
    others = "&".join(pair for pair in pairs if pair.partition("=")[0] != "schema")
    return rest + (f"?{others}" if others else ""), named[0] if named else SCHEMA


def _unreadable(why: str) -> LedgerError:
    return LedgerError(
        why,
        code="ledger-url",
        hint="write it like `ledger: postgresql://role@host:5432/db?schema=dpsql`",
    )
