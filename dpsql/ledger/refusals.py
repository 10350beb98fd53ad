"""What was refused, counted by day, analyst, budget and code: beside the chain, for the owner.

A refusal costs nothing and is a function of text, policy and spending alone, so it may be written
down; it is no entry, since an untrusted analyst could make the chain grow with them. Here a
thousand refusals are one row: there are at most as many as days, analysts (each of whom opened a
budget, which is an entry) and error codes multiplied. Nothing proves that the counts are whole:
they are notes, no evidence, and `verify` says nothing of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import column, inspect, select
from sqlalchemy import table as plain_table

from dpsql.ledger.database import Database, doubtless
from dpsql.ledger.schema import refusals as table
from dpsql.ledger.upserts import renew

MOST = 2_000
"""Characters kept of the newest refused statement of a row."""

_PATIENCE = 0.25
"""Seconds to wait for another writer: a refusal is not kept waiting for a note of it."""

_NAMES = ("day", "analyst", "budget", "code", "times", "first", "last", "sql")
_RAW = plain_table(table.name, *(column(name) for name in _NAMES))
_ALL = select(*(_RAW.c[name] for name in _NAMES)).order_by(_RAW.c.day, _RAW.c.first, _RAW.c.code)


@dataclass(frozen=True, slots=True)
class Refusal:
    """How often a code was refused to an analyst on a day (UTC), and the newest statement, cut.

    `first`, `last`: seconds since 1970.
    """

    day: str
    analyst: str
    budget: str
    code: str
    times: int
    first: int
    last: int
    sql: str


class Refusals:
    """The counts of one ledger; reached as `ledger.refusals`."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def note(self, *, analyst: str, budget: str, code: str, sql: str) -> None:
        """Count one more. LedgerError where it cannot be written."""
        now = int(self._clock())
        day = dt.datetime.fromtimestamp(now, dt.UTC).date().isoformat()
        text = sql[:MOST].encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
        row = (day, analyst, budget, code, 1, now, now, text)
        with doubtless(self._database, _PATIENCE) as connection:
            again = ("last", "sql")
            renew(
                connection, table, dict(zip(_NAMES, row, strict=True)), set_=again, counted="times"
            )

    def list(self) -> list[Refusal]:
        """All rows, oldest day first. Values of other types than ours are left out.

        Empty for a ledger that an older dpsql wrote.
        """
        with self._database.read() as connection:
            if not inspect(connection).has_table(table.name):
                return []
            rows = connection.execute(_ALL).all()
        wanted = (str, str, str, str, int, int, int, str)
        return [Refusal(*row) for row in rows if tuple(map(type, row)) == wanted]
