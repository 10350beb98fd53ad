"""Requests that their analyst named, so that a retry is not charged twice.

A key is (analyst, id, hash of what was asked). Under one id stands one request; asked again, it is
answered by the bytes that were released, or charged anew where there are none (the query failed,
its process died, the bytes are gone). While its charge is open and its process may live, it is
refused: one charge never runs twice, and an impatient client does not pay twice.

The answers are kept here, found by their charge, for the retry of their own request and nothing
else; so a retry is the same whatever the store of paid answers (releases.py) holds by then. What
that store answered for nothing stands in free_answers.py.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from sqlalchemy import bindparam, column, insert, inspect, select
from sqlalchemy import table as plain_table
from sqlalchemy.engine import Connection

from dpsql.errors import InvalidQuery, LedgerError
from dpsql.ledger import free_answers
from dpsql.ledger.chain import canonical
from dpsql.ledger.entries import Charged, Outcome, RequestKey
from dpsql.ledger.free_answers import FreeAnswer, FreeAnswers
from dpsql.ledger.journal import Draft, entry_at
from dpsql.ledger.reading import read
from dpsql.ledger.releases import Found, altered, named, paid_for
from dpsql.ledger.schema import answers
from dpsql.ledger.state import State

_ID = re.compile("[!-~]([ -~]{0,198}[!-~])?")

Wanted = tuple[str, Fraction, Fraction]
"""A private aggregate as it is asked for: fingerprint, ε, δ."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """A request about to be answered: its key, what an earlier attempt left, and as of when.

    `payloads`: kept bytes by fingerprint, of the entry `charge`; `found`: the stored releases that
    answered for nothing. `seen`: the newest entry when this was looked up. `charge`, `free`: what
    stood of it then, a charge or an answer for nothing.
    """

    key: RequestKey
    payloads: Mapping[str, bytes]
    seen: int
    found: Mapping[str, Found] = field(default_factory=dict)
    charge: int | None = None
    free: bool = False

    @property
    def fresh(self) -> bool:
        """Nothing stood of it when it was looked up."""
        return self.charge is None and not self.free


def read_id(value: object) -> str:
    """A request's id: 1 to 200 printable ASCII characters. InvalidQuery `bad-request-id`."""
    if isinstance(value, str) and _ID.fullmatch(value):
        return value
    raise InvalidQuery(
        "a request's id is text of 1 to 200 printable ASCII characters",
        code="bad-request-id",
        hint="make one up for each request, a UUID say, and give the same one when asking again",
    )


def request_key(
    id: str,
    *,
    budget: str,
    total: str | None,
    sql: str,
    data_version: str,
    wanted: Sequence[Wanted],
) -> RequestKey:
    """The key of a request; the hash covers all of the statement, stored parts included."""
    request = {
        "budget": budget,
        "total": [] if total is None else [total],
        "sql": sql,
        "data_version": data_version,
        "aggregates": [[name, str(epsilon), str(delta)] for name, epsilon, delta in wanted],
    }
    return RequestKey(id, hashlib.sha256(canonical(request)).hexdigest())


def attempt(connection: Connection, state: State, analyst: str, key: RequestKey) -> Attempt:
    """A request about to be answered, with what an earlier attempt left.

    InvalidQuery `request-id-reused`, LedgerError `release-altered`.
    """
    charge = earlier(state, analyst, key)
    payloads = {} if charge is None else kept_answers(connection, state, charge)
    free = standing(connection, analyst, key)
    found = free_releases(connection, state, free)
    return Attempt(key, payloads, state.seq, found, charge, bool(free.hashes))


def standing(connection: Connection, analyst: str, key: RequestKey) -> FreeAnswers:
    """What stands of an id for nothing. InvalidQuery `request-id-reused` for another request's."""
    free = free_answers.find(connection, analyst, key.id)
    if free.hashes - {key.hash}:
        raise _reused(key.id)
    return free


def free_releases(connection: Connection, state: State, free: FreeAnswers) -> dict[str, Found]:
    """The stored releases that it names; without those that are no longer there.

    LedgerError `release-altered` for one that is no release of the same question.
    """
    found: dict[str, Found] = {}
    for fingerprint, (seq, paid) in free.answers.items():
        if not free_answers.one_question(fingerprint, paid):
            raise altered(seq)
        release = paid_for(connection, state, seq, paid)
        if release is not None:
            found[str(fingerprint)] = release
    return found


def record(
    draft: Draft, analyst: str, attempt: Attempt, found: Mapping[str, Found]
) -> dict[str, Found]:
    """Write down what answers a request for nothing; what does, if another attempt was first.

    InvalidQuery `request-id-reused`; LedgerError `release-altered`.
    """
    connection, state, key = draft.connection, draft.state, attempt.key
    earlier(state, analyst, key)
    first = free_releases(connection, state, standing(connection, analyst, key))
    new = {name: one for name, one in found.items() if name not in first}
    answers = {name: FreeAnswer(one.seq, one.paid.fingerprint) for name, one in new.items()}
    free_answers.keep(connection, analyst, key, answers)
    return {**first, **new}


def earlier(state: State, analyst: str, key: RequestKey) -> int | None:
    """The newest charge under this key. InvalidQuery `request-id-reused` for another request's."""
    known = state.requests.get((analyst, key.id))
    if known is None:
        return None
    digest, charge = known
    if digest != key.hash:
        raise _reused(key.id)
    return charge


def lost(draft: Draft, analyst: str, attempt: Attempt) -> int | None:
    """The open charge of an earlier attempt whose process is gone, to be forfeited.

    LedgerError `request-running` if one may still be running, or was answered after it was looked
    up (`attempt.seen`, `attempt.free`).
    """
    state = draft.state
    charge = earlier(state, analyst, attempt.key)
    if standing(draft.connection, analyst, attempt.key).hashes and not attempt.free:
        raise _running(attempt.key.id)
    if charge is None:
        return None
    waiting = state.open.get(charge)
    if waiting is not None:
        if state.left(waiting):
            return charge
        raise _running(attempt.key.id)
    if state.outcomes[charge] > attempt.seen:
        raise _running(attempt.key.id)
    return None


_RAW = plain_table(answers.name, column("seq"), column("fingerprint"), column("payload"))
_ALL = select(_RAW).order_by(_RAW.c.seq, _RAW.c.fingerprint)
_OF = select(_RAW.c.fingerprint, _RAW.c.payload).where(_RAW.c.seq == bindparam("charge"))
_KEEP = insert(answers)


def keep(connection: Connection, seq: int, fingerprint: str, payload: bytes) -> None:
    """Keep one answer of the charge `seq`, in the caller's transaction."""
    connection.execute(_KEEP, {"seq": seq, "fingerprint": fingerprint, "payload": payload})


def kept_answers(connection: Connection, state: State, charge: int) -> dict[str, bytes]:
    """The kept answer of a charge, by fingerprint; empty unless all of it is there.

    LedgerError `release-altered` where the charge's outcome does not vouch for it.
    """
    rows = connection.execute(_OF, {"charge": charge}).all()
    if not rows or charge not in state.outcomes:
        return {}
    record = read(entry_at(connection, charge))
    outcome = read(entry_at(connection, state.outcomes[charge]))
    if not (isinstance(record, Charged) and isinstance(outcome, Outcome)):
        raise altered(charge)
    found: dict[str, bytes] = {}
    for fingerprint, payload in rows:
        if not named(record.request, outcome, fingerprint, payload):
            raise altered(charge)
        found[fingerprint] = payload
    complete = all(one.fingerprint in found for one in record.request.aggregates)
    return found if complete else {}


def raw_answers(connection: Connection) -> Iterator[tuple[object, object, object]]:
    """Everything that is kept, as (charge, fingerprint, payload), unchecked, for verify."""
    if not inspect(connection).has_table(answers.name):  # an older ledger, read as it is
        return
    for row in connection.execute(_ALL):
        yield row[0], row[1], row[2]


def _reused(id: str) -> InvalidQuery:
    return InvalidQuery(
        f"the request id {id!r} was used for another request",
        code="request-id-reused",
        hint="take a new id for a new request; the same id only to ask exactly the same again",
    )


def _running(id: str) -> LedgerError:
    return LedgerError(
        f"the request {id!r} is being answered, or was at this moment; nothing was charged now",
        code="request-running",
        hint="ask again with the same id: its answer comes without another charge",
    )
