"""Named requests that paid releases answered, whole or in part: beside the chain, for a retry.

A charge names its request in the chain (requests.py). What was answered for nothing is no entry, so
that nobody can make the chain grow; but its id stands for one request like every other, and asked
again it gets the same bytes, whatever the store of paid answers (releases.py) would say by then.
So here stands which stored release answered what: one row for the request, one for each aggregate.
Releases stay where they are: a row names the charge that paid and the place in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, column, inspect, select
from sqlalchemy import table as plain_table
from sqlalchemy.engine import Connection

from dpsql.ledger.entries import RequestKey
from dpsql.ledger.schema import asked as table
from dpsql.ledger.upserts import renew

REQUEST = ""
"""The fingerprint under which the request itself stands; an aggregate's is never empty."""

_NAMES = ("analyst", "id", "hash", "fingerprint", "seq", "paid")
# Read without column types: what the file holds is what we check, nothing is converted on the way.
_RAW = plain_table(table.name, *(column(name) for name in _NAMES))
_ALL = select(_RAW).order_by(_RAW.c.analyst, _RAW.c.id, _RAW.c.fingerprint)
_OF = _ALL.where(_RAW.c.analyst == bindparam("analyst"), _RAW.c.id == bindparam("id"))


@dataclass(frozen=True, slots=True)
class FreeAnswer:
    """The stored release of the charge `seq`, paid for under the fingerprint `paid`."""

    seq: int
    paid: str


@dataclass(frozen=True, slots=True)
class FreeAnswers:
    """What stands of an id: the hashes of its requests (one, unless the file was edited)."""

    hashes: frozenset[object]
    answers: Mapping[object, tuple[object, object]]
    """By fingerprint of the aggregate: charge and paid fingerprint, as the file has them."""


def find(connection: Connection, analyst: str, id: str) -> FreeAnswers:
    """All that stands of an analyst's id."""
    rows = connection.execute(_OF, {"analyst": analyst, "id": id}).all()
    answers = {row[3]: (row[4], row[5]) for row in rows if row[3] != REQUEST}
    return FreeAnswers(frozenset(row[2] for row in rows), answers)


def one_question(fingerprint: object, paid: object) -> bool:
    """Whether both are names of one question, which end at their first dash (releases.py)."""
    both = isinstance(fingerprint, str) and isinstance(paid, str)
    return both and str(fingerprint).partition("-")[0] == str(paid).partition("-")[0]


def keep(
    connection: Connection, analyst: str, key: RequestKey, answers: Mapping[str, FreeAnswer]
) -> None:
    """Write a request down, in the caller's transaction, with what answers it now."""
    rows = [(REQUEST, FreeAnswer(0, "")), *answers.items()]
    for fingerprint, answer in rows:
        values = (analyst, key.id, key.hash, fingerprint, answer.seq, answer.paid)
        renew(connection, table, dict(zip(_NAMES, values, strict=True)), set_=("seq", "paid"))


def raw_free(connection: Connection) -> Iterator[tuple[object, ...]]:
    """Every row, unchecked, for verify."""
    if inspect(connection).has_table(table.name):
        for row in connection.execute(_ALL):
            yield tuple(row)
